"""Retraining: a recogniser is trained on named captured faces (CamPro, NDSS 2024, VII-B), from its weights or anew."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs, TrainingResult
from campro.attacks.attack_cache import AttackCache
from campro.attacks.budget import Head, TrainingSettings
from campro.attacks.distillation import distilled_copy
from campro.attacks.student_networks import compiled_for_training, trainable_copy
from campro.attacks.training_crops import (
    CropPairs,
    Indices,
    augmented,
    embed_crops,
    subset_sizes,
    teacher_embeddings,
    training_crops,
)
from campro.attacks.training_run import TrainingRun
from campro.core.device import device_of, seed_everything
from campro.metrics.gallery_search import search
from campro.models.faces.embedder_card import FaceEmbedder

LEAST_RESET = 0.95
"""Share of the weights that must be drawn anew for a start from scratch."""
SCALE, MARGIN = 32.0, 0.5
"""Scale s, and angular margin m in radians, of ArcFace (Deng et al., CVPR 2019, eq. 3); softmax has no margin."""
Start = Literal["fine-tuned", "distilled", "from scratch"]


def retraining_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Each start, head and settings, on the whole training set; after distillation the ArcFace head only.

    The scaling curve is that of fine-tuning with the ArcFace head.
    """
    if not knowledge.embedder.differentiable:
        return {}
    starts: tuple[Start, ...] = ("fine-tuned", "from scratch") if can_reset(knowledge.embedder) else ("fine-tuned",)
    plain: list[tuple[Start, Head]] = [(start, head) for start in starts for head in knowledge.budget.heads]
    all_settings = knowledge.budget.settings
    runs = {
        f"{start}, {head}, {settings}": partial(_retrained, knowledge, cache, start, head, settings)
        for start, head in [("distilled", "ArcFace"), *plain]
        for settings in all_settings
    }
    return runs | {
        f"fine-tuned, ArcFace, {size} photographs": partial(
            _retrained, knowledge, cache, "fine-tuned", "ArcFace", all_settings[0], size
        )
        for size in subset_sizes(knowledge)
    }


def _retrained(
    knowledge: AttackerKnowledge,
    cache: AttackCache,
    start: Start,
    head: Head,
    settings: TrainingSettings,
    size: int | None = None,
) -> Adversary:
    initial = knowledge.embedder
    if start == "distilled":
        initial, _ = distilled_copy(knowledge, cache, knowledge.budget.settings[0])
    training_set, validation_set = training_crops(knowledge, cache)
    if size:
        training_set = subset_of_few_people(training_set, size)
    student, result = retrain(knowledge, cache, initial, training_set, validation_set, start, head, settings)
    return Adversary(embedder=student, gallery_embedder="own", training=result, learned_from=len(training_set))


def subset_of_few_people(training_set: CropPairs, size: int) -> CropPairs:
    """`size` photographs of as few people as possible: classes of one photograph each cannot be learned."""
    return training_set.subset(np.argsort(training_set.subjects.numpy(), kind="stable")[:size])


def retrain(
    knowledge: AttackerKnowledge,
    cache: AttackCache,
    initial: FaceEmbedder,
    training_set: CropPairs,
    validation_set: CropPairs,
    start: Start,
    head: Head,
    settings: TrainingSettings,
) -> tuple[FaceEmbedder, TrainingResult]:
    """Minimise the cross-entropy over the training people; half of the crops in each step are raw.

    The validation score is `validation_rank1`. Unless the start is from scratch, the class proxies start at the mean
    embeddings of the people: random proxies would first destroy what the network has learned.
    """
    seed_everything(knowledge.seed + settings.seed)
    student, device = trainable_copy(initial), device_of(initial)
    if start == "from scratch":
        student.apply(reset_weights)
        proxies = nn.Parameter(torch.randn(int(training_set.subjects.max()) + 1, initial.card.dim).to(device))
    else:
        embeddings, _ = teacher_embeddings(knowledge, cache, training_set)
        proxies = nn.Parameter(initial_proxies(embeddings, training_set.subjects))
    fast = compiled_for_training(student, knowledge)
    trained = nn.ModuleDict({"student": student, "head": nn.ParameterList([proxies])})

    def loss(indices: Indices, rng: np.random.Generator) -> Tensor:
        half = len(indices) // 2
        halves = (training_set.raw[indices[:half]], training_set.captured[indices[half:]])
        crops = torch.cat([augmented(side, rng, device) for side in halves])
        subjects = training_set.subjects[torch.from_numpy(indices)].to(device)
        embedded: Tensor = fast(crops.flip(3) if rng.random() < 0.5 else crops)
        return F.cross_entropy(logits(embedded, proxies, subjects, head), subjects)

    def score() -> float:
        return validation_rank1(student, validation_set)

    label = f"retrain on {len(training_set)} faces, {start}, {head}"
    faces = (training_set, validation_set)
    untrained = start == "from scratch"
    run = TrainingRun(trained, loss, score, len(training_set), knowledge, label, faces, untrained)
    return student, run.train(settings)


def initial_proxies(embeddings: Float[Tensor, "N D"], subjects: Int[Tensor, "N"]) -> Float[Tensor, "P D"]:
    """The direction of each person's mean embedding, scaled to the norm sqrt(D) of random normal vectors."""
    people = F.one_hot(subjects).to(embeddings).T
    return F.normalize(people @ embeddings) * embeddings.shape[1] ** 0.5


def logits(
    embeddings: Float[Tensor, "B D"], proxies: Float[Tensor, "P D"], subjects: Int[Tensor, "B"], head: Head
) -> Float[Tensor, "B P"]:
    """Scaled cosines to the class proxies; for ArcFace with a margin on the angle to the own proxy.

    Source: Deng et al., ArcFace, CVPR 2019, eq. 3. `embeddings` have unit norm, proxies any.
    """
    cosine = (embeddings @ F.normalize(proxies).T).clamp(-1 + 1e-6, 1 - 1e-6)
    if head == "softmax":
        return SCALE * cosine
    own = F.one_hot(subjects, len(proxies)).bool()
    return SCALE * torch.where(own, (cosine.acos() + MARGIN).clamp(max=torch.pi).cos(), cosine)


def validation_rank1(student: FaceEmbedder, validation_set: CropPairs) -> float:
    """Rank-1 rate in [0, 1] of captured probes against one raw gallery face of each validation person.

    Ties are misses here. In the evaluation of an attack they are hits; but a training that stops by such a score
    would take a network with constant output for a perfect one.
    """
    _, first = np.unique(validation_set.subjects.numpy(), return_index=True)
    probes = np.setdiff1d(np.arange(len(validation_set)), first)
    if not len(probes):
        return 0.0
    gallery = embed_crops(student, validation_set.raw[first])
    captured = embed_crops(student, validation_set.captured[probes])
    mates = validation_set.subjects[torch.from_numpy(probes)].to(captured.device)
    found = search(captured, gallery, mates)
    return float(((found.ranks == 1) & ~found.tied).double().mean())


def can_reset(network: nn.Module) -> bool:
    """Whether `reset_weights` draws nearly all weights anew; it knows no layers of a network read from ONNX."""
    counts = [
        (sum(weight.numel() for weight in module.parameters(recurse=False)), _resets(module))
        for module in network.modules()
    ]
    total = sum(count for count, _ in counts)
    return total > 0 and sum(count for count, resets in counts if resets) >= LEAST_RESET * total


def reset_weights(module: nn.Module) -> None:
    """Set the weights of one layer to random ones, for `nn.Module.apply`."""
    if _resets(module):
        module.reset_parameters()  # type: ignore[operator]


def _resets(module: nn.Module) -> bool:
    return callable(getattr(module, "reset_parameters", None))


RETRAINING = Attack(
    "retraining", "gray-box", "named photographs of other people, raw and captured", retraining_runs, trained=True
)
