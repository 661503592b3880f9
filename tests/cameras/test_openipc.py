"""C sources for the SDKs of IP cameras: their numbers, and their syntax against declarations."""

from __future__ import annotations

import configparser
import shutil
import subprocess

import numpy as np
import pytest
import yaml

from campro.cameras.openipc import HISILICON, INGENIC
from campro.isp import load_profile

IMP = """
#include <stdint.h>
typedef enum { IMPVI_MAIN } IMPVI_NUM;
typedef enum { IMPISP_TUNING_OPS_MODE_DISABLE, IMPISP_TUNING_OPS_MODE_ENABLE } IMPISPTuningOpsMode;
typedef struct { IMPISPTuningOpsMode ManualEn, SatEn; float ColorMatrix[9]; } IMPISPCCMAttr;
typedef enum { IMP_ISP_GAMMA_CURVE_DEFAULT, IMP_ISP_GAMMA_CURVE_USER } IMPISPGammaCurveType;
typedef struct { IMPISPGammaCurveType Curve_type; uint16_t gamma[129]; } IMPISPGammaAttr;
int32_t IMP_ISP_Tuning_SetCCMAttr(IMPVI_NUM num, IMPISPCCMAttr *ccm);
int32_t IMP_ISP_Tuning_SetGammaAttr(IMPVI_NUM num, IMPISPGammaAttr *gamma);
"""
HI = """
#ifndef DECLARED
#define DECLARED
#define CCM_MATRIX_NUM 7
#define HI_FAILURE (-1)
typedef unsigned char HI_U8;
typedef unsigned short HI_U16;
typedef int HI_S32, VI_PIPE;
typedef enum { HI_FALSE, HI_TRUE } HI_BOOL;
typedef enum { OP_TYPE_AUTO, OP_TYPE_MANUAL } ISP_OP_TYPE_E;
typedef struct { HI_BOOL bSatEn; HI_U16 au16CCM[9]; } ISP_COLORMATRIX_MANUAL_S;
typedef struct { HI_U16 u16ColorTemp; HI_U16 au16CCM[9]; } ISP_COLORMATRIX_PARAM_S;
typedef struct {
    HI_BOOL bISOActEn, bTempActEn; HI_U16 u16CCMTabNum; ISP_COLORMATRIX_PARAM_S astCCMTab[CCM_MATRIX_NUM];
} ISP_COLORMATRIX_AUTO_S;
typedef struct {
    ISP_OP_TYPE_E enOpType; ISP_COLORMATRIX_MANUAL_S stManual; ISP_COLORMATRIX_AUTO_S stAuto;
} ISP_COLORMATRIX_ATTR_S;
typedef struct { ISP_OP_TYPE_E enOpType; struct { HI_U8 u8Saturation; } stManual; } ISP_SATURATION_ATTR_S;
typedef enum { ISP_GAMMA_CURVE_DEFAULT, ISP_GAMMA_CURVE_USER_DEFINE } ISP_GAMMA_CURVE_TYPE_E;
typedef struct { HI_BOOL bEnable; HI_U16 u16Table[1025]; ISP_GAMMA_CURVE_TYPE_E enCurveType; } ISP_GAMMA_ATTR_S;
HI_S32 HI_MPI_ISP_GetCCMAttr(VI_PIPE pipe, ISP_COLORMATRIX_ATTR_S *ccm);
HI_S32 HI_MPI_ISP_SetCCMAttr(VI_PIPE pipe, const ISP_COLORMATRIX_ATTR_S *ccm);
HI_S32 HI_MPI_ISP_GetSaturationAttr(VI_PIPE pipe, ISP_SATURATION_ATTR_S *saturation);
HI_S32 HI_MPI_ISP_SetSaturationAttr(VI_PIPE pipe, const ISP_SATURATION_ATTR_S *saturation);
HI_S32 HI_MPI_ISP_GetGammaAttr(VI_PIPE pipe, ISP_GAMMA_ATTR_S *gamma);
HI_S32 HI_MPI_ISP_SetGammaAttr(VI_PIPE pipe, const ISP_GAMMA_ATTR_S *gamma);
#endif
"""
DECLARATIONS = {"ingenic": {"imp/imp_isp.h": IMP}, "hisilicon": {"hi_comm_isp.h": HI, "mpi_isp.h": HI}}
STRONG = load_profile("campro-strong")
NEEDS_GCC = pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler")
SDK = """
static ISP_COLORMATRIX_ATTR_S own;
static ISP_SATURATION_ATTR_S saturation;
static ISP_GAMMA_ATTR_S gamma;
HI_S32 HI_MPI_ISP_GetCCMAttr(VI_PIPE pipe, ISP_COLORMATRIX_ATTR_S *ccm) { *ccm = own; return pipe; }
HI_S32 HI_MPI_ISP_SetCCMAttr(VI_PIPE pipe, const ISP_COLORMATRIX_ATTR_S *ccm) { own = *ccm; return pipe; }
HI_S32 HI_MPI_ISP_GetSaturationAttr(VI_PIPE pipe, ISP_SATURATION_ATTR_S *one) { *one = saturation; return pipe; }
HI_S32 HI_MPI_ISP_SetSaturationAttr(VI_PIPE pipe, const ISP_SATURATION_ATTR_S *one) { saturation = *one; return pipe; }
HI_S32 HI_MPI_ISP_GetGammaAttr(VI_PIPE pipe, ISP_GAMMA_ATTR_S *one) { *one = gamma; return pipe; }
HI_S32 HI_MPI_ISP_SetGammaAttr(VI_PIPE pipe, const ISP_GAMMA_ATTR_S *one) { gamma = *one; return pipe; }

#include <stdio.h>
int main(void)
{
    const HI_U16 calibrated[9] = {0x01D9, 0x80CC, 0x800D, 0x803E, 0x01F6, 0x80B8, 0x8016, 0x80AE, 0x01C4};
    own.stAuto.bISOActEn = own.stAuto.bTempActEn = HI_TRUE;
    own.stAuto.u16CCMTabNum = 7;
    for (int light = 0; light < 7; light++) {
        memcpy(own.stAuto.astCCMTab[light].au16CCM, calibrated, sizeof(calibrated));
        own.stAuto.astCCMTab[light].au16CCM[0] += light;
    }
    printf("%d ", campro_apply(0) | campro_apply(0)); /* the second call must not multiply again */
    printf("%d %d %d\\n", own.stAuto.bISOActEn, own.stAuto.bTempActEn, saturation.stManual.u8Saturation);
    for (int light = 0; light < 7; light++) {
        for (int i = 0; i < 9; i++) {
            printf("%d ", own.stAuto.astCCMTab[light].au16CCM[i]);
        }
    }
    printf("\\n%d %d %d\\n", gamma.bEnable, gamma.u16Table[512], gamma.u16Table[1024]);
    own.stAuto.u16CCMTabNum = campro_own.u16CCMTabNum = 8;
    return campro_apply(0) != HI_FAILURE;
}
"""
"""The SDK's functions, which keep what they are given, and a program that calls the source's function."""


def compiled(camera, tmp_path, *words, after=""):
    """Result of the C compiler for a camera's source."""
    for name, text in DECLARATIONS[camera.name].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "a.c").write_text(camera.write(camera.limits.fitted(STRONG), "")[camera.FILE] + after)
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-I", str(tmp_path), *words, str(tmp_path / "a.c")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@NEEDS_GCC
@pytest.mark.parametrize("camera", [INGENIC, HISILICON], ids=lambda one: one.name)
def test_the_source_is_valid_c(camera, tmp_path):
    done = compiled(camera, tmp_path, "-fsyntax-only")
    assert done.returncode == 0, done.stderr


@NEEDS_GCC
@pytest.mark.slow
def test_every_light_of_a_hisilicon_camera_gets_the_profile(tmp_path):
    """Seven matrices of 8.8 bits with bit 15 as sign, each multiplied once; switches off; the curve set."""
    done = compiled(HISILICON, tmp_path, "-o", str(tmp_path / "a.out"), after=SDK)
    assert done.returncode == 0, done.stderr
    ran = subprocess.run([tmp_path / "a.out"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, "a number of matrices out of range is refused"
    switches, words, gamma = ran.stdout.splitlines()
    assert switches == "0 0 0 128"
    held = HISILICON.limits.fitted(STRONG)
    for light, found in enumerate(np.array(words.split(), int).reshape(7, 3, 3)):
        own = np.array([[473 + light, -204, -13], [-62, 502, -184], [-22, -174, 452]]) / 256
        wanted = np.array(held.blocks[1].matrix) @ own * 256
        np.testing.assert_allclose(np.where(found & 0x8000, -1, 1) * (found & 0x7FFF), wanted, atol=0.51)
    assert gamma.split() == ["1", str(round(held.blocks[2].values[0][512] * 4095)), "4095"]


def test_the_snippets_keep_the_colour_mode():
    files = HISILICON.write(HISILICON.limits.fitted(STRONG), "")
    night = yaml.safe_load(files["majestic.yaml"])["nightMode"]
    assert night == {"lightMonitor": False, "colorToGray": False}
    assert INGENIC.write(INGENIC.limits.fitted(STRONG), "")["majestic.yaml"] == files["majestic.yaml"]
    sensor = configparser.ConfigParser()
    sensor.read_string(files["sensor.ini"])
    assert (sensor["static_ccm"]["ISOActEn"], sensor["static_ccm"]["TempActEn"]) == ("0", "0")
    assert sensor["static_saturation"]["AutoSat"].split(", ") == ["128"] * 16
    values = [int(word) for word in sensor["dynamic_gamma"]["Table_0"].strip('"').split(", ")]
    assert len(values) == 1025
    assert max(values) == 4095
