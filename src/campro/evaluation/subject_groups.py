"""Groups of people whose figures are told apart, as ISO/IEC 19795-10 asks: labelled ones, or skin tones."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from campro.core.hashing import file_sha256
from campro.data import FaceSet
from campro.data.group_labels import GROUPS_FILE, read_groups
from campro.evaluation import Roll
from campro.models.faces import Landmarks
from campro.models.faces.skin_tone import subjects_by_class, typology_angles


def groups_of(roll: Roll, landmarks: Landmarks) -> dict[str, Int[Tensor, " P"]]:
    """People, by the roll's numbers, of each group of groups.csv in the folder of faces, where there is one.

    Else of each class of skin that anybody is of, lightest first: a colour matrix acts on skin first.
    """
    if (path := roll.faces.metadata_file(GROUPS_FILE)) is None:
        return subjects_by_class(typology_angles(roll.photos, landmarks), roll.owner)
    number = {name: who for who, name in enumerate(sorted(roll.faces.identities))}
    groups = read_groups(path, roll.faces)
    return {group: torch.tensor(sorted(number[name] for name in people)) for group, people in groups.items()}


def labels_digest(faces: FaceSet) -> dict[str, str]:
    """Content of the labels, among the inputs of a run; nothing where there are none."""
    path = faces.metadata_file(GROUPS_FILE)
    return {} if path is None else {"groups": file_sha256(path)}
