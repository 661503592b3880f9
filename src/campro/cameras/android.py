"""Android phones with camera2: colour transform and tone map curve, as JSON and as Kotlin source.

Sources: android.hardware.camera2 (CaptureRequest.COLOR_CORRECTION_MODE, COLOR_CORRECTION_TRANSFORM, TONEMAP_MODE,
TONEMAP_CURVE; CameraCharacteristics.TONEMAP_MAX_CURVE_POINTS, at least 64 on devices with manual post-processing).
"""

from __future__ import annotations

import json
from itertools import pairwise

from campro.cameras.target_camera import Files, TargetCamera
from campro.core.errors import CamproError
from campro.isp.curve_limits import CurveLimits
from campro.isp.limits import Grid, Limits, camera_profile, parts
from campro.isp.profile import CCM_LIMIT, Ccm, GammaLut, IspProfile

DENOMINATOR = 10_000
"""Of the rational matrix entries."""
POINTS = 64
"""Largest number of curve points that every device with manual post-processing supports."""
CHANNELS = ("red", "green", "blue")


class Camera2(TargetCamera):
    """A profile as settings of `CaptureRequest.Builder`."""

    name = "android-camera2"
    title = "Android, camera2"
    page = "android"
    measuring = "white balance is fixed by the app, see the page; exposure stays the phone's: check that it settles"
    limits = Limits(
        source="android.hardware.camera2: rational numbers, curves of up to TONEMAP_MAX_CURVE_POINTS points",
        matrix=Grid(-CCM_LIMIT, CCM_LIMIT, 1 / DENOMINATOR),
        curve=CurveLimits(levels=2**24),
        channels=3,
    )
    JSON, KOTLIN = "camera2.json", "CamProProfile.kt"

    def write(self, profile: IspProfile, base: str) -> Files:
        """See `TargetCamera.write`.

        Raises:
            CamproError: If the curve has more than `POINTS` points.
        """
        ccm, lut = parts(profile)
        if len(lut.positions) > POINTS:
            raise CamproError(self.name, f"a curve of at most {POINTS} points", str(len(lut.positions)))
        numerators = [round(value * DENOMINATOR) for row in ccm.matrix for value in row]
        curves = [list(lut.values[min(i, len(lut.values) - 1)]) for i in range(3)]
        document = {
            "colorSpaceTransform": [[numerator, DENOMINATOR] for numerator in numerators],
            "tonemapCurve": {name: [list(p) for p in zip(lut.positions, c)] for name, c in zip(CHANNELS, curves)},
        }
        return {self.JSON: json.dumps(document, indent=1) + "\n", self.KOTLIN: _kotlin(numerators, lut, curves)}

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`; also checks the constraints of `ColorSpaceTransform` and `TonemapCurve`.

        Raises:
            CamproError: If the files are not those that `write` makes.
        """
        try:
            document = json.loads(files[self.JSON])
            values = [numerator / denominator for numerator, denominator in document["colorSpaceTransform"]]
            ccm = Ccm(tuple(tuple(values[row : row + 3]) for row in (0, 3, 6)))
            points = [document["tonemapCurve"][name] for name in CHANNELS]
            if len(values) != 9 or any(not 2 <= len(curve) <= POINTS for curve in points):
                raise ValueError("the matrix needs 9 rationals, a curve 2 to 64 points")
            knots = tuple(x for x, _ in points[0])
            if any(tuple(x for x, _ in curve) != knots or any(a >= b for a, b in pairwise(knots)) for curve in points):
                raise ValueError("the curves need the same rising inputs")
            lut = GammaLut(tuple(tuple(y for _, y in curve) for curve in points), knots)
        except (ValueError, KeyError, TypeError, ZeroDivisionError, RecursionError) as error:
            got = " ".join(str(error).split())[:120]
            raise CamproError(self.JSON, "settings that campro wrote for camera2", got) from error
        return camera_profile("android-camera2 settings", ccm, lut)


def _kotlin(numerators: list[int], lut: GammaLut, curves: list[list[float]]) -> str:
    """Kotlin source that applies the profile after the phone's own colour correction."""
    rows = ",\n        ".join(", ".join(f"{n}.0 / {DENOMINATOR}" for n in numerators[i : i + 3]) for i in (0, 3, 6))
    listed = "\n".join(
        f"    private val {name} = floatArrayOf(\n{_points(lut.positions, curve)}\n    )"
        for name, curve in zip(CHANNELS, curves)
    )
    return KOTLIN.replace("@MATRIX@", rows).replace("@CURVES@", listed).replace("@POINTS@", str(len(lut.positions)))


def _points(knots: tuple[float, ...], curve: list[float]) -> str:
    return ",\n".join(f"        {x:.8f}f, {y:.8f}f" for x, y in zip(knots, curve))


KOTLIN = """import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraMetadata
import android.hardware.camera2.CaptureRequest
import android.hardware.camera2.CaptureResult
import android.hardware.camera2.params.ColorSpaceTransform
import android.hardware.camera2.params.TonemapCurve
import android.util.Rational
import kotlin.math.roundToInt

/** A CamPro profile for camera2. Take the newest result with automatic white balance, and call [apply] with it. */
object CamProProfile {
    private val matrix = doubleArrayOf(
        @MATRIX@
    )
@CURVES@

    /** Whether the device takes a curve of @POINTS@ points and a colour transform; do not record where not. */
    fun isSupported(camera: CameraCharacteristics): Boolean {
        val points = camera.get(CameraCharacteristics.TONEMAP_MAX_CURVE_POINTS) ?: 0
        val modes = camera.get(CameraCharacteristics.TONEMAP_AVAILABLE_TONE_MAP_MODES) ?: IntArray(0)
        val capabilities = camera.get(CameraCharacteristics.REQUEST_AVAILABLE_CAPABILITIES) ?: IntArray(0)
        return points >= @POINTS@ && CameraMetadata.TONEMAP_MODE_CONTRAST_CURVE in modes &&
            CameraMetadata.REQUEST_AVAILABLE_CAPABILITIES_MANUAL_POST_PROCESSING in capabilities
    }

    /** Puts the profile behind the phone's own colour correction, as the newest [result] reports it. */
    fun apply(request: CaptureRequest.Builder, result: CaptureResult) {
        val own = result.get(CaptureResult.COLOR_CORRECTION_TRANSFORM) ?: return
        request.set(CaptureRequest.CONTROL_AWB_MODE, CameraMetadata.CONTROL_AWB_MODE_OFF)
        request.set(CaptureRequest.COLOR_CORRECTION_MODE, CameraMetadata.COLOR_CORRECTION_MODE_TRANSFORM_MATRIX)
        request.set(CaptureRequest.COLOR_CORRECTION_GAINS, result.get(CaptureResult.COLOR_CORRECTION_GAINS))
        request.set(CaptureRequest.COLOR_CORRECTION_TRANSFORM, after(own))
        request.set(CaptureRequest.TONEMAP_MODE, CameraMetadata.TONEMAP_MODE_CONTRAST_CURVE)
        request.set(CaptureRequest.TONEMAP_CURVE, TonemapCurve(red, green, blue))
    }

    /** profile x own: a pixel goes through the phone's own matrix first. */
    private fun after(own: ColorSpaceTransform): ColorSpaceTransform {
        val product = Array(9) { place ->
            val row = place / 3
            val column = place % 3
            val sum = (0 until 3).sumOf { k -> matrix[3 * row + k] * own.getElement(column, k).toDouble() }
            Rational((sum * 10000).roundToInt(), 10000)
        }
        return ColorSpaceTransform(product)
    }
}
"""
