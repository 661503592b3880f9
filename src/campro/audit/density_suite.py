"""Attacks and face detection by pixel density, a cell per figure."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product

from campro.attacks.attack_base import Attack
from campro.attacks.attack_table import chosen_attacks, find_attack
from campro.attacks.filters import IMAGE_FILTERS, NO_ATTACK
from campro.audit import cell_keys
from campro.audit.attack_rows import AttackRow, attack_rows
from campro.audit.audit_config import CAPTURED, RAW, AuditConfig
from campro.audit.audit_context import CONTROL, NIGHT, AuditContext
from campro.audit.cell_keys import Key
from campro.audit.density_rows import DensityRow, density_rows
from campro.audit.fan_out import fan_out
from campro.audit.judge_density import judge_at
from campro.audit.prepared_attack import PreparedAttack, Task, process_context
from campro.audit.results import DensityResult
from campro.core.progress import Progress, note
from campro.core.run_folder import RunFolder

SCREENED = 3
"""Runs of each attack at densities: with all filters and colour maps an audit would take three times as long."""
Job = tuple[Task, tuple[float, ...]]
"""One run of an attack, and the densities at which it is still to be judged: it is prepared once for all of them."""


def measure_densities(run: RunFolder, context: AuditContext) -> None:
    """Judge attacks at each density; on the camera without profile no attack and the best run; in night mode no attack
    and filters. Of an attack with many runs those that identify most people count; see `_screened`.
    """
    config, attacks = context.config, chosen_attacks(context.config.attacks)
    _detect_faces(run, context)
    tasks = [
        Task(model, attack.name, CAPTURED, name)
        for model in config.face_models
        for attack in attacks
        for name in _screened(run, context, attack, model)
    ]
    plain = [replace(task, camera=CONTROL) for task in tasks if task.attack == NO_ATTACK.name]
    night = [replace(task, camera=NIGHT) for task in tasks if task.attack in (NO_ATTACK.name, IMAGE_FILTERS.name)]
    _measure(run, context, [(task, context.densities) for task in (*plain, *tasks, *night)])
    best: dict[Task, tuple[float, ...]] = {}
    for row in density_rows(run.cells()):
        task = Task(row.model, row.attack, CAPTURED, row.best.name)
        if row.camera == CAPTURED and task in tasks and row.density in context.densities:
            best[task] = (*best.get(task, ()), row.density)
    _measure(run, context, [(replace(task, camera=CONTROL), densities) for task, densities in best.items()])


def _screened(run: RunFolder, context: AuditContext, attack: Attack, model: str) -> list[str]:
    """Names of the runs that are judged at all densities: the `SCREENED` best at full size, as the run folder has them.
    Where full size was not measured and there are more, all are judged at the highest density, and the best go on.
    """
    names = list(attack.runs(context.knowledge(attack, model, CAPTURED, distant=True), context.attack_cache))
    known = _rates(attack_rows(run.cells()), model, attack)
    if not any(name in known for name in names) and len(names) > SCREENED:
        highest = max(context.densities)
        _measure(run, context, [(Task(model, attack.name, CAPTURED, name), (highest,)) for name in names])
        rows = [row for row in density_rows(run.cells()) if row.density == highest and row.camera == CAPTURED]
        known = _rates(rows, model, attack)
    best = sorted((name for name in names if name in known), key=lambda name: -known[name])
    return [*best[:SCREENED], *(name for name in names if name not in known)]


def _rates(rows: Iterable[AttackRow | DensityRow], model: str, attack: Attack) -> dict[str, float]:
    """Rank-1 rates of the runs of one attack."""
    mine = (row for row in rows if (row.model, row.attack) == (model, attack.name))
    return {each.name: each.result.rank1.mean for row in mine for each in row.runs}


def density_key(context: AuditContext, task: Task, density: float) -> Key:
    """Key of the cell of one run at one density; of a trained attack with all densities that it was trained at."""
    trained = find_attack(task.attack).trained
    key = cell_keys.attack_at(density, task.model, task.attack, task.run, task.camera)
    return key | ({"budget": context.config.budget, "trained at": list(context.densities)} if trained else {})


def _detect_faces(run: RunFolder, context: AuditContext) -> None:
    places = product(context.densities, context.face_detectors, (RAW, CAPTURED))
    for density, detector, view in places:
        key = cell_keys.face_detection_at(density, detector, view)
        if run.cell(key) is None:
            note(f"audit: faces at {density:g} px/m by {detector}, {view}")
            run.write_cell(key, context.detect_distant_faces(density, detector, view).rate())


def _measure(run: RunFolder, context: AuditContext, jobs: Sequence[Job]) -> None:
    config = context.config
    todo = [
        (task, left)
        for task, densities in jobs
        if (left := tuple(one for one in densities if run.cell(density_key(context, task, one)) is None))
    ]
    work = partial(measure, context) if config.cluster is None else partial(measure_remotely, config)
    with Progress("runs of attacks by pixel density", len(jobs), done=len(jobs) - len(todo)) as progress:
        for (task, _), results in fan_out(work, todo, config.cluster):
            for density, result in results.items():
                run.write_cell(density_key(context, task, density), result)
            progress.advance()


def measure_remotely(config: AuditConfig, job: Job) -> dict[float, DensityResult]:
    """`measure` in another process, which makes a context of its own once."""
    return measure(process_context(config), job)


def measure(context: AuditContext, job: Job) -> dict[float, DensityResult]:
    """Prepare one run of an attack, and judge it at each density."""
    task, densities = job
    note(
        f"attack: {task.attack} on {task.model}, {task.camera}, "
        f"{' '.join(f'{d:g}' for d in densities)} px/m: {task.run}"
    )
    prepared, results = PreparedAttack.of(context, task, distant=True), {}
    for density in densities:
        start = time.monotonic()
        result = judge_at(context, density, prepared.embedder, task.camera, prepared.adversary)
        results[density] = prepared.described(result, time.monotonic() - start)
    return results
