"""Raspberry Pi cameras: libcamera tuning files, version 2, for the VC4 (Pi 0 to 4) and PiSP (Pi 5) processors.

Source: raspberrypi/libcamera, src/ipa/rpi: vc4/vc4.cpp (applyCCM, applyGamma), pisp/pisp.cpp
(applyCCM, generateLut), controller/rpi/{ccm,contrast}.cpp; libpisp: PISP_BE_GAMMA_LUT_SIZE is 64.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from yaml import MappingNode, SequenceNode

from campro.cameras.edits import Document
from campro.cameras.feedback_loop import Statistics
from campro.cameras.target_camera import BASE, FileNotes, Files, TargetCamera
from campro.cameras.tuning_algorithms import Matrix, algorithms, light_matrices
from campro.isp.curve_limits import CurveLimits, spaced
from campro.isp.limits import Grid, Limits, camera_profile, ccm_of, parts
from campro.isp.profile import GammaLut, IspProfile

WORD = 65535
"""Largest value of a curve, 16 bit."""

RGB_TO_YUV = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]])
YUV_TO_RGB = np.array([[1, 0, 1.402], [1, -0.345, -0.714], [1, 1.771, 0]])
AT_SATURATION_1 = YUV_TO_RGB @ RGB_TO_YUV
"""libcamera multiplies every matrix by this one at saturation 1 (`applySaturation`); it is not exactly the identity."""
CCM, CONTRAST, ENABLED = "rpi.ccm", "rpi.contrast", "enabled"
BEHIND = {
    "rpi.sharpen": "sharpening (rpi.sharpen)",
    "rpi.sdn": "spatial denoising (rpi.sdn)",
    "rpi.denoise": "denoising (rpi.denoise)",
    "rpi.tdn": "temporal denoising (rpi.tdn)",
    "rpi.cdn": "chroma denoising (rpi.cdn)",
    "rpi.tonemap": "tone mapping of HDR modes (rpi.tonemap)",
    "rpi.hdr": "HDR modes (rpi.hdr), if an application asks for one",
}
"""Algorithms that act on the picture beside matrix and curve."""
AGREE = 0.02
"""Largest difference of a profile's matrix entry between light sources: rounding, multiplied by an inverse matrix."""


@dataclass(frozen=True)
class TuningFile(TargetCamera):
    """Tuning files for one of the two processors."""

    name: str
    title: str
    processor: str
    """The file's "target"."""
    limits: Limits
    page: str = "raspberry-pi"
    statistics: tuple[Statistics, ...] = ("raw",)
    base: str = "a libcamera tuning file, version 2, for this processor"

    FILE = "tuning.json"

    def write(self, profile: IspProfile, base: str) -> Files:
        """Replace each calibrated matrix by profile x matrix and the gamma curve by the profile's; see the base class.

        Matrices multiply column vectors. A pixel passes the camera's calibrated matrix first and the profile's next,
        so the product is CCM_opt x CCM_i (eq. 1 and Fig. 6 of the paper; its appendix B has the order for row
        vectors). Adaptive contrast is switched off, and a lux-dependent saturation is removed.

        Raises:
            CamproError: If the base is no such tuning file, or a product leaves the matrix's range.
        """
        document = Document(base, BASE)
        ccm, lut = parts(profile)
        matrices = _matrices(document, self.processor)
        undo = np.linalg.inv(AT_SATURATION_1)
        for node, own in matrices:
            product = self.product(ccm, own)
            held = self.limits.matrix.rounded(product)
            nudge = np.sign(held) * self.limits.matrix.step / 8 if self.limits.matrix.truncates else 0
            document.replace_numbers(node, (undo @ (held + nudge)).ravel().tolist())
        settings, contrast = _algorithm(document, CCM), _algorithm(document, CONTRAST)
        for algorithm in (settings, contrast):
            document.switch_on(algorithm, ENABLED)
        document.remove(settings, "saturation")
        document.set(contrast, "ce_enable", "0")
        document.set(contrast, "gamma_curve", _curve_text(document, contrast, lut))
        return {self.FILE: document.changed()}

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`.

        Raises:
            CamproError: If the files are not those that `write` makes.
        """
        document = Document(files[self.FILE], self.FILE)
        for name in (CCM, CONTRAST):
            if document.switched_off(_algorithm(document, name), ENABLED):
                raise document.refuse(f"{name} that is enabled", "enabled: false: libcamera skips it")
        own = [matrix for _, matrix in _matrices(Document(base, BASE), self.processor)]
        found = [matrix for _, matrix in _matrices(document, self.processor)]
        if len(own) != len(found):
            raise document.refuse(f"{len(own)} matrices, as in the base", str(len(found)))
        held = [self.limits.matrix.rounded(AT_SATURATION_1 @ matrix) for matrix in found]
        ratios = np.array([product @ np.linalg.inv(matrix) for product, matrix in zip(held, own)])
        if np.ptp(ratios, axis=0).max() > AGREE:
            raise document.refuse("the same profile in all matrices", "matrices of different ones")
        points = document.numbers(Document.get(_algorithm(document, CONTRAST), "gamma_curve"), "gamma_curve")
        x, y = np.array(points[::2]), np.array(points[1::2])
        if len(points) % 2 or len(x) < 2 or (np.diff(x) <= 0).any():
            raise document.refuse("a gamma_curve of points with rising x", f"{len(points)} numbers")
        knots = self.limits.curve.knots
        assert knots is not None
        curve = self.limits.curve.rounded(np.interp(np.array(knots) * WORD, x, y).clip(0, WORD) / WORD)
        if self.limits.curve.end == "white":
            curve[-1] = 1.0
        ccm = ccm_of(ratios.mean(0))
        return camera_profile(f"{self.name} tuning file", ccm, GammaLut((tuple(curve.tolist()),), knots))

    def recognises(self, text: str) -> bool:
        """See `TargetCamera.recognises`."""
        return re.search(rf"""["']?target["']?\s*:\s*["']?{self.processor}\b""", text) is not None

    def notes(self, base: str) -> FileNotes:
        """See `TargetCamera.notes`."""
        document = Document(base, BASE)
        _matrices(document, self.processor)
        used = {name: _algorithm(document, name) for name in (CCM, CONTRAST)}
        on = [
            f"{name} (the file had enabled: false)" for name, one in used.items() if document.switched_off(one, ENABLED)
        ]
        off = ["adaptive contrast (rpi.contrast/ce_enable)"]
        off += ["saturation by lux (rpi.ccm/saturation)"] if Document.get(used[CCM], "saturation") else []
        acts = [what for name, what in BEHIND.items() if algorithms(document, name)]
        return FileNotes(tuple(on), tuple(off), tuple(f"{what}: in the file" for what in acts))


def _algorithm(document: Document, name: str) -> MappingNode:
    """Settings of an algorithm that occurs once."""
    found = algorithms(document, name)
    if len(found) != 1:
        raise document.refuse(f"{name} once among its algorithms", f"{len(found)} of them")
    return document.mapping(found[0], name)


def _matrices(document: Document, processor: str) -> list[tuple[SequenceNode, Matrix]]:
    """All calibrated matrices, each with its node in the file."""
    check_colour(document)
    version = document.number(Document.get(document.root, "version"), "version")
    target = Document.get(document.root, "target")
    if version != 2 or target is None or target.value != processor:
        got = f"version {version:g} for {target.value if target is not None else 'no processor'}"
        raise document.refuse(f"a tuning file of version 2 for {processor}", got)
    return [(node, matrix) for _, node, matrix in light_matrices(document, _algorithm(document, CCM))]


def check_colour(document: Document) -> None:
    """Refuse the file of a monochrome camera by name.

    Raises:
        CamproError: If the file is for one of these processors and has no colour matrix.
    """
    if Document.get(document.root, "target") is not None and not algorithms(document, CCM):
        raise document.refuse(
            "the tuning file of a colour camera",
            f"one without {CCM}: a monochrome camera, whose pictures have no colours that a profile could change",
        )


def _curve_text(document: Document, contrast: MappingNode, lut: GammaLut) -> str:
    """The curve as text: one point a line, indented as in the file."""
    old = Document.get(contrast, "gamma_curve")
    items = document.sequence(old, "gamma_curve")
    if old is None or not items:
        raise document.refuse("a gamma_curve", "none")
    inner, outer = " " * items[0].start_mark.column, " " * old.start_mark.column
    points = zip(lut.positions, lut.values[0])
    lines = ",\n".join(f"{inner}{round(x * WORD)}, {round(y * WORD)}" for x, y in points)
    return f"[\n{lines}\n{outer}]"


VC4 = TuningFile(
    "rpi-vc4",
    "Raspberry Pi 0 to 4 (VC4), libcamera",
    "bcm2835",
    Limits(
        source="libcamera src/ipa/rpi/vc4/vc4.cpp: numerators over 1000, 33 points of 16 bit, the last forced to 65535",
        matrix=Grid(-8.0, 7.9999, 1 / 1000, truncates=True),
        curve=CurveLimits(spaced((16, 1024), (8, 2048), (8, 4096), top=WORD), WORD, truncates=True, end="white"),
    ),
)
PISP = TuningFile(
    "rpi-pisp",
    "Raspberry Pi 5 (PiSP), libcamera",
    "pisp",
    Limits(
        source="libcamera src/ipa/rpi/pisp/pisp.cpp: 14 bit, 10 after the point; 64 values, unsigned slopes of 14 bit",
        matrix=Grid(-8.0, 8.0 - 1 / 1024, 1 / 1024),
        curve=CurveLimits(
            spaced((32, 512), (16, 1024), (16, 2048), top=WORD),
            WORD,
            truncates=True,
            rise=(2**14 - 1) / WORD,
            end="flat",
        ),
    ),
)
