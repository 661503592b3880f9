"""The contract that every entry of the table of face embedders keeps, and the public weights."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch

from campro.core.errors import CamproError
from campro.data.facemodel import FaceModel
from campro.models.faces import align, load_embedder

OPTIONAL = {"edgeface-xs": "timm", "frbench": "frbench"}
FILES_ONLY = {"mobilefacenet-cat", "sface", "onnx"}
"""Embedders that exist only as ONNX files: test_onnx_embedder.py."""
MEMBERS = {"frbench": "frbench/mobilefacenet"}


def _entry(name):
    absent = name in OPTIONAL and not find_spec(OPTIONAL[name])
    return pytest.param(name, marks=pytest.mark.skipif(absent, reason="extra not installed"))


@pytest.mark.parametrize("name", [_entry(name) for name in OPTIONAL])
@pytest.mark.slow
def test_contract(name):
    """Recognisers of extras; tests/test_contracts.py has the others."""
    embedder = load_embedder(MEMBERS.get(name, name), weights=None)
    assert not embedder.training
    assert embedder.differentiable
    assert embedder.card.weights_sha256 is None
    crops = torch.rand(3, 3, *embedder.card.size, requires_grad=True)
    embeddings = embedder(crops)
    assert embeddings.shape == (3, embedder.card.dim)
    assert embeddings.dtype == torch.float32
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(embedder(crops[:1]), embeddings[:1], atol=1e-4, rtol=1e-3)
    embeddings[:, 0].sum().backward()
    assert crops.grad.abs().sum() > 0
    assert embedder(crops[:0]).shape == (0, embedder.card.dim)
    with pytest.raises(CamproError, match="align"):
        embedder(torch.rand(1, 3, 50, 50))


@pytest.mark.parametrize("name", sorted(FILES_ONLY))
def test_onnx_embedders_without_a_file_are_refused(name):
    with pytest.raises(CamproError, match="weights=PATH"):
        load_embedder(name, weights=None)


@pytest.fixture(scope="module")
def pictures():
    """Two images of each of two synthetic subjects."""
    return [picture for person in FaceModel.load().sample(2, 2, seed=5) for picture in person]


@pytest.mark.parametrize("name", ["mobilefacenet", "mobilefacenet-cat", "edgeface-xs", "sface"])
@pytest.mark.shared
@pytest.mark.slow
def test_public_weights_separate_subjects(shared_data, name, pictures):
    if name == "edgeface-xs":
        pytest.importorskip("timm")
    embedder = load_embedder(name)
    crops = torch.cat([align(picture, embedder.card) for picture in pictures])
    with torch.no_grad():
        cosines = embedder(crops) @ embedder(crops).T
    assert cosines[0, 1] > cosines[0, 2:].max()
    assert cosines[2, 3] > cosines[2:, :2].max()


@pytest.mark.parametrize("name", ["nobody", "mobilefacenet/small", ""])
def test_unknown_names_are_refused_with_the_known_ones(name):
    with pytest.raises(CamproError, match="dlib-resnet29"):
        load_embedder(name)


def test_missing_and_damaged_weights_are_refused_in_one_line(tmp_path):
    with pytest.raises(CamproError, match="no such file"):
        load_embedder("mobilefacenet", weights=tmp_path / "absent.ckpt")
    for name, file in (("mobilefacenet", "x.ckpt"), ("mobilefacenet", "x.safetensors"), ("dlib-resnet29", "x.dat")):
        (tmp_path / file).write_bytes(b"\x80garbage" * 9)
        with pytest.raises(CamproError) as caught:
            load_embedder(name, weights=tmp_path / file)
        assert "\n" not in str(caught.value)
