"""One picture through a video encoder and decoder: H.264 with a constant quantiser, as an intra frame."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from campro.core.errors import CamproError
from campro.core.extras import require
from campro.core.types import Rgb8
from campro.core.video import MATRIX, encodable

WHO = "H.264 coding"
PRESET = "veryfast"
"""Of the encoder: those of cameras search little."""
ONE_SECOND = Fraction(1)


def through_h264(rgb: Rgb8, quantiser: int) -> Rgb8:
    """The picture after coding as one intra frame, 4:2:0 and BT.709, at a quantiser (QP) of 0 to 51.

    A stream predicts its later frames from earlier ones; that is not simulated.

    Raises:
        CamproError: if the extra `video` is not installed, or its FFmpeg lacks the encoder.
    """
    height, width = rgb.shape[:2]
    decoded = _decoded(h264_stream(rgb, quantiser))
    return np.ascontiguousarray(decoded[:height, :width])


def h264_stream(rgb: Rgb8, quantiser: int) -> bytes:
    """The elementary stream of one intra frame; an odd row or column is repeated, since sizes must be even.

    Raises:
        CamproError: if the extra `video` is not installed, or its FFmpeg lacks the encoder.
    """
    av = require("av", "video", WHO)
    if "libx264" not in av.codecs_available:
        raise CamproError(WHO, "FFmpeg with libx264", "a build without it", "take jpeg instead of h264")
    encoder = av.CodecContext.create("libx264", "w")
    frame = encodable(rgb, "yuv420p", 0, ONE_SECOND)
    encoder.height, encoder.width, encoder.pix_fmt = frame.height, frame.width, "yuv420p"
    # One thread, so that the same picture always gives the same bytes.
    encoder.time_base, encoder.thread_count = ONE_SECOND, 1
    encoder.options = {"preset": PRESET, "qp": str(quantiser), "x264-params": "threads=1"}
    return b"".join(bytes(packet) for step in (frame, None) for packet in encoder.encode(step))


def _decoded(stream: bytes) -> Rgb8:
    av = require("av", "video", WHO)
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [*decoder.decode(av.Packet(stream)), *decoder.decode(None)]
    rgb: Rgb8 = frames[0].reformat(format="rgb24", src_colorspace=MATRIX).to_ndarray()
    return rgb
