"""IP cameras with OpenIPC or thingino firmware: C sources that call the SDKs, and snippets of configuration files.

Sources (public SDK headers, and re-implementations of the libraries): Ingenic imp_isp.h, `IMPISPCCMAttr` (nine floats,
stored as trunc(1024 x) in 13 bits and a sign), `IMPISPGammaAttr` (129 values of 12 bits); HiSilicon hi_comm_isp.h and
Goke gk_comm_isp.h, `ISP_COLORMATRIX_ATTR_S` (3 to 7 matrices by colour temperature, each of nine words of 8.8 bits, bit
15 is the sign; `bISOActEn` and `bTempActEn` bypass the matrix in low light and at extreme colour temperatures),
`ISP_SATURATION_ATTR_S` (128 is 1), `ISP_GAMMA_ATTR_S` (1025 values of 12 bits). Keys of the sensor's ini file: those
that OpenIPC's divinus reads; keys of majestic.yaml: OpenIPC's wiki, en/majestic-config.md.
"""

from __future__ import annotations

import re

import numpy as np

from campro.cameras.target_camera import DENOISING, STREAM, Files, TargetCamera
from campro.core.errors import CamproError
from campro.isp.curve_limits import CurveLimits
from campro.isp.limits import Grid, Limits, camera_profile, ccm_of, parts
from campro.isp.profile import GammaLut, IspProfile

TWELVE_BITS = 4095
MATRIX = re.compile(r"campro_matrix\[3\]\[3\] = \{([^;]*)\};")
CURVE = re.compile(r"campro_curve\[(\d+)\] = \{([^;]*)\};")


class SdkCamera(TargetCamera):
    """A C source with the profile's numbers, a function that gives profile x own matrix to the SDK, and snippets."""

    page = "openipc"
    settable = STREAM | DENOISING
    FILE, SENSOR, MAJESTIC = "campro_isp.c", "sensor.ini", "majestic.yaml"

    def __init__(self, name: str, title: str, limits: Limits, call: str, sensor: str = "") -> None:
        self.name, self.title, self.limits, self.call, self.sensor = name, title, limits, call, sensor

    def write(self, profile: IspProfile, base: str) -> Files:
        """See `TargetCamera.write`."""
        ccm, lut = parts(profile)
        rows = ", ".join("{" + ", ".join(f"{value:.10f}f" for value in row) + "}" for row in ccm.matrix)
        words = [f"{round(value * TWELVE_BITS)}" for value in lut.values[0]]
        lines = ",\n    ".join(", ".join(words[i : i + 16]) for i in range(0, len(words), 16))
        numbers = NUMBERS.replace("@ROWS@", rows).replace("@COUNT@", str(len(words))).replace("@CURVE@", lines)
        files = {self.FILE: numbers + self.call, self.MAJESTIC: MAJESTIC}
        return files | ({self.SENSOR: self.sensor.replace("@CURVE@", ", ".join(words))} if self.sensor else {})

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

static float campro_float(HI_U16 word)
{
    float value = (word & 0x7fff) / 256.0f;
    return word & 0x8000 ? -value : value;
}

/* The camera's own matrices by colour temperature, 3 to 7 of them, as they were before the first call. */
static ISP_COLORMATRIX_AUTO_S campro_own;
static int campro_kept;

/* Call after HI_MPI_ISP_Init and after the sensor's ini file is applied; again when the camera changes between day and
 * night. For one sensor. */
HI_S32 campro_apply(VI_PIPE pipe)
{
    ISP_COLORMATRIX_ATTR_S ccm;
    ISP_SATURATION_ATTR_S saturation;
    ISP_GAMMA_ATTR_S gamma;

    HI_S32 error = HI_MPI_ISP_GetCCMAttr(pipe, &ccm);
    if (error) {
        return error;
    }
    if (!campro_kept) {
        campro_own = ccm.stAuto;
        campro_kept = 1;
    }
    if (campro_own.u16CCMTabNum < 1 || campro_own.u16CCMTabNum > CCM_MATRIX_NUM) {
        return HI_FAILURE;
    }
    ccm.enOpType = OP_TYPE_AUTO;
    ccm.stAuto = campro_own;
    ccm.stAuto.bISOActEn = HI_FALSE;  /* else the matrix is bypassed in low light */
    ccm.stAuto.bTempActEn = HI_FALSE; /* else it is bypassed at extreme colour temperatures */
    for (int light = 0; light < campro_own.u16CCMTabNum; light++) {
        float own[3][3], product[9];
        for (int i = 0; i < 9; i++) {
            own[i / 3][i % 3] = campro_float(campro_own.astCCMTab[light].au16CCM[i]);
        }
        campro_product((const float (*)[3])own, product);
        for (int i = 0; i < 9; i++) {
            ccm.stAuto.astCCMTab[light].au16CCM[i] = campro_word(product[i]);
        }
    }
    error = HI_MPI_ISP_SetCCMAttr(pipe, &ccm);
    if (!error) {
        error = HI_MPI_ISP_GetSaturationAttr(pipe, &saturation);
    }
    if (!error) {
        saturation.enOpType = OP_TYPE_MANUAL; /* else it falls with the gain, and the matrix with it */
        saturation.stManual.u8Saturation = 128;
        error = HI_MPI_ISP_SetSaturationAttr(pipe, &saturation);
    }
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

MAJESTIC = """# A part of /etc/majestic.yaml: keep the colour mode at night, and leave the picture's settings alone.
nightMode:
  lightMonitor: false
  colorToGray: false
image:
  contrast: 50
  hue: 50
  saturation: 50
  luminance: 50
"""

SENSOR = (
    """; Keys for the sensor's ini file (isp.sensorConfig of majestic.yaml), in its own sections.
; The profile's matrix is not here: campro_isp.c multiplies the file's AutoCCMTable_0 to _6 by it.
[static_ccm]
ISOActEn = 0
TempActEn = 0

[static_saturation]
AutoSat = """
    + ", ".join(["128"] * 16)
    + """

; Table_0 and every other table of this section: 1025 values. Break the line as your file does.
[dynamic_gamma]
Table_0 = "@CURVE@"
"""
)

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
    "HiSilicon V4, Goke (OpenIPC; C source, not compiled here)",
    Limits(
        source="HiSilicon hi_comm_isp.h: 8.8 bits and a sign; 1025 gamma values of 12 bits",
        matrix=Grid(-127.99609375, 127.99609375, 2**-8),
        curve=CurveLimits(tuple(np.linspace(0, 1, 1025).tolist()), TWELVE_BITS),
    ),
    HISILICON_CALL,
    SENSOR,
)
