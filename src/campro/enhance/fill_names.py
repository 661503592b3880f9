"""Names of the fills of masked areas, without what they need; see `campro.enhance.fills`."""

from __future__ import annotations

from typing import Literal

Fill = Literal["smooth", "black", "pixelate-average", "silhouette"]
"""What stands where an enhancer masks a face."""
SMOOTH, BLACK, PIXELATE, SILHOUETTE = FILLS = ("smooth", "black", "pixelate-average", "silhouette")
