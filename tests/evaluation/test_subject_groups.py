"""Groups of people by hand."""

from __future__ import annotations

from pathlib import Path

from campro.data import FaceSet
from campro.evaluation import EvaluationSet
from campro.evaluation.subject_groups import groups_of, labels_digest
from campro.models.faces import Landmarks


def test_labels_come_before_skin_tones(tmp_path):
    """Numbers are those of subjects with two photographs, by name; no photograph is read."""
    (tmp_path / "groups.csv").write_text("person,group\ncid,men\nann,women\nbob,men\n")
    people = {
        name: tuple(Path(f"{name}{i}.png") for i in range(count))
        for name, count in (("ann", 2), ("bob", 1), ("cid", 2))
    }
    faces = FaceSet("few", tmp_path, people)
    evaluation = EvaluationSet.of(faces, Landmarks("five", "none", {photo: None for photo in faces.photos}))
    found = groups_of(evaluation)
    assert {group: who.tolist() for group, who in found.items()} == {"men": [1], "women": [0]}


def test_other_labels_are_another_input(tmp_path):
    faces = FaceSet("few", tmp_path, {})
    assert labels_digest(faces) == "none"
    (tmp_path / "groups.csv").write_text("person,group\n")
    first = labels_digest(faces)
    (tmp_path / "groups.csv").write_text("person,group\nann,women\n")
    assert len({first, labels_digest(faces), "none"}) == 3
