"""Table II from cells written by hand."""

from __future__ import annotations

import pytest

from campro.audit import cell_keys
from campro.audit.results import IdentificationResult
from campro.isp import load_profile
from campro.metrics.rates import Rate
from campro.paper import table_2
from campro.paper.paper_cells import PaperCells
from campro.paper.recipe_profiles import profile_file
from campro.paper.scoped_run import ScopedRun


def test_own_profiles_stand_above_those_of_the_package(tmp_path):
    (tmp_path / "campro-paper.json").touch()
    assert profile_file(tmp_path, "campro-paper") == tmp_path / "campro-paper.json"
    shipped = [load_profile(profile_file(tmp_path / "none", name)) for name in table_2.PROFILES.values()]
    assert [profile.name for profile in shipped] == list(table_2.PROFILES.values())
    assert {profile.provenance.models["recogniser"] for profile in shipped} == {"mobilefacenet"}
    assert len({profile.provenance.data["faces"] for profile in shipped}) == 1  # the same training set


def test_seen_unseen_and_their_ratio(paper_run):
    part = ScopedRun(paper_run, {"data": "lfw", "profile": "campro-paper"})
    part.write_cell(table_2.TRAINING, table_2.Training("white", "game 10 rounds"))
    for model, mean in (("white", 0.1), ("other", 0.3), ("third", 0.5)):
        for view, rate in (("raw", Rate(0.9, 0.8, 1, 100)), ("captured", Rate(mean, mean / 2, mean, 100))):
            result = IdentificationResult(100, rate, rate, rate, (rate.mean,), ())
            part.write_cell(cell_keys.identification(model, view, "nearest"), result)
    section = table_2.section(PaperCells(paper_run.cells()))
    found = {(row.row, row.figure): row.here.value for row in section.rows if row.here}
    assert found["protector and attacker", "rank-1, seen"] == pytest.approx(10)
    assert found["protector and attacker", "rank-1, unseen"] == pytest.approx(40)
    assert found["protector and attacker", "unseen / seen"] == pytest.approx(4)
    assert found["protector and attacker, third", "rank-1, captured"] == pytest.approx(50)
    assert not any(row.row.startswith("protector only") for row in section.rows)
    assert section.notes == ("campro-paper: trained against white; game 10 rounds.",)
