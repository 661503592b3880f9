"""`campro design`: train a profile."""

from __future__ import annotations

from campro.design.design_config import DesignConfig as Config

__all__ = ["Config", "run"]


def run(config: Config) -> None:
    """Train, and print the path of the profile."""
    from campro.design.designer import design

    print(design(config))
