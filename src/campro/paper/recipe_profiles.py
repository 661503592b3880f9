"""The profiles that Algorithm 1 of the paper made here, with the preset `paper-small`: files of the package."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parent / "profiles"
"""The profiles, with their card."""
OMEGA = {"campro-paper": 0.2, "campro-paper-omega-1": 1.0, "campro-paper-omega-5": 5.0}
"""Weight of person detection in eq. 6 with which each was made; all have the same data, seed and number of rounds."""
PROTECTOR_ONLY = "campro-paper-protector-only"
"""The twin of `campro-paper` whose attacker does not learn after the warm-up."""


def profile_file(folder: Path, name: str) -> Path:
    """The profile of that name in a run folder, where a user has trained it longer; else that of this package."""
    own = folder / f"{name}.json"
    return own if own.is_file() else SHIPPED / f"{name}.json"
