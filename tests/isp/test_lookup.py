"""The table of all colours, compared with numpy in float64."""

from __future__ import annotations

import numpy as np
import pytest

from campro.isp import Ccm, Degamma, GammaLut, Quantise
from campro.isp.lookup import colour_table, look_up


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
