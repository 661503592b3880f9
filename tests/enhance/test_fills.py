"""Fills of masked areas: from kept pixels alone, smooth, and steady from frame to frame."""

from __future__ import annotations

import numpy as np
import pytest
from support.identity_networks import identity_enhancer

from campro.core.errors import CamproError
from campro.enhance.fill_kernels import KEPT, MASKED
from campro.enhance.fill_names import BLACK, FILLS, SMOOTH
from campro.enhance.fills import EMPTY_LEVEL, diffused, insert
from campro.enhance.runner import SHIPPED, OnnxEnhancer
from campro.inversion.cell_grid import CELL, pixel_positions, upsampled_columns
from campro.metrics.quality import flicker

COMPUTED = tuple(fill for fill in FILLS if fill != BLACK)
CELLS = (8, 16)
SIZE = (CELLS[0] * CELL - 3, CELLS[1] * CELL - 5)


def soft_mask(rng):
    """A mask of cells with a hole, soft edges and noise."""
    y, x = np.mgrid[: CELLS[0], : CELLS[1]]
    distance = np.hypot(y - 3.5, x - 7.3)
    return (1 / (1 + np.exp(3 * (2.4 - distance))) * rng.uniform(0.97, 1, CELLS)).astype(np.float32)


def by_pixel(mask):
    (rows, across), (columns, along) = (pixel_positions(n, c, CELL) for n, c in zip(SIZE, CELLS))
    wide = upsampled_columns(mask[None], (columns, along))[:, 0]
    below = wide[np.minimum(rows + 1, len(wide) - 1)]
    return wide[rows] + (below - wide[rows]) * across[:, None]


@pytest.mark.parametrize("fill", COMPUTED)
def test_changing_masked_pixels_does_not_change_the_result(fill):
    rng = np.random.default_rng(0)
    mask, rgb = soft_mask(rng), rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    masked = by_pixel(mask) < MASKED - 1e-4
    assert 0.05 < masked.mean() < 0.5
    other = rgb.copy()
    other[masked] = rng.integers(0, 256, (masked.sum(), 3))
    np.testing.assert_array_equal(insert(fill, rgb.copy(), mask), insert(fill, other.copy(), mask))


@pytest.mark.parametrize("fill", COMPUTED)
def test_pixels_between_masked_and_kept_do_not_spread(fill):
    """A pixel at the mask's edge changes nothing but itself, and by less than it was changed."""
    rng = np.random.default_rng(1)
    mask, rgb = soft_mask(rng), rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    level = by_pixel(mask)
    edge = (level > MASKED) & (level < KEPT - 1e-4)
    assert edge.any()
    other = rgb.copy()
    other[edge] = 255 - rgb[edge]
    change = np.abs(insert(fill, rgb.copy(), mask).astype(int) - insert(fill, other, mask))
    assert not change[~edge].any()
    assert (change[edge] <= np.abs(255 - 2 * rgb[edge].astype(int)) + 1).all()


def test_kept_pixels_stay_and_one_colour_fills_with_itself():
    mask, rgb = soft_mask(np.random.default_rng(2)), np.full((*SIZE, 3), (90, 120, 30), np.uint8)
    np.testing.assert_array_equal(insert(SMOOTH, rgb.copy(), mask), rgb)
    noise = np.random.default_rng(3).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    for fill in COMPUTED:
        np.testing.assert_array_equal(
            insert(fill, noise.copy(), mask)[by_pixel(mask) > 0.98], noise[by_pixel(mask) > 0.98]
        )


def test_a_smooth_fill_continues_a_gradient():
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    rgb = np.stack([40 + x, 60 + 2 * y, 100 + x // 2], 2).clip(0, 255).astype(np.uint8)
    found = insert(SMOOTH, rgb.copy(), soft_mask(np.random.default_rng(4)))
    assert np.abs(found.astype(int) - rgb).mean() < 2
    assert np.abs(np.diff(found.astype(int), axis=0)).max() < 30  # no seam


def test_a_picture_without_kept_pixels_is_grey():
    rgb = np.random.default_rng(5).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    found = insert(SMOOTH, rgb, np.zeros(CELLS, np.float32))
    assert (found == EMPTY_LEVEL).all()


def test_diffusion_by_hand():
    """Cells that are kept as a whole keep their colour; cells between two colours lie between them."""
    means, shares = np.zeros((1, 5, 3), np.float32), np.array([[1, 0, 0, 0, 1]], np.float32)
    means[0, 4] = 100
    found = diffused(means, shares)[0, :, 0]
    assert found[0] == 0
    assert found[4] == 100
    assert (np.diff(found) >= 0).all()


def test_blocks_have_one_colour_and_a_silhouette_is_darker():
    rng = np.random.default_rng(6)
    mask = np.ones((16, 16), np.float32)
    mask[4:12, 4:12] = 0
    rgb = rng.integers(100, 156, (128, 128, 3), dtype=np.uint8)
    pixelated, drawn = (insert(fill, rgb.copy(), mask) for fill in ("pixelate-average", "silhouette"))
    assert len(np.unique(pixelated[44:62, 44:62].reshape(-1, 3), axis=0)) == 1
    assert drawn[58, 64].max() < 90
    assert abs(int(drawn[58, 38, 0]) - 128) < 20


@pytest.mark.parametrize("fill", COMPUTED)
def test_a_static_scene_with_noise_does_not_flicker(fill):
    """The fill averages many pixels, so its temporal noise is below that of the picture."""
    rng = np.random.default_rng(7)
    mask, scene = soft_mask(rng), rng.integers(60, 200, (*SIZE, 3)).astype(float)
    frames = [(scene + rng.normal(0, 4, scene.shape)).round().astype(np.uint8) for _ in range(8)]
    inside = by_pixel(mask) < MASKED - 1e-4
    masks = [(mask * rng.uniform(0.99, 1, mask.shape)).astype(np.float32) for _ in frames]
    shown = [insert(fill, frame.copy(), one)[inside][None] for frame, one in zip(frames, masks)]
    assert flicker(shown) < 0.5 * flicker([frame[inside][None] for frame in frames])


def test_the_fill_is_part_of_the_digest_and_black_keeps_that_of_earlier_versions():
    enhancer = OnnxEnhancer(SHIPPED)
    assert enhancer.fill == SMOOTH
    digests = [enhancer.with_fill(fill).digest for fill in FILLS]
    assert len(set(digests)) == len(FILLS)
    assert enhancer.with_fill(BLACK).digest == "fe971b3d1f4a8ac9cb39af40592cacb0340414b2ac65320782803461233dbd45"
    assert enhancer.with_fill(BLACK).video().digest != enhancer.video().digest


@pytest.mark.slow
def test_the_fills_of_the_whole_enhancer_differ_in_masked_areas_alone(exported):
    rgb = np.random.default_rng(0).integers(0, 256, (72, 136, 3), dtype=np.uint8)
    enhancer = OnnxEnhancer(exported["fast"].file)
    whole, black = enhancer.without_mask(rgb), enhancer.with_fill(BLACK)(rgb)
    for fill in COMPUTED:
        found = enhancer.with_fill(fill)(rgb)
        assert found.shape == whole.shape
        same = (black.astype(int) - whole == 0).all(2)
        np.testing.assert_array_equal(found[same & (whole.min(2) > 60)], whole[same & (whole.min(2) > 60)])


def test_an_enhancer_without_a_mask_takes_black_alone(tmp_path):
    file = identity_enhancer(tmp_path / "identity.onnx")
    assert OnnxEnhancer(file).fill == BLACK
    with pytest.raises(CamproError, match="--fill black"):
        OnnxEnhancer(file, fill="smooth")


def test_diffusion_ends_where_less_than_one_cell_is_kept():
    """A picture that is a face nearly everywhere: the sum of all shares stays below 1 at every level."""
    shares = np.zeros((3, 5), np.float32)
    shares[1, 2] = 0.25
    means = np.zeros((3, 5, 3), np.float32)
    means[1, 2] = (40, 80, 120)
    np.testing.assert_allclose(diffused(means, shares), np.broadcast_to(means[1, 2], means.shape), rtol=1e-5)
