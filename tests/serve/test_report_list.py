"""Which reports the Results tab lists and opens."""

from __future__ import annotations

import json

import pytest

from campro.serve import report_list
from campro.serve.report_list import find_reports, report_path

HEAD = {"profile": "p", "synthetic": True, "ap_kept": 1.2}
CASE = {"rank1": {"mean": 0.5}, "attack": "filters", "threat_model": "black-box"}


def put(folder, head=None):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text("x")
    if head is not None:
        (folder / "report.json").write_text(json.dumps({"headline": head}))


def test_reports_are_listed_with_their_headline(tmp_path):
    put(tmp_path / "b", HEAD | {"worst_case": CASE})
    put(tmp_path / "a" / "c", HEAD | {"worst_case": None, "ap_kept": None})
    put(tmp_path)
    found = {report.place: report for report in find_reports(tmp_path)}
    assert list(found) == [".", "a/c", "b"]
    assert (found["b"].worst_case, found["b"].person_detection) == ("50.0 (filters, black-box)", "100")
    assert (found["a/c"].worst_case, found["a/c"].person_detection) == ("", "")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"headline": 1}', '{"headline": {"worst_case": {}, "ap_kept": "x"}}'])
def test_a_damaged_headline_gives_gaps(tmp_path, text):
    put(tmp_path)
    (tmp_path / "report.json").write_text(text)
    assert find_reports(tmp_path)[0].worst_case == ""


def test_hidden_folders_links_to_elsewhere_and_deep_folders_are_left_out(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    put(outside)
    put(inside / ".hidden")
    put(inside.joinpath(*"abcdefgh"))
    (inside / "link").symlink_to(outside)
    (inside / "file").mkdir()
    (inside / "file" / "report.html").symlink_to(outside / "report.html")
    assert find_reports(inside) == []
    for place in ("link", "file", ".hidden", "../outside", str(outside)):
        assert report_path(inside, place) is None


def test_a_missing_folder_has_no_reports(tmp_path):
    assert find_reports(tmp_path / "nope") == []


def test_the_list_ends_and_large_reports_are_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(report_list, "MAX_REPORTS", 2)
    monkeypatch.setattr(report_list, "MAX_BYTES", 0)
    for name in "abc":
        put(tmp_path / name)
    assert len(find_reports(tmp_path)) == 2
    assert report_path(tmp_path, "a") is None
