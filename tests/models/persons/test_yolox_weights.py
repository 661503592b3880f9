"""Readers of YOLOX weights: round trips, and damaged files."""

from __future__ import annotations

import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file
from torch import nn

from campro.core.errors import CamproError
from campro.models.persons import load_detector
from campro.models.persons.person_detectors import PERSON_WEIGHTS
from campro.models.persons.yolox_net import ConvBlock, YoloxNet, YoloxShape
from campro.models.persons.yolox_weights import execution_order, load_weights, restore_scales

SMALL = YoloxShape(0.33, 0.125, True, 1)


@pytest.fixture(scope="module")
def trained():
    """A small network whose batch norms are not identities."""
    torch.manual_seed(1)
    net = YoloxNet(SMALL)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return net.eval()


def _folded_convolutions(net):
    """Weight and bias of each convolution in running order, batch norm folded in by hand."""
    for _, layer in execution_order(net):
        if isinstance(layer, ConvBlock):
            gain = layer.bn.weight / (layer.bn.running_var + layer.bn.eps).sqrt()
            yield layer.conv.weight * gain.view(-1, 1, 1, 1), layer.bn.bias - gain * layer.bn.running_mean
        else:
            yield layer.weight, layer.bias


def _save_onnx(path, convolutions):
    """An ONNX file whose nodes are only the given convolutions, under names without meaning."""
    nodes, values = [], []
    for i, (weight, bias) in enumerate(convolutions):
        nodes.append(helper.make_node("Conv", ["x", f"{2 * i}", f"{2 * i + 1}"], [f"y{i}"]))
        values += [numpy_helper.from_array(v.detach().numpy(), f"{2 * i + j}") for j, v in enumerate((weight, bias))]
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "folded", given, [helper.make_tensor_value_info("y0", TensorProto.FLOAT, None)])
    graph.initializer.extend(values)
    onnx.save(helper.make_model(graph), path)


@pytest.mark.slow
def test_safetensors_in_half_precision_and_nested_checkpoints_are_read(trained, tmp_path):
    state = {name: value.contiguous() for name, value in trained.state_dict().items()}
    save_file({name: v.half() if v.is_floating_point() else v for name, v in state.items()}, tmp_path / "w.safetensors")
    torch.save({"model": state, "epoch": 3}, tmp_path / "w.pth")
    half, nested = YoloxNet(SMALL), YoloxNet(SMALL)
    load_weights(half, tmp_path / "w.safetensors")
    load_weights(nested, tmp_path / "w.pth")
    found, rounded = nested.state_dict(), half.state_dict()
    for name, value in state.items():
        torch.testing.assert_close(found[name], value)
        torch.testing.assert_close(rounded[name], value, rtol=1e-3, atol=1e-3)


def test_folded_onnx_weights_give_the_same_output_also_after_unfolding(trained, tmp_path):
    _save_onnx(tmp_path / "folded.onnx", _folded_convolutions(trained))
    net = YoloxNet(SMALL).eval()
    load_weights(net, tmp_path / "folded.onnx")
    picture = 255 * torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        wanted = trained(picture)
        torch.testing.assert_close(net(picture), wanted, rtol=1e-3, atol=1e-2)
        restore_scales(net, picture)
        torch.testing.assert_close(net(picture), wanted, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".onnx"])
def test_damaged_and_missing_files_are_refused_in_one_line(tmp_path, suffix):
    file = tmp_path / f"bad{suffix}"
    with pytest.raises(CamproError, match="no such file"):
        load_detector("yolox-nano", weights=file)
    file.write_bytes(b"\x80 no weights")
    with pytest.raises(CamproError) as caught:
        load_detector("yolox-nano", weights=file)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused(trained, tmp_path):
    convolutions = list(_folded_convolutions(trained))
    _save_onnx(tmp_path / "short.onnx", convolutions[:-1])
    _save_onnx(tmp_path / "shapes.onnx", [(torch.zeros(1, 1, 1, 1), torch.zeros(1)), *convolutions[1:]])
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    net = YoloxNet(SMALL)
    for name, message in (
        ("short.onnx", "convolutions"),
        ("shapes.onnx", r"\(1, 1, 1, 1\)"),
        ("list.pth", "a list instead of named tensors"),
    ):
        with pytest.raises(CamproError, match=message):
            load_weights(net, tmp_path / name)
    with pytest.raises(CamproError, match="of this size"):
        load_weights(net, PERSON_WEIGHTS)


@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=16)), max_size=4), st.floats(0, 1))
@settings(max_examples=30)
@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".onnx"])
@pytest.mark.slow
def test_damaged_bytes_give_weights_or_a_campro_error(tmp_path_factory, trained, suffix, damage, kept):
    folder = tmp_path_factory.getbasetemp()
    whole = folder / f"whole{suffix}"
    if not whole.exists():
        state = {name: value.contiguous() for name, value in trained.state_dict().items()}
        if suffix == ".onnx":
            _save_onnx(whole, _folded_convolutions(trained))
        else:
            (save_file if suffix == ".safetensors" else torch.save)(state, whole)
    raw = bytearray(whole.read_bytes())
    raw = raw[: int(len(raw) * kept)] if kept < 0.5 else raw
    for place, value in damage:
        start = place % (2000 if place % 2 else max(len(raw), 1))
        raw[start : start + len(value)] = value
    file = folder / f"damaged{suffix}"
    file.write_bytes(raw)
    try:
        load_weights(YoloxNet(SMALL), file)
    except CamproError as error:
        assert "\n" not in str(error)
