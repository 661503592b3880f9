"""The options of `campro paper`, the names of its items and the sizes of its scales; without heavy imports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ScaleName = Literal["sample", "small", "full"]
ITEM_NAMES = (
    *("fig-4", "table-4", "table-6", "table-3", "fig-10", "table-5", "table-1", "section-8", "section-7", "fig-9"),
    *("worst-attacks", "fig-11", "claims", "table-2", "table-7", "fig-14"),
)
"""Values of `--only`, in the order in which items run: cheap ones first, and those that others rest on. A test compares
them with the table of items."""


@dataclass(frozen=True)
class Scale:
    """How much data a run uses; None is all that there is."""

    people: int | None
    """People to recognise of each data set."""
    train_people: int | None
    """People on whom attacks train."""
    scenes: int | None
    """Photographs with people."""
    trials: int
    """Draws of one gallery and one probe photograph per person."""
    recognisers: int | None
    """Face recognisers, the cheapest first."""
    adapt_steps: int
    """Training steps by which the person detector adapts to a view; 0: as given only."""
    pairs: int
    """Pairs of shots for calibration."""


SCALES: dict[ScaleName, Scale] = {
    "sample": Scale(people=16, train_people=12, scenes=6, trials=2, recognisers=1, adapt_steps=0, pairs=8),
    "small": Scale(people=100, train_people=None, scenes=80, trials=10, recognisers=None, adapt_steps=0, pairs=60),
    "full": Scale(people=None, train_people=None, scenes=None, trials=10, recognisers=None, adapt_steps=100, pairs=60),
}
"""`sample`: the embedded synthetic sample; `small`: an hour on two cores; `full`: everything below --data."""


@dataclass(frozen=True)
class PaperConfig:
    """Make the tables and figures of the paper, each number beside that of the paper, into one page."""

    only: tuple[str, ...] = ()
    """Items to make, such as table-1 or fig-11; without it all."""
    scale: ScaleName = "sample"
    """`sample`: the embedded sample of synthetic people, minutes; `small`: 100 people and 80 photographs of scenes, an
    hour on two cores; `full`: everything."""
    profile: str = "campro-default"
    """Profile that stands for that of the paper: a name or a JSON file."""
    data: Path | None = None
    """Folder with lfw/, celeba/ and coco/ for `small` and `full`; default: the variable CAMPRO_DATA."""
    audits: tuple[Path, ...] = ()
    """Finished audits, run folders or copies of their cells.jsonl, whose attacks count as well."""
    enhancers: tuple[Path, ...] = ()
    """Further enhancers of Table IV beside that which ships: ONNX files of enhancers for the same profile."""
    pose_models: tuple[str, ...] = ()
    """Pose estimators of Table V; default: those on this machine, see `campro models`."""
    captioners: tuple[str, ...] = ()
    """Captioners of Table V beside the tiny ones that it trains: onnx/CARD.json, transformers/FOLDER."""
    out: Path = Path("runs/paper")
    """Run folder; the same command resumes. The page is written to it as paper.html."""
    seed: int = 0
    """Seed of the first trial and of all training."""

    @property
    def sizes(self) -> Scale:
        """Those of the chosen scale."""
        return SCALES[self.scale]
