from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from campro.cli.enhance import Config, run
from campro.core.errors import CamproError
from campro.core.images import read_image, write_image
from campro.isp import Camera


@pytest.fixture
def photos(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (40, 64, 3), dtype=np.uint8)
    write_image(tmp_path / "in" / "a.png", rgb)
    write_image(tmp_path / "in" / "deep" / "b.png", 255 - rgb)
    return tmp_path / "in"


@pytest.mark.slow
def test_a_folder_with_and_without_its_profile_first(photos, tmp_path):
    run(Config(str(photos), tmp_path / "plain", check=False))
    run(Config(str(photos), tmp_path / "both", profile="campro-default"))
    captured = Camera("campro-default")(read_image(photos / "a.png"))
    write_image(tmp_path / "captured.png", captured)
    run(Config(str(tmp_path / "captured.png"), tmp_path / "alone.png"))
    assert (read_image(tmp_path / "both" / "a.png") == read_image(tmp_path / "alone.png")).all()
    assert (read_image(tmp_path / "plain" / "a.png") != read_image(tmp_path / "both" / "a.png")).any()
    assert (tmp_path / "plain" / "deep" / "b.png").is_file()


@pytest.mark.slow
def test_an_enhancer_of_another_profile_is_refused(photos, tmp_path):
    with pytest.raises(CamproError, match="--enhance"):
        run(Config(str(photos), tmp_path / "out", profile="invert"))


@pytest.mark.slow
def test_ordinary_pictures_are_refused_and_captured_ones_are_not(tmp_path, capsys):
    rgb = skimage.data.astronaut()[:300, 100:400]
    write_image(tmp_path / "in" / "ordinary.png", rgb)
    write_image(tmp_path / "in" / "captured.png", Camera("campro-default")(rgb))
    write_image(tmp_path / "in" / "captured.jpg", Camera("campro-default")(rgb))
    with pytest.raises(CamproError, match="got 1 that were not"):
        run(Config(str(tmp_path / "in"), tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["captured.jpg", "captured.png"]
    assert f"{tmp_path}/in/ordinary.png: enhance: expected a picture that was captured" in capsys.readouterr().err
    with pytest.raises(CamproError, match=r"ordinary\.png: .* add --profile"):
        run(Config(str(tmp_path / "in" / "ordinary.png"), tmp_path / "out"))
    run(Config(str(tmp_path / "in" / "ordinary.png"), tmp_path / "out", check=False))
