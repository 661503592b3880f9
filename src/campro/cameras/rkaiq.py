"""Rockchip cameras RV1109 and RV1126 (the ISP 2.0 of the paper): IQ files (XML) of the rkaiq library.

Sources: JeffyCN/mirrors rkaiq (public): algos/accm (registers hold (matrix - identity) x 128 in 11 bit; the strength of
the matrix falls with luma by `y_alpha_curve` and with gain by `gain_alphaScale_curve`), algos/agamma (45 values of
12 bit; `gamma_out_segnum` 0 spaces them logarithmically). Not tested on hardware.
"""

from __future__ import annotations

import re
import xml.parsers.expat
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from jaxtyping import Float

from campro.cameras.edits import LARGEST, rewritten
from campro.cameras.target_camera import BASE, DENOISING, STREAM, FileNotes, Files, TargetCamera
from campro.core.errors import CamproError
from campro.isp.curve_limits import CurveLimits, spaced
from campro.isp.limits import Grid, Limits, camera_profile, ccm_of, parts
from campro.isp.profile import Ccm, GammaLut, IspProfile

TWELVE_BITS = 4095
"""Largest value of curves and offsets."""
ALPHA = 1024.0
"""Full strength of the matrix."""
ROOT = ("matfile", "sensor")
CURVES = ("curve_normal", "curve_hdr", "curve_night", "curve_user1", "curve_user2")
PLACES = (("CCM",), ("CCM", "Mode", "cell"))
"""Where the matrices are: once, or once for each of two modes (normal and HDR)."""
BY_LUMA, BY_GAIN = ("lumaCCM", "y_alpha_curve"), ("lumaCCM", "gain_alphaScale_curve", "scale")
SWITCHES = (("CCM", "enable"), ("GAMMA", "gamma_en"))
"""Switches of the matrix and of the curve."""
BEHIND = (
    ("tone mapping of HDR modes", "AHDR", ("en", "enable")),
    ("dehazing", "DEHAZE", ("dehaze_en", "enhance_en", "en", "enable")),
    ("3D LUT", "LUT3D", ("enable",)),
    ("sharpening", "SHARP", ("enable",)),
    ("edge filter", "EDGEFILTER", ("enable",)),
    ("luma denoising", "YNR", ("enable",)),
    ("chroma denoising", "UVNR", ("enable",)),
    ("temporal denoising", "MFNR", ("enable",)),
)
"""Blocks that act on the picture beside matrix and curve: section, and names of their switches in lower case."""
GREY = (("COLOR_AS_GREY", ("enable",)), ("CPSL", ("force_gray",)))
"""Switches of grey pictures: always, and with the light at night."""
REGISTER = Grid(-8.0, 8.0 - 1 / 128, 1 / 128)
"""Register that holds matrix - identity."""


def rkaiq_limits(source: str, *last: tuple[int, int]) -> Limits:
    """Limits of Rockchip's processors; they differ only in the last knots of the curve.

    Args:
        source: Where the figures are from.
        last: The last segments of the curve as (number of knots, distance), after those whose distance doubles
            every four knots.
    """
    doubling = [(4, 2**power) for power in range(1, 9)]
    curve = CurveLimits(spaced((8, 1), *doubling, *last, top=TWELVE_BITS), TWELVE_BITS)
    return Limits(source, Grid(-7.0, 8.0 - 1 / 128, 1 / 128), Grid(-1.0, 1.0, 1 / TWELVE_BITS), curve)


@dataclass(frozen=True)
class Element:
    """Position and text of an element that holds numbers."""

    start: int
    end: int
    text: bytes


class IqFile:
    """Elements of an IQ file that hold text, by path, in the order of the file.

    Raises:
        CamproError: If the text is too large, no XML, or has a document type (which could define entities).
    """

    def __init__(self, text: str, who: str) -> None:
        self.data, self.who = text.encode(), who
        self.elements: dict[tuple[str, ...], list[Element]] = {}
        if len(self.data) > LARGEST:
            raise self.refuse(f"at most {LARGEST} bytes", str(len(self.data)))
        self._stack: list[tuple[str, int]] = []
        parser = xml.parsers.expat.ParserCreate()
        parser.StartElementHandler = lambda name, _: self._stack.append((name, parser.CurrentByteIndex))
        parser.EndElementHandler = lambda _: self._leave(parser.CurrentByteIndex)
        parser.StartDoctypeDeclHandler = self._no_doctype
        try:
            parser.Parse(self.data, True)
        except xml.parsers.expat.ExpatError as error:
            raise self.refuse("an XML file", str(error)) from error

    def refuse(self, wanted: str, got: str) -> CamproError:
        """Make an error that names this file."""
        return CamproError(self.who, wanted, got)

    def _no_doctype(self, *_: object) -> None:
        raise self.refuse("a plain XML file", "a document type, which could define entities")

    def _leave(self, end: int) -> None:
        path = tuple(name for name, _ in self._stack)
        _, start = self._stack.pop()
        inside = self.data.index(b">", start) + 1
        if inside <= end and b"<" not in self.data[inside:end]:
            self.elements.setdefault(path, []).append(Element(inside, end, self.data[inside:end]))

    def some(self, *path: str) -> list[Element]:
        """All elements of a path below the sensor's settings, names in upper or lower case; may be none."""
        wanted = tuple(name.lower() for name in (*ROOT, *path))
        return [one for found, ones in self.elements.items() if tuple(map(str.lower, found)) == wanted for one in ones]

    def all(self, *paths: tuple[str, ...]) -> list[Element]:
        """All elements of several paths below the sensor's settings: those of the first path first.

        Raises:
            CamproError: If there is none.
        """
        if found := [element for path in paths for element in self.some(*path)]:
            return found
        raise self.refuse(" or ".join("/".join(path) for path in paths), "none")

    def numbers(self, element: Element, name: str, count: int | None = None) -> Float[np.ndarray, " count"]:
        """Numbers of an element: `[a b c]`, separated by spaces, tabs or commas.

        Raises:
            CamproError: If the text is not `count` such numbers (None: at least one).
        """
        words = element.text.decode(errors="replace").strip()
        try:
            if not (words.startswith("[") and words.endswith("]")):
                raise ValueError(words[:40])
            values = np.array([float(word) for word in words[1:-1].replace(",", " ").split()])
        except ValueError as error:
            raise self.refuse(f"numbers in brackets for {name}", str(error)[:80]) from error
        if len(values) != (count or max(len(values), 1)) or not np.isfinite(values).all():
            raise self.refuse(f"{count or 'some'} finite numbers for {name}", str(len(values)))
        return values

    def with_changes(self, changes: list[tuple[Element, Float[np.ndarray, " n"]]]) -> str:
        """The text with other numbers in these elements; all other bytes stay."""
        data = self.data
        for element, values in sorted(changes, key=lambda change: change[0].start, reverse=True):
            data = data[: element.start] + _with_numbers(element.text, values) + data[element.end :]
        return data.decode()


class RkAiq(TargetCamera):
    """IQ files in XML."""

    name = "rockchip-rkaiq"
    title = "Rockchip RV1109, RV1126 (ISP 2.0), rkaiq"
    page = "rockchip"
    settable = STREAM | DENOISING
    statistics = ("raw",)
    base = "an rkaiq IQ file (XML)"
    limits = rkaiq_limits(
        "rkaiq algos/accm and algos/agamma: 11-bit registers over 128, 45 curve values of 12 bit", (4, 512)
    )
    FILE = "iq.xml"

    def write(self, profile: IspProfile, base: str) -> Files:
        """Replace all matrices by profile x matrix, and all curves by the profile's; see `TargetCamera.write`.

        The strength of the matrix is set to its full value for all luma and gain, where the file reduces it for dark
        and noisy pictures.

        Raises:
            CamproError: If the base is no such IQ file, or a product does not fit the register.
        """
        file, (ccm, lut) = IqFile(base, BASE), parts(profile)
        changes = [(element, product_for(self.name, ccm, own).ravel()) for element, own in _matrices(file)]
        for element in _offsets(file):
            own = file.numbers(element, "ccOffsets", 3)
            changes.append((element, np.array(ccm.matrix) @ own + np.array(ccm.offsets) * TWELVE_BITS))
        for name, value in ((BY_LUMA, ALPHA), (BY_GAIN, 1.0)):
            for element in file.all(*(place + name for place in PLACES)):
                changes.append((element, np.full(len(file.numbers(element, name[-1])), value)))
        self._check_knots(file)
        values = np.floor(np.array(lut.values[0]) * TWELVE_BITS + 0.5)
        changes += [(element, values) for element in _curves(file)]
        for path, value in ((SWITCHES[0], 1.0), (SWITCHES[1], 1.0), (("GAMMA", "gamma_out_offset"), 0.0)):
            changes += [(element, np.array([value])) for element in file.some(*path)]
        for element, new in changes:
            file.numbers(element, "an element that is replaced", len(new))
        return {self.FILE: file.with_changes(changes)}

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`.

        Raises:
            CamproError: If the files are not those that `write` makes.
        """
        file, base_file = IqFile(files[self.FILE], self.FILE), IqFile(base, BASE)
        self._check_knots(file)
        for path in SWITCHES:
            if _is_off(file, path):
                raise file.refuse(f"{'/'.join(path)} 1", "0: the camera skips this block")
        new, old = (
            [(matrix, one.numbers(shift, "ccOffsets", 3)) for (_, matrix), shift in zip(_matrices(one), _offsets(one))]
            for one in (file, base_file)
        )
        if len(new) != len(old):
            raise file.refuse(f"{len(old)} matrices, as in the base", str(len(new)))
        curves = [file.numbers(element, "gamma curve", 45) for element in _curves(file)]
        if any((one != other).any() for one, other in pairwise(curves)):
            raise file.refuse("the same curve in all scene modes", "different ones")
        knots = self.limits.curve.knots
        assert knots is not None
        return profile_of(f"{self.name} IQ file", new, old, curves[0], knots)

    def recognises(self, text: str) -> bool:
        """See `TargetCamera.recognises`."""
        return "<matfile" in text and "<CCM" in text

    def notes(self, base: str) -> FileNotes:
        """See `TargetCamera.notes`."""
        file = IqFile(base, BASE)
        on = tuple(f"{'/'.join(path)} (the file had 0)" for path in SWITCHES if _is_off(file, path))
        acts = tuple(f"{what}: {state}" for what, section, names in BEHIND if (state := _state(file, section, names)))
        grey = [section for section, names in GREY if _state(file, section, names) == "on"]
        return FileNotes(on, STRENGTH, acts, (f"{', '.join(grey)}: {GREY_WARNING}",) if grey else ())

    @staticmethod
    def _check_knots(file: IqFile) -> None:
        for element in file.all(("GAMMA", "gamma_out_segnum")):
            if file.numbers(element, "gamma_out_segnum", 1)[0] != 0:
                raise file.refuse(
                    "gamma_out_segnum 0, logarithmic spacing", "equal spacing, whose knots are not public"
                )


STRENGTH = ("the weaker matrix in dark and in noisy pictures (y_alpha_curve, gain_alphaScale_curve)",)
GREY_WARNING = (
    "the file asks for grey pictures, always or at night; the camera then turns the matrix off: see the row on night"
)

Calibrated = tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]
"""A calibrated matrix and its offsets (12-bit levels)."""


def product_for(name: str, ccm: Ccm, own: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
    """Product of the profile's matrix and a calibrated one, for column vectors.

    Raises:
        CamproError: If the register cannot hold it.
    """
    product = np.array(ccm.matrix) @ own
    if not REGISTER.holds(product - np.eye(3)):
        got = f"{np.abs(product).max():.2f}, the profile's matrix times the calibrated one"
        raise CamproError(name, f"matrices whose distance from identity lies in {REGISTER}", got)
    return product


def profile_of(
    name: str,
    new: list[Calibrated],
    own: list[Calibrated],
    curve: Float[np.ndarray, " k"],
    knots: tuple[float, ...],
) -> IspProfile:
    """Recover the profile from written files.

    Args:
        name: Name of the profile.
        new: Matrices and offsets of the written file.
        own: Those of the base, in the same order.
        curve: Curve values, 0 to 4095.
        knots: Knots of the curve, 0 to 1.

    Returns:
        A profile whose matrix and offsets are the mean over light sources, rounded as the registers do.
    """
    identity = np.eye(3)
    held = [REGISTER.rounded(product - identity) + identity for product, _ in new]
    ratios = np.array([product @ np.linalg.inv(matrix) for product, (matrix, _) in zip(held, own)])
    shifts = [shift - ratio @ old for ratio, (_, shift), (_, old) in zip(ratios, new, own)]
    shift = np.floor(np.mean(shifts, 0) + 0.5) / TWELVE_BITS
    ccm = ccm_of(ratios.mean(0), shift)
    return camera_profile(name, ccm, GammaLut((tuple((curve / TWELVE_BITS).clip(0, 1).tolist()),), knots))


class Refuses(Protocol):
    """A file that makes its own error messages."""

    def refuse(self, wanted: str, got: str) -> CamproError:
        """Make an error that names the file."""
        ...


def own_matrix(numbers: Sequence[float] | Float[np.ndarray, "9"], file: Refuses) -> Float[np.ndarray, "3 3"]:
    """Nine numbers as a calibrated matrix.

    Raises:
        CamproError: If it has no inverse.
    """
    matrix = np.array(numbers).reshape(3, 3)
    if abs(np.linalg.det(matrix)) < 1e-6:
        raise file.refuse("matrices that can be inverted", "one that cannot")
    return matrix


def _with_numbers(text: bytes, values: Float[np.ndarray, " n"]) -> bytes:
    words = iter(values.tolist())
    return re.sub(rb"[-+0-9.eE]+", lambda old: rewritten(old[0].decode(), next(words)).encode(), text)


def _matrices(file: IqFile) -> list[tuple[Element, Float[np.ndarray, "3 3"]]]:
    elements = file.all(*((*place, "matrixAll", "cell", "ccMatrix") for place in PLACES))
    return [(element, own_matrix(file.numbers(element, "ccMatrix", 9), file)) for element in elements]


def _offsets(file: IqFile) -> list[Element]:
    return file.all(*((*place, "matrixAll", "cell", "ccOffsets") for place in PLACES))


def _is_off(file: IqFile, path: tuple[str, ...]) -> bool:
    return any(file.numbers(element, path[-1], 1)[0] == 0 for element in file.some(*path))


def _state(file: IqFile, section: str, names: tuple[str, ...]) -> str:
    """State of a block: on if any of its switches is; "" if the file has no such section."""
    inside = {path: ones for path, ones in file.elements.items() if path[len(ROOT) : len(ROOT) + 1] == (section,)}
    switches = [one for path, ones in inside.items() if path[-1].lower() in names for one in ones]
    if not switches:
        return "no switch in the file" if inside else ""
    return "on" if any(one.text.strip() not in (b"[0]", b"[0.0]") for one in switches) else "off"


def _curves(file: IqFile) -> list[Element]:
    """Curves of all scene modes."""
    return file.all(*(("GAMMA", name) for name in CURVES))
