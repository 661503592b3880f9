"""Cameras with the RkISP1 processor in libcamera: tuning files with a matrix per light source and a gamma exponent.

Source: libcamera src/ipa/rkisp1/algorithms/{ccm,goc}.cpp.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from yaml import MappingNode, SequenceNode

from campro.cameras.edits import Document
from campro.cameras.libcamera import Matrix, algorithms, light_matrices
from campro.cameras.rkisp1 import LOGARITHMIC_KNOTS, OFFSET_SCALE, TEN_BITS, rkisp1_limits
from campro.cameras.target_camera import Files, TargetCamera
from campro.core.errors import CamproError
from campro.isp.curve_limits import PowerLimits
from campro.isp.limits import camera_profile, parts
from campro.isp.profile import Ccm, GammaLut, IspProfile

CCM, GAMMA_OUT = "Ccm", "GammaOutCorrection"
ANY_LIGHT = 5000
"""Colour temperature in K of a single matrix, which libcamera uses for every light."""
DEFAULT_GAMMA = 2.2

Offsets = Float[np.ndarray, "3"]


class RkIsp1Tuning(TargetCamera):
    """Tuning files. Files of uncalibrated cameras have no matrix; they get the profile's."""

    name = "rkisp1"
    title = "RkISP1 (RK3399, i.MX8M Plus), libcamera"
    page = "rkisp1"
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
        document = Document(base, "base")
        _check_version(document)
        ccm, lut = parts(profile)
        shift = np.array(ccm.offsets) * OFFSET_SCALE
        settings = _settings(document, CCM)
        if settings is None:
            matrix = ", ".join(f"{value:.6g}" for value in np.ravel(ccm.matrix))
            entry = f"{{ ct: {ANY_LIGHT}, ccm: [ {matrix} ], offsets: [ {_words(shift)} ] }}"
            document.append(_list(document), f"{CCM}: {{ ccms: [ {entry} ] }}")
        else:
            for entry, node, own in light_matrices(document, settings):
                product = np.array(ccm.matrix) @ own
                if not self.limits.matrix.holds(product):
                    got = f"{np.abs(product).max():.2f}, the profile's matrix times the calibrated one"
                    raise CamproError(self.name, f"matrix entries of {self.limits.matrix}", got, "use a milder profile")
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
        found, own = _lights(document), _lights(Document(base, "base"))
        if len(found) != len(own):
            raise document.refuse(f"{len(own)} matrices, as in the base", str(len(found)))
        ratios = [self.limits.matrix.rounded(new) @ np.linalg.inv(old) for (new, _), (old, _) in zip(found, own)]
        shifts = [new - ratio @ old for ratio, (_, new), (_, old) in zip(ratios, found, own)]
        offsets = np.floor(np.mean(shifts, 0) + 0.5) / OFFSET_SCALE
        ccm = Ccm(tuple(tuple(row) for row in np.mean(ratios, 0).tolist()), tuple(offsets.tolist()))
        assert self._curve.knots is not None
        curve = self._curve.rounded(np.array(self._curve.knots) ** (1 / self._gamma(document)))
        return camera_profile(f"{self.name} tuning file", ccm, GammaLut((tuple(curve.tolist()),), self._curve.knots))

    @property
    def _curve(self) -> PowerLimits:
        curve = self.limits.curve
        assert isinstance(curve, PowerLimits)
        return curve

    def _gamma(self, document: Document) -> float:
        settings = _settings(document, GAMMA_OUT)
        value = Document.get(settings, "gamma") if settings is not None else None
        gamma = DEFAULT_GAMMA if value is None else document.number(value, "gamma")
        low, high = self._curve.gammas
        if not low <= gamma <= high:
            raise document.refuse(f"a gamma from {low} to {high}", f"{gamma:g}")
        return gamma

    @staticmethod
    def _set_gamma(document: Document, gamma: float) -> None:
        settings, text = _settings(document, GAMMA_OUT), f"{gamma:.6f}"
        if settings is not None:
            document.set(settings, "gamma", text)
        elif empty := algorithms(document, GAMMA_OUT):
            document.replace(empty[0], f" {{ gamma: {text} }}")
        else:
            document.append(_list(document), f"{GAMMA_OUT}: {{ gamma: {text} }}")


def _check_version(document: Document) -> None:
    version = document.number(Document.get(document.root, "version"), "version")
    if version != 1 or Document.get(document.root, "target") is not None:
        raise document.refuse("a tuning file for rkisp1, version 1", f"version {version:g}, or for another processor")


def _list(document: Document) -> SequenceNode:
    node = Document.get(document.root, "algorithms")
    document.sequence(node, "algorithms")
    assert isinstance(node, SequenceNode)
    return node


def _settings(document: Document, name: str) -> MappingNode | None:
    """Settings of an algorithm; None if it is absent or has no settings."""
    found = algorithms(document, name)
    if len(found) > 1:
        raise document.refuse(f"{name} at most once among its algorithms", f"{len(found)} of them")
    if not found or found[0].value == "":
        return None
    return document.mapping(found[0], name)


def _lights(document: Document) -> list[tuple[Matrix, Offsets]]:
    """Matrix and offsets of each light source; the identity if the file has none."""
    settings = _settings(document, CCM)
    if settings is None:
        return [(np.eye(3), np.zeros(3))]
    return [(own, _offsets(document, entry)) for entry, _, own in light_matrices(document, settings)]


def _offsets(document: Document, entry: MappingNode) -> Offsets:
    node = Document.get(entry, "offsets")
    return np.zeros(3) if node is None else np.array(document.numbers(node, "offsets", 3))


def _words(offsets: Offsets) -> str:
    """Offsets as text: integers of 16 bit, of which the hardware uses 12."""
    return ", ".join(str(int(np.floor(value + 0.5))) for value in offsets)
