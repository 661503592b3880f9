"""Reading YOLOX weights: official checkpoints, our own safetensors, and ONNX exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn

from campro.core.errors import CamproError
from campro.models.persons.yolox_net import ConvBlock, YoloxNet


def load_weights(net: YoloxNet, path: Path) -> None:
    """Fill `net` from a .safetensors, .onnx or official .pth file."""
    path = Path(path)
    if not path.is_file():
        raise CamproError(str(path), "a weight file", "no such file")
    try:
        if path.suffix == ".onnx":
            _load_onnx(net, path)
        else:
            net.load_state_dict(_state(path))
    except CamproError:
        raise
    except Exception as error:  # pickle, safetensors and onnx each have their own
        reason = " ".join(str(error).split())[:160]
        raise CamproError(
            str(path), "YOLOX weights of this size", reason, "choose the detector that they belong to"
        ) from error


def _state(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        # Batch-norm counters are integers and stay so; weights may be stored in half precision.
        tensors = load_file(path)
        return {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    content = torch.load(path, map_location="cpu", weights_only=True)
    return content.get("model", content)


def _load_onnx(net: YoloxNet, path: Path) -> None:
    """Fill `net` from an ONNX export, in which every batch norm has been folded into its convolution.

    Folded layers have lost their names, but both sides run in the same order, so the n-th convolution is the n-th.
    The batch norms become identities that carry the bias; `restore_scales` gives them back a scale before training.
    """
    ours, theirs = execution_order(net), _onnx_convolutions(path)
    if len(ours) != len(theirs):
        raise CamproError(str(path), f"{len(ours)} convolutions", str(len(theirs)), "choose another detector size")
    with torch.no_grad():
        for (name, layer), (weight, bias) in zip(ours, theirs, strict=True):
            conv = layer.conv if isinstance(layer, ConvBlock) else layer
            assert isinstance(conv, nn.Conv2d)
            if conv.weight.shape != weight.shape:
                raise CamproError(f"{path}: {name}", str(tuple(conv.weight.shape)), str(tuple(weight.shape)))
            conv.weight.copy_(weight)
            target = _make_identity(layer.bn) if isinstance(layer, ConvBlock) else conv
            assert target.bias is not None
            target.bias.copy_(bias)


@torch.no_grad()
def restore_scales(net: YoloxNet, pictures: Float[Tensor, "B 3 H W"]) -> None:
    """Undo the folding on pictures (BGR, 0..255), without changing what the network computes in evaluation mode.

    Folded weights have the scale of their inputs and outputs in them, a thousandth in the first layer, which sees
    0..255; optimiser steps of usual size destroy them. Here each batch norm gets the statistics of its inputs, and
    each convolution weights of norm 1, so that the network trains as if it had never been folded.
    """

    def rescale(block: ConvBlock) -> Callable[..., Tensor]:
        def hook(conv: nn.Conv2d, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            norm, weight = block.bn, conv.weight
            size = weight.square().sum((1, 2, 3)).sqrt().clamp(min=1e-12)
            scaled = output / size[:, None, None]
            variance, mean = torch.var_mean(scaled, (0, 2, 3))
            assert norm.running_var is not None
            assert norm.running_mean is not None
            # What the norm did to an input z: z * gain + shift
            gain = size * norm.weight / (norm.running_var + norm.eps).sqrt()
            shift = norm.bias - gain / size * norm.running_mean
            norm.running_var.copy_(variance)
            norm.running_mean.copy_(mean)
            weight.div_(size[:, None, None, None])
            norm.weight.copy_(gain * (variance + norm.eps).sqrt())
            norm.bias.copy_(shift + gain * mean)
            return scaled

        return hook

    blocks = [module for module in net.modules() if isinstance(module, ConvBlock)]
    hooks = [block.conv.register_forward_hook(rescale(block)) for block in blocks]
    training = net.training
    net.eval()(pictures)
    net.train(training)
    for one in hooks:
        one.remove()


def _onnx_convolutions(path: Path) -> list[tuple[Tensor, Tensor]]:
    import onnx  # takes a while, and only this kind of file needs it
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    values = {entry.name: entry for entry in graph.initializer}

    def read(name: str) -> Tensor:
        return torch.from_numpy(numpy_helper.to_array(values[name]).copy())

    return [(read(node.input[1]), read(node.input[2])) for node in graph.node if node.op_type == "Conv"]


def _make_identity(norm: nn.BatchNorm2d) -> nn.BatchNorm2d:
    norm.reset_parameters()
    assert norm.running_var is not None
    nn.init.constant_(norm.running_var, 1 - norm.eps)
    return norm


def execution_order(net: YoloxNet) -> list[tuple[str, nn.Module]]:
    """Blocks and bare convolutions in the order in which they run."""
    order: list[tuple[str, nn.Module]] = []

    def note(name: str) -> Callable[..., None]:
        return lambda module, *_: order.append((name, module))

    inside = {block.conv for block in net.modules() if isinstance(block, ConvBlock)}
    hooks = [
        module.register_forward_pre_hook(note(name))
        for name, module in net.named_modules()
        if isinstance(module, ConvBlock) or (isinstance(module, nn.Conv2d) and module not in inside)
    ]
    training = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, 64, 64))
    net.train(training)
    for hook in hooks:
        hook.remove()
    return order
