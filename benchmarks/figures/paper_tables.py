"""Write the tables of a finished `campro paper` as a page of the documentation, from its cells alone.

python -m benchmarks.figures.paper_tables benchmarks/results/paper/cells.jsonl docs/paper.md
"""

from __future__ import annotations

import argparse
from pathlib import Path

from campro.core.atomic_io import atomic_write
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_page import markdown, parts_of


def page_of(cells: Path) -> str:
    """The page in Markdown."""
    found = PaperCells.read(cells)
    return markdown(found.settings, parts_of(found))


def main() -> None:
    """Write the page that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cells", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    atomic_write(options.out, page_of(options.cells))


if __name__ == "__main__":
    main()
