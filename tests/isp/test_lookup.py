"""The table of all colours, compared with numpy in float64."""

from __future__ import annotations

import numpy as np
import pytest

from campro.isp import Ccm, Degamma, GammaLut, Quantise
from campro.isp.lookup import colour_chain, colour_table, look_up, reference_level
from campro.isp.profile import KNOT_GAP


@pytest.mark.parametrize("bits", [3, 8, 12])
@pytest.mark.slow
def test_colours_equal_the_definition(bits):
    rng = np.random.default_rng(bits)
    matrix, values = np.eye(3) + rng.normal(0, 0.4, (3, 3)), rng.uniform(0, 1, 17)
    blocks = (Degamma(), Ccm(matrix.tolist(), (0.0, 0.05, -0.05)), GammaLut((tuple(values),)), Quantise(bits))
    rgb = rng.integers(0, 256, (50, 60, 3), dtype=np.uint8)
    mixed = np.clip((rgb / 255) ** 2.2 @ matrix.T + (0.0, 0.05, -0.05), 0, 1)
    value, levels = np.interp(mixed, np.linspace(0, 1, 17), values), 2**bits - 1
    want = np.floor(np.floor(value * levels + 0.5) / levels * 255 + 0.5)
    np.testing.assert_array_equal(look_up(rgb, colour_table(blocks)), want)


def test_every_entry_has_the_level_of_the_definition():
    """Knots far apart, as close as allowed and at both ends of the range, and a curve that falls and rises."""
    rng = np.random.default_rng(0)
    knots = np.sort(np.concatenate([[0, 1, 0.5, 0.5 + 2 * KNOT_GAP], rng.uniform(0.501, 0.999, 40), [4 * KNOT_GAP]]))
    matrix = np.eye(3) + rng.normal(0, 0.4, (3, 3))
    lut = GammaLut(tuple(map(tuple, rng.uniform(0, 1, (3, len(knots))).tolist())), tuple(knots.tolist()))
    blocks = (Degamma(), Ccm(matrix.tolist(), (0.0, 0.05, -0.05)), lut, Quantise(5))
    table, chain = colour_table(blocks), colour_chain(blocks)
    for packed in rng.integers(0, 1 << 24, 3000).tolist():
        colour = packed >> 16, packed >> 8 & 255, packed & 255
        red, green, blue = (reference_level(*colour, channel, *chain) for channel in range(3))
        assert table[packed] == red << 16 | green << 8 | blue
