"""Deployment of a profile: round it as the camera does, write the camera's files, read them back and compare."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from campro.cameras.camera_table import find_camera
from campro.cameras.feedback_loop import FRAMES, RELEASES, simulate_loop
from campro.cameras.file_kinds import AUTO, check_kind, detect_camera
from campro.cameras.target_camera import BASE, FileNotes, Files, TargetCamera, read_text
from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.deploy.face_colours import misses
from campro.deploy.profile_difference import difference
from campro.isp.camera_settings import colour_part, with_colour_part
from campro.isp.limits import Limits, parts
from campro.isp.profile import IspProfile, load_profile

REALISED, PAGE = "realised.json", "README.md"
SMALL_FIT = 4.0
"""Largest difference of the curve in 8-bit levels up to which a profile is fitted without `--fit`."""
MISSED = "the figures of the profile's card do not hold"
UNSET = "not in the files; set it yourself, or the figures of the profile's card do not hold"
UNTESTED = "not tested on the hardware: photograph a colour chart with and without the profile before you rely on it"
NIGHT = (
    "night: pictures are grey in infrared or grey mode, and some cameras then turn the matrix off (rkaiq) or bypass it "
    "in low light (HiSilicon); campro-strong then protects nobody (156 people of LFW: identified 30 % in colour, "
    "91.0 % in grey, 96.2 % in raw grey), campro-default does (0.6 % in grey): keep the camera in colour mode, or "
    "switch it off at night (see Day and night on the page)"
)
"""What holds at night: measured once on 156 people of LFW."""


@dataclass(frozen=True)
class Deployment:
    """What `deploy` reports; the files are written."""

    lines: tuple[str, ...]
    """Lines for the user: the mean and largest difference between the profile and realised.json, in 8-bit levels; what
    was switched on and off; what still acts on the picture; warnings; what holds at night."""
    misses: tuple[str, ...]
    """Reasons why the figures of the profile's card do not hold; empty if none was found."""


@dataclass(frozen=True)
class Prepared:
    """What `prepare` makes; nothing is written."""

    files: Files
    """The camera's files, realised.json and README.md."""
    summary: str
    """Profile, camera, and the mean and largest difference between the profile and realised.json, in 8-bit levels."""
    lines: tuple[str, ...]
    """As in `Deployment`, without the summary."""
    misses: tuple[str, ...]
    """As in `Deployment`."""


def deploy(
    target: str, profile: str, base: Path | None, out: Path, fit: bool = False, fixed_white_balance: bool = False
) -> Deployment:
    """Write the camera's files, realised.json and README.md into the folder `out`.

    realised.json is the profile as the camera rounds it, read back from the written files: audit that one.

    Args:
        target: Name of a camera in `CAMERAS`, or `auto`: the camera whose kind of file the base is.
        profile: Name of a built-in profile, or path of a profile file.
        base: The camera's own file, if it needs one; never changed.
        out: Folder for the files.
        fit: Deploy the nearest profile within the camera's limits if this one is not. Without it a profile is fitted
            where no colour changes by more than one level.
        fixed_white_balance: The application fixes white balance and exposure of this camera.

    Raises:
        CamproError: If the camera cannot hold the profile (and `fit` is false), or the base is not its own file, or
            the profile disturbs the camera's white balance (and `fixed_white_balance` is false), or `out` is the base's
            folder and a file would replace it.
    """
    try:
        return _deploy(target, load_profile(profile), base, out, fit, fixed_white_balance)
    except CamproError as error:
        raise error.renamed(BASE, str(base)) from error


def _deploy(target: str, wanted: IspProfile, base: Path | None, out: Path, fit: bool, fixed: bool) -> Deployment:
    camera, text = _camera_and_text(target, base)
    prepared = prepare(camera, wanted, text, fit, fixed)
    if base is not None and base.resolve().parent == out.resolve() and base.name in prepared.files:
        raise CamproError("deploy", "an --out that leaves --base alone", str(base), "choose another folder")
    for name, content in prepared.files.items():
        atomic_write(out / name, content)
    return Deployment((f"{out}: {prepared.summary}", *prepared.lines), prepared.misses)


def prepare(
    camera: TargetCamera, wanted: IspProfile, base: str, fit: bool = False, fixed_white_balance: bool = False
) -> Prepared:
    """The files of a deployment, in memory.

    Args:
        camera: The target camera.
        wanted: The profile.
        base: Text of the camera's own file; empty if it needs none.
        fit: As for `deploy`.
        fixed_white_balance: As for `deploy`.

    Raises:
        CamproError: As `deploy`.
    """
    settings = camera.settings(wanted)
    colour = colour_part(wanted)
    held, fit_lines = _held(camera, colour, fit)
    loop_line, loop_warnings = check_white_balance(camera, held, fixed_white_balance)
    written = camera.write(held, base)
    realised = IspProfile(f"{wanted.name}-{camera.name}", camera.read(written, base).blocks, wanted.provenance)
    reasons = misses(colour, realised)
    notes = camera.notes(base)
    unset = tuple(f"{UNSET}: {setting}" for setting in settings)
    warnings = (*notes.warnings, *unset, *loop_warnings, *(f"{MISSED}: {reason}" for reason in reasons))
    lines = (*fit_lines, *notes_lines(replace(notes, warnings=warnings)), loop_line, NIGHT, UNTESTED)
    page = camera.page_text() + "\n## This deployment\n\n" + "".join(f"- {line}\n" for line in lines)
    apart = difference(colour, realised)
    exactness = f"off by {apart.mean:.2f} of 255 levels on average, {apart.largest} at most"
    complete = with_colour_part(wanted, realised) if settings else realised
    files = {**written, REALISED: replace(complete, name=realised.name).to_json(), PAGE: page}
    return Prepared(files, f"{wanted.name} on {camera.title}; {exactness}", lines, tuple(reasons))


def _held(camera: TargetCamera, wanted: IspProfile, fit: bool) -> tuple[IspProfile, tuple[str, ...]]:
    """The profile as the camera holds it, and a line where it was fitted without being asked for.

    It is fitted if asked for, or if that changes the curve by at most `SMALL_FIT` levels; silently up to one level.
    So `campro-strong` needs no `--fit` on a Raspberry Pi 5, where the end of the curve is flat: a fault of libcamera
    before 0.7.1 (commit 033bb2cc). Such a curve is safe to write for newer releases, too.

    Raises:
        CamproError: If the camera cannot hold it otherwise.
    """
    if not camera.limits.problems(wanted):
        return camera.limits.realised(wanted), ()
    fitted = camera.limits.fitted(wanted)
    levels = _fit_levels(camera.limits, wanted, fitted)
    if fit:
        return fitted, ()
    if levels > SMALL_FIT:
        return camera.limits.realised(wanted), ()
    return fitted, (f"curve fitted to the camera: up to {levels:.1f} levels of 255 off",) if levels > 1 else ()


def _fit_levels(limits: Limits, wanted: IspProfile, fitted: IspProfile) -> float:
    """Largest difference of the curves in 8-bit levels; infinite if the matrix changed by more than its rounding."""
    (own, asked), (ccm, lut) = parts(wanted), parts(fitted)
    if np.abs(np.array(own.matrix) - ccm.matrix).max() > limits.matrix.step or own.offsets != ccm.offsets:
        return float("inf")
    at = np.union1d(np.linspace(0, 1, 4097), np.union1d(asked.positions, lut.positions))
    curves = [[np.interp(at, one.positions, curve) for curve in one.values] for one in (asked, lut)]
    return float(np.abs(np.array(curves[0]) - np.array(curves[1])).max() * 255)


def check_white_balance(camera: TargetCamera, held: IspProfile, fixed: bool) -> tuple[str, tuple[str, ...]]:
    """Refuse a profile whose matrix disturbs the camera's white balance or exposure, by a simulation of the loop.

    Args:
        camera: The camera; `statistics` is where it measures.
        held: The profile that it holds. The camera's own matrix is taken as the identity.
        fixed: The application fixes white balance and exposure.

    Returns:
        A line on what holds, and warnings: what the application must fix, or the releases of which the loop does not
        settle.

    Raises:
        CamproError: If the loop does not settle with the newest kind of release, and `fixed` is false.
    """
    start = "white balance and exposure: "
    if not camera.statistics:
        return start + camera.measuring, ()
    if camera.statistics == ("raw",):
        return start + "measured in the raw picture, so the profile does not disturb them", ()
    matrix = np.array(parts(held)[0].matrix)
    loops = [simulate_loop(matrix, place) for place in camera.statistics]
    got = "; ".join(
        f"{RELEASES[place]}: gains off by {loop.gain_error:.0%}, exposure by {loop.exposure_error:.0%}, gains frozen "
        f"in {loop.frozen:.0%} of {FRAMES} simulated frames"
        for place, loop in zip(camera.statistics, loops)
    )
    line = f"{start}measured behind the matrix; simulated, {got}"
    if all(loop.settled for loop in loops):
        return line, ()
    if fixed:
        return line, ("fix white balance, exposure and the matrix by the application, as the page says",)
    if loops[0].settled:
        return line, ("white balance does not settle with old releases of libcamera: use a newer one",)
    wanted = "a profile with which white balance and exposure settle: this camera measures behind the matrix"
    raise CamproError(camera.name, wanted, got, "use campro-default, or fix both and give --fixed-white-balance")


def _camera_and_text(target: str, base: Path | None) -> tuple[TargetCamera, str]:
    """The camera, and the text of its own file ("" if it needs none).

    Raises:
        CamproError: If the target is unknown, the file is unreadable, or it is another camera's.
    """
    if target == AUTO and base is None:
        wanted = "--base FILE, the camera's own file, or --target NAME"
        raise CamproError("deploy", wanted, "neither", "campro targets lists the cameras")
    if target == AUTO and base is not None:
        text = read_text(base, "a tuning file or an IQ file (text)")
    else:
        text = find_camera(target).read_base(base)
    return camera_of(target, text), text


def camera_of(target: str, base: str) -> TargetCamera:
    """The camera of that name, whose own file has the text `base`; for `auto` the one whose kind of file it is.

    Raises:
        CamproError: If the target is unknown, or the file is another camera's.
    """
    if target == AUTO:
        return detect_camera(base)
    camera = find_camera(target)
    if camera.base:
        check_kind(camera, base)
    return camera


def notes_lines(notes: FileNotes) -> list[str]:
    """What was switched on and off, and what still acts on the picture: one line each, warnings last."""
    lines = [f"switched on: {one}" for one in notes.switched_on]
    lines += [f"switched off: {one}" for one in notes.switched_off]
    if notes.still_acts:
        lines.append(f"still acts on the picture: {'; '.join(notes.still_acts)}")
    return lines + [f"WARNING: {one}" for one in notes.warnings]
