"""Compiled networks compute the same as the network."""

import pytest
import torch
from torch import nn

from campro.core.compilation import compiled, compiler


@pytest.mark.slow
def test_a_compiled_network_has_the_outputs_and_weights_of_the_network():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(), nn.AdaptiveAvgPool2d(1))
    pictures = torch.rand(4, 3, 16, 16)
    fast = compiled(network)
    assert fast is not network or compiler() is None
    for _ in range(2):
        torch.testing.assert_close(fast(pictures), network(pictures), atol=1e-5, rtol=1e-4)
        fast(pictures)[:, 0].sum().backward()
        torch.optim.SGD(network.parameters(), lr=1.0).step()


def test_without_a_compiler_the_network_is_returned_with_one_warning(monkeypatch, capsys):
    monkeypatch.setenv("CXX", "no-such-compiler")
    compiler.cache_clear()
    network = nn.Conv2d(3, 4, 3)
    assert compiled(network) is network and compiled(network) is network
    assert capsys.readouterr().err.count("no C++ compiler") == 1
    compiler.cache_clear()
