"""The table of deployment targets."""

from __future__ import annotations

from campro.cameras.android import Camera2
from campro.cameras.deploy_target import DeployTarget
from campro.cameras.libcamera import PISP, VC4
from campro.cameras.rkaiq import RkAiq
from campro.cameras.rkaiq_json import ISP21, ISP30
from campro.cameras.rkisp1 import EQUAL, LOG
from campro.cameras.rkisp1_tuning import RkIsp1Tuning
from campro.cameras.software import Software
from campro.core.errors import CamproError

TARGETS: dict[str, DeployTarget] = {
    target.name: target
    for target in (VC4, PISP, RkIsp1Tuning(), LOG, EQUAL, RkAiq(), ISP21, ISP30, Camera2(), Software())
}


def find_target(name: str) -> DeployTarget:
    """A target of the table."""
    if name not in TARGETS:
        raise CamproError("target", f"one of {', '.join(TARGETS)}", repr(name))
    return TARGETS[name]
