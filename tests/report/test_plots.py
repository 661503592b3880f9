from __future__ import annotations

import base64

import pytest

from campro.report import plots
from campro.report.findings import Findings


@pytest.mark.slow
def test_plots_are_svg_and_deterministic(finished_audit):
    found = Findings.read(finished_audit.path)
    for draw in (lambda: plots.trade_off(found), lambda: plots.gamma_curves([[0, 1]] * 3)):
        uri = draw()
        assert uri == draw()
        assert base64.b64decode(uri.split(",")[1]).lstrip().startswith(b"<?xml")
