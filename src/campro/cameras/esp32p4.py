"""ESP32-P4 cameras: matrix and gamma points of the ISP driver, as a C source for ESP-IDF.

Sources: ESP-IDF components/hal/esp32p4/include/hal/isp_ll.h (matrix: sign and 2.10 bits before chip revision 3, 4.8
after), esp_driver_isp/include/driver/isp_types.h and isp_gamma.h (16 points of 8 bits; distances are powers of two, the
last point is 255), esp_driver_isp/src/isp_ccm.c (entries beyond +-4 are refused). The curve starts at (0, 0).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from campro.cameras.target_camera import Files, TargetCamera
from campro.core.errors import CamproError
from campro.isp.curve_limits import LEVEL, Curve, CurveLimits
from campro.isp.limits import Grid, Limits, camera_profile, ccm_of, parts
from campro.isp.profile import GammaLut, IspProfile

POINTS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 80, 96, 128, 160, 192, 224, 255)
"""Inputs of the 16 gamma points: distances (the last one to 256) are powers of two, small in the dark."""


@dataclass(frozen=True)
class FromBlack(CurveLimits):
    """Limits of a rising curve whose first value is always 0."""

    def problems(self, lut: GammaLut) -> list[str]:
        """See `CurveLimits.problems`."""
        dark = max(curve[0] for curve in lut.values) > LEVEL / 2
        return [*super().problems(lut), *(["the camera's gamma curve starts at black"] if dark else [])]

    def rounded(self, values: Float[np.ndarray, "*c k"]) -> Float[np.ndarray, "*c k"]:
        """See `CurveLimits.rounded`."""
        whole = super().rounded(values)
        whole[..., 0] = 0
        return whole

    def nearest(self, values: Curve) -> Curve:
        """See `CurveLimits.nearest`."""
        moved = super().nearest(values)
        moved[0] = 0
        return moved


class Esp32P4(TargetCamera):
    """A C source with the numbers, and a function that gives them to the driver."""

    name = "esp32-p4"
    title = "ESP32-P4, ISP driver of ESP-IDF (C source, not compiled here)"
    page = "esp32-p4"
    measuring = (
        "the application chooses where they are measured: ISP_AWB_SAMPLE_POINT_BEFORE_CCM and "
        "ISP_AE_SAMPLE_POINT_AFTER_DEMOSAIC are before the profile, esp_video measures exposure behind it"
    )
    limits = Limits(
        source="ESP-IDF isp_ll.h: sign and 2.10 bits; isp_types.h: 16 gamma points of 8 bits",
        matrix=Grid(-4.0 + 2**-10, 4.0 - 2**-10, 2**-10),
        curve=FromBlack((0.0, *(x / 255 for x in POINTS)), 255, rise=1.0),
    )
    FILE = "campro_isp.c"

    def write(self, profile: IspProfile, base: str) -> Files:
        """See `TargetCamera.write`."""
        ccm, lut = parts(profile)
        rows = ",\n".join("    {" + ", ".join(f"{value:.10f}f" for value in row) + "}" for row in ccm.matrix)
        values = [round(value * 255) for value in lut.values[0][1:]]
        points = ", ".join(f"{{{x}, {y}}}" for x, y in zip(POINTS, values, strict=True))
        return {self.FILE: SOURCE.replace("@ROWS@", rows).replace("@POINTS@", points)}

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`.

        Raises:
            CamproError: If the file is not one that `write` makes.
        """
        text = files[self.FILE]
        numbers = [float(word) for word in re.findall(r"(-?\d+\.\d+)f[,}]", text)][:9]
        points = [(int(x), int(y)) for x, y in re.findall(r"\{(\d+), (\d+)\}", text)]
        if len(numbers) != 9 or tuple(x for x, _ in points) != POINTS or any(y > 255 for _, y in points):
            raise CamproError(self.FILE, "a source that campro wrote", "other numbers")
        matrix = self.limits.matrix.rounded(np.array(numbers).reshape(3, 3))
        lut = GammaLut(((0.0, *(y / 255 for _, y in points)),), self.limits.curve.knots)
        return camera_profile("esp32-p4 source", ccm_of(matrix), lut)


SOURCE = """/* A CamPro profile for the ISP of the ESP32-P4 (ESP-IDF 5.4 or newer), written by campro deploy. */
#include <string.h>
#include "driver/isp.h"

#define CAMPRO_LARGEST (4.0f - 1.0f / 1024)

static const float campro_matrix[3][3] = {
@ROWS@
};

static const struct {
    uint8_t x, y;
} campro_curve[ISP_GAMMA_CURVE_POINTS_NUM] = {@POINTS@};

/* own: the camera's matrix, white balance included (row = output channel). Call it again when own changes.
 * A row of the product that leaves the range is scaled: its colour gets darker, and which values are zero stays. */
esp_err_t campro_apply(isp_proc_handle_t isp, const float own[3][3])
{
    esp_isp_ccm_config_t ccm;
    isp_gamma_curve_points_t points;
    const color_component_t channels[3] = {COLOR_COMPONENT_R, COLOR_COMPONENT_G, COLOR_COMPONENT_B};

    memset(&ccm, 0, sizeof(ccm));
    for (int row = 0; row < 3; row++) {
        float largest = CAMPRO_LARGEST;
        for (int column = 0; column < 3; column++) {
            float sum = 0;
            for (int k = 0; k < 3; k++) {
                sum += campro_matrix[row][k] * own[k][column];
            }
            ccm.matrix[row][column] = sum;
            largest = sum > largest ? sum : (-sum > largest ? -sum : largest);
        }
        for (int column = 0; column < 3; column++) {
            ccm.matrix[row][column] *= CAMPRO_LARGEST / largest;
        }
    }
    esp_err_t error = esp_isp_ccm_configure(isp, &ccm);
    for (int i = 0; i < ISP_GAMMA_CURVE_POINTS_NUM; i++) {
        points.pt[i].x = campro_curve[i].x;
        points.pt[i].y = campro_curve[i].y;
    }
    for (int channel = 0; channel < 3 && error == ESP_OK; channel++) {
        error = esp_isp_gamma_configure(isp, channels[channel], &points);
    }
    return error;
}
"""
