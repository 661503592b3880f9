"""Mean colours of the same flat squares in both shots of all pairs: the data of a calibration and of a verification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from campro.core.errors import CamproError
from campro.deploy.shot_pairs import Pair, squares

BLOCK = 8
"""Side in pixels of the squares whose mean colours are compared; the mean reduces noise and JPEG artefacts."""
FLATTEST = 0.5
"""Share of a shot's squares that are used: those with the least variation, whose mean passes a curve unchanged."""
UNCLIPPED = (4, 251)
"""Range of levels of the default shot that are not clipped."""
CELL, PER_CELL = 8, 20
"""Width of a colour cell in levels, and the largest number of squares for each cell: rare colours get weight, too."""
MOST = 4000
"""Largest number of samples of a calibration; more change the parameters by less than their intervals."""
MIN_SQUARES = 500

Colours = Float[np.ndarray, "N 3"]


@dataclass(frozen=True)
class Samples:
    """Mean colours of the same squares in both shots, in [0, 1]."""

    default: Colours
    protected: Colours
    pair: Int[np.ndarray, " N"]
    """Index of the pair that a square belongs to."""
    place: Float[np.ndarray, "N 2"]
    """Centre of a square as a share of the picture's width and height, in [0, 1]."""

    def __len__(self) -> int:
        """Number of squares."""
        return len(self.default)

    def subset(self, rows: Int[np.ndarray, " n"] | Bool[np.ndarray, " N"]) -> Samples:
        """The samples of these rows."""
        return Samples(self.default[rows], self.protected[rows], self.pair[rows], self.place[rows])


def sampled(pairs: Sequence[Pair], least: int = MIN_SQUARES, most: int = MOST) -> Samples:
    """Sample mean colours of flat squares of all pairs, at most `PER_CELL` for each cell of colours.

    Args:
        pairs: Registered pairs.
        least: Smallest number of samples.
        most: Largest number of samples; a random subset of this size is drawn.

    Raises:
        CamproError: If there are fewer than `least`.
    """
    found = [_flat_squares(pair, index) for index, pair in enumerate(pairs)]
    default, protected, pair, place = (np.concatenate([one[part] for one in found]) for part in range(4))
    cells = (default // CELL).astype(int) @ (1, 64, 4096)
    order = np.random.default_rng(0).permutation(len(cells))
    _, first, counts = np.unique(cells[order], return_inverse=True, return_counts=True)
    by_cell = np.argsort(first, kind="stable")
    rank = np.arange(len(cells)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = order[by_cell[rank < PER_CELL]]
    if len(chosen) < least:
        got = f"{len(chosen)}"
        raise CamproError("calibrate", f"{least} flat squares of different colours", got, "take shots of more scenes")
    if len(chosen) > most:
        chosen = np.random.default_rng(1).choice(chosen, most, replace=False)
    return Samples(default[chosen] / 255, protected[chosen] / 255, pair[chosen], place[chosen])


def _flat_squares(pair: Pair, index: int) -> tuple[Colours, Colours, np.ndarray, np.ndarray]:
    default, protected = (squares(picture, BLOCK) for picture in (pair.default, pair.protected))
    covered = squares(pair.covered[..., None], BLOCK).all((1, 2))
    mean = default.mean(1)
    deviation = default.std(1).max(1)
    flat = (deviation <= np.quantile(deviation, FLATTEST)) & (mean > UNCLIPPED[0]).all(1) & (mean < UNCLIPPED[1]).all(1)
    use = covered & flat
    rows, columns = (side // BLOCK for side in pair.covered.shape)
    y, x = np.mgrid[:rows, :columns]
    place = np.stack([(x.ravel() + 0.5) / columns, (y.ravel() + 0.5) / rows], 1)
    return mean[use], protected.mean(1)[use], np.full(use.sum(), index), place[use]
