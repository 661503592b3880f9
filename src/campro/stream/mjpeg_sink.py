"""Publishes frames as JPEG pictures to the clients of a `StreamServer`; without clients nothing is encoded."""

from __future__ import annotations

import cv2
import numpy as np

from campro.core.types import Rgb8
from campro.stream.http_server import StreamServer
from campro.stream.live_source import Sound, Tracks

QUALITY = 90


class MjpegSink:
    """See `campro.stream.sinks.Sink`; it has no audio."""

    def __init__(self, server: StreamServer) -> None:
        self._server = server

    def begin(self, tracks: Tracks, size: tuple[int, int]) -> None:
        """See `Sink.begin`."""

    def write_frame(self, rgb: Rgb8, time: float) -> None:
        """See `Sink.write_frame`."""
        if self._server.clients:
            bgr = np.ascontiguousarray(rgb[..., ::-1])
            self._server.publish(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())

    def write_sound(self, sound: Sound) -> bool:
        """See `Sink.write_sound`."""
        return False
