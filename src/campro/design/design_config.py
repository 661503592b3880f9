"""What a design run is told: the recipe (how to train) and the configuration (on what)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from campro.core.errors import CamproError

PLAIN = "plain"
"""An identity matrix and gamma 1/2.2, as in the paper."""


@dataclass(frozen=True)
class Recipe:
    """Hyper-parameters of Algorithm 1. Learning rates belong to the three players in turn.

    Source: CamPro (NDSS 2024), V-C and VI-A; the preset `paper` holds the settings given there.
    """

    epochs: float
    """Passes over the faces in the adversarial phase; one round is one pass over a batch by each player."""
    max_rounds: int | None
    """Upper bound on rounds, so that a preset keeps its promise on time however many faces there are."""
    pipeline_lr: float
    recogniser_lr: float
    detector_lr: float
    face_batch: int
    scene_batch: int
    omega: float = 0.2
    """Weight of the detection loss against the face loss (eq. 6)."""
    attacker_steps: int = 1
    """m: attacker steps per round."""
    protector_steps: int = 1
    """n: protector steps per round."""
    start: str = PLAIN
    """Built-in profile to start from, or a plain camera: identity matrix, gamma 1/2.2."""
    lut_points: int = 32
    """Points of a plain camera's gamma LUT."""
    enhancer_steps: int = 3000
    """Training steps of the enhancer, where one is asked for."""
    warmup_accuracy: float = 0.9
    """The adversarial phase starts when the attacker names this share of a running average of its faces."""
    max_warmup: int = 2000
    """Rounds after which warm-up ends even so; the provenance then says that the threshold was missed."""

    def rounds(self, faces: int) -> int:
        """Rounds of the adversarial phase on a training set of that many faces."""
        full = max(1, math.ceil(self.epochs * faces / self.face_batch))
        return full if self.max_rounds is None else min(full, self.max_rounds)


PRESETS: dict[str, Recipe] = {
    "paper": Recipe(500, None, pipeline_lr=1e-3, recogniser_lr=1e-1, detector_lr=1e-4, face_batch=64, scene_batch=16),
    "cpu": Recipe(8, 150, pipeline_lr=3e-3, recogniser_lr=1e-3, detector_lr=5e-4, face_batch=32, scene_batch=6,
                  omega=4, start="negative"),
    "quick": Recipe(4, 60, pipeline_lr=1e-2, recogniser_lr=1e-3, detector_lr=5e-4, face_batch=16, scene_batch=4,
                    omega=1, start="negative", enhancer_steps=200, max_warmup=40),
}  # fmt: skip


@dataclass(frozen=True)
class DesignConfig:
    """Train a profile. Without --faces and --scenes it uses the embedded sample."""

    out: Path = Path("runs/design")
    """Run folder; the same command resumes what is there. The profile ends up in it as profile.json."""
    faces: Path | None = None
    """Training faces, a folder per person; none of these people may be in the audit."""
    scenes: tuple[Path, ...] = ()
    """COCO JSON files of training photographs with people."""
    face_model: str = "dlib-resnet29"
    """White-box recogniser that the profile is trained against; `campro models` lists them."""
    face_weights: Path | None = None
    """Weights of the recogniser where they are not found by name."""
    landmarks: str = "dlib"
    """Face detector that places the crops."""
    detector: str = "campro-person"
    """Person detector that must go on working."""
    detector_weights: Path | None = None
    """Weights of the detector where they are not found by name."""
    preset: Literal["paper", "cpu", "quick"] = "quick"
    """Recipe: `paper` as published, `cpu` under an hour on two cores, `quick` under five minutes."""
    rounds: int | None = None
    """Rounds of the adversarial phase, instead of the preset's."""
    omega: float | None = None
    """Weight of the detection loss, instead of the preset's."""
    start: str | None = None
    """Profile to start from (name or path), instead of the preset's; `plain` is a plain camera, as in the paper."""
    target: str | None = None
    """Camera that must be able to hold the profile (`campro targets`); it is then what the camera itself does."""
    isp: tuple[str, ...] = ()
    """More of the image signal processor: curve-per-channel, offsets, and NAME or NAME=VALUE of bits, defocus,
    low-resolution, chroma-blur."""
    attackers: tuple[str, ...] = ("recogniser",)
    """Who plays against the profile, side by side: recogniser (the paper's), filters, colours, distilled, ridge."""
    renew: int | None = None
    """Rounds after which one attacker, each in turn, begins anew."""
    protector_only: bool = False
    """Ablation: the attacker stays as it was after warm-up."""
    enhance: bool = False
    """Also train an enhancer for the profile; it ends up in the run folder as enhancer.onnx."""
    name: str = "my-profile"
    """Name that the profile carries."""
    seed: int = 0
    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"

    def __post_init__(self) -> None:
        for option in ("rounds", "renew", "devices", "nodes"):
            value = getattr(self, option)
            if value is not None and value < 1:
                raise CamproError("design", f"--{option} of at least 1", str(value))
        if self.omega is not None and not (self.omega >= 0 and math.isfinite(self.omega)):
            raise CamproError("design", "a finite --omega of at least 0", str(self.omega))
        if not self.attackers:
            raise CamproError("design", "at least one of --attackers", "none")
        if (self.faces is None) != (not self.scenes):
            raise CamproError(
                "design", "--faces and --scenes together", "one of them", "give both, or none for the embedded sample"
            )
