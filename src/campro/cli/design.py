"""`campro design`: train a profile."""

from __future__ import annotations

from campro.design.design_config import DesignConfig as Config

__all__ = ["EXAMPLE", "GROUPS", "Config", "run"]

EXAMPLE = "campro design --faces PEOPLE/ --scenes COCO.json --preset cpu --out runs/design"
GROUPS = {
    "run": ("out", "name", "seed"),
    "data": ("faces", "scenes", "images"),
    "models": ("face_model", "face_weights", "landmarks", "detector", "detector_weights"),
    "recipe": ("preset", "rounds", "omega", "start", "attackers", "reset_every", "protector_only", "enhance"),
    "camera": ("target", "isp", "max_condition"),
    "hardware": ("accelerator", "devices", "nodes", "precision"),
}


def run(config: Config) -> None:
    """Train, and print the path of the profile."""
    from campro.design.designer import design

    print(design(config))
