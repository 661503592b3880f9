"""The ladder of attackers: every attack prepares with what it may know, and is judged by the same identification."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from campro.attacks.attack_table import ATTACKS, find_attack
from campro.audit.fan_out import fan_out
from campro.audit.judge import judge
from campro.audit.suite_config import SuiteConfig
from campro.audit.suite_context import CAPTURED, CONTROL, SuiteContext
from campro.audit.suite_rows import cell_key, suite_rows
from campro.core.atomic_io import atomic_write
from campro.core.device import retain_freed_memory
from campro.core.progress import Progress
from campro.core.run_folder import Json, RunFolder
from campro.evaluation.subject_groups import labels_digest
from campro.report.attack_page import render_attacks


@dataclass(frozen=True)
class Task:
    """One run of an attack on one side."""

    model: str
    attack: str
    side: str
    run: str


def run_suite(config: SuiteConfig) -> list[dict[str, Any]]:
    """Fit and judge every attacker on every model, next to its best run on raw pictures; finished runs are skipped."""
    attacks, data = [find_attack(name) for name in config.attacks or ATTACKS], _data(config)
    inputs = {"profile": data.profile.digest, "faces": data.faces.digest, "train_faces": data.people.digest}
    inputs |= labels_digest(data.faces)
    settings: dict[str, Json] = {"landmarks": config.landmarks, "repeats": config.repeats, "seed": config.seed}
    folder = RunFolder.open(config.out, settings, inputs=inputs)
    tasks = [
        Task(model, attack.name, CAPTURED, run)
        for model in config.face_models
        for attack in attacks
        for run in attack.runs(data.handed(attack, model, CAPTURED), data.cache)
    ]
    _measure_all(config, folder, tasks)
    rows = suite_rows(folder, attacks, config)
    best = [Task(row["model"], row["attack"], CAPTURED, row["best"]["run"]) for row in rows]
    # A folder may hold runs of a larger budget, too, which this one cannot repeat on raw pictures.
    _measure_all(config, folder, [replace(task, side=CONTROL) for task in best if task in tasks])
    rows = suite_rows(folder, attacks, config)
    stamp = json.loads((config.out / "meta.json").read_text())["starts"][-1]
    atomic_write(config.out / "ladder.json", json.dumps(rows, indent=1) + "\n")
    people = int(data.roll.owner.max()) + 1
    atomic_write(config.out / "ladder.html", render_attacks(rows, data.profile.name, people, stamp))
    return rows


def _measure_all(config: SuiteConfig, folder: RunFolder, tasks: Sequence[Task]) -> None:
    keys = {task: cell_key(config, task.model, find_attack(task.attack), task.side, task.run) for task in tasks}
    todo = [task for task, key in keys.items() if folder.cell(key) is None]
    with Progress("runs of attackers", len(tasks), done=len(tasks) - len(todo)) as progress:
        for task, result in fan_out(partial(measure, config), todo, config.cluster):
            folder.write_cell(keys[task], result)
            progress.advance()


def measure(config: SuiteConfig, task: Task) -> dict[str, Json]:
    """Fit one run, and judge it."""
    print(f"attack: {task.attack} on {task.model}, {task.side}: {task.run}", file=sys.stderr, flush=True)
    data, attack, start = _data(config), find_attack(task.attack), time.monotonic()
    known = data.handed(attack, task.model, task.side)
    adversary = attack.runs(known, data.cache)[task.run]()
    fitted, training = time.monotonic(), adversary.training
    return judge(data, known.embedder, task.side, adversary) | {
        "learned_from": adversary.learned_from,
        "curve": None if training is None else list(training.curve),
        "converged": None if training is None else training.converged,
        "fit_s": round(fitted - start, 1),
        "judge_s": round(time.monotonic() - fitted, 1),
    }


@lru_cache(maxsize=1)
def _data(config: SuiteConfig) -> SuiteContext:
    """Once in every process."""
    retain_freed_memory()
    return SuiteContext(config)
