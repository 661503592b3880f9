"""The attack suite: every attack is prepared with what its threat model allows and judged by the same code."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from campro.attacks.attack_table import chosen_attacks, find_attack
from campro.audit import cell_keys
from campro.audit.attack_rows import attack_rows
from campro.audit.audit_config import CAPTURED, AuditConfig
from campro.audit.audit_context import CONTROL, AuditContext
from campro.audit.fan_out import fan_out
from campro.audit.judge import judge
from campro.audit.prepared_attack import PreparedAttack, Task, process_context
from campro.audit.raw_control import control_recogniser
from campro.audit.results import AttackResult
from campro.core.cells import Json
from campro.core.errors import CamproError
from campro.core.progress import Progress, note
from campro.core.run_folder import RunFolder


def measure_attacks(run: RunFolder, context: AuditContext) -> None:
    """Fit and judge every run of every attack, and the best run of each on the camera without profile, its control.

    Raises:
        CamproError: for trained attacks without people to train on, or on a recogniser without gradients; for a
            recogniser that fails on raw photographs.
    """
    check_trained_attacks(context)
    config, attacks = context.config, chosen_attacks(context.config.attacks)
    tasks = [
        Task(model, attack.name, CAPTURED, name)
        for model in config.face_models
        for attack in attacks
        for name in attack.runs(context.knowledge(attack, model, CAPTURED), context.attack_cache)
    ]
    for model in dict.fromkeys(task.model for task in tasks if run.cell(attack_key(config, task)) is None):
        control_recogniser(context, model)
    _measure(run, context, tasks)
    best = [Task(row.model, row.attack, CAPTURED, row.best_run) for row in attack_rows(run.cells())]
    # A folder may also hold runs of a larger budget, which this one cannot repeat without the profile.
    _measure(run, context, [replace(task, camera=CONTROL) for task in best if task in tasks])


def attack_key(config: AuditConfig, task: Task) -> dict[str, Json]:
    """Key of the cell of one run."""
    budget = config.budget if find_attack(task.attack).trained else None
    return cell_keys.attack(task.model, task.attack, task.run, task.camera, config.attack_matchers, budget)


def check_trained_attacks(context: AuditContext) -> None:
    """Check that there is what trained attacks need, where any of them is to run.

    Raises:
        CamproError: without people to train on, or for a recogniser without gradients.
    """
    trained = [attack for attack in chosen_attacks(context.config.attacks) if attack.trained]
    names = [attack.name for attack in trained]
    if trained and context.train_faces is None:
        remedy = "give --train-faces, or --attacks cheap"
        raise CamproError("attack", "people to train on", f"none, for {', '.join(names)}", remedy)
    models = [name for name in context.config.face_models if not context.embedder(name).differentiable]
    if any(attack.needs_gradients for attack in trained) and models:
        remedy = "audit these with --attacks cheap transferred-restoration, in another run folder"
        got = f"{', '.join(models)}, without gradients (ONNX)"
        raise CamproError("attack", "differentiable recognisers for trained attacks", got, remedy)


def _measure(run: RunFolder, context: AuditContext, tasks: Sequence[Task]) -> None:
    keys = {task: attack_key(context.config, task) for task in tasks}
    todo = [task for task, key in keys.items() if run.cell(key) is None]
    cluster = context.config.cluster
    work = partial(measure, context) if cluster is None else partial(measure_remotely, context.config)
    with Progress("runs of attacks", len(tasks), done=len(tasks) - len(todo)) as progress:
        for task, result in fan_out(work, todo, cluster):
            run.write_cell(keys[task], result)
            progress.advance()


def measure_remotely(config: AuditConfig, task: Task) -> AttackResult:
    """`measure` in another process, which makes a context of its own once."""
    return measure(process_context(config), task)


def measure(context: AuditContext, task: Task) -> AttackResult:
    """Fit one run of an attack, and judge it."""
    note(f"attack: {task.attack} on {task.model}, {task.camera}: {task.run}")
    prepared = PreparedAttack.of(context, task)
    training, start = prepared.adversary.training, time.monotonic()
    result = judge(context, prepared.embedder, task.camera, prepared.adversary)
    described = prepared.described(result, time.monotonic() - start)
    return replace(described, curve=None if training is None else training.curve)
