"""Pose estimators in files with a card: heat maps (SimplePose, HRNet) or coordinates (DeepPose, BlazePose)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.core.types import Images, Poses
from campro.models.onnx_network import OnnxNetwork
from campro.models.persons.person_detector import checked_images
from campro.models.picture_network import PictureNetwork, as_batch
from campro.models.poses.person_crops import crop_transform, from_crop, person_crop
from campro.models.poses.pose_decoding import decode_coordinates, decode_heat_maps, maps_first
from campro.models.poses.pose_estimator import JOINTS, PoseCard
from campro.models.preprocessing import read_picture_card
from campro.models.tflite_network import TfliteNetwork


class TopDownPoses:
    """See `PoseEstimator`; the network is given the crop of each box."""

    def __init__(self, card: PoseCard, network: PictureNetwork) -> None:
        self.card, self.network = card, network

    def estimate(
        self, images: Images | Sequence[Float[Tensor, "3 H W"]], boxes: Sequence[Float[Tensor, "N 4"]]
    ) -> list[Poses]:
        """See `PoseEstimator.estimate`.

        Raises:
            CamproError: if images and boxes do not fit together, or the output is not that of the card.
        """
        pictures = checked_images(images, self.card.name)
        if len(pictures) != len(boxes):
            raise CamproError(self.card.name, f"boxes of {len(pictures)} images", str(len(boxes)))
        return [self._poses(picture, one) for picture, one in zip(pictures, boxes)]

    def _poses(self, picture: Float[Tensor, "3 H W"], boxes: Float[Tensor, "N 4"]) -> Poses:
        if len(boxes) == 0:
            return Poses(torch.zeros(0, JOINTS, 3), torch.zeros(0))
        rgb = np.ascontiguousarray(picture.permute(1, 2, 0).cpu().numpy(), np.float32)
        size, margin = self.card.size, self.card.margin
        transforms = [crop_transform(box, size, margin) for box in boxes.cpu().double().numpy()]
        crops = np.stack([person_crop(rgb, transform, size) for transform in transforms])
        (outputs, *_) = self.network(as_batch(crops.clip(0, 1)))
        found = [self._points(output, transform) for output, transform in zip(outputs, transforms)]
        points = torch.from_numpy(np.stack(found)).float()
        return Poses(points, points[:, :, 2].mean(1))

    def _points(self, output: np.ndarray, transform: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "17 3"]:
        """COCO's key points in pixels of the image."""
        if self.card.kind == "heat maps":
            decoded = decode_heat_maps(maps_first(output, self.card), self.card.size)
        else:
            decoded = decode_coordinates(output, self.card)
        if len(decoded) <= max(self.card.points):
            got = f"{len(decoded)} points"
            raise CamproError(self.card.name, f"more than {max(self.card.points)} points", got, "correct the card")
        chosen = decoded[list(self.card.points)]
        return np.concatenate([from_crop(chosen[:, :2], transform), chosen[:, 2:]], 1)


def load_onnx_poses(weights: Path | str, card: PoseCard | Path) -> TopDownPoses:
    """A pose estimator from an ONNX file and its card, or the JSON file with its fields.

    Raises:
        CamproError: if file or card is missing or malformed.
    """
    return _load(OnnxNetwork, Path(weights), card)


def load_tflite_poses(weights: Path | str, card: PoseCard | Path) -> TopDownPoses:
    """A pose estimator from a TFLite file and its card, or the JSON file with its fields.

    Raises:
        CamproError: if file or card is missing or malformed, or without the package ai-edge-litert.
    """
    return _load(TfliteNetwork, Path(weights), card)


def _load(network: Callable[[PoseCard, Path], PictureNetwork], path: Path, card: PoseCard | Path) -> TopDownPoses:
    metadata = card if isinstance(card, PoseCard) else read_picture_card(card, PoseCard)
    metadata = replace(metadata, weights_sha256=file_sha256(path) if path.is_file() else None)
    return TopDownPoses(metadata, network(metadata, path))
