"""The table of deployment targets."""

from __future__ import annotations

from campro.core.errors import CamproError
from campro.deploy.android import Camera2
from campro.deploy.libcamera import PISP, VC4
from campro.deploy.rkaiq import RkAiq
from campro.deploy.rkaiq_json import ISP21, ISP30
from campro.deploy.rkisp1 import EQUAL, LOG
from campro.deploy.rkisp1_tuning import RkIsp1Tuning
from campro.deploy.software import Software
from campro.deploy.target import DeployTarget

TARGETS: dict[str, DeployTarget] = {
    target.name: target
    for target in (VC4, PISP, RkIsp1Tuning(), LOG, EQUAL, RkAiq(), ISP21, ISP30, Camera2(), Software())
}


def find_target(name: str) -> DeployTarget:
    """A target of the table."""
    if name not in TARGETS:
        raise CamproError("target", f"one of {', '.join(TARGETS)}", repr(name))
    return TARGETS[name]
