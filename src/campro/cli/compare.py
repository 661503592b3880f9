"""`campro compare`: several audits side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

EXAMPLE = "campro compare runs/a runs/b --plot comparison.png"


@dataclass(frozen=True)
class Config:
    """Print tables of several audits: worst attack of each threat model, person detection, attacks by pixel density."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Run folders of audits, or copies of their cells.jsonl, which then name the profile."""
    plot: Path | None = None
    """Picture file (PNG, SVG, PDF) of the worst rank-1 rate over person AP."""


def run(config: Config) -> None:
    """Print the tables as Markdown; write the plot where one is asked for."""
    from campro.report.compare import comparison_plot, comparison_table, density_comparison, read_audited

    audits = [read_audited(path) for path in config.runs]
    print(comparison_table(audits), end="")
    if table := density_comparison(audits):
        print("\n" + table, end="")
    if config.plot is not None:
        comparison_plot(audits, config.plot)
