"""Optional packages: a clear error where one is missing, and training that goes on without TensorBoard."""

from __future__ import annotations

import subprocess
import sys

import pytest

from campro.core.errors import CamproError
from campro.core.extras import SilentLog, event_log, require

HIDDEN = ("av", "onnxscript", "tensorboard", "torch.utils.tensorboard", "torchmetrics")
"""Packages of extras and of tests. Lightning imports torchmetrics where it is, and with it torchvision: seconds."""
HIDE = f"import sys\nfor name in {HIDDEN}: sys.modules[name] = None\n"


def run(code: str) -> str:
    """Output of a new process in which the packages of the extras cannot be imported."""
    done = subprocess.run([sys.executable, "-c", HIDE + code], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_missing_package_is_reported_with_its_extra():
    with pytest.raises(CamproError, match=r"reading videos: expected the package not_there, got none; pip install"):
        require("not_there", "video", "reading videos")
    assert require("json", "video", "x").__name__ == "json"


def test_a_video_needs_the_extra(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    code = f"""
from campro.core.media import VIDEO_SUFFIXES
from campro.core.video import transcode
try:
    transcode({str(tmp_path / "a.mp4")!r}, {str(tmp_path / "b.mp4")!r}, lambda rgb: rgb)
except ValueError as error:
    print(error)
"""
    assert "expected the package av, got none; pip install 'campro[video]'" in run(code)


def test_training_logs_nothing_without_tensorboard(tmp_path):
    code = f"from campro.core.extras import event_log; print(type(event_log({str(tmp_path)!r})).__name__)"
    assert run(code).strip() == "SilentLog"
    log = SilentLog()
    log.add_scalar("loss", 1.0, 0)
    log.add_images("examples", None, 0)
    log.close()


def test_with_tensorboard_a_file_is_written(tmp_path):
    pytest.importorskip("tensorboard")
    log = event_log(tmp_path)
    log.add_scalar("loss", 1.0, 0)
    log.close()
    assert list(tmp_path.glob("events.*"))


@pytest.mark.slow
def test_design_and_audit_import_without_extras():
    """torchvision, which takes seconds to import, is left until boxes are computed."""
    code = "import sys, campro.audit.audit_run, campro.serve.page_app, campro.enhance.runner\n"
    code += "import campro.design.designer\nprint('torchvision' in sys.modules)"
    assert run(code).strip() == "False"
