"""C sources for the SDKs of IP cameras: their numbers, and their syntax against declarations."""

from __future__ import annotations

import shutil
import subprocess

import pytest

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
typedef unsigned short HI_U16;
typedef int HI_S32, VI_PIPE;
typedef enum { HI_FALSE, HI_TRUE } HI_BOOL;
typedef enum { OP_TYPE_AUTO, OP_TYPE_MANUAL } ISP_OP_TYPE_E;
typedef struct { HI_BOOL bSatEn; HI_U16 au16CCM[9]; } ISP_COLORMATRIX_MANUAL_S;
typedef struct { HI_BOOL bISOActEn, bTempActEn; } ISP_COLORMATRIX_AUTO_S;
typedef struct {
    ISP_OP_TYPE_E enOpType; ISP_COLORMATRIX_MANUAL_S stManual; ISP_COLORMATRIX_AUTO_S stAuto;
} ISP_COLORMATRIX_ATTR_S;
typedef enum { ISP_GAMMA_CURVE_DEFAULT, ISP_GAMMA_CURVE_USER_DEFINE } ISP_GAMMA_CURVE_TYPE_E;
typedef struct { HI_BOOL bEnable; HI_U16 u16Table[1025]; ISP_GAMMA_CURVE_TYPE_E enCurveType; } ISP_GAMMA_ATTR_S;
HI_S32 HI_MPI_ISP_GetCCMAttr(VI_PIPE pipe, ISP_COLORMATRIX_ATTR_S *ccm);
HI_S32 HI_MPI_ISP_SetCCMAttr(VI_PIPE pipe, const ISP_COLORMATRIX_ATTR_S *ccm);
HI_S32 HI_MPI_ISP_GetGammaAttr(VI_PIPE pipe, ISP_GAMMA_ATTR_S *gamma);
HI_S32 HI_MPI_ISP_SetGammaAttr(VI_PIPE pipe, const ISP_GAMMA_ATTR_S *gamma);
#endif
"""
DECLARATIONS = {"ingenic": {"imp/imp_isp.h": IMP}, "hisilicon": {"hi_comm_isp.h": HI, "mpi_isp.h": HI}}


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler")
@pytest.mark.parametrize("camera", [INGENIC, HISILICON], ids=lambda one: one.name)
def test_the_source_is_valid_c(camera, tmp_path):
    for name, text in DECLARATIONS[camera.name].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    held = camera.limits.fitted(load_profile("campro-strong"))
    (tmp_path / "a.c").write_text(camera.write(held, "")[camera.FILE])
    words = ["gcc", "-std=c99", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", str(tmp_path)]
    done = subprocess.run([*words, str(tmp_path / "a.c")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
