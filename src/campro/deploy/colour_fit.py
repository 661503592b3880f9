"""Fit of a real camera's colours to pairs of shots: its tone curve, and the matrix and gamma curve that it runs.

Damped Gauss-Newton steps (Levenberg-Marquardt) on a robust distance, with analytic derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from campro.deploy.colour_model import ColourModel
from campro.deploy.colour_samples import Samples
from campro.isp.profile import IspProfile

STEPS, PRECISION = 60, 1e-4
"""Most steps of a fit, and the relative decrease of the cost in each of `PATIENCE` steps below which it ends."""
PATIENCE = 3
TOLERANCE = 2 / 255
"""Larger differences are weighted linearly instead of quadratically: moving objects must not dominate the fit."""
PRIOR_WEIGHT = 1e-4
"""Weight of the nominal gamma curve, which decides where no colour was observed."""
SMOOTH = 1e-3
"""Weight of the squared second differences of the tone curve."""
NOISE = 1.5 / 255
"""Standard deviation of a sample around the model, which gives the next two constants their weight."""
MATRIX_SPREAD = 0.1
"""Standard deviation of a matrix entry around the nominal one. It matters only along the direction that pairs do not
determine: the common gain of all pairs against the scale of the matrix."""
FIXED_SPREAD = 1e-5
"""The same for a fit that keeps the nominal matrix."""
KEPT, UNDETERMINED = 1.02, 0.08
"""The nominal matrix is kept if its error on other pairs is at most KEPT times the fitted one's, or if the 95 %
intervals of the fitted entries are wider than UNDETERMINED on average: then colours of skin get worse with the fitted
matrix, though the pairs are predicted better (docs/howto/calibrate.md)."""
LEAST_GAIN = 0.01
"""Smallest standard deviation of the logarithm of a gain; the larger one is estimated from the pairs."""
FREE_GAIN, GAIN_STEPS, LARGEST_STEP = 0.5, 10, 0.3
"""For gains alone: standard deviation of their logarithm, number of steps, and the largest step."""
RESAMPLES = 400
"""Bootstrap resamples of pairs (Efron and Tibshirani, An Introduction to the Bootstrap, 1993)."""
INTERVAL = (2.5, 97.5)
"""Percentiles of a 95 % interval."""
MIN_PAIRS = 4
"""Smallest number of pairs for bootstrap intervals."""


@dataclass(frozen=True)
class ColourFit:
    """A fitted model and the equations at its solution, which intervals are computed from."""

    model: ColourModel
    by_pair: tuple[Float[np.ndarray, "n P P"], Float[np.ndarray, "n P"]]
    """Normal matrix and right-hand side of each pair."""
    prior: tuple[Float[np.ndarray, "P P"], Float[np.ndarray, " P"]]

    def intervals(self, seed: int = 0) -> tuple[ColourModel, ColourModel] | None:
        """Lower and upper ends of 95 % intervals of every parameter; None with fewer than `MIN_PAIRS` pairs.

        Pairs are resampled with replacement; each resample is solved by one Gauss-Newton step from the solution.
        """
        matrices, sides = self.by_pair
        count = len(matrices)
        if count < MIN_PAIRS:
            return None
        counts = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
        moves = [
            np.linalg.solve(np.tensordot(one, matrices, 1) + self.prior[0], one @ sides + self.prior[1])
            for one in counts.astype(float)
        ]
        vector = self.model.vector
        low, high = np.percentile(vector + np.array(moves), INTERVAL, axis=0)
        return self.model.moved(np.minimum(low, vector)), self.model.moved(np.maximum(high, vector))


def fit_colours(
    samples: Samples, nominal: IspProfile, start: ColourModel | None = None, matrix_spread: float = MATRIX_SPREAD
) -> ColourFit:
    """Fit the profile that the camera really runs, behind its measured tone curve.

    Args:
        samples: Colours of both shots.
        nominal: The profile that the camera was set to: the start of the fit.
        start: A model to start from instead, with gains of zero.
        matrix_spread: Standard deviation of a matrix entry around the nominal one; `FIXED_SPREAD` keeps the matrix.

    Raises:
        CamproError: If `nominal` has other blocks (see `campro.isp.limits.parts`).
    """
    pairs = int(samples.pair.max()) + 1
    reference = ColourModel.start(nominal, pairs)
    model = reference if start is None else start
    spreads = Spreads(matrix_spread, 0.1)
    for _ in range(2):  # the spread of gains is estimated from the first fit
        model = _descended(model, reference, samples, spreads)
        deviations = model.gains - model.gains.mean(0)
        gains = max(LEAST_GAIN, float(np.sqrt(np.square(deviations).sum() / max(3 * (pairs - 1), 1))))
        spreads = Spreads(matrix_spread, gains)
    matrices, sides, prior = _equations(model, reference, samples, spreads)
    return ColourFit(model, (matrices, sides), prior)


def better_fit(training: Samples, validation: Samples, nominal: IspProfile) -> tuple[ColourFit, bool]:
    """The fit of all parameters, or the one that keeps the nominal matrix; see `KEPT`.

    Pairs do not determine a matrix whose outputs are mostly clipped, as that of `campro-strong`: a fitted one is then
    further from the camera's than the nominal one, and predicts colours that the pairs lack, such as skin, worse.

    Args:
        training: Samples of the pairs that are fitted.
        validation: Samples of other pairs, on which the two fits are compared.
        nominal: The profile that the camera was set to.

    Returns:
        The fit, and whether it keeps the nominal matrix.
    """
    fitted, kept = (fit_colours(training, nominal, matrix_spread=one) for one in (MATRIX_SPREAD, FIXED_SPREAD))
    errors = [prediction_error(one.model, validation) for one in (fitted, kept)]
    ends = fitted.intervals()
    wide = ends is not None and float((ends[1].matrix - ends[0].matrix).mean()) > UNDETERMINED
    return (kept, True) if wide or errors[1] <= KEPT * errors[0] else (fitted, False)


def prediction_error(model: ColourModel, samples: Samples) -> float:
    """Mean absolute difference of predicted and real protected colours in [0, 1], with gains fitted to each pair."""
    return float(np.abs(fit_gains(model, samples).outputs(samples) - samples.protected).mean())


@dataclass(frozen=True)
class Spreads:
    """Standard deviations of the priors."""

    matrix: float
    """Of a matrix entry and an offset around the nominal one."""
    gains: float
    """Of the natural logarithm of a gain around 0."""


def _descended(model: ColourModel, reference: ColourModel, samples: Samples, spread: Spreads) -> ColourModel:
    """The model after damped steps until the cost falls no more."""
    damping, cost, slow = 1e-3, _cost(model, reference, samples, spread), 0
    for _ in range(STEPS):
        matrices, sides, (prior_matrix, prior_side) = _equations(model, reference, samples, spread)
        matrix, side = matrices.sum(0) + prior_matrix, sides.sum(0) + prior_side
        while True:
            damped = matrix + damping * np.diag(np.diag(matrix) + 1e-9)
            new = model.moved(model.vector + np.linalg.solve(damped, side))
            new_cost = _cost(new, reference, samples, spread)
            if new_cost < cost or damping > 1e6:
                break
            damping *= 4
        if new_cost >= cost:
            return model
        slow = slow + 1 if cost - new_cost < PRECISION * cost else 0
        model, cost, damping = new, new_cost, max(damping / 4, 1e-9)
        if slow == PATIENCE:
            break
    return model


def _cost(model: ColourModel, reference: ColourModel, samples: Samples, spread: Spreads) -> float:
    apart = np.abs(model.outputs(samples) - samples.protected)
    robust = np.where(apart < TOLERANCE, apart**2, TOLERANCE * (2 * apart - TOLERANCE)).sum()
    strength, smooth = _strengths(model, 3 * len(samples), spread)
    moved = strength @ np.square(reference.vector - model.vector)
    return float(robust + moved + smooth * np.square(np.diff(model.tone, 2)).sum())


def _equations(
    model: ColourModel, reference: ColourModel, samples: Samples, spread: Spreads
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Normal matrices and right-hand sides of each pair, and of the priors."""
    outputs, jacobian = model.jacobian(samples)
    left = samples.protected - outputs
    weight = np.minimum(1.0, TOLERANCE / np.maximum(np.abs(left), 1e-12))
    pairs, size = len(model.gains), jacobian.shape[2]
    matrices, sides = np.zeros((pairs, size, size)), np.zeros((pairs, size))
    for pair in range(pairs):
        of_pair = samples.pair == pair
        rows = jacobian[of_pair].reshape(-1, size)
        weights = weight[of_pair].ravel()
        matrices[pair] = rows.T @ (rows * weights[:, None])
        sides[pair] = rows.T @ (weights * left[of_pair].ravel())
    return matrices, sides, _prior(model, reference, 3 * len(samples), spread)


def _strengths(model: ColourModel, count: int, spread: Spreads) -> tuple[Float[np.ndarray, " P"], float]:
    """Weight of the squared distance of each parameter from the nominal one, and that of a smooth tone curve."""
    at, strength = model.sections, np.zeros(len(model.vector))
    strength[at["values"]] = 2 * TOLERANCE * count * PRIOR_WEIGHT
    strength[at["matrix"]] = strength[at["offsets"]] = (NOISE / spread.matrix) ** 2
    strength[at["gains"]] = (NOISE / spread.gains) ** 2
    return strength, 2 * TOLERANCE * count * SMOOTH


def _prior(
    model: ColourModel, reference: ColourModel, count: int, spread: Spreads
) -> tuple[Float[np.ndarray, "P P"], Float[np.ndarray, " P"]]:
    """Normal matrix and right-hand side of the priors."""
    strength, smooth = _strengths(model, count, spread)
    matrix, side, rises = np.diag(strength), strength * (reference.vector - model.vector), model.sections["rises"]
    bends = np.diff(model.tone_by_rise, 2, axis=0)
    matrix[rises, rises] += smooth * bends.T @ bends + 1e-9 * np.eye(len(model.rises))
    side[rises] -= smooth * bends.T @ np.diff(model.tone, 2)
    return matrix, side


def fit_gains(model: ColourModel, samples: Samples) -> ColourModel:
    """The model with the gains of these pairs, and all other parameters as they are."""
    reference = replace(model, gains=np.zeros((int(samples.pair.max()) + 1, 3)))
    model, gains = reference, reference.sections["gains"]
    for _ in range(GAIN_STEPS):
        matrices, sides, _ = _equations(model, reference, samples, Spreads(MATRIX_SPREAD, FREE_GAIN))
        matrix = matrices.sum(0)[gains, gains] + (NOISE / FREE_GAIN) ** 2 * np.eye(model.gains.size)
        side = sides.sum(0)[gains] - (NOISE / FREE_GAIN) ** 2 * model.gains.ravel()
        step = np.linalg.solve(matrix, side).reshape(-1, 3).clip(-LARGEST_STEP, LARGEST_STEP)
        model = replace(model, gains=model.gains + step)
    return model
