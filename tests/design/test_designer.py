"""Design runs: what they write, and which configurations they refuse."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from campro.core.errors import CamproError
from campro.design import designer, enhancer_design
from campro.design.batches import FaceCrops
from campro.design.design_config import PLAIN, DesignConfig
from campro.design.start import start_profile
from campro.enhance.enhancers import new_enhancer
from campro.isp import load_profile
from campro.models.faces import load_face_detector

from .conftest import RECIPE, config

pytestmark = pytest.mark.usefixtures("small_design")


@pytest.mark.slow
def test_a_run_ends_with_a_profile_and_its_provenance(finished):
    profile = load_profile(finished)
    assert profile.blocks != start_profile(RECIPE.start, RECIPE.lut_points, ()).blocks
    assert profile.provenance.models == {"recogniser": "dlib-resnet29", "detector": "campro-person"}
    assert set(profile.provenance.data) == {"faces", "scenes"}
    assert (finished.parent / "metrics.jsonl").read_text().count('"phase":1') == 4


@pytest.mark.slow
def test_a_run_trains_an_enhancer_if_asked(tmp_path, monkeypatch):
    """The export itself, which takes a minute, has its own tests."""
    small = partial(enhancer_design.EnhanceRecipe, size=64, batch=2)
    monkeypatch.setattr(enhancer_design, "EnhanceRecipe", small)
    monkeypatch.setattr(enhancer_design, "COLOUR_PHOTOS", 2)
    monkeypatch.setattr(enhancer_design, "FACES_NEEDED", 4)
    monkeypatch.setattr(designer, "recipe_of", lambda config: replace(RECIPE, max_warmup=1, max_rounds=1))
    made = []
    monkeypatch.setattr("campro.enhance.export.export_onnx", lambda *call: made.append(call))
    found = designer.design(config(tmp_path / "run", enhance=True))
    ((enhancer, path, profile),) = made
    assert (path, profile.digest) == (tmp_path / "run" / "enhancer.onnx", load_profile(found).digest)
    start = new_enhancer("fast").state_dict()
    assert any(not torch.equal(value, start[name]) for name, value in enhancer.state_dict().items() if name in start)
    with torch.no_grad():
        assert enhancer.eval()(torch.rand(1, 3, 50, 70)).shape == (1, 3, 50, 70)


@pytest.mark.parametrize("options", [{"attackers": ("nobody",)}, {"isp": ("sharpen",)}])
@pytest.mark.slow
def test_unknown_attackers_and_isp_parameters_are_refused(options, tmp_path):
    with pytest.raises(CamproError, match=f"--{next(iter(options))}.*one of|of recogniser"):
        designer.design(config(tmp_path / "run", **options))


@pytest.mark.slow
def test_another_configuration_is_refused(finished):
    with pytest.raises(CamproError, match="seed"):
        designer.design(config(finished.parent, seed=5))


@pytest.mark.slow
def test_a_run_with_another_start_profile_or_other_weights_is_not_resumed(finished, tmp_path, monkeypatch):
    before = designer.model_inputs
    for name in ("recogniser", "person detector", "face detector", "start profile"):
        monkeypatch.setattr(designer, "model_inputs", lambda *given, name=name: before(*given) | {name: "other"})
        with pytest.raises(CamproError, match=f"the inputs that this run was started with.*{name}"):
            designer.design(config(finished.parent))


def test_inputs_are_contents():
    models = (
        SimpleNamespace(card=SimpleNamespace(weights_sha256="a")),
        SimpleNamespace(card=SimpleNamespace(weights_sha256=None)),
    )
    inputs = designer.model_inputs(*models, load_profile("negative"), "dlib")
    assert inputs["recogniser"] == "a" and inputs["person detector"] == "random"
    assert inputs["start profile"] == load_profile("negative").digest
    assert inputs["face detector"] == load_face_detector("dlib").digest


def test_a_start_profile_without_trainable_blocks_is_refused(tmp_path):
    with pytest.raises(CamproError, match="nothing to learn"):
        designer.design(config(tmp_path / "run", start="low-resolution-4"))


def test_a_camera_whose_curve_cannot_fall_starts_from_plain():
    assert designer.start_name(DesignConfig(target="rpi-pisp"), RECIPE) == PLAIN
    negative = RECIPE.__class__(**{**vars(RECIPE), "start": "negative"})
    assert designer.start_name(DesignConfig(target="rpi-vc4"), negative) == "negative"
    assert designer.start_name(DesignConfig(target="rpi-pisp", start="campro-default"), RECIPE) == "campro-default"
    assert designer.limits_of(DesignConfig()) is None
    with pytest.raises(CamproError, match="nikon"):
        designer.limits_of(DesignConfig(target="nikon"))


class MeanColour(torch.nn.Module):
    """Embeds a crop as the direction of its mean colour."""

    def forward(self, crops):
        return torch.nn.functional.normalize(crops.mean((2, 3)))


def crops_of(colours, person):
    pixels = np.ones((len(colours), 4, 4, 3), np.uint8) * np.array(colours, np.uint8)[:, None, None]
    return FaceCrops(pixels, np.array(person), len(set(person)))


RED, GREEN, BLUE = (200, 20, 20), (20, 200, 20), (20, 20, 200)


def test_mean_embeddings_are_unit_norm_means_by_person():
    faces = crops_of([RED, BLUE, GREEN], [0, 1, 0])
    means = designer.mean_embeddings(MeanColour(), faces)
    red, blue, green = (
        MeanColour()(torch.tensor(c, dtype=torch.float32).view(1, 3, 1, 1))[0] for c in (RED, BLUE, GREEN)
    )
    torch.testing.assert_close(means[0], (red + green) / (red + green).norm())
    torch.testing.assert_close(means[1], blue)
