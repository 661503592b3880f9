"""Kernels work where nothing can be written, with one line that names the variable."""

from __future__ import annotations

import subprocess
import sys

import numba

from campro.core import kernels


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
