from __future__ import annotations

import numpy as np
import pytest

from campro.cli.enhance import Config, run
from campro.core.errors import CamproError
from campro.core.images import read_image, write_image
from campro.enhance.enhancers import new_enhancer
from campro.enhance.export import export_onnx
from campro.isp import Camera, load_profile


@pytest.fixture(scope="module")
def enhancer(tmp_path_factory):
    """Untrained: it leaves colours as they are, and dims them by what its map happens to say."""
    file = tmp_path_factory.mktemp("enhancer") / "fast.onnx"
    export_onnx(new_enhancer("fast").eval(), file, load_profile("invert"))
    return file


@pytest.fixture
def photos(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (40, 64, 3), dtype=np.uint8)
    write_image(tmp_path / "in" / "a.png", rgb)
    write_image(tmp_path / "in" / "deep" / "b.png", 255 - rgb)
    return tmp_path / "in"


@pytest.mark.slow
def test_a_folder_with_and_without_its_profile_first(photos, enhancer, tmp_path):
    run(Config(str(photos), tmp_path / "plain", enhancer))
    run(Config(str(photos), tmp_path / "both", enhancer, "invert"))
    captured = Camera("invert")(read_image(photos / "a.png"))
    write_image(tmp_path / "captured.png", captured)
    run(Config(str(tmp_path / "captured.png"), tmp_path / "alone.png", enhancer))
    assert (read_image(tmp_path / "both" / "a.png") == read_image(tmp_path / "alone.png")).all()
    assert (read_image(tmp_path / "plain" / "a.png") != read_image(tmp_path / "both" / "a.png")).any()
    assert (tmp_path / "plain" / "deep" / "b.png").is_file()


@pytest.mark.slow
def test_an_enhancer_of_another_profile_is_refused(photos, enhancer, tmp_path):
    with pytest.raises(CamproError, match="--enhance"):
        run(Config(str(photos), tmp_path / "out", enhancer, "campro-default"))
