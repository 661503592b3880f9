"""Checks that notice a calibration that failed: differences between pairs, local tone mapping, unstable parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from campro.deploy.colour_fit import ColourFit
from campro.deploy.colour_model import ColourModel
from campro.deploy.colour_samples import Samples

STOP = float(np.log(2))
"""Natural logarithm of the gain of one EV."""
MOST_STOPS = 1.0
"""Pairs whose shots differ by more in exposure or white balance are rejected: clipped light has no gain."""
NOTED_STOPS = 0.05
"""Differences that are mentioned."""
PLACES = 3
"""Rows and columns of the grid of places in which local tone mapping is looked for."""
MIN_AT_PLACE = 10
"""Smallest number of samples of a place."""
LARGEST = 25
"""Residuals in levels are clipped here: moving objects are no tone mapping."""
LOCAL_LEVELS = 2.4
"""Residual by place, in levels, from which local tone mapping is reported: with simulated cameras it is 0.5 to 2.1
without, and 2.7 to 4.6 with (docs/howto/calibrate.md)."""
WIDE_MATRIX, WIDE_CURVE = 0.15, 0.1
"""Mean widths of 95 % intervals from which the matrix and the curve are called unstable."""
MOVED_MATRIX = 0.1
"""Mean change of a matrix entry, between the fit of training pairs and that of validation pairs, that is reported."""
OBSERVED = 10
"""Smallest number of samples next to a knot of the gamma curve that counts as observed."""


@dataclass(frozen=True)
class FitChecks:
    """What the checks found; None where there are too few pairs."""

    gains: dict[str, tuple[float, float, float]]
    """Name of a training pair -> gains of red, green and blue of the protected shot, in EV."""
    matrix_interval: list[list[list[float]]] | None
    """(2, 3, 3): lower and upper ends of 95 % intervals."""
    curve_interval: list[list[list[float]]] | None
    """(2, c, K)."""
    local_levels: float
    """Residual by place, in 8-bit levels: local tone mapping."""
    matrix_moved: float | None
    """Mean absolute difference of the matrix fitted to the validation pairs."""
    problems: tuple[str, ...]
    """Reasons why the result is not reliable; empty if it is."""
    notes: tuple[str, ...]
    """Remarks that do not make it unreliable."""


def checked(
    fit: ColourFit, samples: Samples, names: list[str], held_out: ColourFit | None, kept: bool = False
) -> FitChecks:
    """Check a fit.

    Args:
        fit: The fit of the training pairs.
        samples: Its samples.
        names: Names of the training pairs.
        held_out: A fit of the validation pairs alone; None if none are held out.
        kept: Whether both fits keep the nominal matrix (see `better_fit`).
    """
    model = fit.model
    local = residual_by_place(model, samples)
    intervals = fit.intervals()
    moved = None if held_out is None else float(np.abs(held_out.model.matrix - model.matrix).mean())
    problems, notes = [], []
    if local > LOCAL_LEVELS:
        problems.append(
            f"the same colour is brighter at some places than at others (residual by place {local:.1f} levels): local "
            "tone mapping, dehazing or HDR acts in the camera; switch it off, a profile cannot describe it"
        )
    if intervals is None:
        notes.append("no intervals of matrix and curve: they need 4 training pairs or more")
    else:
        problems += _wide(model, samples, *intervals)
    if moved is not None and moved > MOVED_MATRIX:
        problems.append(f"the matrix of the validation pairs differs by {moved:.2f} per entry: take more pairs")
    if kept:
        notes.append(
            "the nominal matrix is kept: the pairs do not determine a better one, so they do not tell whether the "
            "camera's matrix differs"
        )
    stops = model.gains / STOP
    if (largest := float(np.abs(stops - np.median(stops, 0)).max())) > NOTED_STOPS:
        notes.append(
            f"exposure or white balance differs between pairs, by up to {largest:.2f} EV; three gains per pair were "
            "fitted, and the scale of the matrix is that of the nominal profile: fix exposure and white balance"
        )
    return FitChecks(
        {name: (float(r), float(g), float(b)) for name, (r, g, b) in zip(names, stops.round(4))},
        None if intervals is None else [one.matrix.round(4).tolist() for one in intervals],
        None if intervals is None else [one.values.round(4).tolist() for one in intervals],
        round(local, 3),
        None if moved is None else round(moved, 4),
        tuple(problems),
        tuple(notes),
    )


def _wide(model: ColourModel, samples: Samples, low: ColourModel, high: ColourModel) -> list[str]:
    """Complaints about wide intervals of the matrix, and of the curve where it was observed."""
    found = []
    if (width := float((high.matrix - low.matrix).mean())) > WIDE_MATRIX:
        found.append(f"95 % intervals of matrix entries are {width:.2f} wide on average: take more colourful scenes")
    seen = observed_knots(model, samples)
    width = float((high.values - low.values)[seen].mean()) if seen.any() else 1.0
    if width > WIDE_CURVE:
        found.append(f"95 % intervals of the curve are {width:.2f} wide on average: take scenes of more brightnesses")
    return found


def observed_knots(model: ColourModel, samples: Samples) -> Bool[np.ndarray, "c K"]:
    """Which knots of the gamma curves have `OBSERVED` samples or more beside them."""
    _, jacobian = model.jacobian(samples)
    beside = (jacobian[:, :, model.sections["values"]] != 0).any(1).sum(0)
    return np.asarray(beside.reshape(model.values.shape) >= OBSERVED)


def residual_by_place(model: ColourModel, samples: Samples) -> float:
    """Root mean square of the mean residual of each place and channel, in 8-bit levels; noise is subtracted.

    A model that describes the camera is off by as much everywhere; local tone mapping depends on the surroundings of a
    colour and so on the place.
    """
    left = (255 * (samples.protected - model.outputs(samples))).clip(-LARGEST, LARGEST)
    places = (samples.place * PLACES).astype(int).clip(0, PLACES - 1) @ (1, PLACES) + PLACES**2 * samples.pair
    means, variances = [], []
    for place in np.unique(places):
        here = left[places == place]
        if len(here) >= MIN_AT_PLACE:
            means.append(here.mean(0))
            variances.append(here.var(0) / len(here))
    if not means:
        return 0.0
    return float(np.sqrt(max(np.mean(np.square(means)) - np.mean(variances), 0.0)))


def excessive(model: ColourModel) -> dict[int, float]:
    """Index of a pair whose gains differ by more than `MOST_STOPS` from those of the others -> difference in EV."""
    apart = np.abs(model.gains - np.median(model.gains, 0)).max(1) / STOP
    return {int(index): float(apart[index]) for index in np.flatnonzero(apart > MOST_STOPS)}
