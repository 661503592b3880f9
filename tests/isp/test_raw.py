"""The simulated camera: colours survive, noise has the variance of the sensor, profiles act as on clean pictures."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from campro.core.errors import CamproError
from campro.isp import Camera, Ccm, Degamma, GammaLut, IspProfile, Quantise, load_profile
from campro.isp.raw import RawCamera, Sensor

PLAIN = IspProfile("raw", ())
CLEAN = Sensor(quality=None)


@pytest.mark.parametrize("colour", [(0, 0, 0), (200, 180, 160), (40, 90, 60), (120, 120, 120), (255, 255, 255)])
def test_a_uniform_colour_survives_unprocessing_and_development(colour):
    patch = np.full((32, 48, 3), colour, np.uint8)
    apart = np.abs(RawCamera(PLAIN, CLEAN)(patch).astype(int) - patch)[8:-8, 8:-8]
    assert apart.max() <= 2


@pytest.mark.parametrize("start", ["negative", "campro-default"])
def test_a_profile_acts_as_on_clean_pictures(start):
    """On a smooth ramp, where demosaicking is exact enough."""
    ramp = np.linspace(60, 200, 256)[None, :, None].repeat(32, 0) * np.array([0.9, 1.0, 0.8])
    picture = ramp.round().astype(np.uint8)
    apart = np.abs(RawCamera(load_profile(start), CLEAN)(picture).astype(int) - Camera(start)(picture))[8:-8, 8:-8]
    assert np.median(apart) <= 2


def test_noise_has_the_variance_of_the_sensor():
    sensor = Sensor(shot=0.01, read=1e-4, quality=None)
    patch = np.full((256, 256, 3), 128, np.uint8)
    clean, noisy = (RawCamera(PLAIN, s).expose(patch) for s in (CLEAN, sensor))
    greens = np.s_[0::2, 1::2]
    wanted = sensor.shot * clean[greens].mean() + sensor.read
    assert (noisy - clean)[greens].var() == pytest.approx(wanted, rel=0.03)
    assert (noisy - clean)[greens].mean() == pytest.approx(0, abs=3 * (wanted / noisy[greens].size) ** 0.5)


def test_read_noise_follows_the_published_model():
    """Brooks et al. draw shot noise from 1e-4 to 1.2e-2; read noise follows, by hand for the two ends."""
    assert Sensor.with_noise(1e-4).read == pytest.approx(np.exp(2.18 * np.log(1e-4) + 1.2))
    assert 1e-9 < Sensor.with_noise(1e-4).read < Sensor.with_noise(1.2e-2).read < 1e-3


def test_a_steep_curve_amplifies_noise():
    """A curve of three times the contrast, three times the noise."""
    sensor = Sensor.with_noise(5e-4, quality=None)
    patch = np.full((64, 64, 3), 120, np.uint8)
    light = np.linspace(0, 1, 4000)
    curve = (3 * (light ** (1 / 2.2) - 120 / 255) + 0.5).clip(0, 1)
    identity = Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    steep = IspProfile("steep", (Degamma(), identity, GammaLut((tuple(curve.tolist()),)), Quantise(8)))
    once, thrice = (RawCamera(profile, sensor)(patch)[8:-8, 8:-8].std() for profile in (PLAIN, steep))
    assert thrice == pytest.approx(3 * once, rel=0.05)


def test_the_same_picture_gives_the_same_file_and_other_seeds_others():
    picture = data.astronaut()[:101, :75]
    sensor = Sensor.with_noise(1e-3)
    first, again, other = (RawCamera(PLAIN, sensor, seed)(picture) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()
    assert first.shape == picture.shape


def test_profiles_with_other_blocks_than_cameras_have_are_refused():
    with pytest.raises(CamproError, match="blocks degamma"):
        RawCamera(load_profile("defocus-9-3"), CLEAN)
