"""The networks: any size in and out, and what they can learn on a picture that is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from campro.core.errors import CamproError
from campro.core.images import to_tensor, write_image
from campro.core.lut3d import Lut3d
from campro.core.run_folder import RunFolder
from campro.enhance import enhancer_training as training
from campro.enhance.enhancement_losses import Sample, enhancement_loss
from campro.enhance.enhancer_base import as_captured
from campro.enhance.enhancer_training import Lessons, train_enhancer
from campro.enhance.enhancers import ENHANCERS, new_enhancer
from campro.enhance.fast_enhancer import DOUBT, SHARPNESS, _spread_by_cell, cell_features
from campro.enhance.samples import Lesson
from campro.inversion.cell_grid import MIN_WEIGHT, VARIANCE_FLOOR
from campro.isp import Camera, load_profile


@pytest.mark.parametrize("name", ENHANCERS)
@pytest.mark.parametrize("size", [(1, 1), (37, 90), (64, 32)])
def test_any_size(name, size):
    captured = torch.rand(2, 3, *size)
    enhanced = new_enhancer(name).eval()(captured)
    assert enhanced.shape == captured.shape
    assert enhanced.isfinite().all()


@pytest.mark.parametrize("name", ENHANCERS)
def test_padding_does_not_reach_far_into_the_picture(name):
    """A picture that needs padding and the same one with more below agree away from the seam."""
    enhancer = new_enhancer(name).eval()
    picture = torch.rand(1, 3, 224, 96)
    with torch.no_grad():
        whole, part = enhancer(picture), enhancer(picture[:, :, :220])
    torch.testing.assert_close(whole[:, :, :32], part[:, :, :32], atol=1e-4, rtol=0)


def test_the_papers_unet():
    """Five levels of base 32, counted by hand: two 3 x 3 convolutions a level, 2 x 2 transposed ones between."""
    widths = [32, 64, 128, 256, 512]
    double = lambda a, b: 9 * a * b + b + 9 * b * b + b  # noqa: E731
    wanted = sum(double(a, b) for a, b in zip([3, *widths], widths))
    wanted += sum(4 * deep * shallow + shallow + double(2 * shallow, shallow) for shallow, deep in pairwise(widths))
    wanted += 32 * 3 + 3
    assert sum(p.numel() for p in new_enhancer("unet").parameters()) == wanted


def test_loss_by_hand():
    enhanced, raw = torch.full((1, 3, 1, 2), 0.75), torch.ones(1, 3, 1, 2)
    background = torch.tensor([[[[1.0, 0.0]]]])
    assert float(enhancement_loss(enhanced, raw, background)) == pytest.approx((0.25 + 0.75) / 2)


def test_fast_starts_from_the_inverse_of_the_colours(tmp_path):
    enhancer = new_enhancer("fast")
    rgb = np.random.default_rng(0).integers(0, 256, (600, 600, 3), np.uint8)
    write_image(tmp_path / "photo.png", rgb)
    negative = load_profile("invert")
    enhancer.prepare([tmp_path / "photo.png"], Camera(negative))
    raw = to_tensor(rgb)
    assert (enhancer.table(1 - raw) - raw).abs().mean() < 0.03
    coloured = enhancer.colours(negative)(255 - rgb)
    np.testing.assert_array_equal(coloured.rgb, rgb)
    assert coloured.as_made
    assert not coloured.spread.any()  # the exact inverse of what loses nothing


def test_spread_by_cell_is_what_the_table_errs_by():
    """Red in the upper half of its levels by 10 levels, below not; green nowhere, blue everywhere by 30."""
    variances = torch.zeros(3, 33, 33, 33)
    variances[0, :, :, 16:], variances[2] = (10 / 255) ** 2, (30 / 255) ** 2
    codes = _spread_by_cell(Lut3d(variances)).reshape(32, 32, 32)
    assert set(codes[16:].flat) == {2 + (3 << 4)}
    assert set(codes[:15].flat) == {3 << 4}


def test_statistics_by_hand():
    """A cell of two colours, half and half: their mean, and half their difference; one of them is not to be trusted."""
    captured, coloured, spread = torch.zeros(3, 1, 3, 8, 8)
    captured[:, :, :4], coloured[:, :, 4:], spread[:, :, :4] = 0.6, 0.8, 1.0
    told = cell_features(captured, coloured, spread)[0, ::3, 0, 0]
    trusted = 0.8 * (1 + MIN_WEIGHT) / (1 + 2 * MIN_WEIGHT)
    wanted = [0.3, (0.3**2 + VARIANCE_FLOOR) ** 0.5, 0.4, (0.4**2 + VARIANCE_FLOOR) ** 0.5, 0.5, trusted]
    torch.testing.assert_close(told, torch.tensor(wanted))


def test_a_map_that_is_black_all_over_gets_out():
    """Where the map is sure and wrong its gradient must be largest, not gone."""
    enhancer = new_enhancer("fast")
    torch.nn.init.constant_(enhancer.keep_net.draw.head.bias, -40.0)
    captured, raw = torch.rand(2, 2, 3, 64, 64)
    enhancer.loss(Sample(captured, captured, captured, captured, raw, torch.ones(2, 1, 64, 64))).backward()
    assert enhancer.keep_net.draw.head.bias.grad[0] < -0.1


def test_at_first_the_channels_of_a_place_move_together():
    """A pixel of which one channel alone stands out takes a third of that in every channel."""
    enhancer = new_enhancer("fast").eval()
    torch.nn.init.constant_(enhancer.keep_net.draw.head.bias, 40.0)
    captured = torch.full((1, 3, 64, 64), 0.4)
    captured[:, 0, 32, 32] += 0.3
    with torch.no_grad():
        enhanced = enhancer(captured)
    in_the_cell = (captured[:, 0, 32:40, 32:40] - 0.4).mean()
    assert enhanced[0, :, 32, 32].tolist() == pytest.approx([0.5] * 3, abs=float(in_the_cell))
    torch.testing.assert_close(enhanced[..., :16], captured[..., :16])


def test_of_every_cell_its_mean_has_the_last_word():
    """Where colours are unsure texture comes from pixels, and what a place is like from the network; others stay."""
    enhancer = new_enhancer("fast").eval()
    enhancer.spread[: 1 << 14] = 63  # red below a half
    torch.nn.init.constant_(enhancer.keep_net.draw.head.bias, 40.0)
    torch.nn.init.constant_(enhancer.tint_net.head.bias, 0.1)
    enhancer.corrections.values.data.fill_(-0.2)
    captured = 0.4 + 0.2 * torch.rand(1, 3, 64, 64)
    captured[:, 0, :, :32] -= 0.2
    captured[:, 0, :, 32:] += 0.2
    with torch.no_grad():
        enhanced = enhancer(captured)
    torch.testing.assert_close(enhanced[..., :24], captured[..., :24] + 0.1)
    torch.testing.assert_close(enhanced[..., 40:], captured[..., 40:] - 0.2)


def _lonely(rng):
    """Grey pictures of light and shade, raw, and as they were coloured: every tenth value of a channel went astray.

    Of the right half, a face, nothing may be learned: there it is the other way round.
    """
    raw = torch.rand(2, 1, 64, 64, generator=rng).mul(0.3).add(0.35).expand(2, 3, 64, 64)
    coloured = torch.where(torch.rand(2, 3, 64, 64, generator=rng) < 0.1, raw + 0.3, raw)
    background = torch.ones(2, 1, 64, 64)
    background[..., 32:] = 0
    unsure, wanted = torch.zeros(2, 3, 64, 64), torch.where(background == 1, raw, 2 * coloured - raw)
    return Sample(coloured, coloured, coloured, unsure, wanted, background)


def test_a_channel_that_stands_out_alone_is_put_right():
    enhancer, rng = new_enhancer("fast").eval(), torch.Generator().manual_seed(0)
    torch.nn.init.constant_(enhancer.tint_net.head.bias, -0.03)  # what they went astray by on average
    enhancer.finish(_lonely(rng) for _ in range(8))
    torch.nn.init.constant_(enhancer.keep_net.draw.head.bias, 40.0)
    fresh = _lonely(rng)
    with torch.no_grad():
        enhanced = enhancer(fresh.captured)
    before, after = ((part - fresh.raw)[..., :32].abs().mean() for part in (fresh.coloured, enhanced))
    assert before > 0.025
    assert after < before / 2


def test_the_finished_map_is_surer():
    enhancer = new_enhancer("fast").eval()
    captured = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = enhancer.with_context(captured)[1]
        enhancer.finish([Sample(captured, captured, captured, captured, captured, torch.ones(1, 1, 64, 64))])
        after = enhancer.with_context(captured)[1]
    torch.testing.assert_close(after[:, :1], torch.sigmoid(SHARPNESS * (torch.logit(before[:, :1]) - DOUBT)))
    assert torch.equal(after[:, 1:], before[:, 1:])


def test_unknown_name():
    with pytest.raises(CamproError, match="fast, unet"):
        new_enhancer("magic")


@pytest.fixture
def lessons(tmp_path):
    rgb = (torch.rand(96, 96, 3) * 255).byte().numpy()
    write_image(tmp_path / "photo.png", rgb)
    return Lessons(
        [Lesson(tmp_path / "photo.png", np.array([[20.0, 20, 60, 70]]))], Camera("invert"), as_captured, 32, 2
    )


def _train(lessons, folder, steps):
    torch.manual_seed(0)
    fabric = Fabric(accelerator="cpu", devices=1)
    return train_enhancer(new_enhancer("fast"), lessons, RunFolder.open(folder, {}), fabric, steps, seed=0)


def test_other_processes_draw_the_same(lessons):
    keys = [(0, 0, step) for step in range(3)]
    for alone, drawn in zip(lessons.drawn(keys), lessons.drawn(keys, workers=2), strict=True):
        assert all(torch.equal(one, other) for one, other in zip(alone, drawn, strict=True))


def test_a_killed_run_ends_with_the_same_weights(lessons, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SAVE_EVERY_S", 0.0)
    whole = _train(lessons, tmp_path / "whole", 6)
    draw, calls = Lessons.__getitem__, []

    def killed(self, key):
        calls.append(key)
        if key[-1] == 3:
            raise KeyboardInterrupt
        return draw(self, key)

    monkeypatch.setattr(Lessons, "__getitem__", killed)
    with pytest.raises(KeyboardInterrupt):
        _train(lessons, tmp_path / "killed", 6)
    monkeypatch.setattr(Lessons, "__getitem__", draw)
    again = _train(lessons, tmp_path / "killed", 6)
    assert (0, 0, 5) not in calls
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
