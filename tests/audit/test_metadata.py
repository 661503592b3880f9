"""What a report says was audited."""

from __future__ import annotations

from dataclasses import replace

import pytest

from campro.audit.metadata import metadata_of
from campro.isp import load_profile


@pytest.mark.parametrize(("profile", "inverted"), [("negative", True), ("low-resolution-4", False)])
def test_inversion_is_not_missing_where_no_colours_are_mapped(audit_config, audit_context, profile, inverted):
    audit_context.profile = load_profile(profile)
    audit_context.config = replace(audit_config, attacks=("cheap",), measure=("attacks",))
    found = metadata_of(audit_context)
    assert ("analytic inversion" in found.attacks) is inverted
    assert "filters" in found.attacks
