"""ICC profiles: wide gamuts are converted, sRGB is left alone bit for bit, what cannot be converted is refused."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from campro.core.colour_management import PRIMARIES, rgb_profile, to_srgb
from campro.core.errors import CamproError
from campro.core.images import read_image, write_image

COLOURS = np.array([[[224, 172, 140], [200, 40, 40], [60, 160, 60], [128, 128, 128], [9, 12, 20]]], np.uint8)
"""Colours inside sRGB, among them skin."""


def stored_as(rgb, name):
    """The same colours as numbers of another RGB space, by littleCMS."""
    profiles = [ImageCms.ImageCmsProfile(io.BytesIO(rgb_profile(space))) for space in ("sRGB", name)]
    return np.asarray(ImageCms.profileToProfile(Image.fromarray(rgb), *profiles))


@pytest.mark.parametrize("name", ["Display P3", "Adobe RGB", "BT.2020"])
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_wide_gamuts_are_converted(tmp_path, name, suffix):
    big = COLOURS.repeat(16, 0).repeat(16, 1)
    wide = stored_as(big, name)
    assert np.abs(wide.astype(int) - big).max() > 8
    lossless = {"lossless": True} if suffix == "webp" else {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
    Image.fromarray(wide).save(tmp_path / f"a.{suffix}", icc_profile=rgb_profile(name), **lossless)
    read = read_image(tmp_path / f"a.{suffix}")[8, 8::16]
    assert np.abs(read.astype(int) - COLOURS[0]).max() <= 4


def test_display_p3_agrees_with_the_definition():
    """By matrices of the chromaticities alone; both spaces have the same white and the same curve."""

    def to_xyz(name):
        xy = np.array(PRIMARIES[name])
        columns = np.stack([xy[:, 0] / xy[:, 1], np.ones(3), (1 - xy.sum(1)) / xy[:, 1]])
        return columns * np.linalg.solve(columns, [0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])

    encoded = stored_as(COLOURS, "Display P3") / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    linear = linear @ (np.linalg.inv(to_xyz("sRGB")) @ to_xyz("Display P3")).T
    back = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055) * 255
    assert np.abs(back - COLOURS).max() < 2


def test_srgb_profiles_leave_the_values_alone(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for icc in (rgb_profile("sRGB"), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()):
        Image.fromarray(rgb).save(tmp_path / "a.png", icc_profile=icc)
        assert (read_image(tmp_path / "a.png") == rgb).all()


@pytest.mark.parametrize("suffix", ["png", "jpg", "jfif", "tif", "webp"])
def test_written_files_carry_srgb_and_are_reproducible(tmp_path, suffix):
    for name in ("a", "b"):
        write_image(tmp_path / f"{name}.{suffix}", COLOURS)
    with Image.open(tmp_path / f"a.{suffix}") as image:
        assert image.info["icc_profile"] == rgb_profile("sRGB")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_adobe_rgb_by_its_exif_mark_is_converted(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0xA005)[1] = "R03"
    exif[0xA005] = {1: "R03"}
    exif[0x8769] = {0xA001: 0xFFFF, 0xA005: {1: "R03"}}
    Image.fromarray(stored_as(COLOURS, "Adobe RGB")).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        if image.getexif().get_ifd(0xA005).get(1) is None:
            pytest.skip("this Pillow does not write the mark")
    assert np.abs(read_image(tmp_path / "a.png").astype(int) - COLOURS).max() <= 2


def with_chunk(path, kind, data):
    """Insert a chunk behind the header of a PNG file."""
    raw = path.read_bytes()
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    path.write_bytes(raw[:33] + chunk + raw[33:])


def test_colour_codes_of_png(tmp_path):
    Image.fromarray(stored_as(COLOURS, "Display P3")).save(tmp_path / "p3.png")
    with_chunk(tmp_path / "p3.png", b"cICP", bytes([12, 13, 0, 1]))
    assert np.abs(read_image(tmp_path / "p3.png").astype(int) - COLOURS).max() <= 2
    for transfer, name in ((16, "PQ"), (18, "HLG")):
        Image.fromarray(COLOURS).save(tmp_path / "hdr.png")
        with_chunk(tmp_path / "hdr.png", b"cICP", bytes([9, transfer, 0, 1]))
        with pytest.raises(CamproError, match=rf"hdr\.png: .*{name}"):
            read_image(tmp_path / "hdr.png")


def test_gray_pictures_with_a_profile(tmp_path):
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(gray).save(tmp_path / "a.png", icc_profile=rgb_profile("sRGB"))
    assert (read_image(tmp_path / "a.png") == gray[..., None]).all()
    image = to_srgb(Image.fromarray(gray), rgb_profile("Adobe RGB"), tmp_path)
    assert image.mode == "RGB" and np.ptp(np.asarray(image).astype(int), axis=2).max() <= 1


def test_a_profile_of_other_colours_is_refused(tmp_path):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    Image.fromarray(COLOURS).save(tmp_path / "a.png", icc_profile=lab)
    with pytest.raises(CamproError, match=r"a\.png: expected an ICC profile for RGB"):
        read_image(tmp_path / "a.png")


@given(damage=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), min_size=1, max_size=8), cut=st.integers(0))
@settings(max_examples=60, deadline=None)
def test_damaged_profiles_give_a_picture_or_a_campro_error(tmp_path_factory, damage, cut):
    path = tmp_path_factory.mktemp("icc") / "a.png"
    raw = bytearray(rgb_profile("Display P3"))
    for place, value in damage:
        raw[place % len(raw)] = value
    Image.fromarray(COLOURS).save(path, icc_profile=bytes(raw[: len(raw) - cut % 200]))
    try:
        assert read_image(path).shape == COLOURS.shape
    except CamproError as error:
        assert "\n" not in str(error)
