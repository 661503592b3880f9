"""The page of `campro serve` in a browser without a window: for its test and for the pictures of the documentation."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from campro.serve.page_app import create_app
from campro.serve.page_settings import PageSettings

WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
"""Viewports in CSS pixels."""
FLAGS = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--disable-dev-shm-usage")
"""A webcam that shows a test picture, and no question about it."""


def chromium() -> str | None:
    """The path of Chromium; None where it is not installed."""
    return os.environ.get("CAMPRO_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def served(settings: PageSettings) -> Iterator[str]:
    """The address of a page that runs in a thread until the block ends."""
    config = uvicorn.Config(create_app(settings, warm_up=False), port=settings.port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{settings.port}"
    finally:
        server.should_exit = True
        thread.join(10)


def browser_arguments() -> list[str]:
    """Flags of the browser; root needs one without a sandbox, as in containers."""
    return [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
