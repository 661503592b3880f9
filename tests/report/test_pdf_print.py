"""Printing a report by a browser; a fake one stands in for Chromium where its errors are tested."""

from __future__ import annotations

import pytest

from campro.core.errors import CamproError
from campro.report import pdf_print
from campro.report.pdf_print import find_browser, print_pdf


@pytest.fixture
def page(tmp_path):
    file = tmp_path / "a page.html"
    file.write_text("<!doctype html><title>t</title><h1>A report</h1>")
    return file


def fake(tmp_path, monkeypatch, script):
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\n{script}\n")
    browser.chmod(0o755)
    monkeypatch.setenv(pdf_print.VARIABLE, str(browser))


def test_without_a_browser_the_error_names_the_remedy(page, monkeypatch):
    monkeypatch.delenv(pdf_print.VARIABLE, raising=False)
    monkeypatch.setattr(pdf_print, "BROWSERS", ())
    with pytest.raises(CamproError, match="apt-get install chromium"):
        print_pdf(page, page.with_suffix(".pdf"))


@pytest.mark.parametrize(
    "script",
    ["echo it broke >&2; exit 3", "exit 0", "for a; do case $a in --print-to-pdf=*) echo x > ${a#*=};; esac; done"],
)
def test_a_browser_that_prints_no_pdf_is_an_error_and_leaves_no_file(page, monkeypatch, tmp_path, script):
    fake(tmp_path, monkeypatch, script)
    with pytest.raises(CamproError, match="report --pdf: expected a PDF"):
        print_pdf(page, tmp_path / "out.pdf")
    assert not list(tmp_path.glob("*.pdf"))


def test_a_missing_browser_is_an_error(page, monkeypatch, tmp_path):
    monkeypatch.setenv(pdf_print.VARIABLE, str(tmp_path / "nope"))
    with pytest.raises(CamproError, match="FileNotFoundError"):
        print_pdf(page, tmp_path / "out.pdf")


@pytest.mark.slow  # starts a browser
@pytest.mark.skipif(find_browser() is None, reason="chromium is absent: apt-get install chromium")
def test_chromium_prints_a_pdf(page, tmp_path):
    print_pdf(page, tmp_path / "out.pdf")
    assert (tmp_path / "out.pdf").read_bytes()[:5] == b"%PDF-"
