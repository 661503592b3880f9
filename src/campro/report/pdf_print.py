"""Prints a page as PDF by an installed Chromium or Chrome, which is run without a window and without network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from campro.core.atomic_io import replacing
from campro.core.errors import CamproError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
VARIABLE = "CAMPRO_CHROMIUM"
"""Environment variable with the path of a browser that has another name or place."""
TIMEOUT = 180.0
"""In seconds."""
FLAGS = (
    *("--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking"),
    *("--disable-sync", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND"),
    *("--disable-dev-shm-usage", "--no-pdf-header-footer", "--generate-pdf-document-outline"),
)


def find_browser() -> str | None:
    """The path of a browser that prints; None if there is none."""
    return os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, BROWSERS)), None)


def print_pdf(page: Path, out: Path) -> None:
    """Print an HTML file as PDF (A4), with the outline of its headings.

    Raises:
        CamproError: If there is no browser, or it fails.
    """
    browser = find_browser()
    if browser is None:
        remedy = f"apt-get install chromium, or name it by {VARIABLE}"
        raise CamproError("report --pdf", "Chromium or Chrome", "none", remedy)
    with replacing(out) as part, tempfile.TemporaryDirectory() as home:
        done = _run([browser, *FLAGS, *_as_root(), f"--user-data-dir={home}", f"--print-to-pdf={part.resolve()}"], page)
        if not part.is_file() or part.read_bytes()[:5] != b"%PDF-":
            raise CamproError("report --pdf", f"a PDF by {browser}", done, "open the page and print it")


def _run(command: list[str], page: Path) -> str:
    """Run the browser; returns the last line of its messages."""
    try:
        done = subprocess.run(
            [*command, page.resolve().as_uri()], capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}: {error}"[:160]
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1][:160] if lines else f"exit status {done.returncode}"


def _as_root() -> list[str]:
    """Chromium's own sandbox does not run as root, for example in containers."""
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
