"""`campro paper`: the tables and figures of the paper, each number beside that of the paper."""

from __future__ import annotations

from dataclasses import dataclass, fields

from campro.paper.paper_options import PaperConfig

EXAMPLE = "campro paper --only table-1 fig-4 --scale sample --out runs/paper"


@dataclass(frozen=True)
class Config(PaperConfig):
    """Make the tables and figures of the paper, each number beside that of the paper, into one page."""


def run(config: Config) -> None:
    """Measure what is missing, write the page; print where it is."""
    from campro.paper.paper_run import run_paper

    options = PaperConfig(**{field.name: getattr(config, field.name) for field in fields(PaperConfig)})
    print(run_paper(options).resolve())
