"""Maps of embeddings: out-of-sample points lie beside their own person if they have the same embedding."""

from __future__ import annotations

import numpy as np
import pytest

from campro.paper import fig_9
from campro.paper.paper_cells import PaperCells
from campro.paper.scoped_run import ScopedRun


def test_maps_of_separate_people(paper_run):
    pytest.importorskip("openTSNE")
    rng = np.random.default_rng(0)
    people = np.repeat([3, 5, 8], 6)
    centres = np.eye(8)[np.repeat([0, 1, 2], 6)]
    raw = centres + 0.01 * rng.standard_normal(centres.shape)
    swapped = np.eye(8)[np.repeat([1, 2, 0], 6)] + 0.01 * rng.standard_normal(centres.shape)
    found = fig_9.maps_of("white", raw, swapped, people, 0)
    assert found.people == tuple(np.repeat([0, 1, 2], 6).tolist())
    assert (found.raw_hits.mean, found.placed_hits.mean, found.captured_hits.mean) == (1.0, 0.0, 1.0)
    again = fig_9.maps_of("white", raw, raw, people, 0)
    assert again.raw == found.raw and again.placed_hits.mean == 1.0
    ScopedRun(paper_run, {"data": "celeba", "profile": "campro-default"}).write_cell(
        {"kind": "t-SNE", "model": "white"}, found
    )
    section = fig_9.section(PaperCells(paper_run.cells()))
    assert [row.here.value for row in section.rows] == [100.0, 0.0, 100.0]
    assert section.figures[0].uri.startswith("data:image/svg+xml")
