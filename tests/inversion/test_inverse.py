"""The inverse of a profile as a table: by hand where it is known."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from campro.core.images import write_image
from campro.inversion.inverse import (
    BINS,
    Inverse,
    _squares,
    ambiguity_codes,
    posterior_ambiguity,
    posterior_mean,
    prior_from_photos,
)
from campro.isp import Camera, IspProfile, load_profile

RGB = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
UNIFORM = np.full(BINS, 1.0)


@pytest.mark.slow
def test_the_inverse_of_an_invertible_profile_is_exact():
    invert = IspProfile("invert", load_profile("invert").blocks)
    np.testing.assert_array_equal(Inverse(invert, UNIFORM)(Camera(invert)(RGB)), RGB)


@pytest.mark.slow
def test_the_inverse_is_the_posterior_mean():
    """All colours become their highest bit: by hand, the mean of each half of the levels, weighted by the prior."""
    raw = np.arange(1 << 24, dtype=np.uint32)
    table, reachable = posterior_mean(raw & 0x808080, UNIFORM)
    np.testing.assert_array_equal(table[0x000000], [64, 64, 64])  # 63.5, halves up
    np.testing.assert_array_equal(table[0x800080], [192, 64, 192])
    np.testing.assert_array_equal(table[0x810181], table[0x800080])  # not reachable: the mean of its block
    assert reachable.sum() == 8
    dark = UNIFORM.copy()
    dark[0] = 1e9
    np.testing.assert_array_equal(posterior_mean(raw & 0x808080, dark)[0][0], [4, 4, 4])  # 3.5


@pytest.mark.slow
def test_ambiguity_is_the_posterior_standard_deviation():
    """Red becomes its highest bit, green loses three bits, blue nothing: 37, 2.3 and 0 levels."""
    raw = np.arange(1 << 24, dtype=np.uint32)
    captured = raw & 0x80F8FF
    means, reachable = posterior_mean(captured, UNIFORM)
    codes = posterior_ambiguity(captured, UNIFORM, means)
    assert set(codes[reachable]) == {3 + (1 << 2)}
    assert set(codes[~reachable]) == {63}
    weights, squares = (_squares(captured, UNIFORM, means, channel)[captured[::4099]] for channel in (3, 0))
    np.testing.assert_allclose(squares / weights, (128**2 - 1) / 12 + 0.25, rtol=1e-5)  # a half from the rounded mean


@pytest.mark.slow
def test_ambiguity_codes_of_a_table_are_those_of_variances():
    raw = np.arange(1 << 24, dtype=np.uint32)
    captured, prior = raw & 0xF0C0FE, np.random.default_rng(0).random(BINS)
    means, reachable = posterior_mean(captured, prior)
    weights, *squares = (_squares(captured, prior, means, channel)[reachable] for channel in (3, 0, 1, 2))
    codes = posterior_ambiguity(captured, prior, means)[reachable]
    np.testing.assert_array_equal(codes, ambiguity_codes(np.stack(squares, 1) / weights[:, None]))


def test_every_photograph_has_the_same_weight_in_a_prior(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((10, 10, 3), np.uint8))
    write_image(tmp_path / "b.png", np.full((50, 50, 3), 255, np.uint8))
    prior = prior_from_photos([tmp_path / "a.png", tmp_path / "b.png"])
    assert prior[0] == pytest.approx(prior[-1])
    assert prior.sum() == pytest.approx(2.1)


@pytest.mark.slow
def test_a_picture_that_was_drawn_on_has_a_smaller_share_of_reachable_colours():
    profile = load_profile("campro-default")
    inverse, captured = Inverse(profile, UNIFORM), Camera(profile)(RGB)
    assert inverse.reachable_share(captured) == 1.0
    captured[:20] = RGB[:20]
    assert 0.5 < inverse.reachable_share(captured) < 0.8  # a fifth of all colours are reachable


@pytest.mark.slow
def test_the_inverse_of_campro_default_does_not_change():
    """The bytes that published figures were measured with."""
    profile = load_profile("campro-default")
    inverse = Inverse(profile, UNIFORM)
    y, x = np.mgrid[:256, :256]
    restored, ambiguity = inverse.with_ambiguity(np.stack([x, y, (x * y // 255)], 2).astype(np.uint8))
    assert inverse.digest == "fdfe6506d395605157727b659d9235b205bbdbced5ad95ecc6b167c5e07c858a"
    assert (
        hashlib.sha256(restored.tobytes()).hexdigest()
        == "91367aaba35bcde1999f21425370d65b24f26da9c9b5558752738f456d3fc9d2"
    )
    assert (
        hashlib.sha256(ambiguity.tobytes()).hexdigest()
        == "18aa29f9d4e71082ab8394f8d476c4be08c0fe7b8b3acb592f292036133142bd"
    )


def _sha256(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


@pytest.fixture
def fake_tables(monkeypatch, tmp_path):
    """Tables that take no time, in an empty cache folder; the list has an entry for each that was computed."""
    computed = []

    def fake(profile, prior):
        computed.append(profile.name)
        return np.arange(16, dtype=np.uint32)

    monkeypatch.setattr("campro.inversion.inverse.inverse_table", fake)
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path))
    return computed


def test_a_stored_table_is_used_for_the_same_blocks_and_prior_alone(fake_tables):
    default, strong = load_profile("campro-default"), load_profile("campro-strong")
    first = Inverse.stored(default, UNIFORM)
    again = Inverse.stored(IspProfile("renamed", default.blocks), UNIFORM.copy())
    assert fake_tables == ["campro-default"]
    assert first.digest == again.digest == Inverse(default, UNIFORM, table=first._table).digest
    other = UNIFORM.copy()
    other[5] = np.nextafter(1.0, 2.0)  # one bit of the prior
    Inverse.stored(default, other)
    Inverse.stored(strong, UNIFORM)
    assert fake_tables == ["campro-default", "campro-default", "campro-strong"]


def test_tables_of_another_version_are_not_used(fake_tables, monkeypatch):
    Inverse.stored(load_profile("invert"), UNIFORM)
    monkeypatch.setattr("campro.inversion.inverse.TABLE_VERSION", 2)
    Inverse.stored(load_profile("invert"), UNIFORM)
    assert fake_tables == ["invert", "invert"]
