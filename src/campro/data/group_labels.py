"""Labelled demographic groups, for results by group (ISO/IEC 19795-10): groups.csv in the folder of faces."""

from __future__ import annotations

import csv
from pathlib import Path

from campro.core.errors import CamproError
from campro.data.faces import FaceSet

GROUPS_FILE = "groups.csv"
FIELDS = ["person", "group"]


def read_groups(path: Path, faces: FaceSet) -> dict[str, tuple[str, ...]]:
    """Names of the people of each group, in the order of the file; a person may be in several groups, one line each.

    Lines of people who are not in `faces` are ignored, so that the file of a data set can be used for a part of it.

    Raises:
        CamproError: if the file cannot be read, has another header than person,group, a line without two fields, or
            no person of `faces`.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # Excel writes a byte order mark
            header, *lines = list(csv.reader(file)) or [[]]
    except (OSError, ValueError, csv.Error) as error:
        remedy = "save it as CSV UTF-8" if isinstance(error, UnicodeError) else ""
        raise CamproError(str(path), "a CSV file in UTF-8", " ".join(str(error).split()), remedy) from error
    if header != FIELDS:
        raise CamproError(str(path), "the header " + ",".join(FIELDS), _text(header) or "an empty file")
    groups: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=2):
        if len(line) != len(FIELDS) or not all(line):
            raise CamproError(f"{path}, line {number}", "person,group", _text(line) or "an empty line")
        if line[0] in faces.identities:
            groups.setdefault(line[1], []).append(line[0])
    if not groups:
        raise CamproError(str(path), f"people of {faces.name}", "none", "use the names of their folders")
    return {group: tuple(dict.fromkeys(people)) for group, people in groups.items()}


def _text(fields: list[str]) -> str:
    """Fields as one line, also if a quoted field contains line breaks."""
    return " ".join(",".join(fields).split())[:80]
