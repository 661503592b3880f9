"""Cameras with the RkISP1 processor in libcamera: tuning files with a matrix per light source and a gamma exponent.

Source: libcamera src/ipa/rkisp1/algorithms/{ccm,goc}.cpp.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from yaml import MappingNode

from campro.cameras.edits import Document
from campro.cameras.rkisp1 import BEHIND_MATRIX, LOGARITHMIC_KNOTS, OFFSET_SCALE, TEN_BITS, rkisp1_limits
from campro.cameras.target_camera import BASE, FileNotes, Files, TargetCamera
from campro.cameras.tuning_algorithms import (
    ANY_LIGHT,
    AWB,
    Matrix,
    add_algorithm,
    algorithm_names,
    algorithms,
    light_matrices,
    settings_of,
)
from campro.core.errors import CamproError
from campro.isp.curve_limits import PowerLimits
from campro.isp.limits import camera_profile, ccm_of, parts
from campro.isp.profile import GammaLut, IspProfile

CCM, GAMMA_OUT, ENABLED = "Ccm", "GammaOutCorrection", "enabled"
SHARED = frozenset(("Agc", "Awb", "BlackLevelCorrection", "Ccm"))
"""Algorithms that other processors have, too."""
OWN = SHARED | {
    "ColorProcessing",
    "Compress",
    "DefectPixelClusterCorrection",
    "Dpf",
    "Filter",
    "GammaOutCorrection",
    "GammaSensorLinearization",
    "LensShadingCorrection",
    "Lux",
    "WideDynamicRange",
}
"""libcamera's algorithms for this processor (src/ipa/rkisp1/algorithms); it refuses a file with another name."""
OTHERS = {
    "ipu3": frozenset(("Af", "ToneMapping")),
    "mali-c55": frozenset(("Lsc",)),
    "the software ISP (simple)": frozenset(("BlackLevel", "Lut", "Adjust")),
}
"""Algorithms by which files of other processors are recognised."""
BEHIND = {
    "ColorProcessing": "colour processing (ColorProcessing), by its controls",
    "Filter": "sharpening and denoising (Filter)",
    "WideDynamicRange": "tone mapping (WideDynamicRange)",
    "Compress": "tone curve (Compress)",
}
"""Algorithms that act on the picture beside matrix and curve."""
DEFAULT_GAMMA = 2.2

Offsets = Float[np.ndarray, "3"]


class RkIsp1Tuning(TargetCamera):
    """Tuning files. Files of uncalibrated cameras have no matrix; they get the profile's."""

    name = "rkisp1"
    title = "RkISP1 (RK3399, i.MX8M Plus), libcamera"
    page = "rkisp1"
    statistics = BEHIND_MATRIX
    limits = rkisp1_limits(
        "libcamera src/ipa/rkisp1/algorithms/ccm.cpp and goc.cpp: coefficients Q4.7, an exponent from 0.1 to 10",
        PowerLimits(LOGARITHMIC_KNOTS, TEN_BITS, truncates=True),
    )
    base = "a libcamera tuning file for rkisp1 (YAML)"
    FILE = "tuning.yaml"

    def write(self, profile: IspProfile, base: str) -> Files:
        """Replace each calibrated matrix by profile x matrix, and the gamma exponent; see `TargetCamera.write`.

        Raises:
            CamproError: If the base is no such tuning file, or a product leaves the matrix's range.
        """
        document = Document(base, BASE)
        _check_version(document)
        ccm, lut = parts(profile)
        shift = np.array(ccm.offsets) * OFFSET_SCALE
        settings = settings_of(document, CCM)
        if settings is None:
            matrix = ", ".join(f"{value:.6g}" for value in np.ravel(ccm.matrix))
            entry = f"{{ ct: {ANY_LIGHT}, ccm: [ {matrix} ], offsets: [ {_words(shift)} ] }}"
            add_algorithm(document, CCM, f"ccms: [ {entry} ]", AWB)
        else:
            document.switch_on(settings, ENABLED)
            for entry, node, own in light_matrices(document, settings):
                product = self.product(ccm, own)
                document.replace_numbers(node, product.ravel().tolist())
                shifted = np.array(ccm.matrix) @ _offsets(document, entry) + shift
                document.set(entry, "offsets", f"[ {_words(shifted)} ]")
        self._set_gamma(document, self._curve.gamma_of(np.array(lut.values[0])))
        return {self.FILE: document.changed()}

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`.

        Raises:
            CamproError: If the files are not those that `write` makes.
        """
        document = Document(files[self.FILE], self.FILE)
        for name in (CCM, GAMMA_OUT):
            settings = settings_of(document, name)
            if settings is not None and document.switched_off(settings, ENABLED):
                raise document.refuse(f"{name} that is enabled", "enabled: false: libcamera skips it")
        found, own = _lights(document), _lights(Document(base, BASE))
        if len(found) != len(own):
            raise document.refuse(f"{len(own)} matrices, as in the base", str(len(found)))
        ratios = [self.limits.matrix.rounded(new) @ np.linalg.inv(old) for (new, _), (old, _) in zip(found, own)]
        shifts = [new - ratio @ old for ratio, (_, new), (_, old) in zip(ratios, found, own)]
        offsets = np.floor(np.mean(shifts, 0) + 0.5) / OFFSET_SCALE
        ccm = ccm_of(np.mean(ratios, 0), offsets)
        assert self._curve.knots is not None
        curve = self._curve.rounded(np.array(self._curve.knots) ** (1 / self._gamma(document)))
        return camera_profile(f"{self.name} tuning file", ccm, GammaLut((tuple(curve.tolist()),), self._curve.knots))

    def recognises(self, text: str) -> bool:
        """See `TargetCamera.recognises`; a file with algorithms of several processors only is not recognised."""
        try:
            document = Document(text, BASE)
            _check_version(document)
            return bool(algorithm_names(document) - SHARED) or _own_levels(document)
        except CamproError:
            return False

    def notes(self, base: str) -> FileNotes:
        """See `TargetCamera.notes`."""
        document = Document(base, BASE)
        _check_version(document)
        used = {name: one for name in (CCM, GAMMA_OUT) if (one := settings_of(document, name)) is not None}
        on = [
            f"{name} (the file had enabled: false)" for name, one in used.items() if document.switched_off(one, ENABLED)
        ]
        on += [f"{name} (added: the file had none)" for name in (CCM, GAMMA_OUT) if name not in used]
        acts = tuple(f"{what}: in the file" for name, what in BEHIND.items() if algorithms(document, name))
        plain = "the file has no calibrated matrix (Ccm): its colours are the sensor's, and the profile acts on these"
        return FileNotes(tuple(on), (), acts, () if CCM in used else (plain,))

    @property
    def _curve(self) -> PowerLimits:
        curve = self.limits.curve
        assert isinstance(curve, PowerLimits)
        return curve

    def _gamma(self, document: Document) -> float:
        settings = settings_of(document, GAMMA_OUT)
        value = Document.get(settings, "gamma") if settings is not None else None
        gamma = DEFAULT_GAMMA if value is None else document.number(value, "gamma")
        low, high = self._curve.gammas
        if not low <= gamma <= high:
            raise document.refuse(f"a gamma from {low} to {high}", f"{gamma:g}")
        return gamma

    @staticmethod
    def _set_gamma(document: Document, gamma: float) -> None:
        settings, text = settings_of(document, GAMMA_OUT), f"{gamma:.6f}"
        if settings is None:
            add_algorithm(document, GAMMA_OUT, f"gamma: {text}")
        else:
            document.switch_on(settings, ENABLED)
            document.set(settings, "gamma", text)


def _check_version(document: Document) -> None:
    version = document.number(Document.get(document.root, "version"), "version")
    if version != 1 or Document.get(document.root, "target") is not None:
        raise document.refuse("a tuning file for rkisp1, version 1", f"version {version:g}, or for another processor")
    check_processor(document)
    names = algorithm_names(document)
    if unknown := sorted(names - OWN):
        raise document.refuse("algorithms of rkisp1", f"{', '.join(unknown)}, which it does not have")
    if AWB not in names:  # mali-c55's uncalibrated file has Agc alone
        raise document.refuse(f"a tuning file for rkisp1: it has {AWB}, which selects the matrix", "one without it")


def check_processor(document: Document, wanted: str = "a tuning file for rkisp1") -> None:
    """Refuse the files of other processors by name.

    Raises:
        CamproError: If an algorithm or its settings are those of another processor; it states what was `wanted`.
    """
    names = algorithm_names(document)
    for processor, own in OTHERS.items():
        if found := sorted(names & own):
            raise document.refuse(wanted, f"one for {processor}: it has {', '.join(found)}")
    levels = [one for one in algorithms(document, "BlackLevelCorrection") if isinstance(one, MappingNode)]
    if any(Document.get(one, "offset00") is not None for one in levels):
        raise document.refuse(wanted, "one for mali-c55: BlackLevelCorrection has offset00")


def _own_levels(document: Document) -> bool:
    """Whether the black levels have the names of this processor."""
    levels = [one for one in algorithms(document, "BlackLevelCorrection") if isinstance(one, MappingNode)]
    return any(Document.get(one, "Gr") is not None for one in levels)


def _lights(document: Document) -> list[tuple[Matrix, Offsets]]:
    """Matrix and offsets of each light source; the identity if the file has none."""
    settings = settings_of(document, CCM)
    if settings is None:
        return [(np.eye(3), np.zeros(3))]
    return [(own, _offsets(document, entry)) for entry, _, own in light_matrices(document, settings)]


def _offsets(document: Document, entry: MappingNode) -> Offsets:
    node = Document.get(entry, "offsets")
    return np.zeros(3) if node is None else np.array(document.numbers(node, "offsets", 3))


def _words(offsets: Offsets) -> str:
    """Offsets as text: integers of 16 bit, of which the hardware uses 12."""
    return ", ".join(str(int(np.floor(value + 0.5))) for value in offsets)
