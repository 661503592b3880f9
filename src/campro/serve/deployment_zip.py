"""A deployment in memory: the camera's files as a ZIP archive, and what the page says about them."""

from __future__ import annotations

import base64
import io
import zipfile
from dataclasses import dataclass

from campro.cameras.camera_table import CAMERAS
from campro.cameras.target_camera import BASE
from campro.core.errors import CamproError
from campro.deploy.deployment import PAGE, Prepared, camera_of, prepare
from campro.isp.profile import IspProfile

MAX_TEXT = 4 << 20
"""Largest tuning file in bytes."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of all entries: equal deployments give equal archives."""


@dataclass(frozen=True)
class CameraEntry:
    """A camera as the page lists it."""

    name: str
    title: str
    base: str
    """Its own file that the user must give; empty if none."""
    limits: str
    source: str
    """Of the limits."""


def camera_entries() -> tuple[CameraEntry, ...]:
    """All target cameras, in the order of `campro targets`."""
    return tuple(CameraEntry(t.name, t.title, t.base, str(t.limits), t.limits.source) for t in CAMERAS.values())


def deployment(target: str, profile: IspProfile, body: bytes, name: str, fit: bool, fixed: bool) -> dict[str, object]:
    """What the page shows of a deployment, with the archive.

    Args:
        target: Name of a camera, or `auto`.
        profile: The profile.
        body: The camera's own file (UTF-8); empty if there is none.
        name: Name of that file, for messages.
        fit: Take the nearest profile that the camera can hold.
        fixed: White balance and exposure are fixed by the application.

    Raises:
        CamproError: As `campro.deploy.deployment.deploy`.
    """
    try:
        prepared = prepare(camera_of(target, _text(body, name)), profile, _text(body, name), fit, fixed)
    except CamproError as error:
        raise error.renamed(BASE, name or BASE) from error
    return {
        "summary": prepared.summary,
        "lines": prepared.lines,
        "misses": prepared.misses,
        "files": [{"name": file, "bytes": len(text.encode())} for file, text in prepared.files.items()],
        "page": prepared.files[PAGE],
        "zip": base64.b64encode(archive(prepared)).decode(),
    }


def archive(prepared: Prepared) -> bytes:
    """All files of a deployment as ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in prepared.files.items():
            file.writestr(zipfile.ZipInfo(name, EPOCH), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _text(body: bytes, name: str) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CamproError(name or BASE, "a tuning file or an IQ file (text)", "not text") from error
