"""Detection of the kind of a camera's own file by its content, and the kinds that no target takes, by name."""

from __future__ import annotations

import re

from campro.cameras.camera_table import CAMERAS
from campro.cameras.edits import Document
from campro.cameras.rkisp1_tuning import check_processor
from campro.cameras.target_camera import BASE, TargetCamera
from campro.cameras.tuning_algorithms import AWB, algorithm_names
from campro.core.errors import CamproError

AUTO = "auto"
"""Value of `--target` that chooses the camera by the content of its file."""
TAKEN = "a file that a target takes"
SCENE = re.compile(r'"scene_isp(\d+)"')
REFUSED_SCENES = {
    "20": "ISP 2.0 in JSON; give the XML file of this camera",
    "33": "ISP 3.3 (RV1103B, RV1106B), whose settings no target writes",
    "35": "ISP 3.5 (RV1126B), whose settings no target writes",
    "39": "ISP 3.9 (RK3576), whose settings no target writes",
}
"""Rockchip's newer processors: their files hold other settings for matrix and curve."""


def detect_camera(text: str) -> TargetCamera:
    """The camera whose kind of file a text is.

    Raises:
        CamproError: If no camera or more than one recognises it; the error names the kind where it is known.
    """
    found = [camera for camera in CAMERAS.values() if camera.base and camera.recognises(text)]
    if len(found) == 1:
        return found[0]
    if found:
        names = " or ".join(camera.name for camera in found)
        raise CamproError(BASE, "a file of one kind", f"one for {names}", "choose with --target")
    _refuse_known(text)
    document = Document(text, BASE)
    if Document.get(document.root, "algorithms") is not None and Document.get(document.root, "target") is None:
        got = "a libcamera file whose algorithms several processors have"
        remedy = "give --target rkisp1 if it is for that processor" if AWB in algorithm_names(document) else ""
        raise CamproError(BASE, "a file of one kind", got, remedy)
    kinds = "; ".join(dict.fromkeys(camera.base for camera in CAMERAS.values() if camera.base))
    raise CamproError(BASE, f"one of: {kinds}", "none of these", "campro targets lists all cameras")


def check_kind(camera: TargetCamera, text: str) -> None:
    """Refuse a file that another camera recognises and this one does not.

    Raises:
        CamproError: With the name of the other camera, or of the kind that no target takes.
    """
    if camera.recognises(text):
        return
    if others := [one.name for one in CAMERAS.values() if one.base and one.recognises(text)]:
        got = f"one for {' or '.join(others)}"
        raise CamproError(BASE, f"a file for {camera.name}", got, f"use --target {others[0]}")
    _refuse_known(text)


def _refuse_known(text: str) -> None:
    """Refuse the kinds that are known and that no target takes, and what is no such file at all."""
    for version in SCENE.findall(text):
        if version in REFUSED_SCENES:
            raise CamproError(BASE, TAKEN, f"an IQ file for {REFUSED_SCENES[version]}")
    if text.lstrip().startswith("<"):
        raise CamproError(BASE, "an IQ file of rkaiq: <matfile> with <CCM>", "another XML file")
    document = Document(text, BASE)
    if Document.get(document.root, "algorithms") is not None:
        check_processor(document, TAKEN)
