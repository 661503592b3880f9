"""Fixtures that every test folder shares."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numba
import pytest
import torch
from hypothesis import settings

if TYPE_CHECKING:
    from support.exported_enhancers import ExportedEnhancers

if "PYTEST_XDIST_WORKER" in os.environ:  # several workers share the cores: threads that wait for each other are slow
    os.environ["OMP_NUM_THREADS"] = "1"  # of child processes
    torch.set_num_threads(1)
    numba.set_num_threads(1)

# Same examples every run, and no time limit per example: a busy machine is no failure.
settings.register_profile("campro", derandomize=True, deadline=None)
settings.load_profile("campro")


LONGEST = (
    "cli/test_privacy.py",
    "test_contracts.py",
    "test_adding.py",
    "stream/test_soak.py",
    "audit/test_attack_suite.py",
    "serve/test_in_browser.py",
    "data/test_embedded.py",
    "design/test_training_loop.py",
    "deploy/test_calibration.py",
    "core/test_device.py",
    "audit/test_fan_out.py",
    "enhance/test_enhancer_training.py",
)
"""Files that take longest, the longest first; the others are ordered by their number of slow tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: a worker gets whole files, and one that begins a long file last ends long after the others."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: (places.get(item.path, len(places)), -slow[item.path]))


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_disks() -> None:
    """Files of tests need not survive a power cut."""
    os.fsync = lambda descriptor: None


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def _shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run that all its worker processes share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new cache folder for each run: results that earlier code has stored must not hide what this code computes."""
    folder = _shared_folder(tmp_path_factory) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMPRO_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The research data folder; tests that need it are skipped where it is absent."""
    folder = os.environ.get("CAMPRO_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("research data absent: point CAMPRO_DATA at it to run this test")
    return Path(folder)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> ExportedEnhancers:
    """Exported enhancers, by name: file and network."""
    from support.exported_enhancers import ExportedEnhancers

    return ExportedEnhancers(_shared_folder(tmp_path_factory))
