"""Pose estimators in ONNX and TFLite files: crops, decoding, cards."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from campro.core.catalogue import asset, find_asset
from campro.core.errors import CamproError
from campro.data import read_scenes
from campro.evaluation.pose_evaluation import estimate_scenes, labelled_people, with_keypoints
from campro.isp import RAW
from campro.metrics.keypoints import keypoint_precision
from campro.models.poses import PoseCard, load_pose_estimator
from campro.models.poses.person_crops import crop_transform, from_crop, person_crop
from campro.models.poses.pose_decoding import decode_coordinates, decode_heat_maps, maps_first

CARD = {"name": "toy", "size": [32, 24], "margin": 1.0}


def constant_file(path, output, card):
    """An ONNX file whose output does not depend on the picture, and its card."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["y"])],
        "constant",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 24])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output.shape)],
        [numpy_helper.from_array(output.astype(np.float32), "c")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    path.with_suffix(".json").write_text(json.dumps(CARD | card))
    return load_pose_estimator(f"onnx/{path.with_suffix('.json')}")


def test_crops_show_the_box_and_points_come_back():
    picture = np.zeros((60, 80, 3), np.float32)
    picture[20:40, 30:45] = 1.0
    box = np.array([30.0, 20, 45, 40])
    transform = crop_transform(box, (32, 24), 1.0)
    crop = person_crop(picture, transform, (32, 24))
    assert crop.shape == (32, 24, 3) and crop[2:-3, 2:-3].min() > 0.9
    corner = from_crop(np.array([[0.0, 0.0], [24, 32]]), transform)
    np.testing.assert_allclose(corner, [[30, 20], [45, 40]])
    wide = from_crop(np.array([[0.0, 0.0], [24, 32]]), crop_transform(np.array([0.0, 0, 24, 8]), (32, 24), 2.0))
    np.testing.assert_allclose(wide, [[-12, -28], [36, 36]])  # 24 x 32 around (12, 4), doubled


def test_heat_maps_of_one_cell_and_of_a_corner():
    maps = np.zeros((2, 8, 6), np.float32)
    maps[0, 3, 2], maps[0, 2, 2] = 0.8, 0.1
    maps[1, 0, 5] = 0.5
    found = decode_heat_maps(maps, (32, 24))
    np.testing.assert_allclose(found, [[8, (3 - 0.25) * 4, 0.8], [20, 0, 0.5]], atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "turned"),
    [((17, 8, 6), False), ((8, 6, 17), True), ((6, 8, 6), False), ((8, 6, 8), True), ((5, 7, 9), False)],
)
def test_axes_of_heat_maps_are_those_with_the_ratio_of_the_crop(shape, turned):
    """A crop of 32 x 24."""
    maps = np.random.default_rng(0).uniform(size=shape)
    found = maps_first(maps, PoseCard("toy", (32, 24)))
    np.testing.assert_array_equal(found, np.moveaxis(maps, 2, 0) if turned else maps)


def test_coordinates_in_both_units():
    values = np.array([[0.5, 0.25, 0.9], [1.0, 0.0, 0.1]])
    card = PoseCard("toy", (32, 24), kind="coordinates")
    np.testing.assert_allclose(decode_coordinates(values, card), [[12, 8, 0.9], [24, 0, 0.1]])
    flat = PoseCard("toy", (32, 24), kind="coordinates", unit="pixels")
    np.testing.assert_allclose(decode_coordinates(np.array([3.0, 4, 5, 6]), flat), [[3, 4, 1], [5, 6, 1]])


SEEN = {"values": ("x", "y", "z", "visibility", "presence"), "score": "visibility", "logits": True}


def test_values_of_a_point_are_read_by_name():
    """Two points of five values, flat and in rows; by hand: the sigmoid of 0 is 1/2, that of log 3 is 3/4."""
    rows = np.array([[3.0, 4, 99, 0, -9], [5, 6, 99, np.log(3), 9]])
    card = PoseCard("toy", (32, 24), kind="coordinates", unit="pixels", **SEEN)
    for output in (rows, rows.ravel(), rows.reshape(1, 1, 10)):
        np.testing.assert_allclose(decode_coordinates(output, card), [[3, 4, 0.5], [5, 6, 0.75]])
    other = PoseCard("toy", (32, 24), kind="coordinates", values=("presence", "y", "x"))
    np.testing.assert_allclose(decode_coordinates(np.array([[7.0, 0.5, 0.25]]), other), [[6, 16, 1]])


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 6), (3, 1)])
@pytest.mark.parametrize("names", [(), SEEN["values"]])
def test_outputs_without_the_values_of_the_card_are_refused(shape, names):
    with pytest.raises(CamproError, match="correct `values` in the card"):
        decode_coordinates(np.zeros(shape), PoseCard("toy", (32, 24), kind="coordinates", values=names))


def test_a_tflite_file_with_a_card(tmp_path):
    """The 17 points of BlazePose's output layout lie where the bias of the layer puts them, in every box."""
    pytest.importorskip("ai_edge_litert")
    from support.tflite_files import write_layer

    points = np.zeros((17, 5))
    points[:, 0], points[:, 1], points[:, 3] = 6, 16, np.log(3)
    path = tmp_path / "toy.tflite"
    write_layer(path, (32, 24), np.zeros((85, 32 * 24 * 3)), points.ravel())
    card = CARD | {"kind": "coordinates", "unit": "pixels"} | SEEN
    path.with_suffix(".json").write_text(json.dumps(card))
    estimator = load_pose_estimator(f"tflite/{path.with_suffix('.json')}")
    assert estimator.card.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    boxes = torch.tensor([[10.0, 10, 34, 42], [0, 0, 12, 16]])
    (found,) = estimator.estimate([torch.rand(3, 60, 50)], [boxes])
    np.testing.assert_allclose(found.points[:, 16, :2], [[16, 26], [3, 8]], atol=1e-4)
    torch.testing.assert_close(found.scores, torch.full((2,), 0.75))


@pytest.mark.parametrize("kind", ["heat maps", "coordinates"])
def test_files_with_a_card(tmp_path, kind):
    """Every point lies in the middle of the crop: of each box."""
    if kind == "heat maps":
        output = np.zeros((1, 17, 8, 6))
        output[:, :, 4, 3] = 1.0
    else:
        output = np.full((1, 20, 2), 0.5)
    estimator = constant_file(tmp_path / "toy.onnx", output, {"kind": kind})
    assert len(estimator.card.weights_sha256) == 64
    boxes = torch.tensor([[10.0, 10, 34, 42], [0, 0, 12, 16]])
    images = [torch.rand(3, 60, 50), torch.rand(3, 40, 40)]
    first, second = estimator.estimate(images, [boxes, boxes[:0]])
    assert first.points.shape == (2, 17, 3) and len(second) == 0
    np.testing.assert_allclose(first.points[:, 0, :2], [[22, 26], [6, 8]], atol=1e-4)
    torch.testing.assert_close(first.scores, torch.ones(2))
    with pytest.raises(CamproError, match="boxes of 2 images"):
        estimator.estimate(images, [boxes])


def test_points_are_chosen_by_the_card(tmp_path):
    output = np.stack([np.arange(33.0), np.zeros(33)], 1)[None]
    points = list(range(16, 33))
    card = {"kind": "coordinates", "unit": "pixels", "points": points}
    estimator = constant_file(tmp_path / "toy.onnx", output, card)
    found = estimator.estimate([torch.rand(3, 40, 40)], [torch.tensor([[0.0, 0, 24, 32]])])[0]
    assert found.points[0, :, 0].tolist() == points


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"kind": "masks"}, "kind"),
        ({"points": [1, 2]}, "17"),
        ({"size": [0, 3]}, "size"),
        ({"margin": 99}, "margin"),
        ({"std": 0}, "std"),
        ({"colour": 1}, "JSON object"),
        ({"values": ["x", "z"]}, "x and y among them"),
        ({"values": ["x", "y", "y"]}, "different names"),
        ({"values": [1, 2]}, "list of names"),
        ({"values": ["x", "y"], "score": "presence"}, "none of `values`"),
        ({"logits": 1}, "logits"),
        ({"kind": "coordinates"}, "more than 16 points"),
    ],
)
def test_wrong_cards_are_refused(tmp_path, card, message):
    with pytest.raises(CamproError, match=message):
        estimator = constant_file(tmp_path / "toy.onnx", np.zeros((1, 5, 2)), card)
        estimator.estimate([torch.rand(3, 40, 40)], [torch.tensor([[0.0, 0, 24, 32]])])


@pytest.mark.parametrize("name", ["nobody", "onnx/absent.json", "onnx", "tflite/absent.json", "tflite"])
def test_unknown_estimators_are_refused(name):
    with pytest.raises(CamproError):
        load_pose_estimator(name)


@pytest.mark.slow
@pytest.mark.shared
def test_simplepose_finds_poses_in_raw_photographs(shared_data):
    scenes = with_keypoints(read_scenes(shared_data / "coco/annotations/person_keypoints_val2017.json").scenes)
    assert (len(scenes), sum(int(labelled_people(scene).sum()) for scene in scenes)) == (32, 68)
    ap = keypoint_precision(scenes, estimate_scenes(load_pose_estimator("ultralight-simplepose"), scenes, RAW))[0]
    assert ap == pytest.approx(0.508, abs=0.01)


@pytest.mark.slow
@pytest.mark.shared
def test_mediapipe_finds_poses_in_raw_photographs(shared_data):
    pytest.importorskip("ai_edge_litert")
    if find_asset(asset("mediapipe-pose")) is None:
        pytest.skip("pose_landmark_full.tflite is not on this machine")
    scenes = with_keypoints(read_scenes(shared_data / "coco/annotations/person_keypoints_val2017.json").scenes)
    ap = keypoint_precision(scenes, estimate_scenes(load_pose_estimator("mediapipe-pose"), scenes, RAW))[0]
    assert ap == pytest.approx(0.164, abs=0.01)
