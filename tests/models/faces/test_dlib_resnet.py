"""dlib's face embedder against dlib."""

from __future__ import annotations

from dataclasses import replace

import dlib
import numpy as np
import pytest
import torch

from campro.core.catalogue import locate
from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.data.facemodel import FaceModel
from campro.models.faces import load_embedder
from campro.models.faces.dlib_format import read_dlib_net
from campro.models.faces.dlib_resnet import DlibResNet

WEIGHTS = "dlib_face_recognition_resnet_model_v1.dat"


def test_embeddings_equal_those_of_dlib():
    pictures = [picture for person in FaceModel.load().sample(2, 2, seed=5) for picture in person]
    original = dlib.face_recognition_model_v1(str(locate(WEIGHTS)))
    embedder = load_embedder("dlib-resnet29")
    crops = np.stack([np.ascontiguousarray(picture[5:155, 5:155]) for picture in pictures])
    wanted = np.array([original.compute_face_descriptor(crop) for crop in crops])
    with torch.no_grad():
        features = embedder.features(embedder.card.prepare(to_tensor(crops)))
        embeddings = embedder(to_tensor(crops))
    np.testing.assert_allclose(features.numpy(), wanted, atol=1e-5)
    np.testing.assert_allclose(embeddings.numpy(), wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-5)


def test_other_architectures_are_refused():
    net = read_dlib_net(locate(WEIGHTS))
    first = net.layers[0]
    others = {
        "mean": replace(net, mean=(0.0, 0.0, 0.0)),
        "con_4": replace(net, layers=(replace(first, numbers=(9, *first.numbers[1:])), *net.layers[1:])),
        "filter weights": replace(net, layers=(replace(first, params=first.params[1:]), *net.layers[1:])),
        "the end": replace(net, layers=net.layers[:-1]),
        "more layers": replace(net, layers=(*net.layers, first)),
    }
    for message, other in others.items():
        with pytest.raises(CamproError, match=message):
            DlibResNet().load_dlib(other, "file")
