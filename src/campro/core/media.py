"""Kinds of files by suffix and content, and whether the name of a target means a file or a folder."""

from __future__ import annotations

from collections.abc import Sequence
from mimetypes import MimeTypes
from pathlib import Path

from campro.core.errors import CamproError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff")
"""Suffixes of photographs (in any letter case) that `images.write_image` writes."""
HEIF_SUFFIXES = (".heic", ".heif", ".hif")
"""Suffixes of photographs that the extra `heif` reads."""
READABLE_SUFFIXES = (*IMAGE_SUFFIXES, ".gif", ".avif", *HEIF_SUFFIXES)
"""Suffixes of photographs that `images.read_image` reads."""
VIDEO_SUFFIXES = (
    ".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".3gp", ".wmv", ".flv",
    ".ogv",
)  # fmt: skip
"""Suffixes of videos (in any letter case); `video` reads other containers, too."""
WRITABLE_VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".m4v")
"""Containers that `video.transcode` writes; not AVI, which does not store frame times."""
RAW_SUFFIXES = (".dng", ".nef", ".cr2", ".cr3", ".arw", ".raf", ".rw2", ".orf", ".pef")
"""Suffixes of raw files of cameras."""
_TYPES = MimeTypes(filenames=())  # without the tables of the system: the same answer everywhere


def is_media_name(path: Path) -> bool:
    """Whether the suffix belongs to pictures, videos or raw files, also of formats that cannot be read.

    >>> is_media_name(Path("a.HEIC")), is_media_name(Path("a.psd")), is_media_name(Path("a.txt"))
    (True, True, False)
    """
    suffix = path.suffix.lower()
    if suffix in (*READABLE_SUFFIXES, *VIDEO_SUFFIXES, *RAW_SUFFIXES, ".psd", ".xcf"):
        return True
    return (_TYPES.guess_type(f"a{suffix}")[0] or "").startswith(("image/", "video/"))


def is_live(source: Path | str) -> bool:
    """Whether `source` is an address ("rtsp://...") or a camera device ("/dev/video0") rather than a file."""
    text = str(source)
    return "://" in text or text.startswith("/dev/video")


def is_file_name(path: Path) -> bool:
    """Whether a name that does not exist yet means a file: its suffix is that of a known file type.

    >>> is_file_name(Path("r.gif")), is_file_name(Path("notes.txt")), is_file_name(Path("run-1.2"))
    (True, True, False)
    """
    return is_media_name(path) or _TYPES.guess_type(f"a{path.suffix.lower()}")[0] is not None


def check_folder_name(out: Path, option: str = "--out") -> None:
    """Refuse a target folder that is a file, or whose name is that of a file ("result.jpg").

    Raises:
        CamproError: in these cases; an existing folder of any name is accepted.
    """
    if out.is_dir():
        return
    if out.exists():
        raise CamproError(f"{option} {out}", "a folder", "a file", "choose another name")
    if is_file_name(out):
        raise CamproError(f"{option} {out}", "a folder", f"the name of a {out.suffix} file", "leave the suffix out")


def target_file(out: Path, default_name: str, writable: Sequence[str], option: str = "--out") -> Path:
    """The file that one result is written to: `out` itself, or `default_name` in the folder `out`.

    Raises:
        CamproError: if `out` is the name of a file of a type that is not in `writable` (suffixes).
    """
    if out.is_dir():
        return out / default_name
    if out.suffix.lower() in writable:
        return out
    if out.exists() or is_file_name(out):
        got = out.suffix or "a file without a suffix"
        raise CamproError(f"{option} {out}", "one of " + " ".join(writable), got, "or name a folder")
    return out / default_name
