"""A calibration notices local tone mapping, differing exposure and unstable parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from campro.deploy.colour_fit import fit_colours
from campro.deploy.fit_checks import LOCAL_LEVELS, checked, excessive, observed_knots, residual_by_place

from .conftest import NOMINAL
from .test_colour_fit import synthetic


def placed(pairs=4, stops=0.0, local=0.0):
    """Samples at random places; local tone mapping makes the left side of the default shots brighter."""
    data, _ = synthetic(pairs, stops, count=1200)
    place = np.random.default_rng(3).random((len(data), 2))
    brighter = 1 + local * (place[:, :1] - 0.5)
    return replace(data, default=(data.default * brighter).clip(0, 1), place=place)


def test_local_tone_mapping_is_detected():
    names = list("abcd")
    for local, found in ((0.0, False), (0.6, True)):
        data = placed(local=local)
        fit = fit_colours(data, NOMINAL)
        assert (residual_by_place(fit.model, data) > LOCAL_LEVELS) == found
        checks = checked(fit, data, names, None)
        assert any("local tone mapping" in problem for problem in checks.problems) == found


def test_differing_exposure_is_mentioned_and_excessive_exposure_is_named():
    data = placed(stops=0.3)
    fit = fit_colours(data, NOMINAL)
    checks = checked(fit, data, list("abcd"), fit)
    assert not checks.problems
    assert any("three gains per pair" in note for note in checks.notes)
    assert checks.matrix_moved == 0
    assert np.shape(checks.matrix_interval) == (2, 3, 3)
    assert excessive(fit.model) == {}
    far = replace(fit.model, gains=fit.model.gains + np.log(2) * np.array([[0], [0], [0], [1.5]]))
    assert list(excessive(far)) == [3]


def test_unstable_matrices_are_reported():
    data = placed()
    fit = fit_colours(data, NOMINAL)
    other = replace(fit, model=replace(fit.model, matrix=fit.model.matrix + 0.2))
    assert any("validation pairs differs by 0.20" in one for one in checked(fit, data, list("abcd"), other).problems)
    dark = data.subset(data.default.max(1) < 0.4)
    assert not observed_knots(fit.model, dark).all()
