"""Choosing among raw colours: by hand, against all ways of a line, and on a photograph that is known."""

from __future__ import annotations

from itertools import pairwise, product

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st

from campro.inversion.cell_grid import CELL
from campro.inversion.inverse import CELLS, Inverse
from campro.inversion.preimage_selection import Settler
from campro.inversion.preimages import COLOURS, INTERLEAVED, OCTAVE, Preimages, index_of
from campro.inversion.semiglobal import CHOICES, FREEDOM, JUMP, PLACE, TEMPER, chosen_by_lines
from campro.isp import Camera, load_profile

PROFILE = load_profile("campro-default")
UNIFORM = np.full(CELLS, 1 / CELLS)


@pytest.fixture(scope="module")
def tools():
    return Inverse(PROFILE, UNIFORM), Settler(Preimages.of(PROFILE, UNIFORM))


def packed(colours):
    red, green, blue = np.moveaxis(np.asarray(colours, np.uint32), -1, 0)
    return red << 16 | green << 8 | blue


def preimages_of(behind):
    """Of each captured colour these entries."""
    by_index = sorted((int(index_of(colour, *INTERLEAVED)), entries) for colour, entries in behind.items())
    starts = np.zeros(COLOURS + 1, np.uint32)
    for index, entries in by_index:
        starts[index + 1 :] += len(entries)
    return Preimages(starts, np.concatenate([np.asarray(entries, np.uint32) for _, entries in by_index]))


@pytest.mark.parametrize("seed", range(5))
def test_the_best_of_all_ways_along_a_line(seed):
    """Costs of both directions together are those of the best way through each choice."""
    rng = np.random.default_rng(seed)
    colours = [(level, 0, 0) for level in range(6)]
    raws = [rng.integers(0, 60, (rng.integers(1, 5), 3)) for _ in colours]
    weights = [rng.integers(0, 40, len(some)) for some in raws]
    behind = {c: packed(some) | (w.astype(np.uint32) << 24) for c, some, w in zip(colours, raws, weights)}
    means = rng.uniform(0, 60, (1, 6, 3)).astype(np.float32)
    picture = np.array([colours], np.uint8)
    found = chosen_by_lines(picture, picture, np.ones((1, 6), np.uint8), means, preimages_of(behind))

    inverse = np.linalg.inv(PLACE[0] * np.eye(3) + PLACE[1])

    def cost(place, choice):
        off = raws[place][choice] - means[0, place]
        return TEMPER * np.log(2) * weights[place][choice] / OCTAVE + 3 * np.log1p(off @ inverse @ off / FREEDOM)

    def way(choices):
        steps = (np.abs(raws[i][a] - raws[i + 1][b]).sum() for i, (a, b) in enumerate(pairwise(choices)))
        return sum(min(step, JUMP) for step in steps) + sum(cost(*pair) for pair in enumerate(choices))

    best = min(product(*(range(len(some)) for some in raws)), key=way)
    np.testing.assert_array_equal(found[0], [raws[place][choice] for place, choice in enumerate(best)])


def test_of_many_raw_colours_the_likeliest_are_looked_at():
    """Twenty greys, the last ones nearest to what the place is like."""
    greys = np.arange(1, 21)[:, None].repeat(3, 1) * 10
    found = chosen_by_lines(
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.ones((1, 1), np.uint8),
        np.full((1, 1, 3), 198, np.float32),
        preimages_of({(0, 0, 0): packed(greys)}),
    )
    assert len(greys) > CHOICES
    np.testing.assert_array_equal(found[0, 0], [200, 200, 200])


def context_of(raw, keep=1.0):
    """The map that a network without error would draw."""
    height, width = (-(-side // 64) * 64 for side in raw.shape[:2])
    whole = cv2.copyMakeBorder(raw, 0, height - len(raw), 0, width - raw.shape[1], cv2.BORDER_REPLICATE)
    cells = cv2.resize(whole, (width // CELL, height // CELL), interpolation=cv2.INTER_AREA) / np.float32(255)
    return np.concatenate(
        [np.full_like(cells[None, ..., 0], keep), cells.transpose(2, 0, 1), 0 * cells.transpose(2, 0, 1)]
    )


def off_by(found, raw):
    return np.abs(found.astype(int) - raw).mean()


def test_neighbours_tell_which_colour_was_meant(tools):
    inverse, settle = tools
    raw = np.ascontiguousarray(skimage.data.astronaut()[:250, 130:430])
    captured = Camera(PROFILE)(raw)
    coloured, spread = inverse.with_spread(captured)
    found = settle(captured, coloured, spread, context_of(raw))
    assert off_by(found, raw) < off_by(coloured, raw) / 2
    np.testing.assert_array_equal(found[spread == 0], coloured[spread == 0])
    np.testing.assert_array_equal(settle(captured, coloured, spread, context_of(raw), coloured.copy()), found)


def test_a_place_that_the_network_is_wrong_about_is_put_right_by_those_around_it(tools):
    """A smooth wall, a part of which it takes for another colour: by their place alone pixels there would be, too."""
    inverse, settle = tools
    y, x = np.mgrid[:160, :200]
    raw = np.stack([120 + x / 16, 100 + y / 16, 60 + x / 32], 2).round().astype(np.uint8)
    captured, place = Camera(PROFILE)(raw), (slice(40, 88), slice(80, 128))
    coloured, spread = inverse.with_spread(captured)
    context = context_of(raw)
    context[1:4, 5:11, 10:16] += np.array([0.0, -0.1, 0.2], np.float32)[:, None, None]
    found = settle(captured, coloured, spread, context)
    means, preimages = np.full((1, 1, 3), 255 * context[1:4, 7, 12], np.float32), Preimages.of(PROFILE, UNIFORM)
    pixels = [
        (slice(row, row + 1), slice(column, column + 1)) for row in range(40, 88, 8) for column in range(80, 128, 8)
    ]
    alone = [chosen_by_lines(captured[at], coloured[at], spread[at], means, preimages) for at in pixels]
    assert np.mean([off_by(colour, raw[at]) for colour, at in zip(alone, pixels)]) > 5
    assert off_by(found[place], raw[place]) < 1


def test_what_is_left_out_is_black(tools):
    inverse, settle = tools
    raw = np.ascontiguousarray(skimage.data.astronaut()[:64, :64])
    captured = Camera(PROFILE)(raw)
    whole, none = (settle(captured, *inverse.with_spread(captured), context_of(raw, keep)) for keep in (1.0, 0.0))
    half = settle(captured, *inverse.with_spread(captured), context_of(raw, 0.5))
    assert not none.any()
    np.testing.assert_array_equal(half, (whole.astype(int) + 1) // 2)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**16))
def test_pictures_of_any_size(height, width, seed):
    """Of a colour that is one of two, all pixels are the same one: the one that the place is like."""
    raws = packed([[40, 50, 60], [200, 50, 60]])
    captured = np.full((height, width, 3), seed % 256, np.uint8)
    settle = Settler(preimages_of({tuple(captured[0, 0]): raws}))
    context = np.zeros((7, 8, 8), np.float32)
    context[0], context[1:4] = 1, np.array([190, 55, 65])[:, None, None] / 255
    found = settle(captured, np.full_like(captured, 120), np.full((height, width), 63, np.uint8), context)
    assert np.abs(found - np.array([200.0, 50, 60])).max() <= 1
