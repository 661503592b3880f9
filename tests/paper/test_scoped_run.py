"""Cells of several audits in one run folder."""

from __future__ import annotations

from campro.core.run_folder import RunFolder
from campro.paper.scoped_run import ScopedRun


def test_labels_are_added_and_taken_off(tmp_path):
    whole = RunFolder.open(tmp_path, {})
    one, two = (ScopedRun(whole, {"data": "lfw", "profile": name}) for name in ("a", "b"))
    one.write_cell({"kind": "k"}, 1)
    two.write_cell({"kind": "k"}, 2)
    assert (one.cell({"kind": "k"}), two.cell({"kind": "k"})) == (1, 2)
    assert whole.cell({"kind": "k"}) is None
    assert [(cell.key, cell.value) for cell in two.cells()] == [({"kind": "k"}, 2)]
    assert len(whole.cells()) == 2
