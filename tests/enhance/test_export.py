"""The exported file, compared with PyTorch at sizes that the exporter did not trace."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from campro.enhance.export import ENHANCED, PICTURE


@pytest.mark.slow
@pytest.mark.parametrize("size", [(96, 160), (33, 95), (200, 64)])
@pytest.mark.parametrize("name", ["fast", "unet"])
def test_onnxruntime_computes_what_pytorch_computes(exported, name, size):
    session = onnxruntime.InferenceSession(str(exported[name].file), providers=["CPUExecutionProvider"])
    captured = torch.rand(1, 3, *size)
    (found,) = session.run([ENHANCED], {PICTURE: captured.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(found, exported[name].network(captured).numpy(), atol=1e-4)


@pytest.mark.parametrize("name", ["fast", "unet"])
@pytest.mark.slow
def test_the_file_contains_no_source_paths(exported, name):
    content = exported[name].file.read_bytes()
    assert not [word for word in (b".py", b"campro.", b"site-packages") if word in content]
