"""A tiny audit whose outcome is known by construction: a person's face is one flat colour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch

from campro.audit.audit_config import CAPTURED, RAW, AuditConfig
from campro.core.images import read_image, write_image
from campro.core.types import Detections, Scene
from campro.data.faces import read_faces
from campro.evaluation import call_roll
from campro.metrics.identification import Identification, summarise

PEOPLE = 6
AP = {RAW: 0.5, CAPTURED: 0.3, "invert": 0.1}
GAIN = {False: 1.0, True: 1.2}


class View:
    def __init__(self, name, change):
        self.name, self.digest, self.change = name, name, change

    def __call__(self, rgb):
        return self.change(rgb)


@dataclass(frozen=True)
class Scores:
    ap: float
    ap50: float
    ap75: float
    precision: float
    recall: float
    f1: float
    ap_low: float
    ap_high: float


class FakeBench:
    """The mean colour is the embedding: raw recognises everybody, captured (all grey) is one big tie."""

    def __init__(self, folder: Path):
        self.views = {
            RAW: View(RAW, lambda rgb: rgb),
            CAPTURED: View(CAPTURED, lambda rgb: np.roll(rgb, 1, axis=2)),
            "invert": View("invert", lambda rgb: 255 - rgb),
        }
        self.views = MappingProxyType(self.views)
        faces = read_faces(folder / "faces")
        self.roll, self.folder = call_roll(faces), folder
        self.calls: list[str] = []

    def inputs(self):
        return {"faces": "f" * 64}

    def facts(self):
        counts = {"name": "toy", "digest": "d" * 64, "photos": 14, "people": 7}
        return {
            "profile_name": "toy profile",
            "profile_digest": "0123456789abcdef" * 4,
            "white_box": "colour",
            "views": [{"name": name, "digest": view.digest} for name, view in self.views.items()],
            "models": ["colour"],
            "model_cards": [{"name": "colour", "licence": "none", "weights": None}],
            "matchers": ["nearest", "linear"],
            "detector": "boxes",
            "landmarks": "whole picture",
            "face_detectors": list(self.face_detectors),
            "group_views": [RAW, CAPTURED],
            "faces": counts | {"people": PEOPLE, "used": 3 * PEOPLE, "undetected": 2},
            "scenes": counts,
            "train_scenes": counts,
            "repeats": 3,
            "seed": 0,
            "adapt_steps": 5,
            "synthetic": ["Faces are flat colours."],
            "warnings": [],
            "problems": ["x.png: left out, <script>"],
            "curves": {"gamma": [[0.0, 0.2, 1.0]], "ccm": [[1, 0, 0], [0, 1, 0], [0.5, 0, -2]]},
        }

    def embed(self, model, views):
        self.calls += [f"embed {view}" for view in views]
        return {name: self._rows(self.views[name]) for name in {RAW, *views}}

    def _rows(self, view):
        return torch.tensor(np.stack([view(read_image(photo)).mean((0, 1)) for photo in self.roll.photos])).float()

    face_detectors = ("whole picture", "blind")

    def find_faces(self, detector, view, draws):
        self.calls.append(f"find {detector} {view}")
        rank = 2 if detector == "blind" else 1
        return summarise([Identification(torch.full((PEOPLE,), rank)) for _ in draws])

    def recognise_found(self, model, view, draws):
        self.calls.append(f"end to end {view}")
        return summarise([Identification(torch.ones(PEOPLE, dtype=torch.long)) for _ in draws])

    def groups(self):
        self.calls.append("groups")
        return {"light": torch.arange(4), "dark": torch.tensor([4, 5])}

    def crop(self, rgb, row):
        return rgb

    def scenes(self):
        file = self.folder / "scene.png"
        return (Scene(file, 60, 40, Detections.truth([[5, 5, 25, 35]]), (600.0,)),)

    def detect(self, view, adapted, shown):
        self.calls.append(f"detect {view} {adapted}")
        ap = AP[view] * GAIN[adapted]
        found = Detections(torch.tensor([[6.0, 5, 26, 35]]), torch.tensor([0.9]), torch.zeros(1, dtype=torch.bool))
        return Scores(ap, ap, ap, ap, ap, ap, ap - 0.05, ap + 0.05), [found][:shown]

    def quality(self, view):
        self.calls.append(f"quality {view}")
        return {"whole": {"rmse": 10.0, "psnr": 28.13, "ssim": 0.9, "ms_ssim": 0.95, "pictures": 1}}


@pytest.fixture
def config(tmp_path):
    return AuditConfig(face_models=("colour",), baselines=("invert",), repeats=3, adapt_steps=5, out=tmp_path / "run")


@pytest.fixture
def bench(tmp_path):
    hues = [(250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 10), (10, 250, 250), (250, 10, 250)]
    for who, hue in enumerate(hues):
        for i in range(3):
            face = np.full((20, 20, 3), hue, dtype=np.uint8)
            face[: 2 + i, :, :] = 128
            write_image(tmp_path / f"faces/p{who}/{i}.png", face)
    write_image(tmp_path / "scene.png", np.full((40, 60, 3), 90, dtype=np.uint8))
    return FakeBench(tmp_path)
