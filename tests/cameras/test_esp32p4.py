"""The C source for the ESP32-P4: its numbers, and its syntax against declarations of the driver."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from campro.cameras.esp32p4 import POINTS, Esp32P4
from campro.isp import load_profile

HELD = Esp32P4.limits.fitted(load_profile("campro-strong"))
DECLARATIONS = """
#include <stdbool.h>
#include <stdint.h>
typedef int esp_err_t;
#define ESP_OK 0
#define ISP_GAMMA_CURVE_POINTS_NUM 16
typedef struct isp_processor_t *isp_proc_handle_t;
typedef enum { COLOR_COMPONENT_R, COLOR_COMPONENT_G, COLOR_COMPONENT_B } color_component_t;
typedef struct { float matrix[3][3]; bool saturation; } esp_isp_ccm_config_t;
typedef struct { struct { uint8_t x, y; } pt[16]; } isp_gamma_curve_points_t;
esp_err_t esp_isp_ccm_configure(isp_proc_handle_t, const esp_isp_ccm_config_t *);
esp_err_t esp_isp_gamma_configure(isp_proc_handle_t, color_component_t, const isp_gamma_curve_points_t *);
"""


def test_the_points_are_such_as_the_driver_accepts():
    apart = np.diff([0, *POINTS[:-1], 256])
    assert len(POINTS) == 16
    assert all(step in (1, 2, 4, 8, 16, 32, 64, 128) for step in apart)


def test_curves_that_do_not_start_at_black_are_refused():
    assert any("starts at black" in one for one in Esp32P4.limits.problems(load_profile("negative")))


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler")
def test_the_source_is_valid_c(tmp_path):
    (tmp_path / "driver").mkdir()
    (tmp_path / "driver" / "isp.h").write_text(DECLARATIONS)
    (tmp_path / "a.c").write_text(Esp32P4().write(HELD, "")[Esp32P4.FILE])
    words = ["gcc", "-std=c99", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", str(tmp_path)]
    done = subprocess.run([*words, str(tmp_path / "a.c")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
