"""Small videos and pictures for tests of streams."""

from __future__ import annotations

import time
from contextlib import contextmanager
from fractions import Fraction
from threading import Thread

import av
import cv2
import numpy as np

from campro.stream.http_server import StreamServer

RATE = 25
SIZE = (64, 96)


class Inverted:
    """A transform that is seen at once."""

    name = digest = "inverted"

    def __call__(self, rgb):
        return 255 - rgb


def level(number):
    """Grey level of a frame: numbers of frames can be read from a video."""
    return 16 + 4 * (number % 50)


def make(path, frames=50, audio=True, form=None):
    """A video of grey frames whose level is their number, with AAC audio."""
    with av.open(path if hasattr(path, "write") else str(path), "w", format=form) as container:
        video = container.add_stream("libx264", rate=RATE, options={"tune": "zerolatency", "crf": "10", "g": "10"})
        video.height, video.width, video.pix_fmt = *SIZE, "yuv420p"
        sound = container.add_stream("aac", rate=16_000, layout="mono") if audio else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((*SIZE, 3), level(number), np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(video.encode(frame))
            if sound is not None:
                samples = av.AudioFrame.from_ndarray(np.zeros((1, 640), np.float32), format="fltp", layout="mono")
                samples.sample_rate, samples.pts, samples.time_base = 16_000, 640 * number, Fraction(1, 16_000)
                container.mux(sound.encode(samples))
        for stream in (video, sound):
            if stream is not None:
                container.mux(stream.encode(None))
    return path


def read(path, **options):
    """Times in seconds and mean levels of the frames of a video."""
    with av.open(str(path), **options) as container:
        frames = list(container.decode(video=0))
        return [float(frame.time) for frame in frames], [frame.to_ndarray(format="rgb24").mean() for frame in frames]


def audio_packets(path):
    with av.open(str(path)) as container:
        return len([packet for packet in container.demux(audio=0) if packet.dts is not None])


def jpeg(number):
    """A frame as a JPEG file."""
    return cv2.imencode(".jpg", np.full((*SIZE, 3), level(number), np.uint8))[1].tobytes()


@contextmanager
def camera(port=0, rate=25.0):
    """An MJPEG camera: publishes numbered frames until it is left."""
    with StreamServer("127.0.0.1", port) as server:
        running = [True]

        def publish():
            number = 0
            while running:
                server.publish(jpeg(number))
                number += 1
                time.sleep(1 / rate)

        thread = Thread(target=publish, daemon=True)
        thread.start()
        yield server.port
        running.clear()
        thread.join()
