"""Small base files in the format of the real ones, and a mild profile, for tests of cameras."""

from __future__ import annotations

import json

from campro.cameras.camera_table import CAMERAS
from campro.cameras.target_camera import Files, TargetCamera
from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Quantise

MATRICES = {
    2800: [2.0, -0.6, -0.4, -0.8, 2.7, -0.9, -0.3, -1.1, 2.4],
    6500: [1.9, -0.6, -0.3, -0.6, 2.4, -0.8, 0, -0.6, 1.6],
}


def tuning(processor: str) -> str:
    """A small libcamera tuning file with all settings that a profile changes, and some that it must not change."""
    matrices = [{"ct": light, "ccm": matrix} for light, matrix in MATRICES.items()]
    algorithms = [
        {"rpi.black_level": {"black_level": 4096}},
        {"rpi.contrast": {"ce_enable": 1, "lo_max": 1000, "gamma_curve": [0, 0, 32768, 50000, 65535, 65535]}},
        {"rpi.ccm": {"saturation": [0, 0.8, 400, 1.0], "ccms": matrices}},
        {"rpi.sharpen": {"strength": 0.5}},
    ]
    return json.dumps({"version": 2.0, "target": processor, "algorithms": algorithms}, indent=4)


def element(name: str, text: str, shape: str = "1 1", kind: str = "double") -> str:
    """An element of an IQ file in XML, with the attributes of the real ones."""
    return f'<{name} index="1" type="{kind}" size="[{shape}]">\r{text}\r</{name}>\r\n'


def struct(name: str, text: str, cells: int = 0) -> str:
    """An element with others in it; a list of cells if their number is given."""
    return element(name, text, f"1 {cells or 1}", "cell" if cells else "struct")


def ccm_sections() -> str:
    """Strength and matrices of an IQ file in XML."""
    luma = element("y_alpha_curve", f"[{' '.join(['64'] * 17)}]", "1 17")
    gains = element("gain", "[1 2 4 8 16 32 64 128 512]", "1 9")
    gains += element("scale", "[1 1 1 1 0.92 0.85 0.8 0.7 0.5]", "1 9")
    matrices = [
        element("name", f"{light}_100", "1 8", "char")
        + element("ccMatrix", f" [{' '.join(map(str, matrix))}]", "3 3")
        + element("ccOffsets", "[0 0 0]", "1 3")
        for light, matrix in MATRICES.items()
    ]
    cells = "".join(struct("cell", one) for one in matrices)
    luma += struct("gain_alphaScale_curve", gains)
    return struct("lumaCCM", luma) + struct("matrixAll", cells, len(matrices))


def iq_file(modes: bool = False) -> str:
    """A small rkaiq IQ file with the attributes and the line ends of the real ones.

    Args:
        modes: Whether the matrices are there for each of two modes, as in most files.
    """
    ccm = ccm_sections()
    if modes:
        names = (element("name", name, f"1 {len(name)}", "char") for name in ("normal", "hdr"))
        ccm = struct("Mode", "".join(struct("cell", name + ccm) for name in names), 2)
    ccm = element("enable", "[1]", kind="char") + ccm
    curve = "[" + "\t".join(str(91 * i) for i in range(45)) + "]"
    gamma = element("gamma_en", "[1]", kind="char") + element("gamma_out_segnum", "[0]", kind="char")
    gamma += element("gamma_out_offset", "[0]", kind="char")
    gamma += "".join(element(name, curve, "1 45") for name in ("curve_normal", "curve_hdr", "curve_night"))
    sharp = element("Enable", "[1]", kind="int")
    sections = struct("CCM", ccm) + struct("GAMMA", gamma) + struct("SHARP", sharp)
    return f'<?xml version=\'1.0\'?><matfile><sensor type="struct" size="[1 1]">\r\n{sections}</sensor></matfile>'


RKISP1 = """# a comment that stays
%YAML 1.1
---
version: 1
algorithms:
  - Agc:
  - Ccm:
      ccms:
        - ct: 2800
          ccm: [ 2.0, -0.6, -0.4, -0.8, 2.7, -0.9, -0.3, -1.1, 2.4 ]
          offsets: [ 4, -8, 0 ]
        - ct: 6500
          ccm: [ 1.9, -0.6, -0.3, -0.6, 2.4, -0.8, 0, -0.6, 1.6 ]
  - Awb:
...
"""


def iq_json(processor: str, gamma: str, points: int, ccm: str = "ccm_calib") -> str:
    """A small rkaiq IQ file of the newer kind, in the format of iq_parser_v2: two scenes, one with manual values."""
    cells = [
        {"name": f"{light}_100", "saturation": 100, "ccMatrix": matrix, "ccOffsets": [0, 0, 0]}
        for light, matrix in MATRICES.items()
    ]
    strength = {"y_alpha_curve": [64] * 17, "gain_alphaScale_curve": {"gain": [1, 2, 4], "scale": [1, 0.9, 0.5]}}
    curve = {"Gamma_en": 0, "Gamma_out_offset": 3, "Gamma_curve": [80 * i for i in range(points)]}
    if points == 45:
        curve["Gamma_out_segnum"] = "GAMMATYPE_LOG"
    scene = {
        ccm: {"control": {"enable": 1}, "lumaCCM": strength, "TuningPara": {"matrixAll": cells}},
        gamma: {"GammaTuningPara": curve},
        "adrc_calib": {"DrcTuningPara": {"Enable": 0, "DrcGain": {"Enable": 1}}},
        "adehaze_calib": {"DehazeTuningPara": {"Enable": True}},
        "sharp_calib": {"strength": 0.5},
    }
    night = {**scene, ccm: {**scene[ccm], "manualPara": cells[0]}}
    scenes = [{"name": name, f"scene_{processor}": one} for name, one in (("day", scene), ("night", night))]
    return json.dumps({"main_scene": [{"name": "normal", "sub_scene": scenes}]}, indent="\t")


SIMPLE = RKISP1.replace("          offsets: [ 4, -8, 0 ]\n", "").replace("  - Agc:", "  - BlackLevel:\n  - Agc:")
JETSON = """# a comment that stays
opticalBlack.manualBiasR = 0.0586;
colorCorrection.srgbMatrix[0] = {1.9, -0.6, 0.0};
colorCorrection.srgbMatrix[1] = {-0.6, 2.4, -0.6};
colorCorrection.srgbMatrix[2] = {-0.3, -0.8, 1.6};
ap15Function.lensShading = FALSE;
"""
BASES = {
    "rpi-vc4": tuning("bcm2835"),
    "rpi-pisp": tuning("pisp"),
    "rkisp1": RKISP1,
    "libcamera-simple": SIMPLE,
    "jetson-isp": JETSON,
    "rockchip-rkaiq": iq_file(),
    "rockchip-isp21": iq_json("isp21", "agamma_calib_v10", 45),
    "rockchip-isp30": iq_json("isp30", "agamma_calib_v11", 49),
    "rockchip-isp32": iq_json("isp32", "agamma_calib_v11", 49, "ccm_calib_v2"),
}


def base_for(name: str) -> str:
    """Text of a base file, empty for cameras that need none."""
    return BASES.get(name, "")


def profile(
    matrix=((0.9, 0.1, 0.0), (0.05, 0.8, 0.1), (0.1, 0.0, 1.1)), values=(0.1, 0.3, 0.6, 0.8, 1.0)
) -> IspProfile:
    """A mild profile with a rising curve of evenly spaced knots."""
    return IspProfile("mild", (Degamma(), Ccm(matrix), GammaLut((tuple(values),)), Quantise(8)))


ROUNDING_LEVELS = {
    "rpi-vc4": 6,
    "rpi-pisp": 4,
    "rkisp1": 12,
    "libcamera-simple": 21,
    "rockchip-rkaiq": 12,
    "rockchip-isp21": 12,
    "rockchip-isp30": 12,
    "rockchip-isp32": 12,
}
"""Largest difference, in 8-bit levels, from rounding the product with a calibrated matrix; 1 where there is none."""


def fitted_files(name: str, start: IspProfile) -> tuple[TargetCamera, IspProfile, Files]:
    """A camera, the nearest profile that it can hold, and its files."""
    camera, key = CAMERAS[name], (name, start.to_json())
    if key not in _written:
        held = camera.limits.realised(camera.limits.fitted(start))
        _written[key] = held, camera.write(held, base_for(name))
    held, files = _written[key]
    return camera, held, dict(files)


_written: dict[tuple[str, str], tuple[IspProfile, Files]] = {}
"""What `fitted_files` has made: a fit takes tens of milliseconds, a table for software seconds."""
