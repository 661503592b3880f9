"""What a camera really does with colours: its tone curve, the profile's matrix and curve, fitted to pairs of shots."""

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
"""Colours are means over squares with such a side, in which noise and JPEG average out."""
FLATTEST = 0.5
"""This share of a shot's squares is used, those that vary least: a curve bends the mean of what varies."""
SHOWN = (4, 251)
"""Levels of the default shot between which light was neither lost nor cut."""
CELL, PER_CELL = 8, 20
"""So many squares at most are taken of each cell of colours, so many levels wide: rare colours count, too."""
FEWEST = 500
TONE_POINTS = 33
STEPS, LR = 600, 2e-2
TOLERANCE = 2 / 255
"""Differences beyond it count by their size, not its square: what moved in the scene must not decide."""
FAITH = 1e-4
"""Weight of the curve as it was told to the camera, where no colour tells."""
SMOOTH = 1e-3
"""Weight of the bends of the tone curve."""

Colours = Float[np.ndarray, "N 3"]


@dataclass(frozen=True)
class Samples:
    """Colours of the same places in both shots, in [0, 1]."""

    default: Colours
    protected: Colours


def sampled(pairs: Sequence[Pair]) -> Samples:
    """Means over flat squares of all pairs, evenly over colours.

    Raises:
        CamproError: where there are too few.
    """
    found = [_flat_squares(pair) for pair in pairs]
    default, protected = (np.concatenate([one[side] for one in found]) for side in (0, 1))
    cells = (default // CELL).astype(int) @ (1, 64, 4096)
    order = np.random.default_rng(0).permutation(len(cells))
    _, first, counts = np.unique(cells[order], return_inverse=True, return_counts=True)
    by_cell = np.argsort(first, kind="stable")
    rank = np.arange(len(cells)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = order[by_cell[rank < PER_CELL]]
    if len(chosen) < FEWEST:
        got = f"{len(chosen)}"
        raise CamproError("calibrate", f"{FEWEST} flat places of different colours", got, "take shots of more scenes")
    return Samples(default[chosen] / 255, protected[chosen] / 255)


def _flat_squares(pair: Pair) -> tuple[Colours, Colours]:
    default, protected = (squares(picture, BLOCK) for picture in (pair.default, pair.protected))
    covered = squares(pair.covered[..., None], BLOCK).all((1, 2))
    mean = default.mean(1)
    spread = default.std(1).max(1)
    flat = (spread <= np.quantile(spread, FLATTEST)) & (mean > SHOWN[0]).all(1) & (mean < SHOWN[1]).all(1)
    use = covered & flat
    return mean[use], protected.mean(1)[use]


class ColourModel(nn.Module):
    """curve(matrix x tone(default) + offsets): the camera with the profile, from what it shows without."""

    def __init__(self, told: IspProfile) -> None:
        super().__init__()
        ccm, lut = parts(told)
        even = torch.linspace(0, 1, TONE_POINTS, dtype=torch.float64)
        self.rises = nn.Parameter(_inverse_softplus((even**2.2).diff().clamp(min=1e-5)))
        self.matrix = nn.Parameter(torch.tensor(ccm.matrix, dtype=torch.float64))
        self.offsets = nn.Parameter(torch.tensor(ccm.offsets, dtype=torch.float64), requires_grad=any(ccm.offsets))
        self.values = nn.Parameter(torch.tensor(lut.values, dtype=torch.float64))
        self.even, self.knots = even, torch.tensor(lut.positions, dtype=torch.float64)
        self.told = self.values.detach().clone()

    @property
    def tone(self) -> Float[Tensor, " k"]:
        """Linear light at even levels: rises from 0 to 1."""
        total = F.softplus(self.rises).cumsum(0)
        return torch.cat([total.new_zeros(1), total / total[-1]])

    def forward(self, default: Float[Tensor, "3 1 N"]) -> Float[Tensor, "3 1 N"]:
        light = apply_lut(default, self.tone[None], self.even)
        return apply_lut(apply_ccm(light, self.matrix, self.offsets), self.values, self.knots)

    def loss(self, default: Float[Tensor, "3 1 N"], protected: Float[Tensor, "3 1 N"]) -> Float[Tensor, ""]:
        """Robust distance of what it predicts, and some faith in what the camera was told."""
        apart = F.smooth_l1_loss(self(default), protected, beta=TOLERANCE)
        bends = self.tone.diff().diff().square().sum()
        return apart + FAITH * (self.values - self.told).square().sum() + SMOOTH * bends

    @torch.no_grad()
    def project_(self) -> None:
        """Back to what a profile can hold."""
        self.matrix.clamp_(-CCM_LIMIT, CCM_LIMIT)
        self.offsets.clamp_(-1, 1)
        self.values.clamp_(0, 1)


def fit_colours(samples: Samples, told: IspProfile) -> IspProfile:
    """The profile as the camera really runs it, behind its own measured tone curve."""
    default, protected = (
        torch.from_numpy(np.ascontiguousarray(side.T))[:, None] for side in (samples.default, samples.protected)
    )
    model = ColourModel(told)
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=LR)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        optimiser.zero_grad()
        model.loss(default, protected).backward()
        optimiser.step()
        schedule.step()
        model.project_()
    lut = GammaLut(tuple(tuple(curve) for curve in model.values.tolist()), parts(told)[1].knots)
    ccm = Ccm(tuple(tuple(row) for row in model.matrix.tolist()), tuple(model.offsets.tolist()))
    tone = model.tone.detach().clamp(0, 1).tolist()
    return IspProfile(f"{told.name}-calibrated", (MeasuredDegamma((*tone[:-1], 1.0)), ccm, lut, Quantise(8)))


def _inverse_softplus(x: Tensor) -> Tensor:
    return x + torch.log(-torch.expm1(-x))
