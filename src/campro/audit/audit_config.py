"""The options of an audit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from campro.attacks.budget import BudgetName
from campro.core.errors import CamproError
from campro.enhance.fill_names import Fill
from campro.models.model_table import recognisers_at_hand

RAW, CAPTURED, ENHANCED = "raw", "captured", "enhanced"
"""Views: the camera without profile, with the profile, and with an enhancer behind the profile, where there is one."""
AUTO, NONE = "auto", "none"
AVAILABLE = "available"
"""In place of names: every face recogniser that is on this machine."""
CHEAP, FULL = "cheap", "full"
"""Attacks that train no network, and all attacks."""
Part = Literal["identification", "detection", "quality", "attacks", "densities"]
PARTS: tuple[Part, ...] = ("identification", "detection", "quality", "attacks", "densities")

FEWEST_PEOPLE = 20
"""Fewest people to recognise without --few-people: with fewer, chance alone recognises more than 5 % of them."""


@dataclass(frozen=True)
class AuditConfig:
    """Measure what a profile protects and what it costs. Without --faces and --scenes: the embedded sample."""

    profile: str = "campro-default"
    """Profile to judge: a name or a JSON file."""
    faces: Path | None = None
    """Faces to recognise, a folder per person; none of them may have trained the profile, a model, or an attack."""
    scenes: Path | None = None
    """COCO JSON file of photographs with people, for person detection."""
    images: Path | None = None
    """Folder of the images of --scenes and --train-scenes; default: looked for beside each file."""
    train_scenes: tuple[Path, ...] = ()
    """COCO JSON files of photographs on which the person detector may adapt; never the audited scenes."""
    train_faces: Path | None = None
    """Faces on which attacks may train, a folder per person; nobody of --faces. Needed by trained attacks."""
    photos: tuple[Path, ...] = ()
    """Folders of photographs of anything that attackers may take with the camera; default: those of --train-scenes."""
    face_models: tuple[str, ...] = ("dlib-resnet29",)
    """Face recognisers to try; `campro models` lists them. `available`: all that are on this machine."""
    face_weights: tuple[str, ...] = ()
    """Weight files of recognisers that are not found by name: NAME=PATH, where NAME is one of --face-models."""
    attacks: tuple[str, ...] = (CHEAP,)
    """`cheap`: those that train no network and need one probe image; `full`: all; `none`; or names:
    no-attack, filters, pretrained-restoration, re-enrolment, colour-maps, several-probe-images,
    several-probe-images-colour-maps, video-colour-maps, analytic-inversion, several-probe-images-analytic-inversion,
    domain-adaptation, distillation, colour-maps-distillation, several-probe-images-distillation,
    analytic-inversion-distillation, restoration, several-probe-images-restoration, transferred-restoration,
    retraining."""
    budget: BudgetName = "standard"
    """How long each training of an attack may take; `full` asks whether `standard` was enough."""
    restorers: tuple[Path, ...] = ()
    """ONNX files of networks for image restoration, from (1, 3, H, W) sRGB in [0, 1] to the same."""
    matchers: tuple[str, ...] = ("nearest", "linear")
    """How probes are matched: `nearest` gallery photograph, `linear` classifier on all enrolled photographs."""
    densities: tuple[float, ...] = (40.0, 80.0, 125.0, 250.0)
    """Pixel densities, in pixels per metre at the place of the face, at which faces are attacked beside the photographs
    as they are: levels of IEC 62676-4:2025 are 20, 40, 80, 125, 250 and 500. `--densities` alone leaves them out."""
    attack_matchers: tuple[str, ...] = ("nearest",)
    """The same for attacks, each of which is matched anew."""
    landmarks: str = "dlib"
    """Face detector that places the crops, always on the raw photograph: the attacker's best case."""
    face_detectors: tuple[str, ...] = ()
    """More face detectors to try on every view, beside that of --landmarks."""
    detector: str = "campro-person"
    """Person detector that must go on working."""
    detector_weights: Path | None = None
    """Weights of the person detector where they are not found by name."""
    baselines: tuple[str, ...] = ("invert", "low-resolution-16", "defocus-25-7")
    """Other ways to hide faces, judged beside the profile."""
    enhancer: str = AUTO
    """ONNX file of the profile's enhancer; `auto` is the one that ships, if it is the profile's; `none` for none."""
    fill: Fill | None = None
    """What stands where the enhancer masks a face, see `campro enhance`; default: smooth."""
    sensor_noise: float | None = None
    """Judge what a whole simulated camera makes of the photographs, mosaic, noise and JPEG included: its shot noise,
    1e-4 in bright light to 1.2e-2 at night. Baselines then act on its files."""
    distractors: bool = False
    """Enlarge every gallery by people whom nobody searches for: every second person with a single photograph. The
    others remain the searches of people who are not enrolled. Not used at pixel densities."""
    few_people: bool = False
    """Accept fewer than 20 people to recognise: such rates say little."""
    repeats: int = 10
    """Trials: random draws of one gallery and one probe photograph per person."""
    adapt_steps: int = 100
    """Training steps by which the person detector adapts to each view; 0 leaves that out."""
    measure: tuple[Part, ...] = PARTS
    """Parts to measure: identification without attacks, person detection, image quality, attacks on the photographs as
    they are, attacks at the --densities."""
    cluster: str | None = None
    """Run attacks side by side: `local`, or the address of a Ray cluster that sees the same files."""
    show_faces: bool = False
    """Show the people of the photographs in run folder and report; without it they are pixelated outside the captured
    view. Ask the people, or use photographs that may be published."""
    seed: int = 0
    """Seed of the first trial and of all training."""
    out: Path = Path("runs/audit")
    """Run folder; the same command resumes. The report is written to it as report.html."""

    def __post_init__(self) -> None:
        if self.repeats < 1 or self.adapt_steps < 0:
            raise CamproError(
                "audit", "at least 1 --repeats and 0 --adapt-steps", f"{self.repeats} and {self.adapt_steps}"
            )
        if self.sensor_noise is not None and not 0 < self.sensor_noise <= 1:
            raise CamproError("audit", "--sensor-noise above 0, at most 1", str(self.sensor_noise))
        if not all(0 < density <= 10_000 for density in self.densities):
            raise CamproError("audit", "--densities above 0 px/m", " ".join(map(str, self.densities)))
        if AVAILABLE in self.face_models:
            named = [name for name in self.face_models if name != AVAILABLE]
            object.__setattr__(self, "face_models", tuple(dict.fromkeys([*named, *recognisers_at_hand()])))
        for option in ("face_models", "matchers", "attack_matchers", "attacks", "measure"):
            if not getattr(self, option):
                raise CamproError("audit", f"at least one of --{option.replace('_', '-')}", "none")
        self._check_data()

    def weights_of(self, model: str) -> Path | str:
        """Weight file of a face recogniser; "auto": found by name.

        Raises:
            CamproError: for --face-weights that are not NAME=PATH, or a name that is not one of --face-models.
        """
        return dict(self._face_weights()).get(model, "auto")

    def _face_weights(self) -> list[tuple[str, Path]]:
        """Pairs (NAME, PATH) of --face-weights; see `weights_of`."""
        pairs = [text.partition("=")[::2] for text in self.face_weights]
        for (name, path), text in zip(pairs, self.face_weights):
            if not path or name not in self.face_models:
                wanted = f"--face-weights NAME=PATH, NAME one of {', '.join(self.face_models)}"
                raise CamproError("audit", wanted, repr(text))
        return [(name, Path(path)) for name, path in pairs]

    def _check_data(self) -> None:
        """Data that belong together are given together; nothing given is the embedded sample."""
        if self.faces is None:
            for option in ("scenes", "train_scenes", "train_faces", "photos"):
                if getattr(self, option):
                    remedy = "give --faces, or none of these for the embedded sample"
                    raise CamproError("audit", f"--faces beside --{option.replace('_', '-')}", "none", remedy)
        if self.scenes is not None and self.measures("detection") and self.adapt_steps and not self.train_scenes:
            raise CamproError(
                "audit", "--train-scenes to adapt the detector on", "none", "name a COCO file, or set --adapt-steps 0"
            )

    def measures(self, part: Part) -> bool:
        """Whether a part is measured; people alone, without --scenes, have no part on scenes."""
        if part in ("detection", "quality") and self.faces is not None and self.scenes is None:
            return False
        if part in ("attacks", "densities") and self.attacks == (NONE,):
            return False
        return part in self.measure and (part != "densities" or bool(self.densities))

    @property
    def attacked(self) -> bool:
        """Whether attacks run, on the photographs as they are or at densities."""
        return self.measures("attacks") or self.measures("densities")
