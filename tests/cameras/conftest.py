"""Real camera files, where the research data are present."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def deploy_files(shared_data) -> Path:
    """The folder of real camera files."""
    return shared_data / "deploy"
