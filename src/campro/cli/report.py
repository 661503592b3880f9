"""`campro report`: the page of a finished (or unfinished) audit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

EXAMPLE = "campro report runs/audit"


@dataclass(frozen=True)
class Config:
    """Write report.html, report.json and tables/*.csv into an audit's run folder."""

    run: Annotated[Path, tyro.conf.Positional] = Path("runs/audit")
    """Run folder of the audit; nothing else is read."""
    show_faces: bool = False
    """Show the people of the photographs; the audit must have saved them by its own --show-faces."""
    pdf: bool = False
    """Also print report.pdf (A4), by an installed Chromium or Chrome."""
    json: bool = False
    """Print the headline figures as JSON."""


def run(config: Config) -> None:
    """Write the page; print where it is, or the headline."""
    from campro.cli.audit import print_headline
    from campro.report.write import write_report

    page = write_report(config.run, config.show_faces)
    if config.pdf:
        from campro.report.pdf_print import print_pdf

        print_pdf(page, page.with_suffix(".pdf"))
    print_headline(page, config.json)
