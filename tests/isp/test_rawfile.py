"""Raw files: a mosaic of the simulated camera, written as DNG by tifffile and read by LibRaw."""

from __future__ import annotations

import numpy as np
import pytest
import rawpy
import tifffile
from skimage import data

from campro.cli.main import main
from campro.core.errors import CamproError
from campro.core.images import read_image
from campro.isp import Camera, IspProfile, load_profile
from campro.isp.raw import RawCamera, Sensor
from campro.isp.rawfile import SRGB_TO_XYZ, develop_file, read_raw

PLAIN = IspProfile("plain", ())
SENSOR = Sensor(quality=None)
BLACK, WHITE = 256, 4095


@pytest.fixture(scope="module")
def exposed():
    return RawCamera(PLAIN, SENSOR).expose(np.ascontiguousarray(data.astronaut()[:256, 100:356]))


@pytest.fixture(scope="module")
def dng(exposed, tmp_path_factory):
    """Adobe's DNG specification 1.4: the tags that a mosaic needs."""
    path = tmp_path_factory.mktemp("raw") / "shot.dng"
    counts = np.round(BLACK + exposed * (WHITE - BLACK)).astype(np.uint16)
    xyz_to_camera = np.linalg.inv(np.array(SENSOR.matrix)) @ np.linalg.inv(SRGB_TO_XYZ)
    scaled = xyz_to_camera / np.array([SENSOR.gains[0], 1, SENSOR.gains[1]])[:, None]
    fractions = [part for value in scaled.ravel() for part in (round(value * 10_000), 10_000)]
    neutral = [part for gain in (SENSOR.gains[0], 1, SENSOR.gains[1]) for part in (round(10_000 / gain), 10_000)]
    tags = [
        (271, "s", 0, "campro", True), (272, "s", 0, "simulated", True), (274, "H", 1, 6, True),
        (33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True), (50706, "B", 4, (1, 4, 0, 0), True),
        (50708, "s", 0, "campro simulated", True), (50714, "H", 1, BLACK, True), (50717, "H", 1, WHITE, True),
        (50721, "2i", 9, fractions, True), (50728, "2I", 3, neutral, True), (50778, "H", 1, 21, True),
    ]  # fmt: skip
    tifffile.imwrite(path, counts, photometric="cfa", extratags=tags, subfiletype=0, metadata=None)
    return path


def test_the_mosaic_and_the_sensor_survive_the_round_trip(dng, exposed):
    mosaic, sensor, turns = read_raw(dng)
    np.testing.assert_allclose(mosaic, exposed, atol=1 / (WHITE - BLACK))
    np.testing.assert_allclose(sensor.gains, SENSOR.gains, rtol=1e-3)
    own = np.array(SENSOR.matrix)
    np.testing.assert_allclose(sensor.matrix, own / own.sum(1, keepdims=True), atol=0.02)
    assert turns == 3


def test_development_agrees_with_libraw(dng):
    """Without a profile: LibRaw's own development, with the same white balance and gamma, and no brightening."""
    bilinear = rawpy.DemosaicAlgorithm.LINEAR
    with rawpy.imread(str(dng)) as raw:
        wanted = raw.postprocess(
            use_camera_wb=True, no_auto_bright=True, gamma=(2.2, 0), output_bps=8, demosaic_algorithm=bilinear
        )
    found = develop_file(dng, PLAIN)
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).mean() < 3


def test_a_profile_acts_in_the_raw_domain(dng):
    captured = develop_file(dng, load_profile("negative"))
    from_picture = Camera("negative")(develop_file(dng, PLAIN))
    assert np.median(np.abs(captured.astype(int) - from_picture)) <= 3


def test_the_command_capture_develops_raw_files(dng, tmp_path, capsys):
    assert main(["capture", str(dng), "-o", str(tmp_path), "--profile", "negative"]) == 0
    np.testing.assert_array_equal(read_image(tmp_path / "shot.png"), develop_file(dng, load_profile("negative")))
    (tmp_path / "bad.dng").write_bytes(b"II*\0 no raw file")
    assert main(["capture", str(tmp_path / "bad.dng"), "-o", str(tmp_path / "out")]) == 1
    assert "raw file" in capsys.readouterr().err


def test_a_truncated_file_is_refused(dng, tmp_path):
    (tmp_path / "cut.dng").write_bytes(dng.read_bytes()[:2000])
    with pytest.raises(CamproError):
        read_raw(tmp_path / "cut.dng")
