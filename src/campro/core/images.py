"""Reading photographs as 8-bit sRGB, and writing them. What cannot be converted exactly is refused or reported."""

from __future__ import annotations

import io
import logging
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from jaxtyping import UInt8, UInt32
from PIL import Image, ImageOps

from campro.core.atomic_io import replacing
from campro.core.checks import check_images, check_rgb8
from campro.core.colour_management import H273_PRIMARIES, HDR_TRANSFERS, rgb_profile, to_srgb
from campro.core.errors import CamproError
from campro.core.extras import require
from campro.core.media import HEIF_SUFFIXES, IMAGE_SUFFIXES, READABLE_SUFFIXES
from campro.core.types import Rgb8

if TYPE_CHECKING:
    import torch

    from campro.core.types import Images

_JPEG: dict[str, object] = {"quality": 95, "subsampling": 0}  # full colour resolution: the protection is in the colours
_WRITE_OPTIONS: dict[str, dict[str, object]] = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), _JPEG),
    ".png": {"compress_level": 1},  # of a photograph: a quarter of the time of level 6, and 8 % more bytes
    ".webp": {"lossless": True},
}
_HEAD_BYTES = 1 << 16
"""Bytes at the start of a file in which its colour codes (`cICP`, `nclx`) are looked for."""
_ADOBE_RGB_INTEROP = "R03"
"""Interoperability index of Exif 2.3 for Adobe RGB, which cameras write instead of an ICC profile."""
_ORIENTATION, _INTEROP_IFD = 0x0112, 0xA005
"""EXIF tags."""
_DEEP_MAX = (1 << 16) - 1
_FLATTEN = "flatten it onto a background first, e.g. magick IN -background white -flatten OUT"
CACHE_BYTES = 2 << 30
"""Size of the cache of `read_image_cached` in bytes."""
_cache: dict[Path, Rgb8] = {}
_log = logging.getLogger("campro")


def read_image(path: Path) -> Rgb8:
    """Read a photograph as 8-bit sRGB (H, W, 3), rotated by its EXIF orientation.

    An embedded ICC profile that is not sRGB is converted, as is Adobe RGB by its EXIF mark. Gray images are expanded
    to RGB, 16 bits per channel are rounded to 8, and a fully opaque alpha channel is removed, each with one line in
    the log. HEIC needs the extra `heif`.

    Raises:
        CamproError: for missing, damaged or truncated files, floating-point values, HDR (PQ, HLG), transparency, CMYK
            without an ICC profile (its conversion to sRGB depends on the ink), damaged ICC profiles, animations, and
            HEIC without pillow-heif.
    """
    path = Path(path)
    if not path.is_file():
        raise CamproError(str(path), "an image file", "a folder" if path.is_dir() else "no such file")
    if path.suffix.lower() in HEIF_SUFFIXES:
        require("pillow_heif", "heif", str(path)).register_heif_opener()
    return _decode(path, path, None)


def decode_image(data: bytes, name: str, max_pixels: int) -> Rgb8:
    """As `read_image`, of a file in memory; nothing is written to disk. HEIC if pillow-heif is installed.

    Args:
        data: content of the file.
        name: what error messages call it.
        max_pixels: largest number of pixels; that in the header is checked before anything is decoded.

    Raises:
        CamproError: as `read_image`, and for more pixels than `max_pixels`.
    """
    if data[4:8] == b"ftyp" and b"avif" not in data[8:32]:  # ISO 14496-12: a container, here HEIF
        require("pillow_heif", "heif", name).register_heif_opener()
    return _decode(data, Path(name), max_pixels)


def _decode(source: Path | bytes, path: Path, max_pixels: int | None) -> Rgb8:
    """The picture in a file or in memory; `path` is what error messages call it."""
    try:
        with Image.open(source if isinstance(source, Path) else io.BytesIO(source)) as image:
            if max_pixels is not None and image.width * image.height > max_pixels:
                size = f"{image.width} x {image.height}"
                raise CamproError(str(path), f"at most {max_pixels / 1e6:.0f} megapixels", size, "make it smaller")
            _refuse_unsuitable(image, path)
            # in this order: EXIF data may load the picture
            deep, icc = _is_deep(image), _icc_profile(image, path, source)
            image.load()
            levels = _rounded(image, path, source) if deep else image
            return np.array(_as_rgb(ImageOps.exif_transpose(levels), icc, path))
    except CamproError:
        raise
    except Exception as error:  # decoders raise errors of many classes for damaged files
        reason = "not an image" if isinstance(error, Image.UnidentifiedImageError) else f"a damaged one ({error})"
        raise CamproError(str(path), "a whole image file", reason, "replace or remove the file") from error


def is_image(path: Path) -> bool:
    """Whether the content of a file is that of a picture format that Pillow knows; only its header is read."""
    try:
        with Image.open(path) as image:
            return image.format not in ("MPEG", "WMF", "EPS")  # recognised by Pillow, but not read
    except Exception:  # decoders raise errors of many classes for damaged files
        return False


def read_image_cached(path: Path) -> Rgb8:
    """`read_image` with a cache of CACHE_BYTES in memory, for training; images that do not fit are read again.

    The cached array is shared: do not change it.

    Raises:
        CamproError: see `read_image`.
    """
    if path in _cache:
        return _cache[path]
    rgb = read_image(path)
    if rgb.nbytes + sum(cached.nbytes for cached in _cache.values()) <= CACHE_BYTES:
        _cache[path] = rgb
    return rgb


def write_image(path: Path, rgb: Rgb8) -> None:
    """Write an 8-bit sRGB image (H, W, 3) atomically: JPEG at quality 95 without chroma subsampling, others lossless.

    The file carries an sRGB profile, except BMP, which cannot.

    Raises:
        CamproError: for another shape or dtype, an unknown suffix, a size that the format does not support, or if the
            file cannot be written.
    """
    path = Path(path)
    check_rgb8(rgb, "write_image")
    if rgb.ndim != 3:
        raise CamproError("write_image", "one image (H, W, 3)", str(rgb.shape))
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        raise CamproError(str(path), "one of " + " ".join(IMAGE_SUFFIXES), suffix or "no suffix", "choose .png or .jpg")
    buffer = io.BytesIO()
    try:
        kind, options = Image.registered_extensions()[suffix], _WRITE_OPTIONS.get(suffix, {})
        if kind != "BMP":
            options = {**options, "icc_profile": rgb_profile("sRGB")}
        Image.fromarray(rgb).save(buffer, kind, **options)
    except (OSError, ValueError, SystemError) as error:
        shape = f"{rgb.shape[1]} x {rgb.shape[0]} pixels ({error})"
        raise CamproError(str(path), f"a size that {suffix} can hold", shape) from error
    with replacing(path) as part:
        part.write_bytes(buffer.getbuffer())


def list_images(folder: Path) -> list[Path]:
    """All files below `folder` with one of READABLE_SUFFIXES, sorted by path, without hidden files and folders.

    Raises:
        CamproError: if the folder does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CamproError(str(folder), "a folder of images", "a file" if folder.exists() else "no such folder")
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in READABLE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def to_tensor(rgb: Rgb8 | UInt8[np.ndarray, "B H W 3"], device: torch.device | None = None) -> Images:
    """Convert 8-bit images (H, W, 3) or (B, H, W, 3) to float32 (B, 3, H, W) in [0, 1]; on the CPU if `device` is None.

    Raises:
        CamproError: for another shape or dtype.
    """
    check_rgb8(rgb, "to_tensor")
    import torch

    stack = torch.from_numpy(np.ascontiguousarray(rgb if rgb.ndim == 4 else rgb[None])).to(device)
    return stack.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format).div_(255)


def to_rgb8(images: Images) -> UInt8[np.ndarray, "B H W 3"]:
    """Convert images (B, 3, H, W) in [0, 1] to 8-bit (B, H, W, 3), rounded half up; the inverse of `to_tensor`.

    Raises:
        CamproError: for another shape, or values outside [0, 1].

    >>> import torch
    >>> to_rgb8(torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1)).flatten().tolist()
    [0, 128, 255]
    """
    check_images(images, "to_rgb8")
    import torch

    levels = images.detach().mul(255).add_(0.5).floor_().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def _refuse_unsuitable(image: Image.Image, path: Path) -> None:
    if image.mode[0] == "F" or (image.mode[0] == "I" and not _is_deep(image)):
        raise CamproError(
            str(path),
            "8 or 16 bits per channel",
            f"more (mode {image.mode})",
            "convert to 8-bit, e.g. magick IN -depth 8 OUT",
        )
    unknown_ink = image.mode == "CMYK" and "icc_profile" not in image.info
    if unknown_ink or image.mode in ("YCCK", "LAB", "HSV"):
        raise CamproError(str(path), "an RGB or gray image", image.mode, "convert to sRGB in a photo editor first")
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":  # MPO: a JPEG followed by further images
        raise CamproError(str(path), "a still image", f"{getattr(image, 'n_frames', 0)} frames", "extract one frame")


def _icc_profile(image: Image.Image, path: Path, source: Path | bytes) -> bytes | None:
    """The ICC profile of a picture; that of its colour codes or of its EXIF mark, if it has none; None for sRGB.

    Raises:
        CamproError: for an HDR transfer function.
    """
    primaries, transfer = _colour_codes(image, source)
    if transfer in HDR_TRANSFERS:
        remedy = "export it as SDR (sRGB) first"
        raise CamproError(str(path), "a picture of standard dynamic range", f"{HDR_TRANSFERS[transfer]} (HDR)", remedy)
    if icc := image.info.get("icc_profile"):
        return bytes(icc)
    if primaries in H273_PRIMARIES:
        return rgb_profile(H273_PRIMARIES[primaries])
    if image.mode == "RGB":
        with suppress(Exception):  # damaged EXIF data raise errors of many classes
            if str(image.getexif().get_ifd(_INTEROP_IFD).get(1, "")).strip("\0 ") == _ADOBE_RGB_INTEROP:
                return rgb_profile("Adobe RGB")
    return None


def _colour_codes(image: Image.Image, source: Path | bytes) -> tuple[int, int]:
    """Primaries and transfer function by ITU-T H.273 as a PNG, AVIF or HEIC file states them; (0, 0) if it does not."""
    if image.format == "HEIF":  # a file may hold further pictures, with codes of their own
        codes = image.info.get("nclx_profile") or {}
        return int(codes.get("color_primaries", 0)), int(codes.get("transfer_characteristics", 0))
    if image.format not in ("PNG", "AVIF") or (image.format == "AVIF" and "icc_profile" in image.info):
        return 0, 0
    head = _head(source)
    if image.format == "PNG":
        place = head.find(b"cICP")  # chunk of PNG 3: one byte each
        return (head[place + 4], head[place + 5]) if 0 <= place < len(head) - 6 else (0, 0)
    place = head.find(b"colrnclx")  # box of ISO 14496-12, 12.1.5: two bytes each
    if not 0 <= place < len(head) - 12:
        return 0, 0
    return int.from_bytes(head[place + 8 : place + 10]), int.from_bytes(head[place + 10 : place + 12])


def _head(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:_HEAD_BYTES]
    with source.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _is_deep(image: Image.Image) -> bool:
    """Whether the channels have 16 bits, which Pillow would cut to 8 (BMP's "BGR;16" has 16 bits per pixel)."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        return True
    layouts = [
        arg for tile in getattr(image, "tile", ()) for arg in (tile[3] if isinstance(tile[3], tuple) else (tile[3],))
    ]
    return any(isinstance(arg, str) and ";16" in arg and not arg.startswith("BGR") for arg in layouts)


def _rounded(image: Image.Image, path: Path, source: Path | bytes) -> Image.Image:
    """A picture of 16 bits per channel with 8: levels are divided by 257 and rounded to the nearest."""
    if "transparency" in image.info:
        raise CamproError(str(path), "an opaque image", "one with transparent pixels", _FLATTEN)
    orientation = image.getexif().get(_ORIENTATION, 1)
    levels = np.asarray(image).astype(np.uint32) if image.mode[0] == "I" else _read_deep(source, path)
    if levels.max(initial=0) > _DEEP_MAX:
        raise CamproError(str(path), "at most 16 bits per channel", f"the level {levels.max()}", "convert to 8-bit")
    _warn_once(f"{path}: 16 bits per channel, rounded to 8")
    rounded = Image.fromarray(((levels + 128) // 257).astype(np.uint8))
    rounded.getexif()[_ORIENTATION] = orientation
    return rounded


def _read_deep(source: Path | bytes, path: Path) -> UInt32[np.ndarray, "H W c"]:
    """The levels of a colour picture of 16 bits per channel, which Pillow cannot hold, in the order RGB or RGBA."""
    if isinstance(source, bytes):
        levels = cv2.imdecode(np.frombuffer(source, np.uint8), cv2.IMREAD_UNCHANGED)
    else:
        levels = cv2.imread(str(source), cv2.IMREAD_UNCHANGED)
    if levels is None or levels.dtype != np.uint16 or levels.ndim != 3:
        raise CamproError(str(path), "a picture of 16 bits per channel", "another kind of one", "convert to 8-bit")
    order = cv2.COLOR_BGRA2RGBA if levels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(levels, order)).astype(np.uint32)


def _as_rgb(image: Image.Image, icc: bytes | None, path: Path) -> Image.Image:
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            raise CamproError(str(path), "an opaque image", "one with transparent pixels", _FLATTEN)
        _warn_once(f"{path}: the alpha channel is fully opaque and was removed")
    gray = image.mode in ("1", "L", "LA")
    if gray:
        _warn_once(f"{path}: gray image, expanded to three equal channels")
    if icc is None:
        return image.convert("RGB")
    return to_srgb(image.convert("CMYK" if image.mode == "CMYK" else "L" if gray else "RGB"), icc, path)


@cache
def _warn_once(message: str) -> None:
    """Cached, because training reads a photograph many times."""
    _log.warning(message)
