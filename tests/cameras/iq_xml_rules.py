"""A strict re-statement of the rules by which rkaiq reads matrix and curve from an IQ file in XML. Not rkaiq itself.

No binary of rkaiq runs here, so these rules are written anew from its public source, repository JeffyCN/mirrors at
17a89b6, folder rkaiq/iq_parser:

- RkAiqCalibParser.cpp, `doParse`: the root is `matfile`, the settings are below `sensor`.
- xmltags.cpp, `XmlTag::Size`, `XmlTag::Type`: every element needs the attributes `size="[rows columns]"` and `type`;
  the parser reads them without a check.
- `ParseFloatArray`, `ParseUcharArray`: numbers in brackets, separated by spaces, tabs or commas. The scanner leaves a
  number at the next space, tab, comma or bracket, so the first number of a line that begins without a space is lost.
- `parseEntrySensorCCM`, `parseEntrySensorCCMModeCell` (matrices in two modes: a mode begins with its `name`, normal or
  hdr), `parseEntrySensorlumaCCM`, `parseEntrySensorCcmMatrixAll`: as many numbers as the attribute `size` says, 9 of a
  matrix, 3 of an offset; cells beyond the declared number are not read.
- `parseEntrySensorGamma`: as many numbers as `size` says.

The ranges are those of algos/accm (registers of 11 bit hold (matrix - identity) x 128; strength up to 1024) and of
algos/agamma (45 values of 12 bit).
"""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

SPACES, SEPARATORS = " \t\r\n", " \t,"
TYPES = {"char", "double", "struct", "cell", "int"}
MODES = {"normal", "hdr"}
CURVES = ("curve_normal", "curve_hdr", "curve_night")
"""Curves that the parser reads; it passes over others, as curve_user1."""


class RuleError(Exception):
    """A rule of the parser that a file breaks."""


def size(element: Element) -> int:
    """Number of values or cells that an element declares."""
    kind, text = element.get("type"), element.get("size")
    if kind not in TYPES or text is None or not (found := re.match(r"\[(\d+) (\d+)\]", text)):
        raise RuleError(f"{element.tag}: type {kind}, size {text}")
    return int(found[1]) * int(found[2])


def numbers(element: Element) -> list[float]:
    """Numbers of an element as the parser scans them: exactly as many as the element declares."""
    text, count = element.text or "", size(element)
    start, end = text.find("["), text.find("]")
    if start < 0 or end < 0:
        raise RuleError(f"{element.tag}: no brackets")
    at = _past(text, start + 1, SPACES)
    found: list[float] = []
    while at != end and len(found) < count:
        one = re.match(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text[at:])
        if one is None:
            raise RuleError(f"{element.tag}: {text[at : at + 10]!r} is no number")
        found.append(float(one[0]))
        while text[at] not in SEPARATORS + "]":
            at += 1
        at = _past(text, at, SEPARATORS + "\r\n")
    if len(found) != count:
        raise RuleError(f"{element.tag}: {len(found)} numbers, declared {count}")
    return found


def _past(text: str, at: int, characters: str) -> int:
    while text[at] in characters:
        at += 1
    return at


def child(parent: Element, name: str) -> Element:
    """The only child of a name."""
    found = parent.findall(name)
    if len(found) != 1:
        raise RuleError(f"{parent.tag}/{name}: {len(found)} of them")
    return found[0]


def cells(element: Element) -> list[Element]:
    """Cells of a list that the parser reads."""
    return [one for one in list(element)[: size(element)] if one.tag == "cell"]


def check_iq_xml(data: bytes) -> int:
    """Check the sections of matrix and curve of an IQ file.

    Returns:
        Number of matrices.

    Raises:
        RuleError: If a rule does not hold; its text names the element.
    """
    root = ElementTree.fromstring(data)
    if root.tag != "matfile":
        raise RuleError(root.tag)
    sensor = child(root, "sensor")
    _check_gamma(child(sensor, "GAMMA"))
    ccm = child(sensor, "CCM")
    for switch in ccm.findall("enable"):
        _check_range(switch, 1, 1)
    if ccm.find("Mode") is None:
        return _check_mode(ccm)
    modes = cells(child(ccm, "Mode"))
    for mode in modes:
        if mode[0].tag != "name" or (mode[0].text or "").strip() not in MODES:
            raise RuleError(f"Mode: {mode[0].tag} {mode[0].text!r}")
    return sum(_check_mode(mode) for mode in modes)


def _check_mode(mode: Element) -> int:
    luma = child(mode, "lumaCCM")
    _check_range(child(luma, "y_alpha_curve"), 1024, 1024)
    gains = child(luma, "gain_alphaScale_curve")
    _check_range(child(gains, "scale"), 1, 1)
    if len(numbers(child(gains, "gain"))) != len(numbers(child(gains, "scale"))):
        raise RuleError("gain_alphaScale_curve: as many gains as scales")
    matrices = cells(child(mode, "matrixAll"))
    for cell in matrices:
        values = numbers(child(cell, "ccMatrix"))
        shifts = numbers(child(cell, "ccOffsets"))
        if len(values) != 9 or len(shifts) != 3:
            raise RuleError(f"ccMatrix of {len(values)} and ccOffsets of {len(shifts)} numbers")
        registers = [round((value - (place % 4 == 0)) * 128) for place, value in enumerate(values)]
        if min(registers) < -1024 or max(registers) > 1023:
            raise RuleError(f"ccMatrix: registers from {min(registers)} to {max(registers)}")
    return len(matrices)


def _check_gamma(gamma: Element) -> None:
    for switch in gamma.findall("gamma_en"):
        _check_range(switch, 1, 1)
    for name in ("gamma_out_segnum", "gamma_out_offset"):
        _check_range(child(gamma, name), 0, 0)
    for curve in [one for name in CURVES for one in gamma.findall(name)]:
        if len(_check_range(curve, 0, 4095)) != 45:
            raise RuleError(f"{curve.tag}: not 45 values")


def _check_range(element: Element, low: float, high: float) -> list[float]:
    values = numbers(element)
    if min(values) < low or max(values) > high:
        raise RuleError(f"{element.tag}: {min(values):g} to {max(values):g}")
    return values
