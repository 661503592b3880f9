"""Fixtures of the tests of data sets."""

from __future__ import annotations

import pytest


@pytest.fixture
def cache(session_cache):
    """The cache folder of the embedded sample."""
    return session_cache
