"""`campro compare`: several audits side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

EXAMPLE = "campro compare runs/a runs/b --plot comparison.png"


@dataclass(frozen=True)
class Config:
    """Print a table of several audits: worst attack of each threat model, and person detection."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Run folders of audits, or copies of their cells.jsonl, which then name the profile."""
    plot: Path | None = None
    """Picture file (PNG, SVG, PDF) of the worst rank-1 rate over person AP."""


def run(config: Config) -> None:
    """Print the table as Markdown; write the plot where one is asked for."""
    from campro.report.compare import comparison_plot, comparison_table, read_audited

    audits = [read_audited(path) for path in config.runs]
    print(comparison_table(audits), end="")
    if config.plot is not None:
        comparison_plot(audits, config.plot)
