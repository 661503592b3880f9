"""Labelled groups of people, whose figures are told apart (ISO/IEC 19795-10): groups.csv in the folder of faces."""

from __future__ import annotations

import csv
from pathlib import Path

from campro.core.errors import CamproError
from campro.data.faces import FaceSet

GROUPS_FILE = "groups.csv"
"""In the folder of faces."""
FIELDS = ["person", "group"]


def read_groups(path: Path, faces: FaceSet) -> dict[str, tuple[str, ...]]:
    """People of each group, in the order of the file; a person may be in several groups, one line each.

    Lines about people who are not among `faces` are skipped: a list for a whole data set serves for a part of it.

    Raises:
        CamproError: for a file without the header person,group, a line of other length, or nobody of `faces`.
    """
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = list(csv.reader(file)) or [[]]
    if header != FIELDS:
        raise CamproError(str(path), "the header " + ",".join(FIELDS), ",".join(header) or "an empty file")
    groups: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=2):
        if len(line) != len(FIELDS) or not all(line):
            raise CamproError(f"{path}, line {number}", "person,group", ",".join(line) or "an empty line")
        if line[0] in faces.identities:
            groups.setdefault(line[1], []).append(line[0])
    if not groups:
        raise CamproError(str(path), f"people of {faces.name}", "not one", "persons are named as their folders are")
    return {group: tuple(dict.fromkeys(people)) for group, people in groups.items()}
