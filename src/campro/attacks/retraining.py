"""A recogniser trained anew on named captured faces (CamPro, NDSS 2024, VII-B): fine-tuned or from scratch."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs, Training
from campro.attacks.budget import Head, Try
from campro.attacks.distillation import distilled
from campro.attacks.face_training import (
    Course,
    Rows,
    TrainingFaces,
    answers,
    compiled_for_training,
    copy_of,
    embedded,
    fewer,
    moved,
    training_faces,
)
from campro.core.device import device_of, seed_everything
from campro.metrics.identification import only_tied, ranks_of_mates
from campro.models.faces.embedder_card import FaceEmbedder

SCALE, MARGIN = 32.0, 0.5
"""Of ArcFace (Deng et al., CVPR 2019); softmax is the same without margin."""
Start = Literal["fine-tuned", "distilled", "from scratch"]


def retraining_runs(known: AttackerKnowledge) -> Runs:
    """Every start, head and try, on all faces there are; after distillation only the head that separates better.

    The scaling curve is that of fine-tuning with the same head.
    """
    if not known.embedder.differentiable:
        return {}
    starts: tuple[Start, ...] = ("fine-tuned", "from scratch")
    tried: list[tuple[Start, Head]] = [(start, head) for start in starts for head in known.budget.heads]
    tries = known.budget.tries
    runs = {
        f"{start}, {head}, {one}": partial(_retrained, known, start, head, one)
        for start, head in [("distilled", "ArcFace"), *tried]
        for one in tries
    }
    return runs | {
        f"fine-tuned, ArcFace, {size} photographs": partial(_retrained, known, "fine-tuned", "ArcFace", tries[0], size)
        for size in fewer(known)
    }


def _retrained(known: AttackerKnowledge, start: Start, head: Head, tried: Try, size: int | None = None) -> Adversary:
    first = distilled(known, None, known.budget.tries[0], None)[0] if start == "distilled" else known.embedder
    lessons, judged = training_faces(known)
    if size:
        lessons = of_few_people(lessons, size)
    student, training = retrain(known, first, lessons, judged, start, head, tried)
    return Adversary(embedder=student, enrols="itself", training=training, learned_from=len(lessons.owner))


def of_few_people(lessons: TrainingFaces, size: int) -> TrainingFaces:
    """So many photographs of as few people as have them: classes of one photograph would teach nothing."""
    return lessons.rows(np.argsort(lessons.owner.numpy(), kind="stable")[:size])


def retrain(
    known: AttackerKnowledge,
    first: FaceEmbedder,
    lessons: TrainingFaces,
    judged: TrainingFaces,
    start: Start,
    head: Head,
    tried: Try,
) -> tuple[FaceEmbedder, Training]:
    """Cross-entropy over the training people, half of whose crops are raw in each step; judged by rank-1 on others.

    A student who knows faces starts with people where the recogniser sees them; random places would first undo what
    it knows.
    """
    seed_everything(known.seed + tried.seed)
    student, device = copy_of(first), device_of(first)
    if start == "from scratch":
        student.apply(_forget)
        proxies = nn.Parameter(torch.randn(int(lessons.owner.max()) + 1, first.card.dim).to(device))
    else:
        proxies = nn.Parameter(places(answers(known.embedder, lessons)[0], lessons.owner))
    quick = compiled_for_training(student, known)
    trained = nn.ModuleDict({"student": student, "head": nn.ParameterList([proxies])})

    def loss(rows: Rows, rng: np.random.Generator) -> Tensor:
        half = len(rows) // 2
        halves = (lessons.raw[rows[:half]], lessons.captured[rows[half:]])
        crops = torch.cat([moved(side, rng, device) for side in halves])
        owner = lessons.owner[torch.from_numpy(rows)].to(device)
        said: Tensor = quick(crops.flip(3) if rng.random() < 0.5 else crops)
        return F.cross_entropy(logits(said, proxies, owner, head), owner)

    course = Course(
        trained,
        loss,
        lambda: validation_rank1(student, judged),
        len(lessons.owner),
        known,
        f"retrain, {start}, {head}",
        knows_nothing=start == "from scratch",
    )
    return student, course.train(tried)


def places(rows: Float[Tensor, "N D"], owner: Int[Tensor, "N"]) -> Float[Tensor, "P D"]:
    """Where each person's rows lie on average; as long as random vectors would be."""
    people = F.one_hot(owner).to(rows).T
    return F.normalize(people @ rows) * rows.shape[1] ** 0.5


def logits(
    rows: Float[Tensor, "B D"], proxies: Float[Tensor, "P D"], owner: Int[Tensor, "B"], head: Head
) -> Float[Tensor, "B P"]:
    """Scaled cosines; for ArcFace the angle to the own proxy is made larger by a margin."""
    cosine = (rows @ F.normalize(proxies).T).clamp(-1 + 1e-6, 1 - 1e-6)
    if head == "softmax":
        return SCALE * cosine
    own = F.one_hot(owner, len(proxies)).bool()
    return SCALE * torch.where(own, (cosine.acos() + MARGIN).clamp(max=torch.pi).cos(), cosine)


def validation_rank1(student: FaceEmbedder, judged: TrainingFaces) -> float:
    """Captured faces of people kept aside, against one raw face of each; ties are no hits.

    They count for an attacker who is judged, but one who stops by them takes a network that has died for a perfect one.
    """
    _, first = np.unique(judged.owner.numpy(), return_index=True)
    probes = np.setdiff1d(np.arange(len(judged.owner)), first)
    if not len(probes):
        return 0.0
    gallery, rows = embedded(student, judged.raw[first]), embedded(student, judged.captured[probes])
    scores, mates = (rows @ gallery.T).cpu(), judged.owner[torch.from_numpy(probes)]
    hits = (ranks_of_mates(scores, mates) == 1) & ~only_tied(scores, mates)
    return float(hits.double().mean())


def _forget(module: nn.Module) -> None:
    reset = getattr(module, "reset_parameters", None)
    if callable(reset):
        reset()


RETRAINING = Attack(
    "retraining", "gray-box", "named photographs of other people, raw and captured", retraining_runs, trained=True
)
