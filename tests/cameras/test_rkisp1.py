"""Parameters of the RkISP1's driver: two's complement by hand."""

from __future__ import annotations

import json

import pytest

from campro.cameras.rkisp1 import EQUAL, LOG, KernelParameters
from campro.core.errors import CamproError

from .camera_files import fitted_files, profile


def test_coefficients_are_two_s_complement_q4_7():
    _, _, files = fitted_files("rkisp1-log", profile(matrix=((1, -0.5, 0), (0, 2, -1 / 128), (0, 0, -5))))
    coefficients = json.loads(files[KernelParameters.FILE])["ctk"]["coeff"]
    assert coefficients == [[128, 2048 - 64, 0], [0, 256, 2047], [0, 0, 2048 - 5 * 128]]


@pytest.mark.parametrize("camera", [LOG, EQUAL])
def test_17_values_of_10_bit(camera):
    _, _, files = fitted_files(camera.name, profile())
    curve = json.loads(files[camera.FILE])["goc"]["gamma_y"]
    assert len(curve) == 17
    assert curve[0] == round(0.1 * 1023)
    assert curve[-1] == 1023


def test_parameters_of_the_other_mode_are_refused():
    _, _, files = fitted_files("rkisp1-log", profile())
    with pytest.raises(CamproError, match="mode logarithmic"):
        EQUAL.read(files, "")


@pytest.mark.parametrize("field", [-1, 2048, 0.5, "1"])
def test_a_field_that_does_not_fit_the_register_is_refused(field):
    _, _, files = fitted_files("rkisp1-log", profile())
    document = json.loads(files[LOG.FILE])
    document["ctk"]["coeff"][0][0] = field
    with pytest.raises(CamproError, match="11 bit"):
        LOG.read({LOG.FILE: json.dumps(document)}, "")
