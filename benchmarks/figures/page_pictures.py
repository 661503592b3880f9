"""Take the pictures of docs/howto/serve.md, and measure the first page: bytes, and time to the first picture.

python -m benchmarks.figures.page_pictures docs/pictures --results runs     # needs chromium and playwright

The last report below --results must be of an audit with --densities.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from benchmarks.figures.page_browser import WIDTHS, browser_arguments, chromium, free_port, served
from campro.serve.page_settings import PageSettings, profile_table

MAX_BYTES = 150_000


def main(out: Path, results: Path) -> None:
    """Write one picture per tab and width, and print the figures."""
    settings = PageSettings(port=free_port(), results=results, profiles=profile_table())
    with served(settings) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=browser_arguments())
        for name, (width, height) in WIDTHS.items():
            page: Any = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(180_000)
            for tab, prepare in (("try", _try), ("compare", _compare), ("results", _results), ("deploy", _deploy)):
                prepare(page, address)
                _save(page.screenshot(full_page=name == "phone"), out / f"serve-{tab}-{name}.webp")
            page.close()
        print("\n".join(_first_page(browser) for _ in range(3)))
        browser.close()


def _try(page: Any, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("#stage[data-drawn]")
    page.locator("#picture select").select_option("hopper")
    page.wait_for_timeout(3000)
    page.wait_for_selector("#drawing svg")


def _compare(page: Any, address: str) -> None:
    page.goto(f"{address}/compare")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#scores tbody tr")


def _results(page: Any, address: str) -> None:
    """The list of reports, and the distances of the last one."""
    page.goto(f"{address}/results")
    page.locator("select[name=run]").select_option(index=page.locator("select[name=run] option").count() - 1)
    page.wait_for_selector("#figure[src^='data:']")
    page.wait_for_timeout(500)


def _deploy(page: Any, address: str) -> None:
    page.goto(f"{address}/deploy")
    page.locator("#target").select_option("software")
    page.get_by_role("button", name="Write the files").click()
    page.wait_for_selector("#result:visible")


def _save(png: bytes, path: Path) -> None:
    """As WebP of the highest quality that keeps it below `MAX_BYTES`."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in (85, 75, 60, 45):
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=quality, method=6)
        if buffer.tell() < MAX_BYTES:
            break
    path.write_bytes(buffer.getbuffer())
    print(path, buffer.tell(), picture.size)


def _first_page(browser: Any) -> str:
    """Start `campro serve` as a user does, open it, and wait until both views of the first picture are drawn."""
    port, begin = free_port(), time.monotonic()
    command = [sys.executable, "-m", "campro", "-q", "serve", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        page = browser.new_page()
        requests: list[Any] = []
        page.on("requestfinished", lambda one: requests.append(one))
        _open(page, f"http://127.0.0.1:{port}/")
        shell = time.monotonic() - begin
        page.wait_for_selector("#stage[data-drawn]", timeout=180_000)
        drawn = time.monotonic() - begin
        page.wait_for_selector("#drawing svg")
        sizes = [sum(one.sizes()[key] for key in RECEIVED) for one in requests if one.url.startswith("http")]
    finally:
        process.terminate()
    shells = sum(size for one, size in zip(requests, sizes) if "/api/" not in one.url)
    received = f"{len(sizes)} requests, {sum(sizes) / 1000:.0f} kB, {shells / 1000:.0f} kB of them without pictures"
    return f"after the command: page {shell:.1f} s, first picture {drawn:.1f} s; {received}"


def _open(page: Any, address: str) -> None:
    """Open a page as soon as somebody listens."""
    while True:
        try:
            page.goto(address)
            return
        except Exception:  # not listening yet: an error of Playwright
            time.sleep(0.1)


RECEIVED = ("responseBodySize", "responseHeadersSize")

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--results", type=Path, default=Path("runs"))
    options = parser.parse_args()
    main(options.out, options.results)
