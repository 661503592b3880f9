"""Fixtures that every test folder shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

# Same examples every run, and no time limit per example: a busy machine is no failure.
settings.register_profile("campro", derandomize=True, deadline=None)
settings.load_profile("campro")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new cache folder for each run: results that earlier code has stored must not hide what this code computes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMPRO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The research data folder; tests that need it are skipped where it is absent."""
    folder = os.environ.get("CAMPRO_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("research data absent: point CAMPRO_DATA at it to run this test")
    return Path(folder)
