"""Does this camera run this profile? An answer from one or two of its shots, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool
from scipy.ndimage import binary_dilation

from campro.core.errors import CamproError
from campro.core.images import read_image
from campro.core.types import Rgb8
from campro.deploy.camera_hypotheses import (
    CURVE_ONLY,
    MATRIX_ONLY,
    NONE,
    Explanation,
    Hypothesis,
    distance,
    explained,
    hypotheses,
    significance,
)
from campro.deploy.colour_samples import BLOCK, UNCLIPPED, Colours, sampled
from campro.deploy.shot_pairs import NoPair, registered, squares
from campro.isp import IspProfile
from campro.isp.camera_settings import colour_part
from campro.isp.limits import camera_profile, ccm_of
from campro.isp.profile import GammaLut, load_profile

Answer = Literal["yes", "no", "cannot tell"]
HALVES = (MATRIX_ONLY, CURVE_ONLY)
STATUS: dict[Answer, int] = {"yes": 0, "no": 3, "cannot tell": 4}
"""Exit status of `campro verify`; 1 and 2 are errors, as of every command."""
MOST_SAMPLES, MIN_SAMPLES = 1500, 60
SURE, SURELY_NOT = 1.2, 1.6
"""How many times larger the error of the other explanations must be for yes, and that of the profile for no."""
HALF_SURE, SIGNIFICANT, ROUNDING = 1.06, 2.5, 0.3
"""For halves of the profile, HALF_SURE suffices with a t statistic of SIGNIFICANT over places of the picture, but the
errors must differ by ROUNDING levels. Whichever is in force, a tone curve and three gains of its own bring the other
near the shots."""
BETTER = 0.95
"""Another profile that gives the same picture, with an error of less than BETTER of ours: cannot tell."""
SAME = 4.0
"""Another profile whose prediction differs from ours by less than SAME levels gives the same picture of this scene: the
answer is yes, and the reason names it. Halves of the profile are no such exception: with them it is cannot tell."""
SMALL, LARGE = 12.0, 24.0
"""Error of the profile in levels: at most SMALL for yes; LARGE and more is no even if nothing explains the shots."""
GRID, CELL = 64, 8
"""Levels of each channel whose outputs are computed, and width of a cell of outputs in levels, for a single shot."""
OUTSIDE, INSIDE = 0.2, 0.005
"""Share of a single shot's colours that the profile cannot give: at least OUTSIDE for no, at most INSIDE for yes."""
RARE = 0.4
"""Share of all colours that the profile gives, above which a single shot is no evidence for it."""
MIN_COLOURS = 25
"""Smallest number of cells of colours in a single shot."""


@dataclass(frozen=True)
class Verdict:
    """The answer and its evidence."""

    answer: Answer
    reason: str
    errors: dict[str, float] = field(default_factory=dict)
    """What the camera may run -> mean absolute error of the prediction in 8-bit levels."""
    gains: tuple[float, ...] = ()
    """Gains of red, green and blue of the camera's shot under the best explanation, in EV."""
    samples: int = 0
    """Number of squares that were compared."""

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "answer": self.answer,
            "reason": self.reason,
            "error_levels": self.errors,
            "gains_ev": list(self.gains),
            "samples": self.samples,
        }


def verify(shot: Path, default: Path | None, profile: str) -> Verdict:
    """Compare a shot of a camera with one that it took without the profile; or judge the shot alone.

    Args:
        shot: What the camera gives now.
        default: The same scene, taken by a camera of this kind with its default parameters; None: no such shot.
        profile: The profile that the camera should run: realised.json of `campro deploy`, or a name.

    Raises:
        CamproError: If a file is unusable, or the profile has blocks that cameras do not have.
    """
    wanted, picture = colour_part(load_profile(profile)), read_image(shot)
    return alone(picture, wanted) if default is None else compared(picture, read_image(default), wanted)


def compared(shot: Rgb8, default: Rgb8, profile: IspProfile) -> Verdict:
    """The verdict on a shot and a default shot of the same scene."""
    possible = hypotheses(profile)
    views = [_as_profile(one) for one in possible[:4]]
    try:
        pair = registered("the shots", default, shot, *views, correlated=False)
        samples = sampled([pair], MIN_SAMPLES, MOST_SAMPLES)
    except NoPair as reason:
        return Verdict("cannot tell", f"the two shots do not show the same scene from the same place: {reason}")
    except CamproError:
        return Verdict("cannot tell", "the shots have too few flat areas of different colours")
    found = [explained(one, samples) for one in possible]
    return _decided(found, len(samples))


def _decided(found: list[Explanation], samples: int) -> Verdict:
    ours, *others = found
    same = [one for one in others if _same(one, ours)]
    rivals = [one for one in others if one not in same]
    best = min(found, key=lambda one: one.error)
    errors = {one.name: round(one.error, 2) for one in sorted(found, key=lambda one: one.error)}
    gains = tuple(np.round(best.unknown[2:] / np.log(2), 2).tolist())

    def verdict(answer: Answer, reason: str) -> Verdict:
        return Verdict(answer, reason, errors, gains, samples)

    if best.error * SURELY_NOT <= ours.error:
        return verdict("no", f"{best.name} explains the shots better")
    if ours.error > LARGE:
        return verdict("no", f"the profile is {ours.error:.0f} levels off, and nothing else explains the shots either")
    if ours.error > SMALL:
        return verdict("cannot tell", f"nothing explains the shots; the profile is {ours.error:.0f} levels off")
    unsure = [one for one in rivals if not _worse(one, ours)]
    unsure += [one for one in same if one.error < BETTER * ours.error]
    if unsure:
        one = min(unsure, key=lambda one: one.error)
        return verdict("cannot tell", _doubt(one, ours))
    also = [f"{one.name} would differ by {distance(one.outputs, ours.outputs):.0f} levels only" for one in same]
    return verdict("yes", "; ".join(["the profile explains the shots best", *also]))


def _worse(other: Explanation, ours: Explanation) -> bool:
    """Whether another explanation is clearly worse than the profile."""
    if other.name not in HALVES:
        return other.error >= SURE * ours.error
    sure = HALF_SURE if significance(ours, other) >= SIGNIFICANT else SURE
    return other.error >= max(sure * ours.error, ours.error + ROUNDING)


def _doubt(other: Explanation, ours: Explanation) -> str:
    """Why the shots do not tell two explanations apart, and what would."""
    reason = f"{other.name} explains the shots as well"
    if other.name not in HALVES:
        return f"{reason}: take a scene of more colours"
    apart = distance(other.outputs, ours.outputs)
    return f"{reason}; its picture of this scene differs by {apart:.1f} levels, the shots from both by {ours.error:.1f}"


def _same(other: Explanation, ours: Explanation) -> bool:
    """Whether another profile predicts nearly the same picture; see `SAME`."""
    return other.name not in (NONE, *HALVES) and distance(other.outputs, ours.outputs) <= SAME


def _as_profile(hypothesis: Hypothesis) -> IspProfile:
    """A profile for registration; the camera's own curve is taken for an exponent of 1 / 2.2."""
    even = np.linspace(0, 1, 257)
    knots, values = hypothesis.curve or (even, even[None] ** (1 / 2.2))
    lut = GammaLut(tuple(tuple(curve) for curve in values.tolist()), tuple(knots.tolist()))
    ccm = ccm_of(hypothesis.matrix, hypothesis.offsets)
    return camera_profile(hypothesis.name, ccm, lut)


def alone(shot: Rgb8, profile: IspProfile) -> Verdict:
    """The verdict on a single shot: whether it has colours that the profile cannot give.

    A shot without such colours is evidence for the profile only if the profile gives few colours and no grey ones
    (nearly every scene has grey areas, and a camera without the profile shows them grey), and no half of it gives the
    same ones.
    """
    colours = squares(shot, BLOCK)
    flat = colours.std(1).max(1)
    mean = colours.mean(1)[flat <= np.median(flat)]
    mean = mean[((mean > UNCLIPPED[0]) & (mean < UNCLIPPED[1])).any(1)]
    cells = np.unique((mean // CELL).astype(int), axis=0)
    if len(cells) < MIN_COLOURS:
        return Verdict("cannot tell", "the shot has too few colours", samples=len(mean))
    whole, _, *halves = hypotheses(profile)[:4]
    wanted = _reachable(whole)
    place = tuple((mean // CELL).astype(int).T)
    outside = float(1 - wanted[place].mean())
    share, grey = (
        float(wanted.mean()),
        bool(wanted[np.arange(len(wanted))[4:], *(np.arange(len(wanted))[4:],) * 2].any()),
    )
    facts = (
        f"{outside:.1%} of the shot's colours, and {1 - share:.0%} of all colours, are beyond what the profile gives"
    )
    if outside >= OUTSIDE:
        return Verdict("no", facts, samples=len(mean))
    if outside <= INSIDE and share <= RARE and not grey:
        for half in halves:
            if 1 - _reachable(half)[place].mean() <= INSIDE:
                reason = f"{facts}; {half.name} gives all of the shot's colours, too: give a --default-shot"
                return Verdict("cannot tell", reason, samples=len(mean))
        return Verdict("yes", facts + "; a second shot, without the profile, gives more evidence", samples=len(mean))
    return Verdict("cannot tell", facts + "; give a --default-shot of the same scene", samples=len(mean))


def _reachable(hypothesis: Hypothesis) -> Bool[np.ndarray, "n n n"]:
    """Which cells of output colours the hypothesis gives, with a margin of one cell."""
    axis = np.linspace(0, 1, GRID)
    inputs = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    outputs = _rounded(hypothesis.outputs(inputs, np.array([2.2, 0, 0, 0, 0])))
    cells = np.zeros((256 // CELL,) * 3, bool)
    cells[tuple((outputs // CELL).T)] = True
    return np.asarray(binary_dilation(cells, np.ones((3, 3, 3))))


def _rounded(colours: Colours) -> np.ndarray:
    return np.floor(255 * colours + 0.5).astype(int)
