"""The parser of dlib's format: a network built by hand, and damaged files."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campro.core.catalogue import locate
from campro.core.errors import CamproError
from campro.models.faces.dlib_format import DlibNet, parse_dlib_net, read_dlib_net


def _integer(value):
    magnitude = abs(value).to_bytes(8, "little").rstrip(b"\0") or b"\0"
    return bytes([len(magnitude) | (0x80 if value < 0 else 0)]) + magnitude


def _float(mantissa, exponent=0):
    return _integer(mantissa) + _integer(exponent)


def _text(value):
    return _integer(len(value)) + value.encode()


def _tensor(values=(), shape=(0, 0, 0, 0)):
    return _integer(2) + b"".join(map(_integer, shape)) + struct.pack(f"<{len(values)}f", *values)


def _alias(*shape):
    return _integer(1) + b"".join(map(_integer, shape))


STATE = b"000" + 3 * _tensor()
LOSS = _integer(1) + _text("loss_metric_2") + _float(4, -2) + _float(3, -1)
INPUT = _text("input_rgb_image_sized") + _float(245, -1) + _float(117) + _float(104) + _integer(150) + _integer(149)
VERSIONS = _integer(2) + _integer(3)
LINEAR = (
    _text("fc_2") + _integer(2) + _integer(1) + _tensor([0.5, -1.5], (1, 2, 1, 1)) + _alias(1, 2, 1, 1)
    + _alias(0, 0, 0, 0) + _integer(1) + 4 * _float(1) + STATE
)  # fmt: skip
NET = LOSS + VERSIONS + INPUT + LINEAR + _integer(1) + _text("relu_") + STATE


def test_a_network_built_by_hand_is_read():
    net = parse_dlib_net(NET)
    assert net.mean == (122.5, 117, 104)
    assert net.size == (150, 149)
    linear, relu = net.layers
    assert (linear.kind, linear.numbers, linear.params.tolist()) == ("fc_2", (2, 1), [0.5, -1.5])
    assert (relu.kind, relu.numbers, len(relu.params)) == ("relu_", (), 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "more bytes"),
        (NET[:-1], "more bytes"),
        (NET.replace(b"loss_metric_2", b"loss_metric_3"), "loss"),
        (_integer(2) + NET[2:], "version of the loss"),
        (LOSS + _integer(4) + NET[len(LOSS) + 2 :], "layer version"),
        (LOSS + 1001 * _integer(1), "at most 1000 layers"),
        (NET.replace(b"relu_", b"rolu_"), "a layer of kind"),
        (NET.replace(_tensor([0.5, -1.5], (1, 2, 1, 1)), _tensor([0.5], (1, 1, 1, 1))), "weights"),
        (NET.replace(struct.pack("<f", 0.5), struct.pack("<f", np.inf)), "finite weights"),
        (NET.replace(_float(117), _float(117, 600)), "a finite number"),
        (NET.replace(_integer(149), _integer(-149)), "0 or above"),
        (NET.replace(_integer(149), b"\x71" + _integer(149)[1:]), "1 to 8 bytes"),
        (NET[: -len(STATE)] + b"002" + 3 * _tensor(), "flags"),
        (NET[: -len(STATE)] + b"000" + 3 * _tensor([1.0], (1, 1, 1, 1)), "empty state tensor"),
        (NET.replace(_text("input_rgb_image_sized"), _text("input")), "input layer"),
        (NET + b"\x01", "more bytes"),
    ],
)
def test_each_deviation_from_the_format_is_refused(data, message):
    with pytest.raises(CamproError, match=message):
        parse_dlib_net(data)


def test_missing_and_truncated_files_are_refused(tmp_path):
    with pytest.raises(CamproError, match="readable"):
        read_dlib_net(tmp_path / "absent.dat")
    whole = locate("dlib_face_recognition_resnet_model_v1.dat").read_bytes()
    (tmp_path / "half.dat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CamproError, match=r"half\.dat.*more bytes"):
        read_dlib_net(tmp_path / "half.dat")


@given(
    st.lists(st.tuples(st.integers(0, len(NET) - 1), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, len(NET)),
    st.binary(max_size=8),
)
def test_damaged_bytes_give_a_network_or_a_campro_error(damage, kept, tail):
    raw = bytearray(NET)
    for place, value in damage:
        raw[place] = value
    for data in (bytes(raw), bytes(raw[:kept]) + tail):
        try:
            net = parse_dlib_net(data)
        except CamproError as error:
            assert "\n" not in str(error)
        else:
            assert isinstance(net, DlibNet)
            assert all(np.isfinite(layer.params).all() for layer in net.layers)


@given(st.binary(max_size=64))
def test_any_bytes_give_a_campro_error(data):
    with pytest.raises(CamproError):
        parse_dlib_net(data)
