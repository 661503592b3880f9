from __future__ import annotations

import io
import logging
import sys

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, features

from campro.core import images as module
from campro.core.errors import CamproError
from campro.core.images import decode_image, list_images, read_image, read_image_cached, to_rgb8, to_tensor, write_image


@pytest.fixture
def rgb():
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", ["png", "PNG", "bmp", "webp", "tif", "tiff"])
def test_lossless_formats_round_trip(tmp_path, rgb, suffix):
    write_image(tmp_path / "new" / f"a.{suffix}", rgb)
    assert (read_image(tmp_path / "new" / f"a.{suffix}") == rgb).all()
    assert len(list((tmp_path / "new").iterdir())) == 1  # no part file remains


def test_agrees_with_opencv_on_a_jpeg(tmp_path):
    smooth = cv2.resize(np.random.default_rng(1).integers(0, 256, (4, 4, 3), dtype=np.uint8), (64, 48))
    write_image(tmp_path / "a.jpg", smooth)
    theirs = cv2.imread(str(tmp_path / "a.jpg"))[..., ::-1]
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - theirs).max() <= 1
    assert np.abs(theirs.astype(int) - smooth).mean() < 2


def test_images_are_cached_up_to_the_limit(tmp_path, rgb, monkeypatch):
    monkeypatch.setattr(module, "CACHE_BYTES", rgb.nbytes)
    monkeypatch.setattr(module, "_cache", {})
    for name in ("first.png", "second.png"):
        write_image(tmp_path / name, rgb)
        assert np.array_equal(read_image_cached(tmp_path / name), rgb)
        (tmp_path / name).unlink()
    assert np.array_equal(read_image_cached(tmp_path / "first.png"), rgb)
    with pytest.raises(CamproError):
        read_image_cached(tmp_path / "second.png")


def test_gray_is_expanded_and_reported_once(tmp_path, rgb, caplog):
    Image.fromarray(rgb[..., 0]).save(tmp_path / "grey.png")
    with caplog.at_level(logging.WARNING, logger="campro"):
        first = read_image(tmp_path / "grey.png")
        read_image(tmp_path / "grey.png")
    assert (first == rgb[..., :1]).all() and first.shape == rgb.shape
    assert [record.message for record in caplog.records] == [
        f"{tmp_path}/grey.png: gray image, expanded to three equal channels"
    ]


def test_opaque_alpha_is_dropped_and_transparency_refused(tmp_path, rgb, caplog):
    alpha = np.full(rgb.shape[:2], 255, np.uint8)
    Image.fromarray(np.dstack([rgb, alpha])).save(tmp_path / "opaque.png")
    assert (read_image(tmp_path / "opaque.png") == rgb).all()
    assert "alpha" in caplog.text
    alpha[3, 4] = 254
    Image.fromarray(np.dstack([rgb, alpha])).save(tmp_path / "clear.png")
    with pytest.raises(CamproError, match=r"clear\.png.*transparent.*flatten"):
        read_image(tmp_path / "clear.png")


def test_palette_and_its_transparency(tmp_path, rgb):
    palette = Image.fromarray(rgb // 64 * 64).quantize(64)
    palette.save(tmp_path / "palette.png")
    assert (read_image(tmp_path / "palette.png") == np.array(palette.convert("RGB"))).all()
    palette.save(tmp_path / "hole.png", transparency=int(np.array(palette)[0, 0]))
    with pytest.raises(CamproError, match="transparent"):
        read_image(tmp_path / "hole.png")


@pytest.mark.parametrize("name", ["grey.png", "grey.tif", "colour.png", "colour.tif"])
def test_sixteen_bits_are_rounded_with_a_note(tmp_path, rgb, name, caplog):
    deep = np.random.default_rng(0).integers(0, 1 << 16, rgb.shape, dtype=np.uint16)
    cv2.imwrite(str(tmp_path / name), deep[..., 0] if name.startswith("grey") else deep[..., ::-1])
    expected = np.floor(deep / 257 + 0.5)
    assert (read_image(tmp_path / name) == (expected[..., :1] if name.startswith("grey") else expected)).all()
    assert f"{name}: 16 bits per channel, rounded to 8" in caplog.text


def test_transparency_of_sixteen_bits_is_refused(tmp_path, rgb):
    deep = np.dstack([rgb.astype(np.uint16) * 257, np.full(rgb.shape[:2], 65000, np.uint16)])
    cv2.imwrite(str(tmp_path / "clear.png"), deep)
    with pytest.raises(CamproError, match="transparent"):
        read_image(tmp_path / "clear.png")


def test_float_cmyk_and_animation_are_refused(tmp_path, rgb):
    Image.fromarray(rgb[..., 0].astype(np.float32)).save(tmp_path / "f.tif")
    Image.fromarray(rgb).convert("CMYK").save(tmp_path / "cmyk.jpg")
    frames = [Image.fromarray(rgb), Image.fromarray(255 - rgb)]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    for name, why in (("f.tif", "8 or 16 bits"), ("cmyk.jpg", "sRGB"), ("moving.png", "2 frames")):
        with pytest.raises(CamproError, match=why):
            read_image(tmp_path / name)


def test_exif_orientation_is_applied(tmp_path, rgb):
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate 90 degrees clockwise to view"
    Image.fromarray(rgb).save(tmp_path / "turned.png", exif=exif)
    assert (read_image(tmp_path / "turned.png") == np.rot90(rgb, k=-1)).all()


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp", "tif"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.6])
def test_truncated_files_are_refused_by_name(tmp_path, rgb, suffix, kept):
    path = tmp_path / f"cut.{suffix}"
    write_image(path, rgb)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(CamproError, match=rf"cut\.{suffix}: expected a whole image file"):
        read_image(path)


def test_missing_file_folder_and_text_are_refused(tmp_path):
    (tmp_path / "notes.jpg").write_text("hello")
    for name, why in (("notes.jpg", "not an image"), ("absent.jpg", "no such file"), ("", "a folder")):
        with pytest.raises(CamproError, match=why):
            read_image(tmp_path / name)


@given(damage=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=5))
def test_damaged_bytes_give_an_image_or_a_campro_error(tmp_path_factory, damage):
    path = tmp_path_factory.mktemp("fuzz") / "a.png"
    write_image(path, np.zeros((8, 8, 3), np.uint8))
    raw = bytearray(path.read_bytes())
    for place, value in damage:
        raw[place % len(raw)] = value
    path.write_bytes(raw)
    try:
        assert read_image(path).dtype == np.uint8
    except CamproError as error:
        assert "a.png" in str(error) and "\n" not in str(error)


def test_write_refuses_wrong_shape_type_and_suffix(tmp_path, rgb):
    for bad, name in ((rgb.astype(float), "a.png"), (rgb[..., 0], "a.png"), (rgb[None], "a.png"), (rgb, "a.gif")):
        with pytest.raises(CamproError):
            write_image(tmp_path / name, bad)
    with pytest.raises(CamproError, match=r"a size that \.jpg can hold"):
        write_image(tmp_path / "wide.jpg", np.zeros((1, 70_000, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_images_are_listed_recursively_in_order_without_hidden_files(tmp_path):
    for name in ("b.JPG", "a.png", "deep/er/c.webp", ".hidden.png", ".cache/d.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in list_images(tmp_path)] == ["a.png", "b.JPG", "deep/er/c.webp"]
    with pytest.raises(CamproError, match="no such folder"):
        list_images(tmp_path / "absent")


@given(arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.just(3))))
def test_tensor_round_trip_is_exact(stack):
    tensor = to_tensor(stack)
    assert tensor.shape == (len(stack), 3, *stack.shape[1:3]) and tensor.is_contiguous()
    assert (to_rgb8(tensor) == stack).all()
    assert float(tensor[0, 2, 0, 0]) == pytest.approx(stack[0, 0, 0, 2] / 255)


def test_rounding_is_half_up_and_nan_is_refused():
    levels = torch.tensor([0.0, 0.49, 0.5, 1.5, 2.5, 255.0], dtype=torch.float64) / 255
    assert to_rgb8(levels.expand(1, 3, 1, -1))[0, 0, :, 0].tolist() == [0, 0, 1, 2, 3, 255]
    for bad in (float("nan"), 1.01, -0.01):
        with pytest.raises(CamproError, match=r"values in \[0, 1\]"):
            to_rgb8(torch.full((1, 3, 2, 2), bad))


def test_every_suffix_can_be_written():
    assert set(module.IMAGE_SUFFIXES) <= set(Image.registered_extensions())


def test_other_suffixes_of_phones_are_read(tmp_path, rgb):
    Image.fromarray(rgb).save(tmp_path / "a.jfif", "JPEG")
    Image.fromarray(rgb // 64 * 64).quantize(64).save(tmp_path / "b.gif")
    names = ["a.jfif", "b.gif"]
    if features.check("avif"):
        Image.fromarray(rgb).save(tmp_path / "c.avif", quality=100)
        names.append("c.avif")
    assert [path.name for path in list_images(tmp_path)] == names
    assert all(read_image(tmp_path / name).shape == rgb.shape for name in names)


def test_heic_without_its_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(CamproError, match=r"pip install 'campro\[heif\]'"):
        read_image(tmp_path / "a.HEIC")


def test_heic_is_read(tmp_path, rgb):
    pillow_heif = pytest.importorskip("pillow_heif")
    smooth = cv2.resize(rgb[:4, :4], (64, 48))
    pillow_heif.from_pillow(Image.fromarray(smooth)).save(tmp_path / "a.heic", quality=100, chroma=444)
    assert np.abs(read_image(tmp_path / "a.heic").astype(int) - smooth).mean() < 3


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.gif", "deep.png", "turned.jpg"])
def test_a_file_in_memory_is_read_as_from_disk(tmp_path, rgb, name):
    path = tmp_path / name
    if name == "deep.png":
        cv2.imwrite(str(path), rgb.astype(np.uint16) * 257 + 3)
    elif name == "turned.jpg":
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(rgb).save(path, exif=exif)
    else:
        Image.fromarray(rgb).save(path)
    assert (decode_image(path.read_bytes(), "upload", 10**6) == read_image(path)).all()


def test_a_file_in_memory_is_refused_by_the_name_given(rgb):
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    with pytest.raises(CamproError, match="upload: expected a whole image file"):
        decode_image(buffer.getvalue()[:60], "upload", 10**6)
    with pytest.raises(CamproError, match="upload: expected at most 0 megapixels"):
        decode_image(buffer.getvalue(), "upload", 1)
