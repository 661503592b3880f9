"""Closed-set identification as in CamPro, section VI-A: one raw gallery photograph and one query of each person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from campro.core.errors import CamproError
from campro.data.faces import FaceSet
from campro.data.splits import draw_split
from campro.evaluation.matchers import Matcher
from campro.metrics.identification import Identification, Repeated, ranks_of_mates, summarise


@dataclass(frozen=True)
class Draw:
    """One repeat: rows of each person's gallery and query photograph, person by person."""

    gallery: Int[Tensor, "I"]
    query: Int[Tensor, "I"]
    seed: int


@dataclass(frozen=True)
class Roll:
    """The photographs of an evaluation in one fixed order, the order of all embedding rows."""

    faces: FaceSet
    photos: tuple[Path, ...]
    owner: Int[Tensor, "N"]
    """Index of the person that each photograph shows, in alphabetical order."""


def call_roll(faces: FaceSet) -> Roll:
    """Number the people with two or more photographs, and these photographs.

    Faces that the detector missed must have left the set before: whether a photograph can be used must not
    depend on the view, else the views would be judged on different people.
    """
    faces = faces.with_at_least(2)
    people = [photos for _, photos in sorted(faces.identities.items())]
    pairs = [(photo, who) for who, photos in enumerate(people) for photo in photos]
    return Roll(faces, tuple(photo for photo, _ in pairs), torch.tensor([who for _, who in pairs], dtype=torch.long))


def draw_repeats(roll: Roll, repeats: int, seed: int) -> list[Draw]:
    """Seeded gallery and query rows; repeat `r` uses the seed `seed + r`."""
    if repeats < 1:
        raise CamproError("identification", "at least one repeat", str(repeats))
    row = {photo: i for i, photo in enumerate(roll.photos)}
    draws = []
    for each in range(seed, seed + repeats):
        pairs = draw_split(roll.faces, each)
        gallery, query = (torch.tensor([row[path] for path in side]) for side in (pairs.gallery, pairs.probe))
        draws.append(Draw(gallery, query, each))
    return draws


def identify(
    raw: Float[Tensor, "N D"],
    views: Mapping[str, Float[Tensor, "N D"]],
    owner: Int[Tensor, "N"],
    draws: Sequence[Draw],
    matcher: Matcher,
) -> dict[str, Repeated]:
    """Identify each repeat's queries as seen through every view, against people known from raw photographs.

    The matcher is fitted once per repeat, on raw photographs without that repeat's queries, and then scores all
    views, which is what an attacker does who does not know the camera.
    """
    trials: dict[str, list[Identification]] = {name: [] for name in views}
    for draw in draws:
        known = torch.ones(len(owner), dtype=torch.bool)
        known[draw.query] = False
        place = known.cumsum(0) - 1
        scorer = matcher.fit(raw[known], owner[known], place[draw.gallery], draw.seed)
        for name, rows in views.items():
            scores = scorer(rows[draw.query])
            trials[name].append(Identification(ranks_of_mates(scores, owner[draw.query])))
    return {name: summarise(results) for name, results in trials.items()}
