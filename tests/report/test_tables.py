from __future__ import annotations

import csv
import io

import pytest

from campro.audit.audit_config import CAPTURED, RAW
from campro.report import tables
from campro.report.findings import DIRTY, Findings
from campro.report.tables import as_csv


@pytest.fixture
def found(finished_audit):
    return Findings.read(finished_audit.path)


def without_marks(row):
    return tuple(text.replace(DIRTY, "") for text in row)


def test_tables_by_hand(found):
    table = tables.identification_table(found)
    assert len(table.header) == len(table.rows[0]) == 6  # narrow enough for a telephone, whatever the number of views
    assert without_marks(table.rows[0]) == ("colour *", RAW, "nearest", "100.0 ± 0.0", "100.0", "100.0")
    assert [row[1] for row in table.rows[:3]] == [RAW, CAPTURED, "invert"]
    table = tables.person_detection_table(found)
    assert without_marks(table.rows[0]) == ("as given", RAW, "50.0 [45.0, 55.0]", *["50.0"] * 5, "–")
    assert without_marks(table.rows[4]) == (
        "adapted: training step 50",
        CAPTURED,
        "36.0 [31.0, 41.0]",
        *["36.0"] * 5,
        "60",
    )
    table = tables.quality_table(found)
    assert without_marks(table.rows[0]) == (CAPTURED, "whole", "10.0", "28.1", "0.900", "0.950", "1")


def test_undetected_faces_are_the_complement_of_detected_ones(found):
    table = tables.face_detection_table(found)
    assert without_marks(table.rows[0])[:2] == ("face not detected, whole picture", "0.0 [0.0, 39.0]")
    assert without_marks(table.rows[1])[:2] == ("face not detected, blind", "100.0 [61.0, 100.0]")


def test_no_cell_of_a_csv_file_is_a_formula():
    risky = ['=HYPERLINK("http://x")', "+1", "-1+2", "@SUM(A1)", "\t=1", " =1", "\r=1"]
    rows = [[text, -0.5, None, True, "– plain"] for text in risky]
    read = list(csv.reader(io.StringIO(as_csv(["=a", "b", "c", "d", "e"], rows)), strict=True))
    assert all(line[0].startswith("'") for line in read)
    assert read[1][1:] == ["-0.5", "", "True", "– plain"]
