"""The range of an audit for a camera; what has no range is refused in words."""

from __future__ import annotations

import pytest

from campro.core.errors import CamproError
from campro.metrics.rates import Rate
from campro.report.range_curves import DensityPoint, RangeCurves
from campro.serve import range_chooser
from campro.serve.range_chooser import range_of


class FakeFindings:
    class metadata:
        profile_name = "p"

    @staticmethod
    def read(folder):
        return FakeFindings


def curves(points=()):
    return lambda findings: RangeCurves((), (), tuple(points), (), (), (), ())


@pytest.fixture
def audited(monkeypatch):
    """Rank-1 of 1 % at 50 px/m and of 60 % at 200 px/m."""
    monkeypatch.setattr(range_chooser, "Findings", FakeFindings)
    rates = ((50.0, 0.01), (200.0, 0.6))
    points = [DensityPoint(at, Rate(rate, rate, rate, 100), "a", "a", "m", "raw") for at, rate in rates]
    monkeypatch.setattr(RangeCurves, "of", curves(points))


def test_a_longer_lens_identifies_farther(audited, tmp_path):
    short, long = (range_of(tmp_path, "1920", "5.6", lens) for lens in ("4", "8"))
    metres = [float(found["rows"][0][2].split(" m")[0].split()[-1]) for found in (short, long)]
    assert metres[1] == pytest.approx(2 * metres[0], abs=0.2)
    assert "With p on a camera" in short["sentence"] and short["figure"].startswith("data:image/")


def test_an_audit_without_densities_says_what_to_run(audited, tmp_path, monkeypatch):
    monkeypatch.setattr(RangeCurves, "of", curves())
    with pytest.raises(CamproError, match="--densities"):
        range_of(tmp_path, "1920", "5.6", "4")


@pytest.mark.parametrize("values", [("x", "5", "4"), ("1920", "0", "4"), ("1920", "5", "-1"), ("1" * 30, "5", "4")])
def test_numbers_that_cannot_be_used_are_refused(audited, tmp_path, values):
    with pytest.raises(CamproError):
        range_of(tmp_path, *values)
