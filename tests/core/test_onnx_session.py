"""ONNX files: missing and damaged ones are refused; files that list their weights as inputs load without warnings."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from campro.core.errors import CamproError
from campro.core.onnx_session import onnx_session


@pytest.fixture
def old_file(tmp_path):
    """y = x + w, where the weight w is an input, too, as in files of IR version 3."""
    x, y, w = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xyw")
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "sum", [x, w], [y], [weight])
    path = tmp_path / "old.onnx"
    onnx.save(helper.make_model(graph, ir_version=4, opset_imports=[helper.make_opsetid("", 13)]), path)
    return path


def test_an_old_file_runs_without_warnings(old_file, capfd):
    session = onnx_session(old_file)
    assert session.run(["y"], {"x": np.array([1, 1], np.float32)})[0].tolist() == [2, 3]
    assert capfd.readouterr().err == ""


def test_a_missing_file_and_a_damaged_one_are_refused(tmp_path, old_file):
    with pytest.raises(CamproError, match=r"none\.onnx: expected a detector, got no such file"):
        onnx_session(tmp_path / "none.onnx", "a detector")
    old_file.write_bytes(old_file.read_bytes()[:20])
    with pytest.raises(CamproError, match=r"old\.onnx.*get it again"):
        onnx_session(old_file)
