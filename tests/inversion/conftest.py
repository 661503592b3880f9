"""Fixtures of the inversion tests."""

from __future__ import annotations

import numpy as np
import pytest

from campro.inversion.preimages import COLOURS, MORTON, Preimages, morton_index


@pytest.fixture(scope="session")
def preimages_of():
    """A function that makes `Preimages` of a few captured colours by hand."""
    return _preimages_of


def _preimages_of(raws, steps=None):
    """`Preimages` with these raw colours (n, 3) for these captured colours; `steps` are their stored likelihoods."""
    by_index = {}
    for colour, some in raws.items():
        red, green, blue = np.asarray(some, np.uint32).T
        likelihood = np.zeros(len(some), np.uint32) if steps is None else steps[colour].astype(np.uint32)
        by_index[int(morton_index(colour, *MORTON))] = likelihood << 24 | red << 16 | green << 8 | blue
    starts = np.zeros(COLOURS + 1, np.uint32)
    for index in sorted(by_index):
        starts[index + 1 :] += len(by_index[index])
    return Preimages(starts, np.concatenate([by_index[index] for index in sorted(by_index)]))
