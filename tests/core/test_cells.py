from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campro.core.cells import CellFile
from campro.core.errors import CamproError
from campro.core.provenance import current_origin
from campro.core.run_folder import RunFolder

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)


@pytest.fixture
def cells(tmp_path):
    return CellFile(tmp_path / "cells.jsonl")


@settings(max_examples=40)
@given(key=st.dictionaries(st.text(), JSON), value=JSON)
def test_cells_round_trip_with_their_origin(tmp_path_factory, key, value):
    path = tmp_path_factory.mktemp("run") / "cells.jsonl"
    CellFile(path).add(key, value)
    found = CellFile(path).get(dict(reversed(key.items())))
    assert (found.key, found.value, found.origin) == (key, value, current_origin())


def test_cells_are_told_apart_and_the_last_value_counts(cells):
    assert cells.get({"a": 1}) is None
    cells.add({"a": 1}, 0.5)
    cells.add({"a": 2}, 0.25)
    cells.add({"a": 1}, 0.75)
    again = CellFile(cells.path)
    assert [cell.value for cell in again.all()] == [0.75, 0.25]
    assert again.get({"a": 3}) is None
    size = cells.path.stat().st_size
    cells.add({"a": 1}, 0.75)
    assert cells.path.stat().st_size == size  # an equal result is not repeated


def test_nan_is_no_result(cells):
    with pytest.raises(CamproError, match="finite"):
        cells.add({"a": 3}, {"rank1": float("nan")})
    assert cells.all() == []


@given(st.data())
def test_every_flipped_bit_is_noticed(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("run") / "cells.jsonl"
    CellFile(path).add({"a": 1}, {"rank1": 0.0})
    before, raw = CellFile(path).all(), bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(raw) - 2))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(raw)
    try:
        assert CellFile(path).all() == before
    except CamproError as error:
        assert "cells.jsonl, line 1" in str(error)


def test_a_line_that_a_kill_cut_short_is_dropped_when_the_run_resumes(tmp_path):
    run = RunFolder.open(tmp_path, {})
    run.write_cell({"a": 1}, 1)
    with (tmp_path / "cells.jsonl").open("a") as file:
        file.write('{"key": {"a": 2}, "va')
    again = RunFolder.open(tmp_path, {})
    assert again.cell({"a": 1}) == 1
    again.write_cell({"a": 2}, 2)
    assert [cell.value for cell in RunFolder.open(tmp_path, {}).cells()] == [1, 2]


@pytest.mark.parametrize("line", ["", "[]", '{"key": {}}', '{"key": {}, "value": 1, "sha256": "0"}', "[" * 5000])
def test_a_damaged_line_is_a_clear_error(cells, line):
    cells.add({"a": 1}, 1)
    with cells.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(CamproError, match="line 2"):
        CellFile(cells.path).all()


def test_a_full_disk_keeps_finished_cells(cells, monkeypatch):
    cells.add({"a": 1}, 1)

    def fsync(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(CamproError, match="free space and run the same command again"):
            cells.add({"a": 2}, 2)
    assert [cell.value for cell in CellFile(cells.path).all()] == [1]
    cells.add({"a": 2}, 2)
    assert [cell.value for cell in CellFile(cells.path).all()] == [1, 2]
