"""Small design runs on a few synthetic people, shared by the tests of this folder."""

from __future__ import annotations

from dataclasses import replace

import pytest

from campro.core.progress import Progress
from campro.data import embedded
from campro.design import designer, game
from campro.design.design_config import DesignConfig, Recipe

RECIPE = Recipe(
    1,
    4,
    pipeline_lr=3e-2,
    recogniser_lr=1e-3,
    detector_lr=1e-4,
    face_batch=4,
    scene_batch=1,
    max_warmup=2,
    enhancer_steps=2,
)


@pytest.fixture(scope="module")
def small_design():
    """Design runs of a few rounds on six people and three scenes, with small inputs of the detector."""
    patch = pytest.MonkeyPatch()
    load = designer.load_detector
    patch.setitem(embedded.FACE_PLANS, "train", replace(embedded.FACE_PLANS["train"], people=6))
    patch.setitem(embedded.SCENE_PLANS, "train", replace(embedded.SCENE_PLANS["train"], collages=1))

    def small(name, **options):
        detector = load(name, **options)
        detector.card = replace(detector.card, size=(128, 128))
        return detector

    patch.setattr(designer, "load_detector", small)
    patch.setattr(game, "CALIBRATION_SCENES", 2)
    patch.setattr(designer, "recipe_of", lambda config: replace(RECIPE, omega=config.omega or RECIPE.omega))
    yield
    patch.undo()


def config(folder, **more):
    """A configuration for the CPU."""
    return DesignConfig(out=folder, accelerator="cpu", **more)


@pytest.fixture(scope="module")
def finished(small_design, tmp_path_factory):
    """profile.json of a finished run."""
    return designer.design(config(tmp_path_factory.mktemp("whole") / "run"))


PLAIN_ADVANCE = Progress.advance


@pytest.fixture
def interrupt_at(monkeypatch):
    """Interrupt the game after the given round; the state is saved after every round."""

    def interrupt(round_):
        rounds = 0

        def advance(self, *args, **texts):
            nonlocal rounds
            rounds += self.description == "design"
            if rounds == round_:
                raise KeyboardInterrupt
            PLAIN_ADVANCE(self, *args, **texts)

        monkeypatch.setattr("campro.training.checkpoints.SAVE_EVERY_S", 0.0)
        monkeypatch.setattr(Progress, "advance", advance)

    return interrupt
