"""`campro profiles`: the built-in profiles, with the worst case of each that was audited."""

from __future__ import annotations

import re
from dataclasses import dataclass

EXAMPLE = "campro profiles"
NOT_AUDITED = "not measured with all attacks"
MARKS = "† measured with uncommitted changes, ‡ possibly so, ◊ cell not in the repository"


@dataclass(frozen=True)
class Config:
    """List the built-in profiles: what each is, and its worst case as on its card."""

    json: bool = False
    """Print JSON."""


def run(config: Config) -> None:
    """Print one entry for each profile, audited ones first."""
    import json
    import textwrap

    rows = profile_rows()
    if config.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for row in rows:
        lines = [row["what"], f"worst case: {row['worst_case'] or NOT_AUDITED}"]
        text = [part for line in lines if line for part in textwrap.wrap(line, 92)]
        print("\n".join(f"{'' if i else row['name']:<20}{part}" for i, part in enumerate(text)))
    print(MARKS)


def profile_rows() -> list[dict[str, str | None]]:
    """Name, description and worst case (None where there is no card) of each built-in profile."""
    from importlib.resources import files

    from campro.isp.profile import BUILTIN_PROFILES, load_profile

    folder, rows = files("campro.isp") / "profiles", []
    for name in BUILTIN_PROFILES:
        card = folder / f"{name}.md"
        text = card.read_text("utf-8") if card.is_file() else ""
        note = first_sentence(text) if text else load_profile(name).provenance.note
        rows.append({"name": name, "what": note, "worst_case": card_row(text, "Worst case")})
    return sorted(rows, key=lambda row: row["worst_case"] is None)


def card_row(card: str, name: str) -> str | None:
    """The value of a row of a card's table.

    >>> card_row("| Worst case | all of them |", "Worst case")
    'all of them'
    """
    found = re.search(rf"^\| {re.escape(name)} \| (.*) \|$", card, re.M)
    return found[1] if found else None


def first_sentence(card: str) -> str:
    """The first sentence below the heading of a card.

    >>> first_sentence("# a (profile)\\n\\nA matrix: so it\\nis. More.")
    'A matrix: so it is.'
    """
    paragraph = " ".join(card.split("\n\n")[1].split())
    return re.split(r"(?<=\.) ", paragraph)[0]
