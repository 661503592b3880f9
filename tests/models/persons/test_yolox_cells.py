"""The cell grid of YOLOX and the decoding of its output."""

from __future__ import annotations

import torch

from campro.models.persons.yolox_cells import PERSON, cell_grid, decode_cells


def test_cell_grid_has_one_entry_per_cell_of_each_stride():
    grid, strides = cell_grid(64, 96, torch.device("cpu"))
    assert len(grid) == len(strides) == 8 * 12 + 4 * 6 + 2 * 3
    assert grid[1].tolist() == [1, 0]
    assert strides.unique().tolist() == [8, 16, 32]


def test_decoded_box_equals_the_one_computed_by_hand():
    raw = torch.zeros(1, 21, 85)
    last = 20  # the only cell of stride 32
    raw[0, last, :4] = torch.tensor([0.25, 0.5, 2.0, 1.0]).log().where(torch.tensor([False, False, True, True]), 0.25)
    raw[0, last, 4], raw[0, last, 5 + PERSON] = 0.0, 50.0
    cells = decode_cells(raw, 32, 32)
    # centre (0 + 0.25) * 32 = 8, size 2 x 32 and 1 x 32
    torch.testing.assert_close(cells.boxes[0, last], torch.tensor([8.0 - 32, 8 - 16, 8 + 32, 8 + 16]))
    assert cells.centres[last].tolist() == [16, 16]
    torch.testing.assert_close(cells.scores()[0, last], torch.tensor(0.5))
