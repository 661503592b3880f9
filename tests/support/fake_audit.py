"""A tiny audit whose outcome is known by construction: a person's face is one flat colour."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from campro.audit.audit_config import CAPTURED, RAW, AuditConfig
from campro.audit.audit_context import AuditContext
from campro.audit.audit_run import run_audit
from campro.audit.results import QualityResult
from campro.core.images import read_image, write_image
from campro.core.run_folder import RunFolder
from campro.core.types import Detections, Scene
from campro.data import SceneSet
from campro.data.faces import read_faces
from campro.evaluation import EvaluationSet
from campro.evaluation.person_heights import HeightClass, PeopleByHeight
from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Provenance, Quantise
from campro.metrics.detection import DetectionScores
from campro.metrics.identification import Identification, summarise
from campro.metrics.rates import Rate, Ratio
from campro.models.faces import Landmarks
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder
from campro.models.persons.detector_adaptation import KEPT, AdaptationOutcome

PEOPLE = 6
AP = {RAW: 0.5, CAPTURED: 0.3, "invert": 0.1}
GAIN = {False: 1.0, True: 1.2}
POINTS = np.array([[4.0, 4], [16, 4], [10, 10], [6, 16], [14, 16]])
PROFILE = IspProfile(
    "toy profile",
    (Degamma(), Ccm(((1, 0, 0), (0, 1, 0), (0.5, 0, -2))), GammaLut(((0.0, 0.2, 1.0),)), Quantise(8)),
    Provenance(models={"recogniser": "colour"}),
)


class View:
    """A function as an image transform."""

    def __init__(self, name, change):
        self.name, self.digest, self.change = name, name, change

    def __call__(self, rgb):
        return self.change(rgb)


class MeanColour(FaceEmbedder):
    """The mean colour of a crop."""

    def __init__(self):
        super().__init__(EmbedderCard("colour", (112, 112), 3, 0.0, 1.0, "arcface-112"))

    def features(self, prepared):
        return prepared.mean((2, 3))


class FakeContext(AuditContext):
    """The mean colour is the embedding: raw identifies everybody, captured permutes the colours."""

    face_detectors = property(lambda self: ["whole picture", "blind"])

    def __init__(self, config: AuditConfig, folder: Path):
        self.config, self.folder, self.profile = config, folder, PROFILE
        self.views = {
            RAW: View(RAW, lambda rgb: rgb),
            CAPTURED: View(CAPTURED, lambda rgb: np.roll(rgb, 1, axis=2)),
            "invert": View("invert", lambda rgb: 255 - rgb),
        }
        self.faces = read_faces(folder / "faces")
        marks = Landmarks("five", "whole picture", {photo: POINTS for photo in self.faces.photos})
        self.evaluation = EvaluationSet.of(self.faces, marks, config.repeats, config.seed)
        scene = Scene(folder / "scene.png", 60, 40, Detections.truth([[5, 5, 25, 35]]), (600.0,))
        self.scene_set = SceneSet("toy", (scene,), ("x.png: left out, <script>",))
        self.train_scenes = SceneSet("other", (scene,))
        self.train_faces, self.photos = None, ()
        self._embedders = {"colour": MeanColour()}
        self.calls: list[str] = []

    @property
    def groups(self):
        self.calls.append("groups")
        return {"light": torch.arange(4), "dark": torch.tensor([4, 5])}

    def inputs(self):
        return {"faces": "f" * 64}

    def embed(self, model, views):
        self.calls += [f"embed {view}" for view in views]
        return {name: self._colours(self.views[name]) for name in {RAW, *views}}

    def _colours(self, view):
        photos = self.evaluation.photos
        return torch.tensor(np.stack([view(read_image(photo)).mean((0, 1)) for photo in photos])).float()

    def detect_faces(self, detector, view):
        self.calls.append(f"detect faces {detector} {view}")
        rank = 2 if detector == "blind" else 1
        return summarise([Identification(torch.full((PEOPLE,), rank)) for _ in self.evaluation.trials])

    def identify_detected(self, model, view):
        self.calls.append(f"end to end {view}")
        ones = torch.ones(PEOPLE, dtype=torch.long)
        return summarise([Identification(ones) for _ in self.evaluation.trials])

    def crop(self, rgb, row):
        return rgb

    def detect_people(self, view, adapted, shown):
        self.calls.append(f"detect people {view} {adapted}")
        ap = AP[view] * GAIN[adapted]
        found = Detections(torch.tensor([[6.0, 5, 26, 35]]), torch.tensor([0.9]), torch.zeros(1, dtype=torch.bool))
        return DetectionScores(ap, ap, ap, ap, ap, ap, ap - 0.05, ap + 0.05), [found][:shown]

    def kept_precision(self, view, adapted):
        ratio = AP[view] / AP[RAW]
        return None if view == RAW else Ratio(ratio, 0.9 * ratio, 1.1 * ratio)

    def adaptation(self, view):
        return AdaptationOutcome(KEPT if view == RAW else "training step 50", AP[view], AP[view] * GAIN[True], 20)

    def people_by_height(self, view, adapted):
        self.calls.append(f"people by height {view} {adapted}")
        found = Rate.of_counts(round(10 * GAIN[adapted] * AP[view]), 20)
        return PeopleByHeight((HeightClass(40.0, 56.6, found, 0.5), HeightClass(56.6, 80.0, found, None)), {"1": 0.25})

    def quality(self, view):
        self.calls.append(f"quality {view}")
        return {"whole": QualityResult(10.0, 28.13, 0.9, 0.95, 1)}


def drop_cells(run: RunFolder, unwanted: Callable[[dict], bool]) -> int:
    """Remove the cells whose key is unwanted, as if they had never been computed; returns how many."""
    file = run.path / "cells.jsonl"
    kept = [cell.to_line() for cell in run.cells() if not unwanted(cell.key)]
    dropped = len(run.cells()) - len(kept)
    file.write_text("".join(kept))
    return dropped


@pytest.fixture
def audit_config(tmp_path):
    return _config(tmp_path)


@pytest.fixture
def audit_context(audit_config, tmp_path):
    return _context(audit_config, tmp_path)


@pytest.fixture
def finished_audit(audit_config, audit_context, _audit_folder):
    """The run folder of the finished audit, for this test alone."""
    shutil.copytree(_audit_folder, audit_config.out)
    return run_audit(audit_config, audit_context)


@pytest.fixture(scope="session")
def _audit_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    config = _config(folder)
    return run_audit(config, _context(config, folder)).path


def _config(folder):
    return AuditConfig(
        face_models=("colour",),
        baselines=("invert",),
        attacks=("none",),
        repeats=3,
        adapt_steps=5,
        out=folder / "run",
    )


def _context(config, folder):
    hues = [(250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 10), (10, 250, 250), (250, 10, 250)]
    for who, hue in enumerate(hues):
        for i in range(3):
            face = np.full((20, 20, 3), hue, dtype=np.uint8)
            face[: 2 + i, :, :] = 128
            write_image(folder / f"faces/p{who}/{i}.png", face)
    write_image(folder / "scene.png", np.full((40, 60, 3), 90, dtype=np.uint8))
    return FakeContext(config, folder)
