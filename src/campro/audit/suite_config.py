"""What a ladder of attackers is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from campro.attacks.budget import BudgetName
from campro.core.errors import CamproError


@dataclass(frozen=True)
class SuiteConfig:
    """Measure how much of what a profile hides each attacker brings back. Without folders: the embedded sample."""

    profile: str = "campro-default"
    """Profile to attack: a name or a JSON file."""
    faces: Path | None = None
    """Faces to recognise, a folder per person; attackers never see one of these people."""
    train_faces: Path | None = None
    """Faces that attackers may train on, a folder per person."""
    photos: tuple[Path, ...] = ()
    """Folders of photographs of anything that attackers may take with the camera."""
    face_models: tuple[str, ...] = ("dlib-resnet29",)
    """Recognisers that attackers start from; `campro models` lists them."""
    attacks: tuple[str, ...] = ()
    """Rungs of the ladder; all of them if none is named."""
    matchers: tuple[str, ...] = ("nearest",)
    """How attackers match: `nearest` gallery photograph, `linear` classifier on all known photographs."""
    landmarks: str = "dlib"
    """Face detector that places the crops, on raw photographs: the attacker's best case."""
    budget: BudgetName = "standard"
    """How long each training may take; `full` asks whether `standard` was enough."""
    restorers: tuple[Path, ...] = ()
    """ONNX files of networks for image restoration, from (1, 3, H, W) sRGB in [0, 1] to the same."""
    repeats: int = 10
    """Random draws of gallery and query photographs."""
    seed: int = 0
    cluster: str | None = None
    """Run attackers side by side: `local`, or the address of a Ray cluster that sees the same files."""
    out: Path = Path("runs/attack")
    """Run folder; the same command goes on where it was stopped."""

    def __post_init__(self) -> None:
        given = (self.faces is not None, self.train_faces is not None, bool(self.photos))
        if any(given) != all(given):
            wanted = "--faces, --train-faces and --photos together"
            raise CamproError("attack", wanted, "some of them", "give all, or none for the embedded sample")
        for option in ("face_models", "matchers"):
            if not getattr(self, option):
                raise CamproError("attack", f"at least one of --{option.replace('_', '-')}", "none")
