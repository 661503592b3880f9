"""`campro profiles`: built-in profiles and the worst cases of their cards."""

from __future__ import annotations

import json

from campro.cli import profiles
from campro.isp import BUILTIN_PROFILES


def test_every_profile_is_listed_with_its_worst_case(capsys):
    profiles.run(profiles.Config(json=True))
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(BUILTIN_PROFILES)
    assert rows["campro-default"]["worst_case"].startswith("rank-1 99.6 [98.0, 99.9] %")
    assert rows["campro-strong"]["worst_case"].startswith("rank-1 86.9 [83.9, 89.6] %")
    assert rows["identity"]["worst_case"] is None and rows["identity"]["what"]


def test_the_list_says_what_was_not_measured(capsys):
    profiles.run(profiles.Config())
    page = capsys.readouterr().out
    assert all(name in page for name in BUILTIN_PROFILES)
    assert profiles.NOT_AUDITED in page and "99.6" in page
