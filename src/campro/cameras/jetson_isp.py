"""NVIDIA Jetson cameras: the matrix of `camera_overrides.isp`, which the camera service (nvargus-daemon) reads.

The file holds one matrix for every light, `colorCorrection.srgbMatrix[i]`, whose i-th row holds the contributions of
INPUT channel i: it is stored transposed. Public measurements with a colour chart on JetPack 6 (L4T R36.5) and files of
camera vendors, whose columns add up to 1, agree on this. There is no documented setting of the curve that R36 accepts
(`scene.toneTable`, `gtm` and `ltm` are refused), so the curve is NVIDIA's.
"""

from __future__ import annotations

import re

import numpy as np
from jaxtyping import Float

from campro.cameras.fixed_curve import FixedCurve
from campro.cameras.target_camera import BASE, FileNotes, Files, TargetCamera
from campro.core.errors import CamproError
from campro.isp.limits import Grid, Limits, camera_profile, ccm_of, parts
from campro.isp.profile import IspProfile

ROW = re.compile(r"^([ \t]*colorCorrection\.srgbMatrix\[([0-2])\][ \t]*=[ \t]*\{)([^{}]*)(\}[ \t]*;)", re.M)
"""One row of the matrix."""
KEY = re.compile(r"^[ \t]*[A-Za-z]\w*\.[\w.\[\]]+[ \t]*=", re.M)
"""A setting of such a file."""
KNOTS = np.linspace(0, 1, 65) ** 2.2
CURVE = FixedCurve(tuple(KNOTS.tolist()), fixed=tuple((KNOTS ** (1 / 2.2)).round(9).tolist()), tolerance=16)


class JetsonIsp(TargetCamera):
    """Overrides files: the matrix becomes profile x matrix, or the profile's if the file has none."""

    name = "jetson-isp"
    title = "NVIDIA Jetson, camera_overrides.isp (JetPack 4 to 6)"
    page = "jetson"
    limits = Limits(
        source="camera_overrides.isp of camera vendors: colorCorrection.srgbMatrix, one matrix in floats, transposed",
        matrix=Grid(-8.0, 8.0, 1e-6),
        curve=CURVE,
    )
    base = "the camera's camera_overrides.isp"
    FILE = "camera_overrides.isp"

    def write(self, profile: IspProfile, base: str) -> Files:
        """See `TargetCamera.write`.

        Raises:
            CamproError: If the base is no such file, or the product leaves the matrix's range.
        """
        ccm, _ = parts(profile)
        own = _matrix(base, BASE)
        product = self.product(ccm, np.eye(3) if own is None else own)
        if own is None:
            rows = "".join(f"colorCorrection.srgbMatrix[{i}] = {{{_row(product, i)}}};\n" for i in range(3))
            return {self.FILE: base + ("" if base.endswith("\n") else "\n") + rows}
        return {self.FILE: ROW.sub(lambda row: row[1] + _row(product, int(row[2])) + row[4], base)}

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`.

        Raises:
            CamproError: If the files are not those that `write` makes.
        """
        found, own = _matrix(files[self.FILE], self.FILE), _matrix(base, BASE)
        if found is None:
            raise CamproError(self.FILE, "colorCorrection.srgbMatrix", "none")
        matrix = (found @ np.linalg.inv(np.eye(3) if own is None else own)).round(6)
        return camera_profile("jetson overrides file", ccm_of(matrix), CURVE.lut())

    def recognises(self, text: str) -> bool:
        """See `TargetCamera.recognises`."""
        return bool(KEY.search(text)) and "algorithms:" not in text

    def notes(self, base: str) -> FileNotes:
        """See `TargetCamera.notes`."""
        warnings = [
            "the curve is NVIDIA's and cannot be set: realised.json assumes an exponent of 1/2.2, so calibrate it",
            "lock white balance (aelock, awblock, wbmode): the service's own matrices by light are replaced by one",
            "JetPack 7 (L4T R38, R39) reads binary .nito files instead, this file only with NVCAMERA_NITO_PATH=CONFIG",
        ]
        added = () if _matrix(base, BASE) is not None else ("colorCorrection.srgbMatrix (added: the file had none)",)
        return FileNotes(added, warnings=tuple(warnings))


def _matrix(text: str, who: str) -> Float[np.ndarray, "3 3"] | None:
    """The matrix (row = output channel); None if the file has none.

    Raises:
        CamproError: If the text is no such file, or its matrix has no inverse.
    """
    if not KEY.search(text):
        raise CamproError(who, "a camera_overrides.isp: lines such as colorCorrection.srgbMatrix[0] = {...};", "none")
    found = list(ROW.finditer(text))
    if not found and "srgbMatrix" not in re.sub(r"^[ \t]*(#|//).*$", "", text, flags=re.M):
        return None
    try:
        rows = {int(row[2]): [float(word) for word in row[3].split(",")] for row in found}
        stored = np.array([rows[i] for i in range(3)])
        if len(found) != 3 or stored.shape != (3, 3) or not np.isfinite(stored).all():
            raise ValueError("three rows of three numbers")
        if abs(np.linalg.det(stored)) < 1e-6:
            raise ValueError("it has no inverse")
    except (KeyError, ValueError) as error:
        raise CamproError(who, "colorCorrection.srgbMatrix[0] to [2] of three numbers", str(error)[:80]) from error
    return stored.T


def _row(matrix: Float[np.ndarray, "3 3"], index: int) -> str:
    """A stored row: the contributions of input channel `index`."""
    return ", ".join(f"{value:.6f}" for value in matrix[:, index])
