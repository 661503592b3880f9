"""The people of an installation, `--range-people 1.7m@25..250`: their height, and the pixel densities they have."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from campro.core.errors import CamproError

OPTION = "--range-people"
_FORM = re.compile(r"(?P<height>[\d.]+)\s*m?\s*@\s*(?P<low>[\d.]+)\s*\.\.\s*(?P<high>[\d.]+)")


@dataclass(frozen=True)
class PeopleRange:
    """People of a height in metres, seen at densities of `low` to `high` px/m."""

    height: float
    low: float
    high: float

    @property
    def densities(self) -> tuple[float, float, float]:
        """Both ends and their geometric mean, in px/m."""
        return self.low, round(math.sqrt(self.low * self.high), 1), self.high

    @property
    def pixels(self) -> tuple[float, float]:
        """Least and greatest height in pixels."""
        return self.height * self.low, self.height * self.high

    @classmethod
    def parse(cls, text: str) -> PeopleRange:
        """Read HEIGHT@LOW..HIGH, in m and px/m.

        Raises:
            CamproError: for another form, a height outside of 0.3 to 3 m, or a range that is empty.

        >>> PeopleRange.parse("1.7m@25..250").densities
        (25.0, 79.1, 250.0)
        """
        example = "such as 1.7m@25..250"
        found = _FORM.fullmatch(text.strip())
        try:
            height, low, high = (float(part) for part in found.groups()) if found else (math.nan,) * 3
        except ValueError:  # 1.2.3
            height, low, high = (math.nan,) * 3
        if not (0.3 <= height <= 3 and 0 < low < high <= 10_000):
            raise CamproError("design", f"{OPTION} HEIGHT@FROM..TO in m and px/m, 0.3 to 3 m, {example}", repr(text))
        return cls(height, low, high)
