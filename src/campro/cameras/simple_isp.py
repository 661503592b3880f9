"""Cameras that libcamera develops in software (pipeline handler `simple`): laptops with IPU6, Linux phones.

Sources: libcamera src/ipa/simple/algorithms/ccm.cpp (matrices by colour temperature), lut.cpp (tables of 256 levels:
each product of level and matrix entry is rounded to an integer; gamma table trunc(255 x^(1/2.2))), adjust.cpp (gamma
2.2 unless a control or newer file sets it), src/libcamera/software_isp/debayer_cpu.cpp (the three products are added,
limited to 0 to 255, and looked up). White balance is measured in raw pictures (swstats_cpu.cpp).
"""

from __future__ import annotations

import numpy as np

from campro.cameras.edits import Document
from campro.cameras.fixed_curve import FixedCurve
from campro.cameras.target_camera import BASE, FileNotes, Files, TargetCamera
from campro.cameras.tuning_algorithms import (
    ANY_LIGHT,
    AWB,
    Matrix,
    add_algorithm,
    algorithm_names,
    light_matrices,
    settings_of,
)
from campro.core.errors import CamproError
from campro.core.types import Rgb8
from campro.isp.limits import Grid, Limits, camera_profile, ccm_of, parts
from campro.isp.profile import IspProfile

CCM, ENABLED = "Ccm", "enabled"
GAMMA, TOP, EDGE = 2.2, 255, 1e-6
"""Exponent; largest level; half the width of a step of the staircase."""
OWN = frozenset(("BlackLevel", "Awb", "Ccm", "Lut", "Adjust", "Agc"))
"""libcamera's algorithms for this handler; it refuses a file with another name."""
ONLY = frozenset(("BlackLevel", "Lut", "Adjust"))
"""Those that other processors do not have."""


def _gamma_table() -> np.ndarray:
    return np.floor(TOP * (np.arange(TOP + 1) / TOP) ** (1 / GAMMA) + 1e-9)


def _staircase() -> FixedCurve:
    """The gamma table as a curve: the sum of products is an integer, so the curve is a staircase of 256 steps."""
    edges = (np.arange(TOP) + 0.5) / TOP
    knots = np.concatenate([[0.0], np.stack([edges - EDGE, edges + EDGE], 1).ravel(), [1.0]])
    values = np.repeat(_gamma_table() / TOP, 2)
    return FixedCurve(tuple(knots.tolist()), TOP, fixed=tuple(values.tolist()), tolerance=16)


CURVE = _staircase()


class SimpleIsp(TargetCamera):
    """Tuning files: every matrix becomes profile x matrix. Files of uncalibrated cameras get the profile's."""

    name = "libcamera-simple"
    title = "software ISP of libcamera (laptops with IPU6, Linux phones)"
    page = "simple-isp"
    statistics = ("raw",)
    limits = Limits(
        source="libcamera src/ipa/simple/algorithms/{ccm,lut,adjust}.cpp: 256 levels, a fixed gamma of 2.2",
        matrix=Grid(-8.0, 8.0, 1e-6),
        curve=CURVE,
    )
    base = "a libcamera tuning file for the software ISP (YAML)"
    FILE = "tuning.yaml"

    def write(self, profile: IspProfile, base: str) -> Files:
        """See `TargetCamera.write`.

        Raises:
            CamproError: If the base is no such tuning file, or a product leaves the matrix's range.
        """
        document = _document(base, BASE)
        ccm, _ = parts(profile)
        settings = settings_of(document, CCM)
        if settings is None:
            matrix = ", ".join(f"{value:.6f}" for value in np.ravel(ccm.matrix))
            add_algorithm(document, CCM, f"ccms: [ {{ ct: {ANY_LIGHT}, ccm: [ {matrix} ] }} ]", AWB)
        else:
            document.switch_on(settings, ENABLED)
            for _, node, own in light_matrices(document, settings):
                product = self.product(ccm, own)
                document.replace_numbers(node, product.ravel().tolist())
        return {self.FILE: document.changed()}

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`.

        Raises:
            CamproError: If the files are not those that `write` makes.
        """
        document = _document(files[self.FILE], self.FILE)
        settings = settings_of(document, CCM)
        if settings is None or document.switched_off(settings, ENABLED):
            raise document.refuse(f"{CCM} that is enabled", "none: libcamera uses no matrix")
        found, own = _lights(document), _lights(_document(base, BASE))
        if len(found) != len(own):
            raise document.refuse(f"{len(own)} matrices, as in the base", str(len(found)))
        matrix = np.mean([new @ np.linalg.inv(old) for new, old in zip(found, own)], 0).round(6)
        return camera_profile(f"{self.name} tuning file", ccm_of(matrix), CURVE.lut())

    def recognises(self, text: str) -> bool:
        """See `TargetCamera.recognises`."""
        try:
            return bool(algorithm_names(_document(text, BASE)) & ONLY)
        except CamproError:
            return False

    def notes(self, base: str) -> FileNotes:
        """See `TargetCamera.notes`."""
        settings = settings_of(document := _document(base, BASE), CCM)
        if settings is None:
            plain = (
                "the file has no calibrated matrix (Ccm): its colours are the sensor's, and the profile acts on these"
            )
            return FileNotes((f"{CCM} (added: the file had none)",), warnings=(plain,))
        off = document.switched_off(settings, ENABLED)
        return FileNotes((f"{CCM} (the file had enabled: false)",) if off else ())


def developed(matrix: Matrix, linear: Rgb8) -> Rgb8:
    """What libcamera makes of 8-bit linear levels behind white balance and without black level, in integers."""
    products = np.floor(np.abs(linear[..., None, :] * matrix) + 0.5) * np.sign(matrix)  # std::round: halves from zero
    return _gamma_table()[products.sum(-1).astype(int).clip(0, TOP)].astype(np.uint8)


def _document(text: str, who: str) -> Document:
    document = Document(text, who)
    version = document.number(Document.get(document.root, "version"), "version")
    if version != 1 or Document.get(document.root, "target") is not None:
        raise document.refuse("a tuning file for the software ISP, version 1", "one for another processor")
    if unknown := sorted(algorithm_names(document) - OWN):
        raise document.refuse("algorithms of the software ISP", f"{', '.join(unknown)}, which it does not have")
    return document


def _lights(document: Document) -> list[Matrix]:
    settings = settings_of(document, CCM)
    return [np.eye(3)] if settings is None else [own for _, _, own in light_matrices(document, settings)]
