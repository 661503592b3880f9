"""What each camera makes of a profile, and what that costs: as it is, squeezed into the camera, designed for it.

A design counts where `campro design --target NAME --out RUN/designs/NAME ...` has left its profile.json. Rows are kept
in RUN and not measured again. Profiles are judged as read back from the camera's real file, where one is at hand.

CAMPRO_DATA=... python -m benchmarks.figures.camera_limits RUN [PROFILE]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from campro.cameras.camera_table import CAMERAS
from campro.cameras.target_camera import TargetCamera
from campro.core.catalogue import cache_root
from campro.core.errors import CamproError
from campro.core.images import list_images
from campro.core.lut3d import Lut3d, colour_pairs
from campro.core.run_folder import Json, RunFolder
from campro.core.types import ImageTransform
from campro.data import read_faces, read_scenes
from campro.deploy.profile_difference import difference
from campro.evaluation import MATCHERS, NEAREST, EvaluationSet, identify
from campro.isp import RAW, Camera, IspProfile, load_profile
from campro.metrics.detection import score_detections
from campro.models.faces import find_landmarks, load_embedder, load_face_detector
from campro.models.persons import TrainableDetector, load_detector
from campro.models.persons.detector_adaptation import detect_scenes
from campro.models.persons.recoloured import RecolouredDetector

DATA = Path(os.environ.get("CAMPRO_DATA", "."))
BASES = {
    "rpi-vc4": "libcamera/vc4/imx219.json",
    "rpi-pisp": "libcamera/pisp/imx219.json",
    "rkisp1": "libcamera/rkisp1/imx219.yaml",
    "rockchip-rkaiq": "rockchip/imx415_YT10092_IR0147-50IRC-8M-F20.xml",
}
MODELS = ("mobilefacenet", "dlib-resnet29")
REPEATS, SEED, COLOUR_PHOTOS = 10, 0, 300


class Measurement:
    """LFW, COCO val2017 and the models."""

    def __init__(self) -> None:
        people = read_faces(DATA / "lfw")
        landmarks = find_landmarks(people.photos, load_face_detector("yunet"), cache_root())
        self.evaluation = EvaluationSet.of(people, landmarks, REPEATS, SEED)
        self.scenes = read_scenes(DATA / "coco" / "annotations" / "instances_val2017.json").scenes
        self.colour_photos = list_images(DATA / "scenes")[::4][:COLOUR_PHOTOS]

    @cached_property
    def detector(self) -> TrainableDetector:
        """YOLOX-nano."""
        return load_detector("yolox-nano")

    def judge(self, view: ImageTransform) -> dict[str, Json]:
        """Rank-1 of each model, and AP as given and behind the 3D LUT that suits the view best; with intervals."""
        found: dict[str, Json] = {model: self._rank1(model, view) for model in MODELS}
        table = Lut3d.fit(colour_pairs(self.colour_photos, view)).requires_grad_(False)
        for name, detector in (("given", self.detector), ("recoloured", RecolouredDetector(table, self.detector))):
            scores = score_detections(self.scenes, detect_scenes(detector, self.scenes, view))
            found[name] = [scores.ap, scores.ap_low, scores.ap_high]
        return found

    def _rank1(self, model: str, view: ImageTransform) -> list[float]:
        embedder = load_embedder(model)
        raw, views = self.evaluation.embed(embedder, RAW), {"view": self.evaluation.embed(embedder, view)}
        result = identify(raw, views, self.evaluation.subjects, self.evaluation.trials, MATCHERS[NEAREST]())
        return [result["view"].mean(1), *result["view"].interval(1)]


def profiles(run: Path, wanted: IspProfile) -> Iterator[tuple[str, str, IspProfile | str]]:
    """Target, kind, and the profile as the camera realises it, or why it cannot."""
    yield "", "raw", RAW.profile
    yield "", "as it is", wanted
    for name, target in CAMERAS.items():
        fits = not target.limits.problems(wanted)
        held = target.limits.realised(wanted) if fits else target.limits.fitted(wanted)
        yield name, "holds it" if fits else "fitted", realised(target, held)
        design = run / "designs" / name / "profile.json"
        if design.is_file():
            yield name, "designed", realised(target, load_profile(design))


def realised(target: TargetCamera, held: IspProfile) -> IspProfile | str:
    """Through the camera's real file and back."""
    path = DATA / "deploy" / BASES[target.name] if target.name in BASES else None
    if path is None and target.base:
        return held  # no real file of this kind is at hand
    try:
        base = target.read_base(path)
        return target.read(target.write(held, base), base)
    except CamproError as error:
        return str(error)


def main(run: Path, name: str = "campro-default") -> None:
    """Measure what is not measured yet; print the table."""
    wanted, measurement = load_profile(name), Measurement()
    folder = RunFolder.open(run / "cells", {"profile": wanted.digest}, inputs={})
    print(
        "| camera | profile | off by, mean (largest) | rank-1 " + " | rank-1 ".join(MODELS) + " | AP | AP recoloured |"
    )
    print("|---" * 7 + "|")
    for target, kind, profile in profiles(run, wanted):
        if isinstance(profile, str):
            print(f"| {target} | {kind} | {profile} | | | | |", flush=True)
            continue
        key = {"profile": profile.digest}
        if (cell := folder.cell(key)) is None:
            cell = measurement.judge(Camera(profile, "view") if profile.blocks else RAW)
            folder.write_cell(key, cell)
        assert isinstance(cell, dict)
        apart = difference(wanted, profile) if profile.blocks and kind != "designed" else None
        off = "" if apart is None else f"{apart.mean:.1f} ({apart.largest})"
        figures = " | ".join(percent(cell[column]) for column in (*MODELS, "given", "recoloured"))
        print(f"| {target} | {kind} | {off} | {figures} |", flush=True)


def percent(cell: Json) -> str:
    """A rate with its interval."""
    assert isinstance(cell, list)
    value, low, high = (100 * float(part) for part in cell)
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
