"""Reading and writing photographs. Strict: anything but an 8-bit colour image is refused or reported."""

from __future__ import annotations

import io
import logging
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps

from campro.core.atomic_io import replacing
from campro.core.checks import check_images, check_rgb8
from campro.core.errors import CamproError
from campro.core.types import Images, Rgb8

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
"""Suffixes of photographs (in any letter case), which `write_image` can write, too."""

_WRITE_OPTIONS: dict[str, dict[str, object]] = {
    ".jpg": {"quality": 95, "subsampling": 0},  # full colour resolution: the protection is in the colours
    ".jpeg": {"quality": 95, "subsampling": 0},
    ".webp": {"lossless": True},
}
CACHE_BYTES = 2 << 30
"""Size of the cache of `read_image_cached` in bytes."""
_cache: dict[Path, Rgb8] = {}
_log = logging.getLogger("campro")


def read_image(path: Path) -> Rgb8:
    """Read a photograph as 8-bit sRGB (H, W, 3), rotated by its EXIF orientation.

    Gray images are expanded to RGB and a fully opaque alpha channel is removed, each with one line in the log.
    An embedded ICC profile is ignored: the values are taken as sRGB.

    Raises:
        CamproError: for missing, damaged or truncated files, more than 8 bits per channel, transparency, CMYK (its
            conversion to sRGB depends on the ink) and animations.
    """
    path = Path(path)
    if not path.is_file():
        raise CamproError(str(path), "an image file", "a folder" if path.is_dir() else "no such file")
    try:
        with Image.open(path) as image:
            _refuse_unsuitable(image, path)
            image.load()
            return np.array(_as_rgb(ImageOps.exif_transpose(image), path))
    except CamproError:
        raise
    except Exception as error:  # decoders raise errors of many classes for damaged files
        reason = "not an image" if isinstance(error, Image.UnidentifiedImageError) else f"a damaged one ({error})"
        raise CamproError(str(path), "a whole image file", reason, "replace or remove the file") from error


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
        Image.fromarray(rgb).save(buffer, Image.registered_extensions()[suffix], **_WRITE_OPTIONS.get(suffix, {}))
    except (OSError, ValueError, SystemError) as error:
        shape = f"{rgb.shape[1]} x {rgb.shape[0]} pixels ({error})"
        raise CamproError(str(path), f"a size that {suffix} can hold", shape) from error
    with replacing(path) as part:
        part.write_bytes(buffer.getbuffer())


def list_images(folder: Path) -> list[Path]:
    """All files below `folder` with one of IMAGE_SUFFIXES, sorted by path, without hidden files and folders.

    Raises:
        CamproError: if the folder does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CamproError(str(folder), "a folder of images", "a file" if folder.exists() else "no such folder")
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def to_tensor(rgb: Rgb8 | UInt8[np.ndarray, "B H W 3"], device: torch.device | None = None) -> Images:
    """Convert 8-bit images (H, W, 3) or (B, H, W, 3) to float32 (B, 3, H, W) in [0, 1]; on the CPU if `device` is None.

    Raises:
        CamproError: for another shape or dtype.
    """
    check_rgb8(rgb, "to_tensor")
    stack = torch.from_numpy(np.ascontiguousarray(rgb if rgb.ndim == 4 else rgb[None])).to(device)
    return stack.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format).div_(255)


def to_rgb8(images: Images) -> UInt8[np.ndarray, "B H W 3"]:
    """Convert images (B, 3, H, W) in [0, 1] to 8-bit (B, H, W, 3), rounded half up; the inverse of `to_tensor`.

    Raises:
        CamproError: for another shape, or values outside [0, 1].

    >>> to_rgb8(torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1)).flatten().tolist()
    [0, 128, 255]
    """
    check_images(images, "to_rgb8")
    levels = images.detach().mul(255).add_(0.5).floor_().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def _refuse_unsuitable(image: Image.Image, path: Path) -> None:
    if image.mode[0] in "IF" or _deep_channels(image):
        raise CamproError(
            str(path),
            "8 bits per channel",
            f"more (mode {image.mode})",
            "convert to 8-bit, e.g. magick IN -depth 8 OUT",
        )
    if image.mode in ("CMYK", "YCCK", "LAB", "HSV"):
        raise CamproError(str(path), "an RGB or gray image", image.mode, "convert to sRGB in a photo editor first")
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":  # MPO: a JPEG followed by further images
        raise CamproError(str(path), "a still image", f"{getattr(image, 'n_frames', 0)} frames", "extract one frame")


def _deep_channels(image: Image.Image) -> bool:
    """Whether Pillow would reduce 16-bit channels to 8 bits (BMP's "BGR;16" has 16 bits per pixel)."""
    layouts = [
        arg for tile in getattr(image, "tile", ()) for arg in (tile[3] if isinstance(tile[3], tuple) else (tile[3],))
    ]
    return any(isinstance(arg, str) and ";16" in arg and not arg.startswith("BGR") for arg in layouts)


def _as_rgb(image: Image.Image, path: Path) -> Image.Image:
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            remedy = "flatten it onto a background first, e.g. magick IN -background white -flatten OUT"
            raise CamproError(str(path), "an opaque image", "one with transparent pixels", remedy)
        _warn_once(f"{path}: the alpha channel is fully opaque and was removed")
    if image.mode in ("1", "L", "LA"):
        _warn_once(f"{path}: gray image, expanded to three equal channels")
    return image.convert("RGB")


@cache
def _warn_once(message: str) -> None:
    """Cached, because training reads a photograph many times."""
    _log.warning(message)
