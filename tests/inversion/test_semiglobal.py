"""Semi-global matching: against all paths through a line, and by hand."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from campro.inversion.preimages import STEPS_PER_HALVING
from campro.inversion.semiglobal import (
    CANDIDATES,
    CELL_VARIANCE,
    DEGREES_OF_FREEDOM,
    LIKELIHOOD_POWER,
    MAX_STEP_COST,
    select_semiglobally,
    student_t_constants,
)


@pytest.mark.parametrize("seed", range(5))
def test_the_selection_on_a_line_is_the_cheapest_of_all_paths(seed, preimages_of):
    """On one row the costs of both directions add up to the cost of the cheapest path through each candidate."""
    rng = np.random.default_rng(seed)
    colours = [(level, 0, 0) for level in range(6)]
    raws = [rng.integers(0, 60, (rng.integers(1, 5), 3)) for _ in colours]
    weights = [rng.integers(0, 40, len(some)) for some in raws]
    preimages = preimages_of(dict(zip(colours, raws)), dict(zip(colours, weights)))
    means = rng.uniform(0, 60, (1, 6, 3)).astype(np.float32)
    picture = np.array([colours], np.uint8)
    found = select_semiglobally(picture, picture, np.ones((1, 6), np.uint8), means, preimages)

    inverse = np.linalg.inv(CELL_VARIANCE[0] * np.eye(3) + CELL_VARIANCE[1])

    def cost(place, choice):
        off = raws[place][choice] - means[0, place]
        prior = LIKELIHOOD_POWER * np.log(2) * weights[place][choice] / STEPS_PER_HALVING
        return prior + 3 * np.log1p(off @ inverse @ off / DEGREES_OF_FREEDOM)

    def path_cost(choices):
        steps = (np.abs(raws[i][a] - raws[i + 1][b]).sum() for i, (a, b) in enumerate(pairwise(choices)))
        return sum(min(step, MAX_STEP_COST) for step in steps) + sum(cost(*pair) for pair in enumerate(choices))

    best = min(product(*(range(len(some)) for some in raws)), key=path_cost)
    np.testing.assert_array_equal(found[0], [raws[place][choice] for place, choice in enumerate(best)])


def test_of_many_preimages_the_cheapest_are_candidates(preimages_of):
    """Twenty greys; the last ones are nearest to the mean of the cell."""
    greys = np.arange(1, 21)[:, None].repeat(3, 1) * 10
    found = _one_pixel(preimages_of({(0, 0, 0): greys}), mean=198)
    assert len(greys) > CANDIDATES
    np.testing.assert_array_equal(found, [200, 200, 200])


def test_pixels_without_ambiguity_or_without_preimages_keep_their_recoloured_value(preimages_of):
    several = [[10, 10, 10], [200, 200, 200]]
    np.testing.assert_array_equal(_one_pixel(preimages_of({(0, 0, 0): several}), ambiguity=0), [77, 77, 77])
    np.testing.assert_array_equal(_one_pixel(preimages_of({(1, 1, 1): several})), [77, 77, 77])


def test_the_constants_give_the_mahalanobis_distance():
    scale, mix = student_t_constants(25, 600)
    x = np.array([3.0, -8, 20])
    wanted = x @ np.linalg.inv(25 * np.eye(3) + 600) @ x / DEGREES_OF_FREEDOM
    assert scale * (x @ x - mix * x.sum() ** 2) == pytest.approx(wanted, rel=1e-5)


def _one_pixel(preimages, mean=198, ambiguity=1):
    """The selection for a black captured pixel whose recoloured value is 77."""
    captured, recoloured = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 77, np.uint8)
    means = np.full((1, 1, 3), mean, np.float32)
    return select_semiglobally(captured, recoloured, np.full((1, 1), ambiguity, np.uint8), means, preimages)[0, 0]
