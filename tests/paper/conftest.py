"""A run folder of `campro paper` without any item."""

from __future__ import annotations

import pytest

from campro.audit.metadata import ModelInfo
from campro.core.run_folder import RunFolder
from campro.paper.paper_cells import SETTINGS, DataUsed, PaperSettings


@pytest.fixture
def paper_run(tmp_path):
    run = RunFolder.open(tmp_path / "paper", {})
    data = (DataUsed("lfw", "f" * 64, 300, 900),)
    models = (ModelInfo("white", "MIT", "a" * 64), ModelInfo("other", "MIT", None))
    settings = PaperSettings("small", "campro-default", "d" * 64, "white", 0, 10, data, models, "yunet", "yolox-nano")
    run.write_cell(SETTINGS, settings)
    return run
