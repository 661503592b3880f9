"""Packages of the optional extras of pyproject.toml: imported when they are needed, with a clear error if absent."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from campro.core.errors import CamproError


def require(package: str, extra: str, who: str) -> ModuleType:
    """Import a package of an extra.

    Args:
        package: name of the module, such as "av".
        extra: the extra of pyproject.toml that installs it, such as "video".
        who: what needs it; the error message starts with it.

    Raises:
        CamproError: if the package is not installed.

    >>> require("json", "video", "reading videos").__name__
    'json'
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise CamproError(who, f"the package {package}", "none", f"pip install 'campro[{extra}]'") from error


class EventLog(Protocol):
    """What CamPro uses of a TensorBoard writer."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> Any:
        """Log one number."""

    def add_images(self, tag: str, img_tensor: Any, global_step: int) -> Any:
        """Log a batch of images (N, 3, H, W) in [0, 1]."""

    def close(self) -> Any:
        """Write what is still in memory."""


class SilentLog:
    """Logs nothing: stands in for TensorBoard where the extra `train` is not installed."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """See `EventLog.add_scalar`."""

    def add_images(self, tag: str, img_tensor: Any, global_step: int) -> None:
        """See `EventLog.add_images`."""

    def close(self) -> None:
        """See `EventLog.close`."""


def event_log(folder: Path) -> EventLog:
    """A TensorBoard writer for a training run; `SilentLog` where TensorBoard (extra `train`) is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return SilentLog()
    log: EventLog = SummaryWriter(str(folder))
    return log
