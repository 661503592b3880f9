from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.core.hashing import canonical_json, file_sha256, json_digest, tensors_sha256

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


def test_the_file_hash_equals_a_published_test_vector(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")  # the test vector of FIPS 180-2
    assert file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(CamproError, match="No such file"):
        file_sha256(tmp_path / "b")


@settings(max_examples=40)
@given(st.dictionaries(st.text(), JSON))
def test_digest_does_not_depend_on_the_order_of_keys(value):
    backwards = dict(reversed(value.items()))
    assert json_digest(value) == json_digest(backwards)
    assert json_digest(value) == hashlib.sha256(canonical_json(backwards).encode()).hexdigest()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), {"a": [float("nan")]}, {1, 2}, np.float32(1)])
def test_values_that_json_does_not_have_are_refused(bad):
    with pytest.raises(CamproError, match="finite JSON"):
        json_digest(bad)


def test_the_tensor_hash_depends_on_names_shapes_types_and_bits():
    base = {"a": torch.arange(6.0), "b": torch.tensor(1)}
    variants = [
        base,
        {"a": torch.arange(6.0), "c": torch.tensor(1)},
        {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(1)},
        {"a": torch.arange(6.0).double(), "b": torch.tensor(1)},
        {"a": torch.arange(6.0).bfloat16(), "b": torch.tensor(1)},
        {"a": torch.arange(6.0).nextafter(torch.tensor(9.0)), "b": torch.tensor(1)},
    ]
    assert len({tensors_sha256(variant) for variant in variants}) == len(variants)
    assert tensors_sha256(base) == tensors_sha256(dict(reversed(base.items())))
    square = torch.arange(4.0).reshape(2, 2)
    assert tensors_sha256({"a": square.T}) == tensors_sha256({"a": square.T.contiguous()})
