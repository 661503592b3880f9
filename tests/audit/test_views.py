"""The views of an audit: the enhanced one has the fill that was asked for, and one in black where faces are counted."""

from __future__ import annotations

from campro.audit.audit_config import ENHANCED, AuditConfig
from campro.audit.views import audit_views, with_black_fill
from campro.isp import RAW, load_profile


def enhanced(**options):
    return audit_views(load_profile("campro-default"), AuditConfig(baselines=(), **options))[ENHANCED]


def test_the_fill_is_part_of_the_view_and_black_keeps_its_digest():
    smooth, black = enhanced(), enhanced(fill="black")
    assert [view.transforms[-1].fill for view in (smooth, black)] == ["smooth", "black"]
    assert smooth.digest != black.digest
    assert with_black_fill(smooth).digest == black.digest == with_black_fill(black).digest
    assert with_black_fill(smooth).name == ENHANCED
    assert with_black_fill(RAW) is RAW
