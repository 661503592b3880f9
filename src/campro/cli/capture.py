"""`campro capture`: pictures as the camera with a profile outputs them, for photographs, folders and videos."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from campro.core.types import ImageTransform


@dataclass(frozen=True)
class Config:
    """Apply a profile to a photograph, a folder of photographs, or a video file."""

    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
    """Image, folder (searched in depth), video file, live video (rtsp://..., /dev/video0), or a camera's raw file
    (.dng and others), which is developed with the profile."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Target file, or target folder; names and subfolders are kept."""
    profile: str = "campro-default"
    """Name of a built-in profile, or path of a profile file."""


def run(config: Config) -> None:
    """Write the captured pictures; damaged ones are reported, counted and skipped."""
    from campro.isp import Camera, load_profile
    from campro.isp.rawfile import RAW_SUFFIXES

    if Path(config.source).suffix.lower() in RAW_SUFFIXES:
        _develop(Path(config.source), config.out, config.profile)
        return
    capture(config.source, config.out, Camera(load_profile(config.profile)))


def _develop(source: Path, out: Path, profile: str) -> None:
    from campro.core.images import IMAGE_SUFFIXES, write_image
    from campro.isp import load_profile
    from campro.isp.rawfile import develop_file

    target = out if out.suffix.lower() in IMAGE_SUFFIXES else out / f"{source.stem}.png"
    write_image(target, develop_file(source, load_profile(profile)))
    print(f"{target}: developed")


def capture(
    source: Path | str,
    out: Path,
    transform: ImageTransform,
    verb: str = "capture",
    film: ImageTransform | None = None,
) -> None:
    """Apply a transform to all pictures in `source`.

    Args:
        source: Image, folder, video file or live video.
        out: Target file or folder, outside the source.
        transform: 8-bit sRGB (H, W, 3) to the same.
        verb: Word for the progress bar.
        film: Transform for the frames of a video; it may keep state from frame to frame. Default: `transform`.

    Raises:
        CamproError: If nothing could be written, or the target would replace the source.
    """
    from campro.core.video import VIDEO_SUFFIXES, is_live

    file = Path(source)
    if is_live(source) or (file.suffix.lower() in VIDEO_SUFFIXES and not file.is_dir()):
        _capture_video(source, out, film or transform, verb)
    else:
        _capture_images(file, out, transform, verb)


def _capture_video(source: Path | str, out: Path, transform: ImageTransform, verb: str) -> None:
    from campro.core.progress import Progress
    from campro.core.video import WRITABLE_SUFFIXES, count_frames, is_live, transcode

    name, live = Path(source), is_live(source)
    suffix = name.suffix if name.suffix.lower() in WRITABLE_SUFFIXES and not live else ".mkv"
    target = out if out.suffix.lower() in WRITABLE_SUFFIXES else out / ((name.stem or "live") + suffix)
    with Progress(f"{verb} {name.name}", None if live else count_frames(name)) as progress:
        result = transcode(source, target, transform, progress.advance)
    print(f"{target}: {result.frames} frames written, {result.skipped} damaged ones skipped")


def _capture_images(source: Path, out: Path, transform: ImageTransform, verb: str) -> None:
    from campro.core.errors import CamproError
    from campro.core.images import read_image, write_image
    from campro.core.progress import track

    jobs = _jobs(source, out)
    written, skipped = 0, 0
    for photo, target in track(jobs, verb):
        try:
            rgb = read_image(photo)
        except CamproError as error:
            print(f"skipped {error}", file=sys.stderr)
            skipped += 1
            continue
        write_image(target, transform(rgb))
        written += 1
    if written == 0:
        raise CamproError(str(source), "at least one readable picture", f"{skipped} unreadable", "see the lines above")
    print(f"{out}: {written} pictures written, {skipped} skipped")


def _jobs(source: Path, out: Path) -> list[tuple[Path, Path]]:
    """Pairs of source and target file; refuses to write over or into the source."""
    from campro.core.errors import CamproError
    from campro.core.images import IMAGE_SUFFIXES, list_images

    if not source.is_dir():
        jobs = [(source, out if out.suffix.lower() in IMAGE_SUFFIXES else out / source.name)]
    elif out.resolve().is_relative_to(source.resolve()):
        raise CamproError(str(out), "a folder outside the source", "one inside it", "choose another --out")
    else:
        jobs = [(photo, out / photo.relative_to(source)) for photo in list_images(source)]
    if not jobs:
        raise CamproError(str(source), "a folder with images", "none", "looked for " + " ".join(IMAGE_SUFFIXES))
    for photo, target in jobs:
        if photo.exists() and target.exists() and target.samefile(photo):
            raise CamproError(str(target), "a target beside the source", "the source itself", "choose another --out")
    return jobs
