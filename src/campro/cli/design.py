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
    "camera": ("target", "isp", "max_condition", "densities", "range_people"),
    "hardware": ("accelerator", "devices", "nodes", "precision"),
}


def run(config: Config) -> None:
    """Train, or search for a range of distances, and print the path of the profile."""
    if config.densities:
        from campro.report.frontier_plot import plot_frontier
        from campro.search.range_design import design_for_range

        profile = design_for_range(config)
        plot_frontier(config.out)
        print(profile)
        return
    from campro.design.designer import design

    print(design(config))
