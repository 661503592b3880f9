"""Names of the fills of masked areas, without what they need; see `campro.enhance.fills`."""

from __future__ import annotations

from typing import Final, Literal

Fill = Literal["smooth", "black", "pixelate-average", "silhouette"]
"""What stands where an enhancer masks a face."""
SMOOTH: Final = "smooth"
BLACK: Final = "black"
PIXELATE: Final = "pixelate-average"
SILHOUETTE: Final = "silhouette"
FILLS: tuple[Fill, ...] = (SMOOTH, BLACK, PIXELATE, SILHOUETTE)
