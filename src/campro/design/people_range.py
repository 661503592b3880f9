"""The people of an installation, `--range-people 1.7m@25..250`: their height, and the pixel densities they have."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from campro.core.errors import CamproError

OPTION = "--range-people"
_NUMBER = r"(\d+\.?\d*|\.\d+)"
_FORM = re.compile(rf"{_NUMBER}\s*m?\s*@\s*{_NUMBER}\s*\.\.\s*{_NUMBER}")


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
        if found := _FORM.fullmatch(text.strip()):
            height, low, high = (float(part) for part in found.groups())
            if 0.3 <= height <= 3 and 0 < low < high <= 10_000:
                return cls(height, low, high)
        wanted = f"{OPTION} HEIGHT@FROM..TO in m and px/m, 0.3 to 3 m, such as 1.7m@25..250"
        raise CamproError("design", wanted, repr(text))
