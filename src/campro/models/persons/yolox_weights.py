"""Readers of YOLOX weights: official checkpoints, safetensors files of this project, and ONNX exports."""

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
    """Load the weights of a .safetensors, .onnx or official .pth file into `net`.

    Raises:
        CamproError: if the file is missing, damaged, or holds the weights of another network.
    """
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
    except Exception as error:  # pickle, safetensors and onnx raise errors of many classes
        reason = " ".join(str(error).split())[:160]
        raise CamproError(
            str(path), "YOLOX weights of this size", reason, "choose the detector that they belong to"
        ) from error


def _state(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        # Weights may be stored in half precision; batch-norm counters are integers and stay integers.
        tensors = load_file(path)
        return {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, dict):
        raise ValueError(f"a {type(content).__name__} instead of named tensors")
    return content.get("model", content)


def _load_onnx(net: YoloxNet, path: Path) -> None:
    """Load the weights of an ONNX export, in which every batch norm is folded into its convolution.

    The export does not keep the names of folded layers, but the convolutions of both networks run in the same order.
    The batch norms of `net` become identities that add the bias; `restore_scales` sets their scale before training.
    """
    layers, weights = execution_order(net), _onnx_convolutions(path)
    if len(layers) != len(weights):
        raise CamproError(str(path), f"{len(layers)} convolutions", str(len(weights)), "choose another detector size")
    with torch.no_grad():
        for (name, layer), (weight, bias) in zip(layers, weights, strict=True):
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
    """Separate batch norms from convolutions again; the output of the network in evaluation mode stays the same.

    Folded weights include the scale of inputs and outputs (about a thousandth in the first layer, whose input is 0 to
    255), so that optimiser steps of usual size destroy them. Here each batch norm gets the statistics of its inputs
    on `pictures` (BGR, 0 to 255), and each filter the norm 1; the network then trains like one that was never folded.
    """

    def rescale(block: ConvBlock) -> Callable[..., Tensor]:
        def hook(conv: nn.Conv2d, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            norm, weight = block.bn, conv.weight
            size = weight.square().sum((1, 2, 3)).sqrt().clamp(min=1e-12)
            scaled = output / size[:, None, None]
            variance, mean = torch.var_mean(scaled, (0, 2, 3))
            assert norm.running_var is not None
            assert norm.running_mean is not None
            # the batch norm maps its input z to z * gain + shift
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
    for handle in hooks:
        handle.remove()


def _onnx_convolutions(path: Path) -> list[tuple[Tensor, Tensor]]:
    import onnx  # imported here because it is slow to import
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
    """(name, module) of each `ConvBlock` and of each convolution outside one, in the order in which they run."""
    order: list[tuple[str, nn.Module]] = []

    def record(name: str) -> Callable[..., None]:
        return lambda module, *_: order.append((name, module))

    inside = {block.conv for block in net.modules() if isinstance(block, ConvBlock)}
    hooks = [
        module.register_forward_pre_hook(record(name))
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
