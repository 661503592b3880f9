"""Groups of people whose rates are reported separately, as ISO/IEC 19795-10 asks: labelled groups, or skin tones."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from campro.core.hashing import file_sha256
from campro.data import FaceSet
from campro.data.group_labels import GROUPS_FILE, read_groups
from campro.evaluation.evaluation_set import EvaluationSet
from campro.models.faces.skin_tone import subjects_by_class, typology_angles


def groups_of(evaluation: EvaluationSet) -> dict[str, Int[Tensor, " P"]]:
    """Subject numbers of each group: of groups.csv in the folder of faces, if there is one, else of each skin tone.

    Skin tones come lightest first and only where somebody has them: a colour matrix acts on skin first.

    Raises:
        CamproError: for a malformed groups.csv.
    """
    faces = evaluation.faces
    if (path := faces.metadata_file(GROUPS_FILE)) is None:
        return subjects_by_class(typology_angles(evaluation.photos, evaluation.landmarks), evaluation.subjects)
    number = {name: subject for subject, name in enumerate(sorted(faces.identities))}
    return {
        group: torch.tensor(sorted(number[name] for name in people))
        for group, people in read_groups(path, faces).items()
    }


def labels_digest(faces: FaceSet) -> str:
    """sha256 of groups.csv, among the inputs of a run; "none" where there is none."""
    path = faces.metadata_file(GROUPS_FILE)
    return "none" if path is None else file_sha256(path)
