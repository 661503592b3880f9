"""Base files in the shape of the real ones, and the real ones where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Quantise

MATRICES = {
    2800: [2.0, -0.6, -0.4, -0.8, 2.7, -0.9, -0.3, -1.1, 2.4],
    6500: [1.9, -0.6, -0.3, -0.6, 2.4, -0.8, 0, -0.6, 1.6],
}


def tuning(processor: str) -> str:
    """A small libcamera tuning file with everything that a profile touches, and some that it must not."""
    matrices = [{"ct": light, "ccm": matrix} for light, matrix in MATRICES.items()]
    algorithms = [
        {"rpi.black_level": {"black_level": 4096}},
        {"rpi.contrast": {"ce_enable": 1, "lo_max": 1000, "gamma_curve": [0, 0, 32768, 50000, 65535, 65535]}},
        {"rpi.ccm": {"saturation": [0, 0.8, 400, 1.0], "ccms": matrices}},
        {"rpi.sharpen": {"strength": 0.5}},
    ]
    return json.dumps({"version": 2.0, "target": processor, "algorithms": algorithms}, indent=4)


def iq_file() -> str:
    """A small rkaiq IQ file, with the real one's odd line ends."""
    cell = "<cell>\r<ccMatrix>\r [{}]\r</ccMatrix>\r<ccOffsets>\r[0 0 0]\r</ccOffsets>\r</cell>\r"
    cells = "".join(cell.format(" ".join(map(str, matrix))) for matrix in MATRICES.values())
    curve = "[" + "\t".join(str(91 * i) for i in range(45)) + "]"
    ones = " ".join(["64"] * 17)
    return (
        "<?xml version='1.0'?><matfile><sensor><CCM><lumaCCM>"
        f"<y_alpha_curve>[{ones}]</y_alpha_curve><gain_alphaScale_curve><scale>[1 1 1 1 0.92 0.85 0.8 0.7 0.5]</scale>"
        f"</gain_alphaScale_curve></lumaCCM><matrixAll>{cells}</matrixAll></CCM>\r\n"
        f"<GAMMA><gamma_out_segnum>[0]</gamma_out_segnum><curve_normal>{curve}</curve_normal>"
        f"<curve_hdr>{curve}</curve_hdr></GAMMA><SHARP><Enable>[1]</Enable></SHARP></sensor></matfile>"
    )


BASES = {"rpi-vc4": tuning("bcm2835"), "rpi-pisp": tuning("pisp"), "rockchip-rkaiq": iq_file()}


def base_for(name: str) -> str:
    """Text of a base file, empty for targets without one."""
    return BASES.get(name, "")


def profile(
    matrix=((0.9, 0.1, 0.0), (0.05, 0.8, 0.1), (0.1, 0.0, 1.1)), values=(0.1, 0.3, 0.6, 0.8, 1.0)
) -> IspProfile:
    """A mild profile with a rising curve of evenly spaced knots."""
    return IspProfile("mild", (Degamma(), Ccm(matrix), GammaLut((tuple(values),)), Quantise(8)))


@pytest.fixture
def deploy_files(shared_data) -> Path:
    """The folder of real camera files."""
    return shared_data / "deploy"
