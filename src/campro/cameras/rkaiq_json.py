"""Newer Rockchip cameras (RV1103, RV1106, RK356x: ISP 2.1; RK3588: ISP 3.0): IQ files (JSON) of the rkaiq library.

Source: rkaiq iq_parser_v2/{accm_head,agamma_head}.h, as in LuckfoxTECH/luckfox-pico: `ccm_calib` holds a matrix for
each light source and saturation, its strength by luma and gain, and one for manual mode; `agamma_calib_v10` (45 values)
or `agamma_calib_v11` (49) the curve. A file has these once for each scene. Not tested on hardware.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from yaml import MappingNode, Node, SequenceNode

from campro.cameras.edits import Document
from campro.cameras.rkaiq import ALPHA, TWELVE_BITS, own_matrix, product_for, profile_of, rkaiq_limits
from campro.cameras.target_camera import Files, TargetCamera
from campro.isp.limits import Limits, parts
from campro.isp.profile import IspProfile

CCM, MATRIX, OFFSETS = "ccm_calib", "ccMatrix", "ccOffsets"
BY_LUMA, BY_GAIN = "y_alpha_curve", ("gain_alphaScale_curve", "scale")
BOOLEANS = ("true", "false")
"""Switches in some files; others have 1 and 0."""
CURVE, SPACING, LOGARITHMIC = "Gamma_curve", "Gamma_out_segnum", "GAMMATYPE_LOG"


@dataclass(frozen=True)
class RkAiqJson(TargetCamera):
    """IQ files in JSON."""

    name: str
    title: str
    gamma: str
    """Key of the curve's settings."""
    limits: Limits
    page: str = "rockchip"
    base: str = "an rkaiq IQ file (JSON)"

    FILE = "iq.json"

    def write(self, profile: IspProfile, base: str) -> Files:
        """Replace all matrices by profile x matrix at full strength, and all curves; see `TargetCamera.write`.

        Raises:
            CamproError: If the base is no such IQ file, or a product does not fit the register.
        """
        document, (ccm, lut) = Document(base, "base"), parts(profile)
        for entry, node in _matrices(document):
            own = own_matrix(document.numbers(node, MATRIX, 9), document)
            document.replace_numbers(node, product_for(self.name, ccm, own).ravel().tolist())
            shift = np.array(document.numbers(Document.get(entry, OFFSETS), OFFSETS, 3))
            shifted = np.array(ccm.matrix) @ shift + np.array(ccm.offsets) * TWELVE_BITS
            document.replace_numbers(_sequence(document, entry, OFFSETS), shifted.tolist())
        for calibration in _all(document, CCM):
            _keep_strength(document, calibration)
        values = np.floor(np.array(lut.values[0]) * TWELVE_BITS + 0.5).tolist()
        for settings, node in self._curves(document):
            document.numbers(node, CURVE, len(values))
            document.replace_numbers(node, values)
            switch = Document.get(settings, "Gamma_en")
            document.set(settings, "Gamma_en", "true" if switch is not None and switch.value in BOOLEANS else "1")
            document.set(settings, "Gamma_out_offset", "0")
        return {self.FILE: document.changed()}

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`.

        Raises:
            CamproError: If the files are not those that `write` makes.
        """
        document = Document(files[self.FILE], self.FILE)
        new, old = (_numbers_of(one) for one in (document, Document(base, "base")))
        if len(new) != len(old):
            raise document.refuse(f"{len(old)} matrices, as in the base", str(len(new)))
        knots = self.limits.curve.knots
        assert knots is not None
        curves = [document.numbers(node, CURVE, len(knots)) for _, node in self._curves(document)]
        if any(curve != curves[0] for curve in curves):
            raise document.refuse("the same curve in all scenes", "different ones")
        return profile_of(f"{self.name} IQ file", new, old, np.array(curves[0]), knots)

    def _curves(self, document: Document) -> list[tuple[MappingNode, SequenceNode]]:
        """Settings and node of each curve."""
        found = []
        for calibration in _all(document, self.gamma):
            for settings in (document.mapping(node, self.gamma) for node in _holders(document, calibration, CURVE)):
                spacing = Document.get(settings, SPACING)
                if spacing is not None and spacing.value not in (LOGARITHMIC, "0"):
                    raise document.refuse(
                        f"{SPACING} {LOGARITHMIC}", f"{spacing.value}, equal spacing, whose knots are not public"
                    )
                found.append((settings, _sequence(document, settings, CURVE)))
        return found


def _all(document: Document, name: str) -> list[Node]:
    if found := document.all_named(name):
        return found
    raise document.refuse(name, "none")


def _holders(document: Document, node: Node, name: str) -> list[Node]:
    """All objects at or below a node that have a key; at least one."""
    inside = document.objects(node)
    if found := [one for one in inside if Document.get(one, name) is not None]:
        return list(found)
    raise document.refuse(name, "none")


def _matrices(document: Document) -> list[tuple[MappingNode, SequenceNode]]:
    """Each object with a matrix, and the node of the matrix."""
    entries = [
        document.mapping(entry, CCM) for node in _all(document, CCM) for entry in _holders(document, node, MATRIX)
    ]
    return [(entry, _sequence(document, entry, MATRIX)) for entry in entries]


def _numbers_of(document: Document) -> list[tuple[np.ndarray, np.ndarray]]:
    """All matrices, each with its offsets (12-bit levels)."""
    return [
        (
            own_matrix(document.numbers(node, MATRIX, 9), document),
            np.array(document.numbers(Document.get(entry, OFFSETS), OFFSETS, 3)),
        )
        for entry, node in _matrices(document)
    ]


def _keep_strength(document: Document, calibration: Node) -> None:
    """Set the strength of the matrix to its full value for all luma and gain."""
    for holder in _holders(document, calibration, BY_LUMA):
        curve = _sequence(document, document.mapping(holder, CCM), BY_LUMA)
        document.replace_numbers(curve, [ALPHA] * len(document.numbers(curve, BY_LUMA)))
    name, inner = BY_GAIN
    for node in document.all_named(name, calibration):
        scale = _sequence(document, document.mapping(node, name), inner)
        document.replace_numbers(scale, [1.0] * len(document.numbers(scale, inner)))


def _sequence(document: Document, node: MappingNode, name: str) -> SequenceNode:
    value = Document.get(node, name)
    document.sequence(value, name)
    assert isinstance(value, SequenceNode)
    return value


ISP21 = RkAiqJson(
    "rockchip-isp21",
    "Rockchip RV1103, RV1106, RK356x (ISP 2.1), rkaiq",
    "agamma_calib_v10",
    rkaiq_limits("rkaiq iq_parser_v2 accm_head.h, agamma_head.h (gamma v10): 45 curve values", (4, 512)),
)
ISP30 = RkAiqJson(
    "rockchip-isp30",
    "Rockchip RK3588 (ISP 3.0), rkaiq",
    "agamma_calib_v11",
    rkaiq_limits("rkaiq iq_parser_v2 agamma_head.h (gamma v11), Linux uAPI rkisp2-config.h: 49 curve values", (8, 256)),
)
