"""Equal keys share one computation; different knowledge shares nothing; the number of entries is bounded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.attack_cache import AttackCache
from campro.attacks.colour_maps import fitted_lut
from campro.isp import RAW, Camera


def test_a_value_is_computed_once_for_each_key():
    cache, computed = AttackCache(), []
    for key in ("a", "b", "a", "b"):
        assert cache.get("colour map", (key,), lambda key=key: computed.append(key) or key.upper()) == key.upper()
    assert computed == ["a", "b"]
    assert cache.get("restorer", ("a",), lambda: 1) == 1  # another kind, another entry


def test_the_least_recently_used_entry_goes_first():
    cache, computed = AttackCache({"colour map": 2}), []
    for key in "abaca":
        cache.get("colour map", (key,), lambda key=key: computed.append(key))
    assert computed == ["a", "b", "c"]
    cache.get("colour map", ("b",), lambda: computed.append("b again"))
    assert computed[-1] == "b again"
    assert len(cache) == 2


def test_an_error_leaves_no_entry():
    cache = AttackCache()
    with pytest.raises(ZeroDivisionError):
        cache.get("colour map", (), lambda: 1 / 0)
    assert len(cache) == 0
    assert cache.get("colour map", (), lambda: "computed") == "computed"


def test_different_knowledge_shares_nothing(tiny_embedder, photo, cache):
    """Two cameras: each has its own map. Equal knowledge in another object has the same."""
    inverted = AttackerKnowledge(tiny_embedder(), 0, photos=(photo,), cameras=(Camera("invert"),))
    plain = replace(inverted, cameras=(RAW,))
    assert fitted_lut(inverted, cache) is fitted_lut(replace(inverted), cache)
    assert fitted_lut(inverted, cache).digest != fitted_lut(plain, cache).digest
    assert len(cache) == 2
    assert fitted_lut(inverted, AttackCache()) is not fitted_lut(inverted, cache)
