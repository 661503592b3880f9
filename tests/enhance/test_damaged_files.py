"""Damaged files of enhancers and restoration networks: a CamproError or a working object, nothing else."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from campro.attacks.onnx_restorer import OnnxRestorer
from campro.core.errors import CamproError
from campro.enhance.recolouring import Recolouring
from campro.enhance.runner import SHIPPED, OnnxEnhancer

RGB = np.random.default_rng(0).integers(0, 256, (40, 72, 3), dtype=np.uint8)
ORIGINAL = SHIPPED.read_bytes()


@pytest.fixture(autouse=True)
def _lut_only(monkeypatch):
    """Without the inverse, which takes seconds and does not depend on what is damaged."""
    monkeypatch.setattr(Recolouring, "_inverse", None)


def load_and_run(kind, path, content):
    """An error in one line, or a picture of the right size."""
    path.write_bytes(content)
    try:
        picture = kind(path)(RGB)
    except CamproError as error:
        assert "\n" not in str(error)
        return False
    assert picture.shape == RGB.shape and picture.dtype == np.uint8
    return True


@settings(max_examples=15)
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=40))
@pytest.mark.slow
def test_bytes(tmp_path_factory, changes):
    content = bytearray(ORIGINAL)
    for place, value in changes:
        content[int(place * len(content))] = value
    load_and_run(OnnxEnhancer, tmp_path_factory.mktemp("x") / "x.onnx", bytes(content))


@settings(max_examples=6)
@given(st.floats(0, 1))
def test_cut_files(tmp_path_factory, share):
    content = ORIGINAL[: int(share * (len(ORIGINAL) - 1))]
    assert not load_and_run(OnnxEnhancer, tmp_path_factory.mktemp("x") / "x.onnx", content)


def replaced(name, change):
    """The shipped file with another table of that name."""
    model = onnx.load_from_string(ORIGINAL)
    (weight,) = [one for one in model.graph.initializer if one.name == name]
    weight.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(weight)), name))
    return model.SerializeToString()


LUT, RESIDUAL, AMBIGUITY = "enhancer.table.values/half", "enhancer.corrections.values/half", "enhancer.spread"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        *[(name, lambda table: table * np.float16("nan")) for name in (LUT, RESIDUAL)],
        *[(name, lambda table: table[..., :-1].copy()) for name in (LUT, RESIDUAL, AMBIGUITY)],
        *[(name, lambda table: table[:, :1, :1, :1].copy()) for name in (LUT, RESIDUAL)],
        (LUT, lambda table: table[:2].copy()),
        (LUT, lambda table: table.reshape(-1)),
        (AMBIGUITY, lambda table: np.full_like(table, 255)),
        (AMBIGUITY, lambda table: table.astype(np.float32)),
    ],
)
def test_tables(name, change, tmp_path):
    assert not load_and_run(OnnxEnhancer, tmp_path / "x.onnx", replaced(name, change))


@pytest.mark.parametrize(
    "metadata",
    [
        {"prior": "no base64"},
        {"prior": ""},
        {"prior": b64encode(np.zeros(1 << 15, np.float16)).decode()},
        {"prior": b64encode(np.full(1 << 15, np.nan, np.float16)).decode()},
        {"prior": b64encode(np.ones(100, np.float16)).decode()},
        {"profile": "{}"},
        {"profile": "[" * 100_000},
        {"profile": '{"schema": 1, "name": "x", "blocks": 7}'},
    ],
)
def test_metadata(metadata, tmp_path):
    model = onnx.load_from_string(ORIGINAL)
    old = {entry.key: entry.value for entry in model.metadata_props}
    helper.set_model_props(model, old | metadata)
    assert not load_and_run(OnnxEnhancer, tmp_path / "x.onnx", model.SerializeToString())


@settings(max_examples=20)
@given(st.data())
def test_graphs(tmp_path_factory, data):
    """A node, weight, input or output is missing, or a node computes something else."""
    model = onnx.load_from_string(ORIGINAL)
    parts = data.draw(st.sampled_from(["node", "initializer", "input", "output"]))
    items = getattr(model.graph, parts)
    place = data.draw(st.integers(0, len(items) - 1))
    if parts == "node" and data.draw(st.booleans()):
        items[place].op_type = data.draw(st.sampled_from(["Relu", "Exp", "Shape", "Transpose", "Nothing"]))
    else:
        del items[place]
    load_and_run(OnnxEnhancer, tmp_path_factory.mktemp("x") / "x.onnx", model.SerializeToString())


def restorer(output, shape=(1, 3, "h", "w")):
    """An ONNX network of one node."""
    nodes = [helper.make_node(*output, ["y"])]
    x, y = (helper.make_tensor_value_info(name, 1, shape) for name in "xy")
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(helper.make_graph(nodes, "g", [x], [y]), opset_imports=opset, ir_version=8)


@pytest.mark.parametrize(
    ("output", "shape", "works"),
    [
        (("Identity", ["x"]), (1, 3, "h", "w"), True),
        (("Log", ["x"]), (1, 3, "h", "w"), False),  # log(0) is infinite
        (("Transpose", ["x"]), (1, 3, "h", "w"), False),
        (("GlobalAveragePool", ["x"]), (1, 3, "h", "w"), True),  # one pixel is resized
        (("Identity", ["x"]), (1, 3, 0, 16), False),
        (("Identity", ["x"]), (4, 3, 16, 16), False),
        (("Shape", ["x"]), (1, 3, "h", "w"), False),
    ],
)
def test_restorers(output, shape, works, tmp_path):
    rgb = RGB.copy()
    rgb[0, 0] = 0
    (tmp_path / "r.onnx").write_bytes(restorer(output, shape).SerializeToString())
    try:
        assert OnnxRestorer(tmp_path / "r.onnx")(rgb).shape == rgb.shape
        assert works
    except CamproError as error:
        assert not works and "\n" not in str(error)
