"""The table of target cameras. A new camera is one module, one line here, and one page in cameras/pages."""

from __future__ import annotations

from campro.cameras.android import Camera2
from campro.cameras.esp32p4 import Esp32P4
from campro.cameras.jetson_isp import JetsonIsp
from campro.cameras.libcamera import PISP, VC4
from campro.cameras.openipc import HISILICON, INGENIC
from campro.cameras.rkaiq import RkAiq
from campro.cameras.rkaiq_json import ISP21, ISP30, ISP32
from campro.cameras.rkisp1 import EQUAL, LOG
from campro.cameras.rkisp1_tuning import RkIsp1Tuning
from campro.cameras.simple_isp import SimpleIsp
from campro.cameras.software import Software
from campro.cameras.target_camera import TargetCamera
from campro.core.errors import CamproError

CAMERAS: dict[str, TargetCamera] = {
    camera.name: camera
    for camera in (
        VC4,
        PISP,
        RkIsp1Tuning(),
        LOG,
        EQUAL,
        SimpleIsp(),
        RkAiq(),
        ISP21,
        ISP30,
        ISP32,
        JetsonIsp(),
        Esp32P4(),
        INGENIC,
        HISILICON,
        Camera2(),
        Software(),
    )
}
"""Name -> camera, in the order of `campro targets`."""


def find_camera(name: str) -> TargetCamera:
    """Look up a camera by its name.

    Raises:
        CamproError: If the name is not in the table.
    """
    if name not in CAMERAS:
        raise CamproError("target", f"one of {', '.join(CAMERAS)}", repr(name))
    return CAMERAS[name]
