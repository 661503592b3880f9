"""Cells of version 0.1: the numbers stay, names and forms are today's."""

from __future__ import annotations

import json

import pytest

from campro.audit.attack_rows import attack_rows
from campro.audit.legacy_cells import read_cells, upgraded
from campro.audit.results import AttackResult, GroupRate
from campro.core.cells import Cell
from campro.core.errors import CamproError
from campro.core.provenance import current_origin
from campro.core.typed_json import from_json
from campro.report.findings import Findings
from campro.report.write import write_report

RATE = {"mean": 0.25, "sd": 0.0, "low": 0.2, "high": 0.3}
IDENTIFICATION = {
    "people": 8,
    "repeats": [{"probes": 8, "hits": 2, "rank1": 0.25, "rank5": 0.5, "rank50": 1.0}],
    "cmc": [0.25] * 50,
    "rank1": RATE,
    "rank5": RATE,
    "rank50": RATE,
}
ATTACK = (
    {"kind": "attack", "model": "m", "attack": "several pictures, inverse", "run": "8 pictures, inverse"}
    | {"side": "captured", "matchers": ["nearest"]},
    {
        "matchers": {"nearest": IDENTIFICATION},
        "groups": [{"name": "light", "people": 6, "rank1": None}],
        "tied": 0.0,
        "linkability": {"mean": 0.5, "low": 0.4, "high": 0.6},
        "open set": {"0.01": {"fnir": 0.7, "low": 0.6, "high": 0.8, "strangers": 30}},
        "verification": {"0.01": {"tar": 0.75, "low": 0.5, "high": 1.0}, "missing_pairs": 3},
        "learned_from": None,
        "curve": None,
        "converged": None,
        "fit_s": 1.0,
        "judge_s": 2.0,
    },
)


def test_an_attack_cell_keeps_its_numbers():
    key, value = upgraded(*ATTACK)
    assert (key["attack"], key["run"]) == (
        "several probe images, analytic inversion",
        "8 probe images, per-pixel inverse",
    )
    result = from_json(AttackResult, value, "test")
    assert (result.threat_model, result.rank1.mean, result.rank1.n) == ("white-box", 0.25, 8)
    assert result.groups == (GroupRate("light", 6, None),)
    (point,) = result.open_set
    assert (point.fpir, point.fnir.mean, point.non_mated) == (0.01, 0.7, 30)
    (pair,) = result.verification.points
    assert (pair.fmr, pair.fnmr.mean, pair.fnmr.low, pair.fnmr.high) == (0.01, 0.25, 0.0, 0.5)
    assert result.verification.balanced_accuracy is None and result.verification.missing_pairs == 3
    (row,) = attack_rows([Cell(key, value, current_origin())])
    assert row.control is None


def test_an_old_run_folder_is_reported(tmp_path):
    data = {"name": "d", "digest": "0" * 64, "photos": 4, "people": 8}
    meta = {
        **{"profile_name": "old", "profile_digest": "1" * 64, "white_box": "", "models": ["m"], "model_cards": []},
        **{"views": [{"name": name, "digest": name} for name in ("raw", "captured")], "matchers": ["nearest"]},
        **{"detector": "d", "landmarks": "l", "faces": data | {"used": 4, "undetected": 0}, "scenes": data},
        **{"train_scenes": None, "repeats": 1, "seed": 0, "adapt_steps": 0, "synthetic": [], "warnings": []},
        **{"problems": [], "curves": {"gamma": None, "ccm": None}},
    }
    scores = dict.fromkeys(("ap", "ap50", "ap75", "precision", "recall", "f1", "ap_low", "ap_high"), 0.5)
    quality = {"rmse": 1, "psnr": None, "ssim": 1, "ms_ssim": 1, "pictures": 2}
    cells = [
        ({"kind": "meta"}, meta),
        ({"kind": "identification", "model": "m", "view": "captured", "matcher": "nearest"}, IDENTIFICATION),
        ({"kind": "group", "model": "m", "view": "raw"}, [{"name": "light", "people": 30, "rank1": RATE}]),
        ({"kind": "detection", "view": "captured", "adapted": False}, {"scores": scores, "boxes": [[]]}),
        ({"kind": "faces found", "detector": "l", "view": "raw"}, RATE),
        ({"kind": "end to end", "model": "m", "view": "raw"}, IDENTIFICATION),
        ({"kind": "quality", "view": "captured"}, {"whole": quality}),
        ({"kind": "faces left out"}, {"yunet": {"faces": 9, "area": 0.5, "whole": RATE}}),
        ATTACK,
    ]  # fmt: skip
    (tmp_path / "cells").mkdir()
    for number, (key, value) in enumerate(cells):
        (tmp_path / "cells" / f"{number}.json").write_text(json.dumps({"key": key, "value": value}))
    start = {"campro": "0.1.0", "python": "3", "torch": "2", "platform": "p", "processor": "q", "device": "cpu"}
    starts = [start | {"commit": commit} for commit in ("aaaaaaa", "bbbbbbb-dirty")]
    (tmp_path / "meta.json").write_text(json.dumps({"starts": starts}))
    found = Findings.read(tmp_path)
    assert found.identification("m", "captured", "nearest").rank1.mean == 0.25
    assert found.by_group("m", "raw")[0].rank1.n == 30
    assert found.face_detection("l", "raw").n == 8
    assert found.faces_left_out["yunet"].whole.n == 9
    assert "aaaaaaa or bbbbbbb with uncommitted changes" in write_report(tmp_path).read_text()


def test_an_unknown_cell_is_refused(tmp_path):
    with pytest.raises(CamproError, match="kind 'hope'"):
        upgraded({"kind": "hope"}, 1)
    assert read_cells(tmp_path) == []
