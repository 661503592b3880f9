"""Kernels work where nothing can be written, with one line that names the variable."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import pytest

from campro.core import kernels


@pytest.mark.slow
def test_kernels_work_without_a_writable_folder(tmp_path):
    """numba refuses its cache for code that is in no file and, as here, where no locator finds a folder."""
    code = (
        "import numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "caching.CompileResultCacheImpl._locator_classes = []\n"
        "from campro.isp.lookup import rounded_level\n"
        "print(rounded_level(0.5, 255))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "128\n", done.stderr
    assert done.stderr.count("NUMBA_CACHE_DIR") == 1 and len(done.stderr.splitlines()) == 1


def test_a_read_only_installation_keeps_kernels_in_the_cache_folder(tmp_path):
    code = (
        "import os\nos.access = lambda *_: False\nfrom campro.core.kernels import njit\n"
        "import numba\nprint(numba.config.CACHE_DIR)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment["CAMPRO_CACHE"] = str(tmp_path)
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path / 'numba'}\n"


def test_other_errors_are_passed_on(monkeypatch):
    def broken(**options):
        raise RuntimeError("another reason")

    monkeypatch.setattr(numba, "njit", broken)
    try:
        kernels.njit(cache=True)(len)
    except RuntimeError as error:
        assert "another reason" in str(error)
    else:
        raise AssertionError
