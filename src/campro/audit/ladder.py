"""The ladder of attackers: every attack prepares with what it may know, and is judged by the same identification."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from campro.attacks.attack import Attack
from campro.attacks.attacks import ATTACKS, find_attack
from campro.audit.ladder_config import LadderConfig
from campro.audit.ladder_data import CAPTURED, CONTROL, OPEN_SET, LadderData
from campro.core.files import atomic_write
from campro.core.runs import Json, RunFolder
from campro.faces import load_embedder
from campro.faces.card import FaceEmbedder


def run_ladder(config: LadderConfig) -> RunFolder:
    """Fit and judge every attack on every model, and its control on raw pictures; finished ones are skipped."""
    attacks, data = _chosen(config), LadderData(config)
    inputs = {"profile": data.profile.digest, "faces": data.faces.digest, "train_faces": data.people.digest}
    settings: dict[str, Json] = {"landmarks": config.landmarks, "repeats": config.repeats, "seed": config.seed}
    run = RunFolder.open(config.out, settings, inputs=inputs)
    for model in config.face_models:
        embedder = load_embedder(model)
        for attack in attacks:
            for side in (CAPTURED, CONTROL):
                key = cell_key(config, model, attack.name, side)
                if run.cell(key) is None:
                    print(f"attack: {attack.name} on {model}, {side}", file=sys.stderr, flush=True)
                    run.write_cell(key, _measure(data, embedder, attack, side))
    atomic_write(config.out / "ladder.json", json.dumps(ladder(run, config), indent=1) + "\n")
    return run


def _chosen(config: LadderConfig) -> list[Attack]:
    return [find_attack(name) for name in config.attacks or ATTACKS]


def cell_key(config: LadderConfig, model: str, attack: str, side: str) -> dict[str, Json]:
    """Key of the cell of one rung."""
    return {"kind": "attack", "model": model, "attack": attack, "side": side, "matchers": list(config.matchers)}


def _measure(data: LadderData, embedder: FaceEmbedder, attack: Attack, side: str) -> dict[str, Any]:
    start = time.monotonic()
    adversaries = attack.fit(attack.hand(data.known(embedder, side)))
    fitted = time.monotonic()
    results = []
    for adversary in adversaries:
        training = adversary.training
        results.append(
            {
                "name": adversary.name,
                "figures": data.judge(embedder, side, adversary),
                "curve": None if training is None else list(training.curve),
                "converged": None if training is None else training.converged,
            }
        )
    return {"adversaries": results, "fit_s": round(fitted - start, 1), "judge_s": round(time.monotonic() - fitted, 1)}


def ladder(run: RunFolder, config: LadderConfig) -> list[dict[str, Any]]:
    """A row a rung and model: its best adversary, and the best of its control."""
    rows = []
    for model in config.face_models:
        for attack in _chosen(config):
            cells: list[Any] = [run.cell(cell_key(config, model, attack.name, side)) for side in (CAPTURED, CONTROL)]
            captured, control = (_best(cell["adversaries"]) for cell in cells)
            if captured is None:
                continue
            rows.append(
                {
                    "model": model,
                    "attack": attack.name,
                    "box": attack.box,
                    "given": attack.given,
                    "best": captured,
                    "control": control,
                    "failed": [one["name"] for one in cells[0]["adversaries"] if one["converged"] is False],
                    "seconds": cells[0]["fit_s"],
                }
            )
    return rows


def _best(adversaries: Sequence[Any]) -> dict[str, Any] | None:
    """The adversary and matcher that recognise most: the attacker's choice."""
    found = [
        {"name": one["name"], "matcher": matcher, "converged": one["converged"], **figures["rank1"]}
        for one in adversaries
        for matcher, figures in one["figures"].items()
        if matcher != OPEN_SET
    ]
    return max(found, key=lambda one: one["mean"], default=None)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown, worst last."""
    lines = ["| model | attack | box | given | best | rank-1, % | control, % | converged |", "|---" * 8 + "|"]
    for row in sorted(rows, key=lambda row: (row["model"], row["best"]["mean"])):
        settled = {None: "nothing to train", True: "yes", False: "no: a lower bound"}[row["best"]["converged"]]
        cells = (row["model"], row["attack"], row["box"], row["given"], row["best"]["name"], _rate(row["best"]))
        lines.append("| " + " | ".join((*cells, _rate(row["control"]), settled)) + " |")
    return "\n".join(lines)


def _rate(one: dict[str, Any] | None) -> str:
    return "" if one is None else f"{100 * one['mean']:.1f} [{100 * one['low']:.1f}, {100 * one['high']:.1f}]"
