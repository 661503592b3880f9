from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support.fake_audit import FakeContext, drop_cells

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.audit_run import run_audit
from campro.core.errors import CamproError
from campro.core.hashing import json_digest
from campro.isp import Jpeg
from campro.report.findings import Findings
from campro.report.write import write_report


def test_known_outcome(audit_config, audit_context):
    found = Findings.read(run_audit(audit_config, audit_context).path)
    for matcher in audit_config.matchers:
        assert found.identification("colour", RAW, matcher).rank1.mean == 1.0
        # Rotating the channels makes every pure hue another person's, and inverting makes it the complement's.
        assert found.identification("colour", CAPTURED, matcher).rank1.mean == 0.0
        assert found.identification("colour", "invert", matcher).rank1.mean == 0.0
    result = found.identification("colour", RAW, "nearest")
    assert (result.people, [trial.hits for trial in result.trials], result.cmc[:2]) == (6, [6, 6, 6], (1.0, 1.0))
    assert found.missing == 0


def test_finished_cells_are_not_computed_again(audit_config, audit_context):
    run = run_audit(audit_config, audit_context)
    cells = run.cells()
    # matchers, face detectors, models and adapted or not, each x views; groups (raw, captured); quality of all views
    # but raw; the views of the thumbnails; people by height (raw, captured), adapted or not
    assert len(audit_context.calls) == 3 * 2 + 3 * 2 + 3 + 3 * 2 + 2 * 2 + 2 + 3 + 2 * 2
    audit_context.calls.clear()
    assert run_audit(audit_config, audit_context).cells() == cells
    assert audit_context.calls == []


def test_a_killed_audit_resumes(audit_config, audit_context):
    run = run_audit(audit_config, audit_context)
    whole = {json_digest(cell.key): cell for cell in run.cells()}
    assert drop_cells(run, lambda key: key.get("kind") == "image quality" and key["view"] == "invert") == 1
    audit_context.calls.clear()
    assert {json_digest(cell.key): cell for cell in run_audit(audit_config, audit_context).cells()} == whole
    assert audit_context.calls == ["quality invert"]


def test_another_configuration_is_refused(audit_config, audit_context):
    run_audit(audit_config, audit_context)
    with pytest.raises(CamproError, match="repeats"):
        run_audit(replace(audit_config, repeats=4), audit_context)


def test_a_run_folder_can_be_extended_by_a_matcher(audit_config, audit_context, tmp_path):
    first = replace(audit_config, matchers=("nearest",))
    run_audit(first, FakeContext(first, tmp_path))
    audit_context.calls.clear()
    found = Findings.read(run_audit(audit_config, audit_context).path)
    assert audit_context.calls == ["embed raw", "embed captured", "embed invert"]
    assert found.identification("colour", RAW, "linear").rank1.mean == 1.0


@pytest.mark.slow
def test_a_run_folder_can_be_extended_by_a_part(audit_config, audit_context, tmp_path):
    """The report still has the parts that the first command measured."""
    run_audit(audit_config, audit_context)
    second = replace(audit_config, measure=("identification",))
    page = write_report(run_audit(second, FakeContext(second, tmp_path)).path)
    meta = Findings.read(page.parent).metadata
    assert meta.measured == ("identification", "detection", "quality")
    assert meta.scenes.name == "toy" and meta.train_scenes.name == "other"
    assert meta.problems == ("x.png: left out, <script>",)
    assert "on 1 photographs with 1 people" in page.read_text()


def test_the_report_names_settings_that_no_camera_file_holds(audit_config, audit_context):
    audit_context.profile = replace(audit_context.profile, blocks=(*audit_context.profile.blocks, Jpeg(20)))
    found = Findings.read(run_audit(audit_config, audit_context).path)
    assert any("JPEG quality 20 in the encoder" in line for line in found.metadata.warnings)


def test_parts_that_are_not_asked_for_are_left_out(audit_config, audit_context, tmp_path):
    config = replace(audit_config, measure=("quality",))
    found = Findings.read(run_audit(config, FakeContext(config, tmp_path)).path)
    assert found.quality(CAPTURED)["whole"].psnr == 28.13
    assert found.identification("colour", RAW, "nearest") is None
    assert found.missing == 0


def test_an_audit_stops_where_raw_photographs_are_not_recognised(audit_config, audit_context, monkeypatch):
    monkeypatch.setattr(FakeContext, "_colours", lambda self, view: torch.randn(len(self.evaluation.photos), 64))
    with pytest.raises(CamproError, match=r"control of colour.*rank-1 of at least 41\.7%.*card"):
        run_audit(audit_config, audit_context)
    monkeypatch.undo()
    assert run_audit(audit_config, audit_context).cell(cell_keys.identification("colour", RAW, "nearest"))


def test_an_audit_stops_where_all_people_look_alike(audit_config, audit_context, monkeypatch):
    colours = FakeContext._colours
    monkeypatch.setattr(FakeContext, "_colours", lambda self, view: colours(self, view) + 1e4)
    with pytest.raises(CamproError, match=r"mean cosine between different people.*card"):
        run_audit(audit_config, audit_context)
