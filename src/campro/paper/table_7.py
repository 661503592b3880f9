"""Table VII and Fig. 14: recognisers that are retrained on captured faces, and restoration by the plain L1 loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np

from campro.attacks.attack_base import Adversary
from campro.attacks.budget import STANDARD, Head
from campro.attacks.restoration import RESTORATION, whole_set_restorations
from campro.attacks.retraining import RETRAINING, can_reset
from campro.attacks.sgd_retraining import Protocol, TrainingHistory, retrain_at_falling_rates
from campro.attacks.training_crops import CropPairs, training_crops
from campro.audit.audit_config import CAPTURED
from campro.audit.audit_context import CONTROL, AuditContext
from campro.audit.cell_keys import Key
from campro.audit.judge import judge
from campro.core.errors import CamproError
from campro.core.progress import note
from campro.metrics.rates import Rate
from campro.paper.comparison import Comparison, Estimate, Figure, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.paper_options import ScaleName
from campro.paper.published_figures import published
from campro.paper.scoped_run import ScopedRun
from campro.report.tables import Table
from campro.report.text import interval

ITEM = "table-7"
PAPER: Protocol = "captured only"
OURS: Protocol = "raw and captured"
START = Literal["fine-tuned", "from scratch"]
REASON = "few people and epochs, another recogniser and profile; a dash: the paper's figure is not recorded"


@dataclass(frozen=True)
class Grid:
    """How much of the table a scale makes."""

    people: int | None
    """People to train on; None: all."""
    epochs: int
    """20 in the paper."""
    protocols: tuple[Protocol, ...]
    recognisers: int | None
    """Differentiable recognisers, the cheapest first."""
    restoration: bool


GRIDS: dict[ScaleName, Grid] = {
    "sample": Grid(6, 1, (PAPER,), 1, restoration=False),
    "small": Grid(30, 4, (PAPER, OURS), None, restoration=True),
    "full": Grid(None, 20, (PAPER, OURS), None, restoration=True),
}


@dataclass(frozen=True)
class Retrained:
    """One training, judged on people who are not in it."""

    rank1: Rate | None
    """None where the training diverged."""
    history: TrainingHistory
    photographs: int
    people: int


@dataclass(frozen=True)
class Case:
    """One training of the table."""

    model: str
    start: START
    head: Head
    protocol: Protocol
    camera: str
    """Captured, or the camera without profile as the control."""

    @property
    def key(self) -> Key:
        """Of its cell."""
        return {"kind": "sgd retraining"} | vars(self)


def measure(context: PaperContext) -> None:
    """A cell per training; the profile's first, then the controls, then restoration.

    Raises:
        CamproError: where there is nobody to train on.
    """
    data, profile = context.main_faces, context.profile.name
    part, audit = context.part(data, profile), context.audit(data, context.config.profile)
    if audit.train_faces is None:
        raise CamproError("paper", "people to train on", "none", "put them into celeba/ below --data")
    grid = GRIDS[context.config.scale]
    models = [name for name in context.recognisers if context.embedder(name).differentiable][: grid.recognisers]
    for case in _cases(models, grid.protocols):
        if part.cell(case.key) is None and (case.start == "fine-tuned" or can_reset(context.embedder(case.model))):
            note(f"retraining: {', '.join(map(str, vars(case).values()))}")
            part.write_cell(case.key, _retrained(audit, case, grid))
    for model, camera in product(models if grid.restoration else (), (CAPTURED, CONTROL)):
        _measure_restoration(part, audit, model, camera, grid)


def _cases(models: list[str], protocols: tuple[Protocol, ...]) -> Iterator[Case]:
    starts: tuple[START, ...] = ("fine-tuned", "from scratch")
    heads: tuple[Head, ...] = ("softmax", "ArcFace")
    for protocol, camera, model, start, head in product(protocols, (CAPTURED, CONTROL), models, starts, heads):
        yield Case(model, start, head, protocol, camera)


def _retrained(audit: AuditContext, case: Case, grid: Grid) -> Retrained:
    knowledge = audit.knowledge(RETRAINING, case.model, case.camera)
    training_set, validation_set = training_crops(knowledge, audit.attack_cache)
    training_set = first_people(training_set, grid.people)
    student, history = retrain_at_falling_rates(
        knowledge, training_set, validation_set, case.start, case.head, case.protocol, grid.epochs
    )
    gallery: Literal["raw", "captured"] = "captured" if case.protocol == PAPER else "raw"
    adversary = Adversary(embedder=student, gallery=gallery, gallery_embedder="own")
    try:
        rank1 = (
            None
            if len(history.losses) < grid.epochs
            else judge(audit, knowledge.embedder, case.camera, adversary).rank1
        )
    except CamproError as error:  # a network that has collapsed to zero or infinite features has no embeddings
        note(str(error))
        rank1, history = None, replace(history, converged=False)
    return Retrained(rank1, history, len(training_set), len(training_set.subjects.unique()))


def first_people(crops: CropPairs, people: int | None) -> CropPairs:
    """The crops of the first people, by number; of all where `people` is None."""
    return crops if people is None else crops.subset(np.flatnonzero(crops.subjects.numpy() < people))


def _measure_restoration(part: ScopedRun, audit: AuditContext, model: str, camera: str, grid: Grid) -> None:
    """A U-Net by the L1 loss, for the recogniser off the shelf, with all photographs."""
    key = _restoration_key(model, camera)
    if part.cell(key) is not None:
        return
    note(f"restoration: {model}, {camera}")
    known = audit.knowledge(RESTORATION, model, camera)
    known = replace(known, budget=replace(STANDARD, epochs=grid.epochs, restoration_losses=("L1",)))
    (run,) = whole_set_restorations(known, audit.attack_cache).values()
    adversary = run()
    result = adversary.training
    assert result is not None and adversary.learned_from is not None
    people = 0 if known.faces is None else len(known.faces.identities)
    rank1 = judge(audit, known.embedder, camera, adversary).rank1
    history = TrainingHistory((), result.curve, result.converged)
    part.write_cell(key, Retrained(rank1, history, adversary.learned_from, people))


def _restoration_key(model: str, camera: str) -> Key:
    return {"kind": "L1 restoration", "model": model, "camera": camera}


# What the page shows -----------------------------------------------------------------------------------------


def section(cells: PaperCells) -> Section:
    """The table of all trainings, and the paper's rows: captured, in its protocol."""
    found = [entry for data in _data(cells) for entry in _entries(cells, data)]
    rows = [
        Comparison(
            f"{case.model}, {case.start}, {case.head}", f"rank-1, {case.protocol}", "%",
            published(ITEM, f"{case.start}, {case.head}", "rank-1") if case.protocol == PAPER else None,
            Estimate.of(entry.rank1), REASON, part.origin(case.key),
        )
        for part, case, entry in found if case.camera == CAPTURED
    ]  # fmt: skip
    for data in _data(cells):
        rows += _restoration_rows(cells.part(data=data, profile=cells.settings.profile))
    how = (
        "Rank-1 in % of recognisers that were retrained on captured faces of other people (SGD, step decay). The rate "
        "is the published 0.1, or the first tenth of it at which a fine-tuned recogniser keeps half of what it knew, "
        f'and one from scratch identifies anybody. "{PAPER}" is the protocol of the paper: training set and gallery '
        f'are captured. "{OURS}": half of the training set and the gallery are raw. The control is the same training '
        "for a camera without profile; a low control means that the training fails, not that the profile protects."
    )
    notes = (
        "The attack suite trains by AdamW with early stopping and restarts; its retraining is the stronger attack.",
        "Recognisers read from ONNX files are fine-tuned alone: their layers have no rule for random weights.",
        "A dash: the training diverged. Not converged: the last third of the epochs still gained, or nothing did.",
    )
    return Section(how, tuple(rows), (_table(found),) if found else (), notes=notes)


def figures(cells: PaperCells) -> Section:
    """Fig. 14: training loss and validation accuracy by epoch."""
    from matplotlib.ticker import MaxNLocator

    from campro.report.plots import axes_of, svg_uri

    shown: list[Figure] = []
    found = [entry for data in _data(cells) for entry in _entries(cells, data)]
    for model, protocol in dict.fromkeys((case.model, case.protocol) for _, case, _ in found):
        lines = [(c, e.history) for _, c, e in found if (c.model, c.protocol, c.camera) == (model, protocol, CAPTURED)]
        for name, label in (("losses", "training loss"), ("accuracy", "validation rank-1")):
            axes, figure = axes_of((3.6, 2.6))
            for case, history in lines:
                values = getattr(history, name)
                first = 1 if name == "losses" else 0
                axes.plot(range(first, first + len(values)), values, marker=".", label=f"{case.start}, {case.head}")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_xlabel("epoch")
            axes.set_ylabel(label)
            axes.legend(fontsize=6)
            shown.append(Figure(svg_uri(figure), f"{model}, {protocol}: {label}"))
    how = (
        "Training of the rows of Table VII on captured faces: mean loss of each epoch, and rank-1 of people of the "
        "validation set, captured probes, before the training and after each epoch."
    )
    return Section(how, figures=tuple(shown))


def _data(cells: PaperCells) -> list[str]:
    return cells.named("data", profile=cells.settings.profile, kind="sgd retraining")


def _entries(cells: PaperCells, data: str) -> Iterator[tuple[PaperCells, Case, Retrained]]:
    part = cells.part(data=data, profile=cells.settings.profile)
    for case in _cases(part.named("model", kind="sgd retraining"), (PAPER, OURS)):
        if (entry := part.value(Retrained, case.key)) is not None:
            yield part, case, entry


def _table(found: list[tuple[PaperCells, Case, Retrained]]) -> Table:
    """A row per training on captured faces, with its control."""
    control = {replace(case, camera=CAPTURED): entry for _, case, entry in found if case.camera == CONTROL}
    rows = [
        (case.model, case.protocol, case.start, case.head, interval(entry.rank1),
         interval(control[case].rank1 if case in control else None), "yes" if entry.history.converged else "no",
         f"{entry.history.learning_rate:g}", f"{len(entry.history.losses)}", f"{entry.people}, {entry.photographs}")
        for _, case, entry in found if case.camera == CAPTURED
    ]  # fmt: skip
    header = ("recogniser", "training set", "start", "head", "rank-1", "control", "converged", "rate", "epochs",
              "people, photographs")  # fmt: skip
    return Table((), header, tuple(rows))


def _restoration_rows(part: PaperCells) -> list[Comparison]:
    rows = []
    for model, camera in product(part.named("model", kind="L1 restoration"), (CAPTURED, CONTROL)):
        key = _restoration_key(model, camera)
        if (entry := part.value(Retrained, key)) is not None:
            row = f"{model}, restoration by L1, {camera}" + ("" if entry.history.converged else " (not converged)")
            paper = published(ITEM, "restoration, L1", "rank-1") if camera == CAPTURED else None
            rows.append(Comparison(row, "rank-1", "%", paper, Estimate.of(entry.rank1), REASON, part.origin(key)))
    return rows
