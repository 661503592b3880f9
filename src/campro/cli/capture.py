"""`campro capture`: pictures as the camera with a profile outputs them, for photographs, folders and videos."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from campro.core.types import ImageTransform, Rgb8

Kind = Literal["picture", "raw file", "video", "other file"]

EXAMPLE = "campro capture photos/ --out captured/ --profile campro-strong"


@dataclass(frozen=True)
class Config:
    """Apply a profile to a photograph, a video, a camera's raw file, or all of them in a folder.

    Exit status 1 if a file of the source was not captured.
    """

    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
    """Image, folder (searched in depth), video file, live video (rtsp://..., /dev/video0), or a camera's raw file
    (.dng and others), which is developed with the profile."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Target file, or target folder; names and subfolders are kept. Formats that cannot be written become .png or
    .mkv."""
    profile: str = "campro-default"
    """Name of a built-in profile, or path of a profile file."""


def run(config: Config) -> None:
    """Write the captured pictures and videos; unreadable ones are reported, counted and skipped."""
    from campro.isp import Camera, load_profile

    profile = load_profile(config.profile)

    def develop(path: Path) -> Rgb8:
        from campro.isp.rawfile import develop_file

        return develop_file(path, profile)

    capture(config.source, config.out, Camera(profile), develop=develop)


def capture(
    source: Path | str,
    out: Path,
    transform: ImageTransform,
    verb: str = "capture",
    film: Callable[[], ImageTransform] | None = None,
    develop: Callable[[Path], Rgb8] | None = None,
) -> None:
    """Apply a transform to all pictures and videos in `source`.

    Args:
        source: Image, folder, video file or live video.
        out: Target file or folder, outside the source.
        transform: 8-bit sRGB (H, W, 3) to the same.
        verb: Word for the progress bar.
        film: Makes the transform of one video, which may keep state from frame to frame. Default: `transform`.
        develop: Reads a raw file and applies the transform. Default: raw files are left out.

    Raises:
        CamproError: If a file of the source could not be captured, after all others are written; if there is none; if
            the target would replace the source, or its name is that of another kind of file.
    """
    from campro.core.media import is_live

    work = _Work(transform, film or (lambda: transform), develop, verb)
    if is_live(source):
        work.video(source, _video_target(source, out))
        return
    path = Path(source)
    jobs = _folder_jobs(path, out) if path.is_dir() else [_file_job(path, out)]
    _refuse_overwriting(jobs)
    work.all(jobs, path, out)


@dataclass(frozen=True)
class _Job:
    kind: Kind
    source: Path
    target: Path


@dataclass
class _Work:
    """The captures of one call, and what became of them."""

    transform: ImageTransform
    film: Callable[[], ImageTransform]
    develop: Callable[[Path], Rgb8] | None
    verb: str
    written: Counter[str] = field(default_factory=Counter)
    skipped: list[Path] = field(default_factory=list)

    def all(self, jobs: list[_Job], source: Path, out: Path) -> None:
        """Do all jobs; prints one line for each failure and a summary.

        Raises:
            CamproError: if a picture, video or raw file was not captured.
        """
        from campro.core.atomic_io import remove_stale_parts
        from campro.core.errors import CamproError
        from campro.core.progress import track

        others = [job.source for job in jobs if job.kind == "other file"]
        jobs = [job for job in jobs if job.kind != "other file"]
        for folder in {job.target.parent for job in jobs}:
            remove_stale_parts(folder)
        for job in track([job for job in jobs if job.kind != "video"], self.verb):
            self._try(job, alone=len(jobs) == 1)
        for job in jobs:
            if job.kind == "video":
                self._try(job, alone=len(jobs) == 1)
        if others:
            print(f"{source}: {len(others)} other files left out ({_suffixes(others)})", file=sys.stderr)
        if not self.written:
            got = f"{len(self.skipped)} unreadable"
            raise CamproError(str(source), "at least one readable picture", got, "see the lines above")
        print(f"{out}: {_count(self.written)} written, {len(self.skipped)} skipped")
        if self.skipped:
            got = f"{len(self.skipped)} that were not ({_suffixes(self.skipped)})"
            raise CamproError(str(source), f"to {self.verb} {len(jobs)} files", got, "see the lines above")

    def _try(self, job: _Job, alone: bool) -> None:
        from campro.core.errors import CamproError

        try:
            self._one(job)
        except CamproError as error:
            if alone:
                raise
            print(f"skipped {error}", file=sys.stderr)
            self.skipped.append(job.source)
        else:
            self.written[job.kind] += 1

    def _one(self, job: _Job) -> None:
        from campro.core.errors import CamproError
        from campro.core.images import read_image, write_image

        if job.kind == "video":
            self.video(job.source, job.target)
        elif job.kind == "raw file":
            write_image(job.target, self._developed(job.source))
        else:
            rgb = read_image(job.source)
            try:
                result = self.transform(rgb)
            except CamproError as error:
                raise error.within(str(job.source)) from error
            write_image(job.target, result)

    def _developed(self, path: Path) -> Rgb8:
        from campro.core.errors import CamproError

        if self.develop is None:
            raise CamproError(str(path), "a picture or a video", "a raw file", "develop it with campro capture")
        return self.develop(path)

    def video(self, source: Path | str, target: Path) -> None:
        """Transform one video; prints how many frames it has."""
        from campro.core.media import is_live
        from campro.core.progress import Progress
        from campro.core.video import count_frames, transcode

        name, live = Path(source), is_live(source)
        with Progress(f"{self.verb} {name.name}", None if live else count_frames(name)) as progress:
            result = transcode(source, target, self.film(), progress.advance)
        print(f"{target}: {result.frames} frames written, {result.skipped} damaged ones skipped")


def _kind(path: Path) -> Kind:
    """What a file is, by its content; by its suffix where the content cannot be read."""
    from campro.core.images import is_image
    from campro.core.media import HEIF_SUFFIXES, RAW_SUFFIXES, VIDEO_SUFFIXES, is_media_name

    suffix = path.suffix.lower()
    if suffix in RAW_SUFFIXES:
        return "raw file"
    if suffix in (*HEIF_SUFFIXES, ".avif") or is_image(path):  # containers of videos hold these pictures, too
        return "picture"
    if suffix in VIDEO_SUFFIXES:
        return "video"
    from campro.core.video import is_video  # only here: it imports a video library

    if is_video(path):
        return "video"
    return "picture" if is_media_name(path) else "other file"


def _folder_jobs(source: Path, out: Path) -> list[_Job]:
    """One job for each visible file below the source."""
    from campro.core.errors import CamproError
    from campro.core.media import IMAGE_SUFFIXES, READABLE_SUFFIXES, VIDEO_SUFFIXES, check_folder_name

    check_folder_name(out)
    if out.resolve().is_relative_to(source.resolve()):
        raise CamproError(str(out), "a folder outside the source", "one inside it", "choose another --out")
    files = sorted(
        path
        for path in source.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(source).parts) and path.is_file()
    )
    kinds = {path: _kind(path) for path in files}
    if set(kinds.values()) <= {"other file"}:
        remedy = "looked for " + " ".join((*READABLE_SUFFIXES, *VIDEO_SUFFIXES))
        raise CamproError(str(source), "a folder with images or videos", "none", remedy)
    jobs, taken = [], {str(path.relative_to(source)).lower() for path in files if path.suffix.lower() in IMAGE_SUFFIXES}
    for path in files:
        name = _written_name(path, kinds[path])
        target = path.relative_to(source).with_name(name)
        if name != path.name and str(target).lower() in taken:  # a.heic beside a.png
            target = path.relative_to(source).with_name(path.name + Path(name).suffix)
        taken.add(str(target).lower())
        jobs.append(_Job(kinds[path], path, out / target))
    return jobs


def _file_job(source: Path, out: Path) -> _Job:
    """The job for one file."""
    from campro.core.errors import CamproError
    from campro.core.media import IMAGE_SUFFIXES, target_file

    if not source.is_file():
        raise CamproError(str(source), "an image, a video or a folder", "no such file")
    kind = _kind(source)
    if kind == "video":
        return _Job(kind, source, _video_target(source, out))
    if kind == "other file":
        raise CamproError(str(source), "a picture, a video or a raw file", "another kind of file")
    return _Job(kind, source, target_file(out, _written_name(source, kind), IMAGE_SUFFIXES))


def _video_target(source: Path | str, out: Path) -> Path:
    from campro.core.media import WRITABLE_VIDEO_SUFFIXES, is_live, target_file

    name = _written_name(Path(source), "video")
    return target_file(
        out, (Path(source).stem or "live") + ".mkv" if is_live(source) else name, WRITABLE_VIDEO_SUFFIXES
    )


def _written_name(source: Path, kind: Kind) -> str:
    """Name of the result: that of the source, with .png or .mkv where its format cannot be written."""
    from campro.core.media import IMAGE_SUFFIXES, WRITABLE_VIDEO_SUFFIXES

    writable, other = (WRITABLE_VIDEO_SUFFIXES, ".mkv") if kind == "video" else (IMAGE_SUFFIXES, ".png")
    return source.name if source.suffix.lower() in writable else source.stem + other


def _refuse_overwriting(jobs: list[_Job]) -> None:
    from campro.core.errors import CamproError

    for job in jobs:
        if job.target.exists() and job.target.samefile(job.source):
            raise CamproError(
                str(job.target), "a target beside the source", "the source itself", "choose another --out"
            )


def _count(written: Counter[str]) -> str:
    """For example "3 pictures, 1 video"."""
    return ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in written.items())


def _suffixes(paths: list[Path]) -> str:
    return " ".join(sorted({path.suffix.lower() or path.name for path in paths}))
