"""`python -m campro`: the same as `campro`."""

from __future__ import annotations

import sys

from campro.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
