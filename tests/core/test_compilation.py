"""Compiled networks say what the network says."""

import pytest
import torch
from torch import nn

from campro.core.compilation import compiled, compiler


@pytest.mark.slow
def test_a_compiled_network_is_the_same_one():
    """Its answers are the network's, and follow the network's weights."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(), nn.AdaptiveAvgPool2d(1))
    pictures = torch.rand(4, 3, 16, 16)
    quick = compiled(network)
    assert quick is not network or compiler() is None
    for _ in range(2):
        torch.testing.assert_close(quick(pictures), network(pictures), atol=1e-5, rtol=1e-4)
        quick(pictures)[:, 0].sum().backward()
        torch.optim.SGD(network.parameters(), lr=1.0).step()


def test_without_a_compiler_networks_stay_as_they_are(monkeypatch, capsys):
    """And one line says what that costs."""
    monkeypatch.setenv("CXX", "no-such-compiler")
    compiler.cache_clear()
    network = nn.Conv2d(3, 4, 3)
    assert compiled(network) is network and compiled(network) is network
    assert capsys.readouterr().err.count("no C++ compiler") == 1
    compiler.cache_clear()
