"""The body of a request: read into memory up to a limit, never to disk, and decoded as pictures.

Pictures are the plain body and not a form: Starlette's parser of forms writes files of more than 1 MB to disk.
"""

from __future__ import annotations

import cv2
import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request

from campro.core.errors import CamproError
from campro.core.images import decode_image
from campro.core.types import Rgb8
from campro.serve.page_settings import MAX_PIXELS, MAX_SIDE, MAX_UPLOAD

UPLOAD = "uploaded picture"


async def read_body(request: Request, limit: int = MAX_UPLOAD) -> bytes:
    """The body of a request, in memory.

    Raises:
        HTTPException: 413, as soon as more than `limit` bytes are announced or have come.
    """
    announced = request.headers.get("content-length", "0")
    body = bytearray()
    if not announced.isdecimal() or int(announced) > limit:
        raise _too_large(limit)
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def picture_of(data: bytes, name: str = UPLOAD) -> Rgb8:
    """An uploaded picture, reduced to `MAX_SIDE`.

    Raises:
        CamproError: As `decode_image`.
    """
    return reduced(decode_image(data, name, MAX_PIXELS), MAX_SIDE)


def split_pictures(data: bytes, first: int) -> tuple[bytes, bytes]:
    """Two files that were sent one behind the other; `first` is the size of the first in bytes.

    Raises:
        CamproError: If `first` is not within the data.
    """
    if not 0 <= first <= len(data):
        raise CamproError("upload", f"a first picture of 0 to {len(data)} bytes", str(first))
    return data[:first], data[first:]


def reduced(rgb: Rgb8, side: int) -> Rgb8:
    """The picture with its longest side at most `side` pixels, by area average."""
    return scaled(rgb, min(1.0, side / max(rgb.shape[:2])))


def scaled(rgb: Rgb8, factor: float) -> Rgb8:
    """The picture with both sides times `factor` (0 to 1), by area average; at least 1 x 1 pixel."""
    if factor >= 1:
        return rgb
    height, width = (max(1, round(length * factor)) for length in rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA))


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"the upload is larger than {limit >> 20} MiB")
