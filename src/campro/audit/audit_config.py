"""What an audit is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from campro.core.errors import CamproError

RAW, CAPTURED, ENHANCED = "raw", "captured", "enhanced"
"""Views: the camera as it is, with the profile in it, and with an enhancer behind the profile, where there is one."""
AUTO, NONE = "auto", "none"


@dataclass(frozen=True)
class AuditConfig:
    """Measure what a profile protects and what it costs. Without --faces and --scenes: the embedded sample."""

    profile: str = "campro-default"
    """Profile to judge: a name or a JSON file."""
    faces: Path | None = None
    """Faces to recognise, a folder per person; none of them may have trained the profile or a model."""
    scenes: Path | None = None
    """COCO JSON file of photographs with people, for the detector's figures."""
    train_scenes: tuple[Path, ...] = ()
    """COCO JSON files that the detector may adapt on; never the audited scenes."""
    face_models: tuple[str, ...] = ("dlib-resnet29",)
    """Face recognisers to try; `campro models` lists them."""
    matchers: tuple[str, ...] = ("nearest", "linear")
    """How the attacker matches: `nearest` gallery photograph, `linear` classifier on all known photographs."""
    landmarks: str = "dlib"
    """Face detector that places the crops, always on the raw photograph: the attacker knows where faces are."""
    face_detectors: tuple[str, ...] = ()
    """More face detectors to try on every view, beside that of --landmarks."""
    detector: str = "campro-person"
    """Person detector that must go on working."""
    detector_weights: Path | None = None
    """Weights of the detector where they are not found by name."""
    baselines: tuple[str, ...] = ("invert", "low-resolution-16", "defocus-25-7")
    """Other ways to hide faces, judged beside the profile."""
    enhancer: str = AUTO
    """ONNX file of the profile's enhancer; `auto` is the one that ships, if it is the profile's; `none` for none."""
    sensor_noise: float | None = None
    """Judge what a whole simulated camera makes of the photographs, mosaic, noise and JPEG included: its shot noise,
    1e-4 in bright light to 1.2e-2 at night. Baselines then act on its files."""
    repeats: int = 10
    """Random draws of gallery and query photographs."""
    adapt_steps: int = 100
    """Training steps by which the detector adapts to each view; 0 leaves that out."""
    seed: int = 0
    out: Path = Path("runs/audit")
    """Run folder; the same command goes on where it was stopped. The report ends up in it as report.html."""

    def __post_init__(self) -> None:
        for option, least in (("repeats", 1), ("adapt_steps", 0), ("seed", 0)):
            if (value := getattr(self, option)) < least:
                raise CamproError("audit", f"--{option.replace('_', '-')} of at least {least}", str(value))
        if self.sensor_noise is not None and not 0 < self.sensor_noise <= 1:
            raise CamproError("audit", "--sensor-noise above 0, at most 1", str(self.sensor_noise))
        for option in ("face_models", "matchers"):
            if not getattr(self, option):
                raise CamproError("audit", f"at least one of --{option.replace('_', '-')}", "none")
        if (self.faces is None) != (self.scenes is None):
            raise CamproError(
                "audit", "--faces and --scenes together", "one of them", "give both, or none for the embedded sample"
            )
        if self.scenes is not None and self.adapt_steps and not self.train_scenes:
            raise CamproError(
                "audit", "--train-scenes to adapt the detector on", "none", "name a COCO file, or set --adapt-steps 0"
            )
