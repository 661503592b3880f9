"""The exported file against PyTorch, at sizes that the exporter never saw."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import skimage
import torch
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.enhance.colours import spread_classes
from campro.enhance.enhancer_base import as_captured
from campro.enhance.enhancers import new_enhancer
from campro.enhance.export import ENHANCED, PICTURE, export_onnx
from campro.enhance.fused_kernels import Composer, planes
from campro.enhance.padding import padded
from campro.enhance.runner import Film, OnnxEnhancer
from campro.inversion import cell_grid
from campro.inversion.cell_grid import MULTIPLE
from campro.inversion.inverse import CELLS, Inverse
from campro.isp import Camera, load_profile

PROFILE = load_profile("campro-default")
SIZES = [(96, 160), (33, 95), (200, 64)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A fast enhancer with tables that are no identities and norms that have seen pictures, and a small U-Net."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("onnx")
    fast = new_enhancer("fast")
    fast.table.values.data.uniform_(0, 1)
    corrections = torch.empty(1, 1, 4, 4, 4).uniform_(-0.1, 0.1)
    fast.spread.random_(0, 64)
    fast.corrections.values.data = F.interpolate(corrections, (33, 33, 33), mode="trilinear", align_corners=True)[0]
    fast.tint_net.draw.head.weight.data.uniform_(-0.1, 0.1)
    fast(torch.rand(4, 3, 128, 128))
    fast.eval()
    unet = new_enhancer("unet").eval()
    for name, enhancer in (("fast", fast), ("unet", unet)):
        export_onnx(enhancer, folder / f"{name}.onnx", PROFILE)
    return folder, {"fast": fast, "unet": unet}


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["fast", "unet"])
def test_the_file_agrees_with_pytorch(files, name, size):
    folder, networks = files
    session = onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    captured = torch.rand(1, 3, *size)
    (found,) = session.run([ENHANCED], {PICTURE: captured.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(found, networks[name](captured).numpy(), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["fast", "unet"])
def test_the_runner_agrees_with_pytorch_to_a_rounding_step(files, name, size):
    folder, networks = files
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    found = OnnxEnhancer(folder / f"{name}.onnx")(rgb)  # noise, which no camera with this profile makes: the 3D LUT
    with torch.no_grad():
        wanted = networks[name](to_tensor(rgb)).clamp(0, 1)[0].permute(1, 2, 0).numpy() * 255
    assert found.dtype == np.uint8
    assert found.shape == rgb.shape
    assert np.abs(found - wanted).max() < (2 if name == "fast" else 0.52)  # fast rounds colours and means, too


@pytest.mark.slow
def test_a_picture_as_the_camera_made_it_is_told_from_others(files, monkeypatch):
    """The network hears of its exact inverse, and what had one raw colour alone gets it back."""
    folder, networks = files
    rgb = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    captured, enhancer = Camera(PROFILE)(rgb), OnnxEnhancer(folder / "fast.onnx")
    coloured = enhancer.colours(captured)
    recoloured, codes = Inverse(PROFILE, np.full(CELLS, 1 / CELLS)).with_spread(captured)
    spread, fast = spread_classes(torch.from_numpy(codes[None])), networks["fast"]
    monkeypatch.setattr(fast, "_spread_of", lambda images: spread)
    monkeypatch.setattr(fast.table, "forward", lambda images: to_tensor(recoloured))
    with torch.no_grad():
        wanted = fast.with_context(to_tensor(captured))[1][0]
    assert coloured.as_made
    np.testing.assert_allclose(enhancer.context(captured, coloured), wanted, atol=0.005)  # means are rounded
    found, certain = enhancer.with_faces(captured), codes == 0
    assert 0.1 < certain.mean() < 0.9
    np.testing.assert_array_equal(found[certain], recoloured[certain])
    assert (found >= enhancer(captured)).all()


class Given:
    """An enhancer that changes no colour and draws the maps that it is given."""

    name = digest = "given"

    def __init__(self, *kept):
        self.kept = iter(kept)

    def colours(self, rgb):
        return as_captured(rgb.copy())

    def compose(self, rgb, coloured, context, out):
        return Composer(np.zeros((2, 2, 2), np.float32))(coloured.rgb, coloured.spread, context, out)

    def context(self, rgb, coloured):
        context = np.full((7, -(-len(rgb) // 64) * 8, 8), rgb.mean() / 255, np.float32)
        context[0] = next(self.kept)
        return context


def test_a_film_gives_back_slowly_what_it_left_out():
    """At once black, then a sixteenth of white more in every frame; a frame of another size starts anew."""
    film = Film(Given(1, 0, 1, 1, 0.25, 1))
    white = np.full((64, 64, 3), 255, np.uint8)
    assert [film(white).mean() for _ in range(5)] == [255, 0, 16, 32, 48]
    assert film(np.concatenate([white, white])).mean() == 255


def test_a_film_forgets_what_was_elsewhere():
    """What was left out of one scene leaves no shadow in the next."""
    film = Film(Given(0, 1))
    dark, bright = np.full((64, 64, 3), 20, np.uint8), np.full((64, 64, 3), 220, np.uint8)
    assert [film(frame).mean() for frame in (dark, bright)] == [0, 220]


@pytest.mark.slow
def test_networks_see_what_pytorch_sees():
    rgb = np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)
    np.testing.assert_array_equal(planes(rgb[:, ::-1]), to_tensor(rgb[:, ::-1]).numpy())
    np.testing.assert_array_equal(planes(rgb, MULTIPLE), padded(to_tensor(rgb), MULTIPLE).numpy())


@pytest.mark.slow
def test_of_a_large_picture_networks_see_a_small_one(files, monkeypatch):
    """One that was small and has each pixel four times is enhanced as the small one, but for a softer map."""
    small = Camera(PROFILE)(np.ascontiguousarray(skimage.data.astronaut()[:200, :310]))
    enhancer = OnnxEnhancer(files[0] / "fast.onnx")
    once = enhancer(small)
    monkeypatch.setattr(cell_grid, "MAX_LINES", 200)
    large = small.repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(cell_grid.downscaled(large), small)
    assert np.abs(enhancer(large)[::2, ::2].astype(int) - once).mean() < 0.5


@pytest.mark.slow
def test_pictures_are_not_written_to(files):
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    before = rgb.copy()
    enhancer = OnnxEnhancer(files[0] / "fast.onnx")
    enhancer(rgb), enhancer.with_faces(rgb), enhancer.film()(rgb)
    np.testing.assert_array_equal(rgb, before)


def test_the_file_says_for_which_profile(files):
    enhancer = OnnxEnhancer(files[0] / "fast.onnx")
    assert enhancer.profile.digest == PROFILE.digest
    assert enhancer.name == "enhanced"


def test_the_file_says_nothing_of_where_it_was_made(files):
    for name in ("fast", "unet"):
        content = (files[0] / f"{name}.onnx").read_bytes()
        assert not [word for word in (b".py", b"campro.", b"site-packages") if word in content]


def test_files_of_something_else(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    for name in ("absent.onnx", "broken.onnx"):
        with pytest.raises(CamproError) as caught:
            OnnxEnhancer(tmp_path / name)
        assert "\n" not in str(caught.value)
