"""Person detectors in ONNX files, described by a card."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from campro.core.errors import CamproError
from campro.core.types import Detections
from campro.models.persons import load_detector
from campro.models.persons.onnx_persons import PersonCard, decode_cells

CARD = {"name": "toy", "size": [64, 64], "scale": 255, "person": 1, "licence": "MIT"}


def constant_file(path, output, card):
    """An ONNX file whose output does not depend on the picture, and its card."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["y"])],
        "constant",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output.shape)],
        [numpy_helper.from_array(output.astype(np.float32), "c")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    path.with_suffix(".json").write_text(json.dumps(CARD | card))
    return load_detector(f"onnx/{path.with_suffix('.json')}")


CELLS = np.array(
    [  # centre, width, height; objectness; three classes, of which the second is "person"
        (20, 30, 20, 40, 0.5, 0.1, 0.8, 0.0),
        (21, 30, 20, 40, 0.5, 0.1, 0.6, 0.0),
        (50, 10, 10, 10, 1.0, 0.9, 0.0, 0.9),
    ]
)


@pytest.mark.parametrize("layout", ["cells last", "cells first"])
def test_boxes_by_hand(tmp_path, layout):
    """The second box overlaps the first, the third is no person; the picture is twice the size of the input."""
    output = CELLS[None] if layout == "cells first" else np.delete(CELLS, 4, 1).T[None]
    detector = constant_file(tmp_path / "toy.onnx", output, {"layout": layout})
    (found,) = detector.detect(torch.rand(1, 3, 128, 128))
    np.testing.assert_allclose(found.boxes, [[20, 20, 60, 100]], atol=1e-4)
    assert found.scores.tolist() == pytest.approx([0.4 if layout == "cells first" else 0.8])
    assert detector.card.licence == "MIT" and len(detector.card.weights_sha256) == 64


def test_it_cannot_be_trained(tmp_path):
    detector = constant_file(tmp_path / "toy.onnx", CELLS[None], {"layout": "cells first"})
    with pytest.raises(CamproError, match="--adapt-steps 0"):
        detector.loss(torch.rand(1, 3, 64, 64), [Detections.truth([[0, 0, 1, 1]])])


def test_outputs_and_cards_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(CamproError, match="correct the card"):
        decode_cells(CELLS, PersonCard("toy", (64, 64), person=9, layout="cells first"))
    with pytest.raises(CamproError, match="layout"):
        constant_file(tmp_path / "toy.onnx", CELLS[None], {"layout": "rows"})
    for name in ("onnx", "onnx/absent.json"):
        with pytest.raises(CamproError):
            load_detector(name)
