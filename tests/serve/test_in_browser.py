"""The page in Debian's chromium: every tab, an upload, a webcam, an error; on a desktop and on a phone."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from benchmarks.figures.page_browser import WIDTHS, browser_arguments, chromium, free_port, served
from campro.core.images import write_image
from campro.serve.bundled_pictures import bundled_picture
from campro.serve.page_app import TABS
from campro.serve.page_settings import PageSettings, profile_table

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="chromium is absent: apt-get install chromium"),
]

AXE = Path(os.environ.get("CAMPRO_AXE", "node_modules/axe-core/axe.min.js"))
"""`npm install axe-core` in the project folder puts it there; it is not part of the project."""
OWN = ("http://127.0.0.1", "data:", "blob:")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "audit"
    folder.mkdir()
    (folder / "report.html").write_text("<!doctype html><title>Audit</title><h1>An audit</h1><script>1</script>")
    settings = PageSettings(port=free_port(), results=folder.parent, profiles=profile_table())
    with served(settings) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is absent")  # slow to import
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=browser_arguments())
        yield browser
        browser.close()


def watch(page) -> list[str]:
    """A list to which errors of scripts and requests to other hosts are added; errors of HTTP are part of tests."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda one: problems.append(one.text) if is_error(one) else None)
    page.on("request", lambda sent: None if sent.url.startswith(OWN) else problems.append(sent.url))
    return problems


def is_error(message) -> bool:
    return message.type == "error" and "status of 4" not in message.text


@pytest.fixture(params=WIDTHS)
def page(request, browser):
    """A page that fails the test on an error in a script, or on a request to another host."""
    width, height = WIDTHS[request.param]
    scheme = "dark" if request.param == "phone" else "light"
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(60_000)
    problems = watch(page)
    yield page
    page.close()
    assert not problems


def until(page, condition):
    """Wait until a JavaScript expression is true (Playwright's own waiting needs `eval`, which the page forbids)."""
    end = time.monotonic() + 60
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"still not {condition}"
        page.wait_for_timeout(50)


def drawn(page, more=1):
    """Wait until the pictures of the Try tab were drawn `more` times."""
    before = int(page.locator("#stage").get_attribute("data-drawn") or 0)
    until(page, f"Number(document.querySelector('#stage').dataset.drawn ?? 0) >= {before + more}")


def fits(page):
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "the page is wider than the screen"


def no_serious_findings(page):
    if not AXE.is_file():
        return
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    serious = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")]
    assert not serious


@pytest.mark.parametrize(("path", "label"), TABS)
def test_every_tab_fits_and_is_accessible(page, address, path, label):
    page.goto(address + path)
    assert page.get_by_role("link", name=label).get_attribute("aria-current") == "page"
    if path == "/":
        page.wait_for_selector("#stage[data-drawn]")
        page.wait_for_selector("#drawing svg")
    fits(page)
    no_serious_findings(page)


def test_try_by_keyboard(page, address):
    page.goto(address)
    page.wait_for_selector("#stage[data-drawn]")
    assert "raw: 1 found" in page.locator("#persons").inner_text()
    page.locator("#divider").focus()
    page.keyboard.press("Home")
    assert page.evaluate("getComputedStyle(document.querySelector('#stage')).getPropertyValue('--split')") == "0%"
    page.locator("#density").focus()
    before = page.locator("#density-text").inner_text()
    page.keyboard.press("Home")
    drawn(page, 0)
    until(page, f"document.querySelector('#density-text').innerText !== {json.dumps(before)}")
    assert page.locator("#density-text").inner_text() == "21 px/m at the face"


def test_try_an_upload_another_view_and_another_profile(page, address, tmp_path):
    write_image(tmp_path / "cat.png", bundled_picture("cat"))
    page.goto(address)
    page.wait_for_selector("#stage[data-drawn]")
    page.locator("#picture input[type=file]").set_input_files(tmp_path / "cat.png")
    until(page, "document.querySelector('#right-layer img').naturalWidth === 451")
    page.locator("#right").select_option("enhanced")
    until(page, "document.querySelector('#right-layer img').alt.startsWith('enhanced')")
    page.locator("#profile").select_option("defocus-9-3")
    until(page, "document.querySelector('#right-layer img').alt.startsWith('captured')")
    assert page.locator("#right option", has_text="enhanced").is_disabled()


def test_an_error_is_said_in_words(page, address, tmp_path):
    (tmp_path / "no.png").write_text("this is no picture")
    page.goto(address)
    page.wait_for_selector("#stage[data-drawn]")
    page.locator("#picture input[type=file]").set_input_files(tmp_path / "no.png")
    page.wait_for_selector("#error:visible")
    assert "a whole image file, got not an image" in page.locator("#error").inner_text()
    page.locator("#picture select").select_option("cat")
    page.wait_for_selector("#error", state="hidden")


def test_try_the_webcam(page, address):
    page.goto(address)
    page.wait_for_selector("#stage[data-drawn]")
    page.locator("#webcam").click()
    drawn(page, 3)
    assert page.evaluate("document.querySelector('#left-layer img').naturalWidth") == 640
    page.locator("#webcam").click()
    assert page.locator("#webcam").inner_text() == "Start the webcam"


def test_compare(page, address):
    page.goto(address + "/compare")
    page.locator("#profile").select_option("defocus-9-3")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("#scores tbody tr")
    assert "same person" in page.locator("#scores tbody").inner_text()
    fits(page)
    no_serious_findings(page)
    page.locator("#first select").select_option("synthetic-b1")
    page.get_by_role("button", name="Compare").click()
    until(page, "document.querySelector('#scores tbody td:nth-child(3)').innerText.includes('not matched')")


def test_results_open_a_report_and_compute_distances(page, address, monkeypatch):
    def fake(folder, width, sensor_width, lens):
        return {"sentence": f"with {lens} mm", "header": ["", "raw"], "rows": [["rank-1", "2 m"]], "figure": None}

    monkeypatch.setattr("campro.serve.page_app.range_of", fake)
    page.goto(address + "/results")
    page.locator("[name=run]").select_option("audit")
    page.wait_for_selector("#distances tbody tr")
    page.locator("[name=lens]").fill("7.2")
    page.get_by_text("with 7.2 mm").wait_for()
    no_serious_findings(page)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="audit").first.click()
    assert opened.value.title() == "Audit"


def test_results_without_range_say_so(page, address):
    page.goto(address + "/results")
    page.locator("[name=run]").select_option("audit")
    page.wait_for_selector("#error:visible")


def test_deploy_and_download(page, address):
    page.goto(address + "/deploy")
    page.locator("#target").select_option("software")
    page.locator("#profile").select_option("campro-strong")
    page.get_by_role("button", name="Write the files").click()
    page.wait_for_selector("#result:visible")
    with page.expect_download() as done:
        page.locator("#download").click()
    assert done.value.suggested_filename == "campro-campro-strong-software.zip"
    fits(page)
    no_serious_findings(page)
    page.locator("#target").select_option("rpi-vc4")
    page.get_by_role("button", name="Write the files").click()
    page.wait_for_selector("#error:visible")
