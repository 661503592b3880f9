"""Cameras with the RkISP1 processor (RK3399, i.MX8M Plus and others): parameters of the Linux driver.

The driver takes one matrix and a curve of 17 values of 10 bit. For libcamera's tuning file see `rkisp1_tuning`.
Source: Linux include/uapi/linux/rkisp1-config.h (`rkisp1_cif_isp_ctk_config`, `rkisp1_cif_isp_goc_config`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from campro.cameras.feedback_loop import Statistics
from campro.cameras.target_camera import Files, TargetCamera
from campro.core.errors import CamproError
from campro.isp.curve_limits import CurveLimits, spaced
from campro.isp.limits import Grid, Limits, camera_profile, parts
from campro.isp.profile import Ccm, GammaLut, IspProfile

FRACTION = 128
"""Scale of the coefficients, Q4.7."""
OFFSET_SCALE = 2048
"""Full scale of the offsets, signed 12-bit numbers."""
TEN_BITS = 1023
"""Largest value of the curve."""
LOGARITHMIC_KNOTS = spaced((4, 64), (4, 128), (3, 256), (5, 512), top=4096)
"""Knots of the curve in logarithmic mode."""
EQUAL_KNOTS = spaced((16, 256), top=4096)
BEHIND_MATRIX: tuple[Statistics, ...] = ("behind-matrix-inverted", "behind-matrix")
"""The hardware measures the means of white balance and the histogram behind the matrix; see `feedback_loop`."""
KERNEL_SOURCE = "Linux uAPI rkisp1-config.h: coefficients Q4.7, offsets of 12 bit, 17 curve values of 10 bit"


def rkisp1_limits(source: str, curve: CurveLimits) -> Limits:
    """Limits of the processor's matrix and offsets, and of a curve, which depends on the software."""
    offsets = Grid(-1.0, 1.0 - 1 / OFFSET_SCALE, 1 / OFFSET_SCALE)
    return Limits(source, Grid(-8.0, 8.0 - 1 / FRACTION, 1 / FRACTION), offsets, curve)


@dataclass(frozen=True)
class KernelParameters(TargetCamera):
    """The driver's parameters as JSON: 9 coefficients, 3 offsets, 17 curve values and the mode of the curve.

    The matrix is the profile's. It must be multiplied by the calibrated matrix of each light source, if there is one.
    """

    name: str
    title: str
    mode: str
    limits: Limits
    page: str = "rkisp1"
    statistics: tuple[Statistics, ...] = BEHIND_MATRIX

    FILE = "rkisp1.json"

    def write(self, profile: IspProfile, base: str) -> Files:
        """See `TargetCamera.write`."""
        ccm, lut = parts(profile)
        document = {
            "ctk": {
                "coeff": [[_field(value, FRACTION, 11) for value in row] for row in ccm.matrix],
                "ct_offset": [_field(value, OFFSET_SCALE, 12) for value in ccm.offsets],
            },
            "goc": {"mode": self.mode, "gamma_y": [round(value * TEN_BITS) for value in lut.values[0]]},
        }
        return {self.FILE: json.dumps(document, indent=1) + "\n"}

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`.

        Raises:
            CamproError: If the files are not those that `write` makes.
        """
        try:
            document = json.loads(files[self.FILE])
            matrix = tuple(tuple(_signed(value, 11) / FRACTION for value in row) for row in document["ctk"]["coeff"])
            offsets = tuple(_signed(value, 12) / OFFSET_SCALE for value in document["ctk"]["ct_offset"])
            curve = tuple(value / TEN_BITS for value in document["goc"]["gamma_y"])
            if document["goc"]["mode"] != self.mode:
                raise ValueError(f"mode {document['goc']['mode']}")
            ccm, lut = Ccm(matrix, (offsets[0], offsets[1], offsets[2])), GammaLut((curve,), self.limits.curve.knots)
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            got = " ".join(str(error).split())[:120]
            raise CamproError(self.FILE, f"parameters that campro wrote for {self.name}", got) from error
        return camera_profile(f"{self.name} parameters", ccm, lut)


def _field(value: float, scale: int, bits: int) -> int:
    """Two's complement of a scaled and rounded number."""
    return int(np.floor(value * scale + 0.5)) & ((1 << bits) - 1)


def _signed(field: int, bits: int) -> int:
    """Number of a field in two's complement."""
    if not isinstance(field, int) or not 0 <= field < 1 << bits:
        raise ValueError(f"{field!r} in a field of {bits} bit")
    return field - (field >> (bits - 1) << bits)


LOG = KernelParameters(
    "rkisp1-log",
    "RkISP1, kernel parameters, logarithmic curve",
    "logarithmic",
    rkisp1_limits(KERNEL_SOURCE, CurveLimits(LOGARITHMIC_KNOTS, TEN_BITS)),
)
EQUAL = KernelParameters(
    "rkisp1-equal",
    "RkISP1, kernel parameters, even curve",
    "equidistant",
    rkisp1_limits(KERNEL_SOURCE, CurveLimits(EQUAL_KNOTS, TEN_BITS)),
)
