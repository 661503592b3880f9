"""Fixtures of the tests of data sets."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """The cache folder of the embedded sample, which takes seconds to make."""
    return tmp_path_factory.mktemp("cache")
