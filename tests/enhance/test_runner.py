"""Exported enhancers on 8-bit pictures and video."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import skimage
import torch
from support.identity_networks import identity_enhancer, write_identity

from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.enhance.composer import Composer
from campro.enhance.export import CELL_MAP, ENHANCED, PROFILE
from campro.enhance.recolouring import ambiguity_classes, without_recolouring
from campro.enhance.runner import SHIPPED, OnnxEnhancer, VideoEnhancer, load_enhancer
from campro.inversion import cell_grid
from campro.inversion.inverse import BINS, Inverse
from campro.isp import Camera, load_profile

PROFILE_DEFAULT = load_profile("campro-default")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(96, 160), (33, 95), (200, 64)])
@pytest.mark.parametrize("name", ["fast", "unet"])
def test_the_runner_agrees_with_pytorch_to_a_rounding_step(exported, name, size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)  # no camera output: the 3D LUT
    found = OnnxEnhancer(exported[name].file, fill="black")(rgb)  # the network multiplies by the mask
    with torch.no_grad():
        wanted = exported[name].network(to_tensor(rgb)).clamp(0, 1)[0].permute(1, 2, 0).numpy() * 255
    assert found.dtype == np.uint8
    assert found.shape == rgb.shape
    assert np.abs(found - wanted).max() < (2 if name == "fast" else 0.52)  # fast also rounds colours and means


@pytest.mark.slow
def test_camera_output_is_recoloured_by_the_exact_inverse(exported, monkeypatch):
    rgb = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    captured, enhancer = Camera(PROFILE_DEFAULT)(rgb), OnnxEnhancer(exported["fast"].file)
    recoloured = enhancer.recolouring(captured)
    assert enhancer.profile.digest == PROFILE_DEFAULT.digest
    exact, codes = Inverse(PROFILE_DEFAULT, np.full(BINS, 1 / BINS)).with_ambiguity(captured)
    ambiguity, fast = ambiguity_classes(torch.from_numpy(codes[None])), exported["fast"].network
    monkeypatch.setattr(fast, "_ambiguity_of", lambda images: ambiguity)
    monkeypatch.setattr(fast.lut, "forward", lambda images: to_tensor(exact))
    with torch.no_grad():
        wanted = fast.with_cell_map(to_tensor(captured))[1][0]
    assert recoloured.is_camera_output
    np.testing.assert_allclose(enhancer.cell_map(captured, recoloured), wanted, atol=0.005)  # means are rounded
    found, certain = enhancer.without_mask(captured), codes == 0
    assert 0.1 < certain.mean() < 0.9
    np.testing.assert_array_equal(found[certain], exact[certain])
    assert (found >= enhancer.with_fill("black")(captured)).all()


@pytest.mark.slow
def test_the_networks_get_a_large_picture_downscaled(exported, monkeypatch):
    """A picture with every pixel repeated four times is enhanced like the small picture, with a smoother cell map."""
    small = Camera(PROFILE_DEFAULT)(np.ascontiguousarray(skimage.data.astronaut()[:200, :310]))
    enhancer = OnnxEnhancer(exported["fast"].file)
    once = enhancer(small)
    monkeypatch.setattr(cell_grid, "MAX_LINES", 200)
    large = small.repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(cell_grid.downscaled(large), small)
    assert np.abs(enhancer(large)[::2, ::2].astype(int) - once).mean() < 0.5


@pytest.mark.slow
def test_the_input_picture_is_not_changed(exported):
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    before = rgb.copy()
    enhancer = OnnxEnhancer(exported["fast"].file)
    enhancer(rgb), enhancer.without_mask(rgb), enhancer.video()(rgb)
    np.testing.assert_array_equal(rgb, before)


def test_an_enhancer_has_the_profile_of_its_file_and_refuses_pictures_of_others():
    enhancer = OnnxEnhancer(SHIPPED)
    assert enhancer.profile.digest == PROFILE_DEFAULT.digest
    assert enhancer.name == "enhanced"
    enhancer.check_profile(PROFILE_DEFAULT.digest, "campro-default")
    with pytest.raises(CamproError, match="train one for it"):
        enhancer.check_profile(load_profile("invert").digest, "invert")


def test_an_enhancer_that_is_not_fast_has_no_tables_and_no_video_mode(tmp_path):
    enhancer = OnnxEnhancer(identity_enhancer(tmp_path / "identity.onnx"))
    assert enhancer.video() is enhancer
    with pytest.raises(CamproError, match="fast enhancer"):
        enhancer.without_mask(np.zeros((8, 8, 3), np.uint8))


@pytest.mark.parametrize("content", [None, b"no model"])
def test_a_missing_or_damaged_file_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "enhancer.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CamproError) as caught:
        OnnxEnhancer(path)
    assert "\n" not in str(caught.value)


def test_another_network_is_refused(tmp_path):
    write_identity(tmp_path / "other.onnx", ["scores"], {})
    with pytest.raises(CamproError, match="inputs and outputs captured, scores"):
        OnnxEnhancer(tmp_path / "other.onnx")


def test_a_fast_enhancer_without_tables_is_refused(tmp_path):
    write_identity(tmp_path / "old.onnx", [ENHANCED, CELL_MAP], {PROFILE: PROFILE_DEFAULT.to_json()})
    with pytest.raises(CamproError, match="an older version"):
        OnnxEnhancer(tmp_path / "old.onnx")


class FakeEnhancer:
    """An enhancer that changes no colour, with given masks."""

    name = digest = "fake"

    def __init__(self, *masks):
        self.masks = iter(masks)

    def recolouring(self, rgb):
        return without_recolouring(rgb.copy())

    def compose(self, rgb, recoloured, cell_map, out):
        return Composer(np.zeros((2, 2, 2), np.float32))(recoloured.rgb, recoloured.ambiguity, cell_map, out)

    def cell_map(self, rgb, recoloured):
        cell_map = np.full((7, -(-len(rgb) // 64) * 8, 8), rgb.mean() / 255, np.float32)
        cell_map[0] = next(self.masks)
        return cell_map


def test_in_video_the_mask_falls_at_once_and_rises_by_a_sixteenth_a_frame():
    video = VideoEnhancer(FakeEnhancer(1, 0, 1, 1, 0.25, 1))
    white = np.full((64, 64, 3), 255, np.uint8)
    assert [video(white).mean() for _ in range(5)] == [255, 0, 16, 32, 48]
    assert video(np.concatenate([white, white])).mean() == 255  # another size: a new video


def test_in_video_the_mask_rises_at_once_where_the_content_changes():
    video = VideoEnhancer(FakeEnhancer(0, 1))
    dark, bright = np.full((64, 64, 3), 20, np.uint8), np.full((64, 64, 3), 220, np.uint8)
    assert [video(frame).mean() for frame in (dark, bright)] == [0, 220]


def test_the_card_of_the_shipped_enhancer_states_the_hash_of_its_file():
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest() in SHIPPED.with_suffix(".md").read_text(encoding="utf-8")


def _blocks(picture):
    """Mean levels of blocks of 40 x 40 pixels."""
    return picture.reshape(3, 40, 4, 40, 3).mean((1, 3))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["camera output", "other picture"])
def test_the_shipped_enhancer_does_not_change(kind):
    """Means of blocks as first measured; single levels may differ between processors."""
    y, x = np.mgrid[:120, :160]
    picture = np.stack([60 + x, 40 + y + x // 4, 200 - y], 2).astype(np.uint8)
    enhancer = load_enhancer()
    assert enhancer.with_fill("black").digest == "fe971b3d1f4a8ac9cb39af40592cacb0340414b2ac65320782803461233dbd45"
    captured = picture if kind == "other picture" else Camera(PROFILE_DEFAULT)(picture)
    assert enhancer.recolouring(captured).is_camera_output == (kind == "camera output")
    np.testing.assert_allclose(_blocks(enhancer.without_mask(captured)), BLOCKS[kind], atol=0.6)


BLOCKS = {
    "camera output": [
        [[79.6, 64.1, 180.4], [119.4, 75.8, 180.2], [159.5, 84.1, 180.6], [199.6, 94.5, 180.3]],
        [[79.6, 104.3, 140.3], [119.4, 113.9, 140.1], [159.5, 124.3, 140.4], [199.6, 134.0, 140.4]],
        [[79.6, 143.7, 101.1], [119.6, 153.8, 100.6], [159.5, 164.0, 100.8], [199.6, 174.0, 100.7]],
    ],
    "other picture": [
        [[158.9, 166.0, 15.3], [138.1, 166.1, 28.0], [88.6, 164.6, 44.7], [59.6, 158.8, 54.2]],
        [[172.0, 155.2, 98.7], [137.4, 144.0, 102.0], [87.1, 126.3, 102.7], [57.0, 107.7, 108.4]],
        [[164.1, 124.7, 137.3], [133.7, 112.9, 144.8], [85.9, 79.9, 148.9], [56.8, 67.6, 146.2]],
    ],
}
