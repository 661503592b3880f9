"""Fit of a real camera's colours to pairs of shots: its tone curve, and the matrix and gamma curve that it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.deploy.shot_pairs import Pair, squares
from campro.isp.functional import apply_ccm, apply_lut
from campro.isp.limits import parts
from campro.isp.profile import CCM_LIMIT, Ccm, GammaLut, IspProfile, MeasuredDegamma, Quantise

BLOCK = 8
"""Side in pixels of the squares whose mean colours are compared; the mean reduces noise and JPEG artefacts."""
FLATTEST = 0.5
"""Share of a shot's squares that are used: those with the least variation, whose mean passes a curve unchanged."""
UNCLIPPED = (4, 251)
"""Range of levels of the default shot that are not clipped."""
CELL, PER_CELL = 8, 20
"""Width of a colour cell in levels, and the largest number of squares for each cell: rare colours get weight, too."""
MIN_SQUARES = 500
TONE_POINTS = 33
STEPS, LR = 600, 2e-2
TOLERANCE = 2 / 255
"""Larger differences are weighted linearly instead of quadratically: moving objects must not dominate the fit."""
PRIOR_WEIGHT = 1e-4
"""Weight of the nominal gamma curve, which decides where no colour was observed."""
SMOOTH = 1e-3
"""Weight of the squared second differences of the tone curve."""

Colours = Float[np.ndarray, "N 3"]


@dataclass(frozen=True)
class Samples:
    """Mean colours of the same squares in both shots, in [0, 1]."""

    default: Colours
    protected: Colours


def sampled(pairs: Sequence[Pair]) -> Samples:
    """Sample mean colours of flat squares of all pairs, at most `PER_CELL` for each cell of colours.

    Raises:
        CamproError: If there are fewer than `MIN_SQUARES`.
    """
    found = [_flat_squares(pair) for pair in pairs]
    default, protected = (np.concatenate([one[side] for one in found]) for side in (0, 1))
    cells = (default // CELL).astype(int) @ (1, 64, 4096)
    order = np.random.default_rng(0).permutation(len(cells))
    _, first, counts = np.unique(cells[order], return_inverse=True, return_counts=True)
    by_cell = np.argsort(first, kind="stable")
    rank = np.arange(len(cells)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = order[by_cell[rank < PER_CELL]]
    if len(chosen) < MIN_SQUARES:
        got = f"{len(chosen)}"
        raise CamproError(
            "calibrate", f"{MIN_SQUARES} flat squares of different colours", got, "take shots of more scenes"
        )
    return Samples(default[chosen] / 255, protected[chosen] / 255)


def _flat_squares(pair: Pair) -> tuple[Colours, Colours]:
    default, protected = (squares(picture, BLOCK) for picture in (pair.default, pair.protected))
    covered = squares(pair.covered[..., None], BLOCK).all((1, 2))
    mean = default.mean(1)
    deviation = default.std(1).max(1)
    flat = (deviation <= np.quantile(deviation, FLATTEST)) & (mean > UNCLIPPED[0]).all(1) & (mean < UNCLIPPED[1]).all(1)
    use = covered & flat
    return mean[use], protected.mean(1)[use]


class ColourModel(nn.Module):
    """Protected colour as a function of the default colour: curve(matrix x tone(default) + offsets).

    Parameters start at the nominal profile, the tone curve at a gamma of 2.2.
    """

    def __init__(self, nominal: IspProfile) -> None:
        super().__init__()
        ccm, lut = parts(nominal)
        even = torch.linspace(0, 1, TONE_POINTS, dtype=torch.float64)
        self.rises = nn.Parameter(_inverse_softplus((even**2.2).diff().clamp(min=1e-5)))
        self.matrix = nn.Parameter(torch.tensor(ccm.matrix, dtype=torch.float64))
        self.offsets = nn.Parameter(torch.tensor(ccm.offsets, dtype=torch.float64), requires_grad=any(ccm.offsets))
        self.values = nn.Parameter(torch.tensor(lut.values, dtype=torch.float64))
        self.even, self.knots = even, torch.tensor(lut.positions, dtype=torch.float64)
        self.nominal_values = self.values.detach().clone()

    @property
    def tone(self) -> Float[Tensor, " k"]:
        """Linear light at evenly spaced levels; rises from 0 to 1."""
        total = F.softplus(self.rises).cumsum(0)
        return torch.cat([total.new_zeros(1), total / total[-1]])

    def forward(self, default: Float[Tensor, "3 1 N"]) -> Float[Tensor, "3 1 N"]:
        """Predicted protected colours in [0, 1]."""
        light = apply_lut(default, self.tone[None], self.even)
        return apply_lut(apply_ccm(light, self.matrix, self.offsets), self.values, self.knots)

    def loss(self, default: Float[Tensor, "3 1 N"], protected: Float[Tensor, "3 1 N"]) -> Float[Tensor, ""]:
        """Robust distance of the prediction, with weak priors for the nominal curve and a smooth tone curve."""
        apart = F.smooth_l1_loss(self(default), protected, beta=TOLERANCE)
        bends = self.tone.diff().diff().square().sum()
        return apart + PRIOR_WEIGHT * (self.values - self.nominal_values).square().sum() + SMOOTH * bends

    @torch.no_grad()
    def project_(self) -> None:
        """Project the parameters to the ranges of a profile."""
        self.matrix.clamp_(-CCM_LIMIT, CCM_LIMIT)
        self.offsets.clamp_(-1, 1)
        self.values.clamp_(0, 1)


def fit_colours(samples: Samples, nominal: IspProfile) -> IspProfile:
    """Fit the profile that the camera really runs, behind its measured tone curve.

    Args:
        samples: Colours of both shots.
        nominal: The profile that the camera was set to: the start of the fit.

    Returns:
        Blocks measured degamma, CCM, gamma LUT and 8-bit rounding.

    Raises:
        CamproError: If `nominal` has other blocks (see `parts`).
    """
    default, protected = (
        torch.from_numpy(np.ascontiguousarray(side.T))[:, None] for side in (samples.default, samples.protected)
    )
    model = ColourModel(nominal)
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=LR)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        optimiser.zero_grad()
        model.loss(default, protected).backward()
        optimiser.step()
        schedule.step()
        model.project_()
    lut = GammaLut(tuple(tuple(curve) for curve in model.values.tolist()), parts(nominal)[1].knots)
    ccm = Ccm(tuple(tuple(row) for row in model.matrix.tolist()), tuple(model.offsets.tolist()))
    tone = model.tone.detach().clamp(0, 1).tolist()
    return IspProfile(f"{nominal.name}-calibrated", (MeasuredDegamma((*tone[:-1], 1.0)), ccm, lut, Quantise(8)))


def _inverse_softplus(x: Tensor) -> Tensor:
    return x + torch.log(-torch.expm1(-x))
