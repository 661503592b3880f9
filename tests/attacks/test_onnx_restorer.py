"""Restoration networks from ONNX files."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.filters import PRETRAINED_RESTORATION
from campro.attacks.onnx_restorer import OnnxRestorer
from campro.core.errors import CamproError


def save_negative(path, shape):
    """A network with the output 1 - x."""
    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    graph = helper.make_graph(
        [helper.make_node("Sub", ["one", "x"], ["y"])],
        "negative",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [one],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)


@pytest.mark.parametrize("size", [("h", "w"), (20, 30)])
def test_networks_of_any_or_a_fixed_size(tmp_path, size):
    save_negative(tmp_path / "negative.onnx", [1, 3, *size])
    restorer = OnnxRestorer(tmp_path / "negative.onnx")
    assert restorer.name == "negative"
    rgb = np.full((40, 60, 3), 200, np.uint8)
    np.testing.assert_array_equal(restorer(rgb), 255 - rgb)


def test_damaged_files_are_refused(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(CamproError, match=r"bad\.onnx.*a network as an ONNX file"):
        OnnxRestorer(tmp_path / "bad.onnx")


def test_networks_of_other_inputs_are_refused(tmp_path):
    save_negative(tmp_path / "grey.onnx", [1, 1, "h", "w"])
    with pytest.raises(CamproError, match=r"one input \(1, 3, H, W\)"):
        OnnxRestorer(tmp_path / "grey.onnx")


def test_runs_are_named_after_name_and_content(tmp_path, tiny_embedder, cache):
    """Two files of one name are two runs, and a changed file is another run, so that no cell is of another file."""
    shapes = {"a": ("h", "w"), "b": (20, 30), "c": (40, 40)}
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save_negative(tmp_path / folder / "net.onnx", [1, 3, *shapes[folder]])

    def runs():
        restorers = tuple(OnnxRestorer(tmp_path / folder / "net.onnx") for folder in ("a", "b"))
        return set(PRETRAINED_RESTORATION.runs(AttackerKnowledge(tiny_embedder(), 0, restorers=restorers), cache))

    before = runs()
    assert len(before) == 2 and all(name.startswith("net (") for name in before)
    save_negative(tmp_path / "b" / "net.onnx", [1, 3, *shapes["c"]])
    assert len(runs() & before) == 1
