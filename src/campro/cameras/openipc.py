"""IP cameras with OpenIPC or thingino firmware: C sources that call the SDKs of Ingenic and of HiSilicon / Goke.

Sources (public SDK headers, and re-implementations of the libraries): Ingenic imp_isp.h, `IMPISPCCMAttr` (nine floats,
stored as trunc(1024 x) in 13 bits and a sign), `IMPISPGammaAttr` (129 values of 12 bits); HiSilicon hi_comm_isp.h and
Goke gk_comm_isp.h, `ISP_COLORMATRIX_ATTR_S` (nine words of 8.8 bits, bit 15 is the sign; `bISOActEn` and `bTempActEn`
bypass the matrix in low light and at extreme colour temperatures), `ISP_GAMMA_ATTR_S` (1025 values of 12 bits).
"""

from __future__ import annotations

import re

import numpy as np

from campro.cameras.target_camera import Files, TargetCamera
from campro.core.errors import CamproError
from campro.isp.curve_limits import CurveLimits
from campro.isp.limits import Grid, Limits, camera_profile, ccm_of, parts
from campro.isp.profile import GammaLut, IspProfile

TWELVE_BITS = 4095
MATRIX = re.compile(r"campro_matrix\[3\]\[3\] = \{([^;]*)\};")
CURVE = re.compile(r"campro_curve\[(\d+)\] = \{([^;]*)\};")


class SdkCamera(TargetCamera):
    """A C source with the profile's numbers, and a function that gives profile x own matrix to the SDK."""

    page = "openipc"
    FILE = "campro_isp.c"

    def __init__(self, name: str, title: str, limits: Limits, call: str) -> None:
        self.name, self.title, self.limits, self.call = name, title, limits, call

    def write(self, profile: IspProfile, base: str) -> Files:
        """See `TargetCamera.write`."""
        ccm, lut = parts(profile)
        rows = ", ".join("{" + ", ".join(f"{value:.10f}f" for value in row) + "}" for row in ccm.matrix)
        words = [f"{round(value * TWELVE_BITS)}" for value in lut.values[0]]
        lines = ",\n    ".join(", ".join(words[i : i + 16]) for i in range(0, len(words), 16))
        numbers = NUMBERS.replace("@ROWS@", rows).replace("@COUNT@", str(len(words))).replace("@CURVE@", lines)
        return {self.FILE: numbers + self.call}

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`.

        Raises:
            CamproError: If the file is not one that `write` makes.
        """
        matrix, curve = MATRIX.search(files[self.FILE]), CURVE.search(files[self.FILE])
        if matrix is None or curve is None:
            raise CamproError(self.FILE, "a source that campro wrote", "no campro_matrix or campro_curve")
        numbers = [float(word) for word in re.findall(r"-?\d+\.\d+", matrix[1])]
        levels = [int(word) for word in re.findall(r"\d+", curve[2])]
        knots = self.limits.curve.knots
        assert knots is not None
        if len(numbers) != 9 or len(levels) != len(knots) or max(levels) > TWELVE_BITS:
            raise CamproError(self.FILE, "a source that campro wrote", "other numbers")
        rounded = self.limits.matrix.rounded(np.array(numbers).reshape(3, 3))
        ccm = ccm_of(rounded)
        return camera_profile(f"{self.name} source", ccm, GammaLut((tuple(v / TWELVE_BITS for v in levels),), knots))


NUMBERS = """/* A CamPro profile, written by campro deploy. Not compiled there: build it with the camera's SDK. */
#include <string.h>

static const float campro_matrix[3][3] = {@ROWS@};

static const unsigned short campro_curve[@COUNT@] = {
    @CURVE@
};

/* The profile's matrix times the camera's own one (row = output channel). */
static void campro_product(const float own[3][3], float product[9])
{
    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 3; column++) {
            float sum = 0;
            for (int k = 0; k < 3; k++) {
                sum += campro_matrix[row][k] * own[k][column];
            }
            product[3 * row + column] = sum;
        }
    }
}
"""

INGENIC_CALL = """
#include <imp/imp_isp.h>

/* T40, T41: call after IMP_ISP_EnableTuning, and again when the camera changes between day and night. */
int campro_apply(const float own[3][3])
{
    IMPISPCCMAttr ccm;
    IMPISPGammaAttr gamma;

    memset(&ccm, 0, sizeof(ccm));
    ccm.ManualEn = IMPISP_TUNING_OPS_MODE_ENABLE;
    ccm.SatEn = IMPISP_TUNING_OPS_MODE_DISABLE;
    campro_product(own, ccm.ColorMatrix);
    memset(&gamma, 0, sizeof(gamma));
    gamma.Curve_type = IMP_ISP_GAMMA_CURVE_USER;
    memcpy(gamma.gamma, campro_curve, sizeof(gamma.gamma));
    int error = IMP_ISP_Tuning_SetCCMAttr(IMPVI_MAIN, &ccm);
    return error ? error : IMP_ISP_Tuning_SetGammaAttr(IMPVI_MAIN, &gamma);
}
"""

HISILICON_CALL = """
#include "hi_comm_isp.h"
#include "mpi_isp.h"

/* A word of 8.8 bits; bit 15 is the sign. */
static HI_U16 campro_word(float value)
{
    float size = (value < 0 ? -value : value) * 256 + 0.5f;
    HI_U16 word = (HI_U16)(size > 32767 ? 32767 : size);
    return (HI_U16)(value < 0 && word ? word | 0x8000 : word);
}

/* Call after HI_MPI_ISP_Init, and again when the camera changes between day and night. */
HI_S32 campro_apply(VI_PIPE pipe, const float own[3][3])
{
    ISP_COLORMATRIX_ATTR_S ccm;
    ISP_GAMMA_ATTR_S gamma;
    float product[9];

    HI_S32 error = HI_MPI_ISP_GetCCMAttr(pipe, &ccm);
    if (error) {
        return error;
    }
    campro_product(own, product);
    ccm.enOpType = OP_TYPE_MANUAL;
    ccm.stManual.bSatEn = HI_FALSE;
    ccm.stAuto.bISOActEn = HI_FALSE;  /* else the matrix is bypassed in low light */
    ccm.stAuto.bTempActEn = HI_FALSE; /* else it is bypassed at extreme colour temperatures */
    for (int i = 0; i < 9; i++) {
        ccm.stManual.au16CCM[i] = campro_word(product[i]);
    }
    error = HI_MPI_ISP_SetCCMAttr(pipe, &ccm);
    if (!error) {
        error = HI_MPI_ISP_GetGammaAttr(pipe, &gamma);
    }
    if (!error) {
        gamma.bEnable = HI_TRUE;
        gamma.enCurveType = ISP_GAMMA_CURVE_USER_DEFINE;
        memcpy(gamma.u16Table, campro_curve, sizeof(gamma.u16Table));
        error = HI_MPI_ISP_SetGammaAttr(pipe, &gamma);
    }
    return error;
}
"""

INGENIC = SdkCamera(
    "ingenic",
    "Ingenic T40, T41 (thingino, OpenIPC; C source, not compiled here)",
    Limits(
        source="Ingenic imp_isp.h: trunc(1024 x) in 13 bits and a sign; 129 gamma values of 12 bits",
        matrix=Grid(-8191 / 1024, 8191 / 1024, 2**-10, truncates=True),
        curve=CurveLimits(tuple(np.linspace(0, 1, 129).tolist()), TWELVE_BITS),
    ),
    INGENIC_CALL,
)
HISILICON = SdkCamera(
    "hisilicon",
    "HiSilicon, Goke (OpenIPC; C source, not compiled here)",
    Limits(
        source="HiSilicon hi_comm_isp.h: 8.8 bits and a sign; 1025 gamma values of 12 bits",
        matrix=Grid(-127.99609375, 127.99609375, 2**-8),
        curve=CurveLimits(tuple(np.linspace(0, 1, 1025).tolist()), TWELVE_BITS),
    ),
    HISILICON_CALL,
)
