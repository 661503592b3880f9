"""Readers of published weight files."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from campro.core.errors import CamproError
from campro.models.faces.checkpoint import NESTS, load_into, read_checkpoint

WEIGHTS = {"weight": torch.arange(6.0).view(2, 3), "bias": torch.tensor([1.0, 2.0])}


@pytest.mark.parametrize("nest", [None, *NESTS])
def test_weights_are_found_under_every_known_key(tmp_path, nest):
    named = OrderedDict((f"module.{name}", value) for name, value in WEIGHTS.items())
    torch.save(named if nest is None else {nest: named, "epoch": 3}, tmp_path / "a.pth")
    tensors = read_checkpoint(tmp_path / "a.pth")
    assert tensors.keys() == WEIGHTS.keys()
    assert all(torch.equal(tensors[name], WEIGHTS[name]) for name in WEIGHTS)


def test_safetensors_are_read_and_loaded(tmp_path):
    save_file(WEIGHTS, tmp_path / "a.safetensors")
    model = nn.Linear(3, 2)
    load_into(model, read_checkpoint(tmp_path / "a.safetensors"), tmp_path / "a.safetensors")
    assert torch.equal(model.weight, WEIGHTS["weight"])


@pytest.mark.parametrize("content", [[torch.zeros(1)], {"epoch": 3}, {}, {"model": {"name": "x"}}, Path("a")])
def test_files_without_named_tensors_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(CamproError, match=r"a\.pth"):
        read_checkpoint(tmp_path / "a.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_missing_and_empty_files_are_refused(tmp_path, suffix):
    with pytest.raises(CamproError, match="weight file"):
        read_checkpoint(tmp_path / f"absent{suffix}")
    (tmp_path / f"empty{suffix}").touch()
    with pytest.raises(CamproError, match="weight file"):
        read_checkpoint(tmp_path / f"empty{suffix}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": None}, "bias missing"),
        ({"scale": torch.ones(1)}, "scale unknown"),
        ({"bias": torch.ones(3)}, r"bias \(3,\) instead of \(2,\)"),
        ({"bias": torch.tensor([1.0, torch.nan])}, "bias not finite"),
        ({f"layer{i}": torch.ones(1) for i in range(5)}, "and 2 more"),
    ],
)
def test_weights_of_another_model_are_refused(change, message):
    tensors = {name: value for name, value in (WEIGHTS | change).items() if value is not None}
    with pytest.raises(CamproError, match=message):
        load_into(nn.Linear(3, 2), tensors, Path("a.pth"))


@given(st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=8)), max_size=4), st.floats(0, 1))
@settings(max_examples=60)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_damaged_bytes_give_tensors_or_a_campro_error(tmp_path_factory, suffix, damage, kept):
    file = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(WEIGHTS, file)
    raw = bytearray(file.read_bytes())
    raw = raw[: int(len(raw) * kept)] if kept < 0.5 else raw
    for place, value in damage:
        start = place % max(len(raw), 1)
        raw[start : start + len(value)] = value
    file.write_bytes(raw)
    try:
        tensors = read_checkpoint(file)
    except CamproError as error:
        assert "\n" not in str(error)
    else:
        assert all(isinstance(value, torch.Tensor) for value in tensors.values())
