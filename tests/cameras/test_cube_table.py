"""3D tables: exact for maps that are linear between their nodes; the errors of others are stated."""

from __future__ import annotations

import numpy as np

from campro.cameras.cube_table import cube_tables, tables
from campro.isp import Camera, load_profile


def test_linear_maps_are_exact():
    (table,) = cube_tables(lambda colours: 1 - colours[..., ::-1], (18,))
    assert table.trilinear == table.tetrahedral == (0.0, 0, 0.0)
    np.testing.assert_allclose(table.nodes[0, 17, 0], [1, 0, 1], atol=1e-6)


def test_a_step_is_blurred_and_the_error_is_stated():
    """A step of red at level 128, between two of 18 nodes, which are 15 levels apart."""

    def step(colours):
        return np.where(np.arange(3) == 0, colours > 0.5, colours).astype(np.float32)

    (table,) = cube_tables(step, (18,))
    assert table.trilinear.largest > 100
    assert table.trilinear.beyond == table.tetrahedral.beyond > 0
    text = table.text("a").splitlines()
    assert text[0] == 'TITLE "a"'
    assert text[1].startswith("# trilinear interpolation: off by")
    assert text[6].split() == text[7].split() == ["0.000000"] * 3  # red changes fastest: node 1 is below the step
    assert text[6 + 17].split()[0] == "1.000000"
    assert len(text) == 6 + 18**3


def test_the_product_of_channels_differs_between_interpolations():
    """In the middle of a cell of 85 levels, u v = 1/4, and the tetrahedral value is min(u, v) = 1/2: 255 / 9 / 4."""
    (table,) = cube_tables(lambda colours: colours[..., :1] * colours[..., 1:2] * np.ones(3, np.float32), (4,))
    assert table.trilinear.largest <= 1
    assert 7 <= table.tetrahedral.largest <= 8


def test_nodes_are_those_of_the_camera():
    """52 levels, 5 apart, are nodes of 52."""
    strong = load_profile("campro-strong")
    (table,) = tables(strong, (52,))
    rgb = np.random.default_rng(0).integers(0, 52, (20, 20, 3))
    shown = Camera(strong)((5 * rgb).astype(np.uint8))
    np.testing.assert_allclose(255 * table.nodes[tuple(np.moveaxis(rgb, -1, 0))], shown, atol=0.51)
