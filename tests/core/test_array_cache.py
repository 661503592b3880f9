"""Stored arrays: a second call reads them, another key misses, a flipped bit is an error."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.array_cache import cached_arrays
from campro.core.errors import CamproError


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path))
    return tmp_path


def stored(key, value):
    """Value of the array, and whether it was computed."""
    calls = []

    def compute():
        calls.append(key)
        return {"a": np.full(1000, value, np.uint32)}

    return int(cached_arrays("tables", key, compute)["a"][0]), bool(calls)


def test_arrays_are_computed_once_for_each_key(cache):
    assert stored("a1", 7) == (7, True)
    assert stored("a1", 8) == (7, False)
    assert stored("b2", 9) == (9, True)
    (file,) = cache.glob("tables/a1*")
    assert file.stat().st_mode & 0o077 == 0  # readable by its owner alone


@pytest.mark.parametrize("damage", ["bit", "cut", "text"])
def test_a_damaged_file_is_an_error_that_names_it(cache, damage):
    stored("a1", 7)
    (file,) = cache.glob("tables/*")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes({"bit": bytes(data), "cut": bytes(data[:900]), "text": b"no archive"}[damage])
    with pytest.raises(CamproError, match=rf"{file.name}.*damaged file.*delete this file"):
        stored("a1", 7)


def test_a_folder_that_cannot_be_written_costs_time_only(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path / "file"))
    assert stored("a1", 7) == (7, True)
    assert stored("a1", 7) == (7, True)
    assert capsys.readouterr().err.count("cache:") == 1
