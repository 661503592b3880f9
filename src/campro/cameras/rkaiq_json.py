"""Newer Rockchip cameras (RK356x: ISP 2.1; RK3588: ISP 3.0; RV1103, RV1106: ISP 3.2): IQ files (JSON) of rkaiq.

Source: rkaiq iq_parser_v2/{accm_head,agamma_head}.h, as in LuckfoxTECH/luckfox-pico: `ccm_calib` (ISP 3.2:
`ccm_calib_v2`) holds a matrix for each light source and saturation, its strength by luma and gain, and one for manual
mode; `agamma_calib_v10`, `agamma_calib` (45 values) or `agamma_calib_v11`, `agamma_calib_V30` (49) the curve. A file
has these once for each scene, below the name of the processor (`scene_isp21`). Not tested on hardware.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from campro.cameras.edits import OFF, Document
from campro.cameras.feedback_loop import Statistics
from campro.cameras.rkaiq import (
    ALPHA,
    GREY_WARNING,
    STRENGTH,
    TWELVE_BITS,
    own_matrix,
    product_for,
    profile_of,
    rkaiq_limits,
)
from campro.cameras.target_camera import BASE, DENOISING, STREAM, FileNotes, Files, TargetCamera
from campro.isp.limits import Limits, parts
from campro.isp.profile import IspProfile

MATRIX, OFFSETS = "ccMatrix", "ccOffsets"
BY_LUMA, BY_GAIN = "y_alpha_curve", ("gain_alphaScale_curve", "scale")
BOOLEANS = ("true", "false")
"""Switches in some files; others have 1 and 0."""
CURVE, SPACING, LOGARITHMIC = "Gamma_curve", "Gamma_out_segnum", "GAMMATYPE_LOG"
CONTROL, ENABLE, CURVE_ENABLE = "control", "enable", "Gamma_en"
ENHANCEMENT = "enh_adj_en"
"""Switch of ISP 3.2 that changes the matrix with the picture's content."""
BEHIND = (
    ("tone mapping (DRC)", ("adrc_calib",), ("enable",)),
    ("dehazing", ("adehaze_calib",), ("enable",)),
    ("3D LUT", ("lut3d_calib",), ("enable",)),
    ("sharpening", ("sharp",), ("enable", "en")),
    ("luma denoising", ("ynr",), ("enable", "en")),
    ("chroma denoising", ("cnr", "uvnr"), ("enable", "en")),
    ("colour processing (cproc)", ("cproc",), ("enable",)),
)
"""Blocks that act on the picture beside matrix and curve: starts of their names, and their switches in lower case."""
GREY = ("grey pictures", ("colorAsGrey",), ("enable",))


@dataclass(frozen=True)
class RkAiqJson(TargetCamera):
    """IQ files in JSON."""

    name: str
    title: str
    scene: str
    """Key of a scene's settings; it names the processor."""
    ccm: str
    """Key of the matrix's settings."""
    gamma: tuple[str, ...]
    """Keys of the curve's settings, in newer and in older files."""
    limits: Limits
    page: str = "rockchip"
    settable: frozenset[str] = STREAM | DENOISING
    statistics: tuple[Statistics, ...] = ("raw",)
    base: str = "an rkaiq IQ file (JSON)"

    FILE = "iq.json"

    def write(self, profile: IspProfile, base: str) -> Files:
        """Replace all matrices by profile x matrix at full strength, and all curves; see `TargetCamera.write`.

        Raises:
            CamproError: If the base is no such IQ file, or a product does not fit the register.
        """
        document, (ccm, lut) = self._document(base, BASE), parts(profile)
        for entry, node in _matrices(document, self.ccm):
            own = own_matrix(document.numbers(node, MATRIX, 9), document)
            document.replace_numbers(node, product_for(self.name, ccm, own).ravel().tolist())
            shift = np.array(document.numbers(Document.get(entry, OFFSETS), OFFSETS, 3))
            shifted = np.array(ccm.matrix) @ shift + np.array(ccm.offsets) * TWELVE_BITS
            document.replace_numbers(_sequence(document, entry, OFFSETS), shifted.tolist())
        for calibration in _all(document, self.ccm):
            _keep_strength(document, calibration)
            for control in _controls(document, calibration):
                document.switch_on(control, ENABLE)
        values = np.floor(np.array(lut.values[0]) * TWELVE_BITS + 0.5).tolist()
        for settings, node in self._curves(document):
            document.numbers(node, CURVE, len(values))
            document.replace_numbers(node, values)
            switch = Document.get(settings, CURVE_ENABLE)
            document.set(settings, CURVE_ENABLE, "true" if switch is not None and switch.value in BOOLEANS else "1")
            document.set(settings, "Gamma_out_offset", "0")
        return {self.FILE: document.changed()}

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`.

        Raises:
            CamproError: If the files are not those that `write` makes.
        """
        document = self._document(files[self.FILE], self.FILE)
        if off := self._switched_off(document):
            raise document.refuse("matrix and curve that are switched on", f"{off[0]}: the camera skips this block")
        new, old = (_numbers_of(one, self.ccm) for one in (document, self._document(base, BASE)))
        if len(new) != len(old):
            raise document.refuse(f"{len(old)} matrices, as in the base", str(len(new)))
        knots = self.limits.curve.knots
        assert knots is not None
        curves = [document.numbers(node, CURVE, len(knots)) for _, node in self._curves(document)]
        if any(curve != curves[0] for curve in curves):
            raise document.refuse("the same curve in all scenes", "different ones")
        return profile_of(f"{self.name} IQ file", new, old, np.array(curves[0]), knots)

    def recognises(self, text: str) -> bool:
        """See `TargetCamera.recognises`."""
        return f'"{self.scene}"' in text

    def notes(self, base: str) -> FileNotes:
        """See `TargetCamera.notes`."""
        document = self._document(base, BASE)
        states = [(what, _state(document, starts, names)) for what, starts, names in BEHIND]
        grey = (GREY_WARNING,) if _state(document, *GREY[1:]).startswith("on") else ()
        on = tuple(f"{name} (the file had 0)" for name in dict.fromkeys(self._switched_off(document)))
        acts = tuple(f"{what}: {state}" for what, state in states if state)
        return FileNotes(on, STRENGTH, acts, tuple(f"{GREY[1][0]}: {text}" for text in grey))

    def _document(self, text: str, who: str) -> Document:
        document = Document(text, who)
        if not document.all_named(self.scene):
            raise document.refuse(f"an IQ file with {self.scene}", "none")
        return document

    def _switched_off(self, document: Document) -> list[str]:
        controls = [one for node in _all(document, self.ccm) for one in _controls(document, node)]
        off = [f"{self.ccm}/{CONTROL}/{ENABLE}" for one in controls if document.switched_off(one, ENABLE)]
        curves = [settings for settings, _ in self._curves(document)]
        return off + [CURVE_ENABLE for settings in curves if document.switched_off(settings, CURVE_ENABLE)]

    def _curves(self, document: Document) -> list[tuple[MappingNode, SequenceNode]]:
        """Settings and node of each curve."""
        found = []
        calibrations = [node for name in self.gamma for node in document.all_named(name)]
        if not calibrations:
            raise document.refuse(" or ".join(self.gamma), "none")
        for calibration in calibrations:
            for settings in (document.mapping(node, CURVE) for node in _holders(document, calibration, CURVE)):
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


def _controls(document: Document, calibration: Node) -> list[MappingNode]:
    """Settings that hold the matrix's switch."""
    return [document.mapping(node, CONTROL) for node in document.all_named(CONTROL, calibration)]


def _state(document: Document, starts: tuple[str, ...], names: tuple[str, ...]) -> str:
    """State of a block in all scenes: on if any of its switches is; "" if the file has no such block.

    The switches are those nearest to the block's root: settings of its parts have switches of their own.
    """
    lower = tuple(start.lower() for start in starts)
    pairs = [pair for node in document.all_objects for pair in node.value]
    blocks = [value for key, value in pairs if isinstance(value, MappingNode) and key.value.lower().startswith(lower)]
    if not blocks:
        return ""
    switches = [switch for block in blocks for switch in _nearest(block, names)]
    if not switches:
        return "no switch in the file"
    return "on" if any(value.value.lower() not in OFF for value in switches) else "off"


def _nearest(block: MappingNode, names: tuple[str, ...]) -> list[ScalarNode]:
    """Switches of a block that are nearest to its root."""
    level = [block]
    while level:
        pairs = [pair for node in level for pair in node.value]
        if found := [value for key, value in pairs if key.value.lower() in names and isinstance(value, ScalarNode)]:
            return found
        level = [value for _, value in pairs if isinstance(value, MappingNode)]
    return []


def _matrices(document: Document, ccm: str) -> list[tuple[MappingNode, SequenceNode]]:
    """Each object with a matrix, and the node of the matrix."""
    entries = [
        document.mapping(entry, ccm) for node in _all(document, ccm) for entry in _holders(document, node, MATRIX)
    ]
    return [(entry, _sequence(document, entry, MATRIX)) for entry in entries]


def _numbers_of(document: Document, ccm: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """All matrices, each with its offsets (12-bit levels)."""
    return [
        (
            own_matrix(document.numbers(node, MATRIX, 9), document),
            np.array(document.numbers(Document.get(entry, OFFSETS), OFFSETS, 3)),
        )
        for entry, node in _matrices(document, ccm)
    ]


def _keep_strength(document: Document, calibration: Node) -> None:
    """Set the strength of the matrix to its full value for all luma and gain."""
    for holder in _holders(document, calibration, BY_LUMA):
        curve = _sequence(document, document.mapping(holder, BY_LUMA), BY_LUMA)
        document.replace_numbers(curve, [ALPHA] * len(document.numbers(curve, BY_LUMA)))
    name, inner = BY_GAIN
    for node in document.all_named(name, calibration):
        scale = _sequence(document, document.mapping(node, name), inner)
        document.replace_numbers(scale, [1.0] * len(document.numbers(scale, inner)))
    for one in document.objects(calibration):
        document.switch_off(one, ENHANCEMENT)


def _sequence(document: Document, node: MappingNode, name: str) -> SequenceNode:
    value = Document.get(node, name)
    document.sequence(value, name)
    assert isinstance(value, SequenceNode)
    return value


CURVE_49 = "rkaiq iq_parser_v2 agamma_head.h (gamma v11), Linux uAPI rkisp2-config.h: 49 curve values"
ISP21 = RkAiqJson(
    "rockchip-isp21",
    "Rockchip RK356x (ISP 2.1), rkaiq",
    "scene_isp21",
    "ccm_calib",
    ("agamma_calib_v10", "agamma_calib"),
    rkaiq_limits("rkaiq iq_parser_v2 accm_head.h, agamma_head.h (gamma v10): 45 curve values", (4, 512)),
)
ISP30 = RkAiqJson(
    "rockchip-isp30",
    "Rockchip RK3588 (ISP 3.0), rkaiq",
    "scene_isp30",
    "ccm_calib",
    ("agamma_calib_v11", "agamma_calib_V30"),
    rkaiq_limits(CURVE_49, (8, 256)),
)
ISP32 = RkAiqJson(
    "rockchip-isp32",
    "Rockchip RV1103, RV1106 (ISP 3.2), rkaiq",
    "scene_isp32",
    "ccm_calib_v2",
    ("agamma_calib_v11",),
    rkaiq_limits(CURVE_49, (8, 256)),
)
