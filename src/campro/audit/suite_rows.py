"""What a ladder found: its cells as rows, a row an attack and model, and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from campro.attacks.attack_base import Attack
from campro.attacks.filters import NO_ATTACK
from campro.attacks.legacy_names import current_key
from campro.audit.suite_config import SuiteConfig
from campro.audit.suite_context import CAPTURED, CONTROL
from campro.core.run_folder import Json, RunFolder

OTHER_FIGURES = ("open set", "verification", "linkability", "groups")


def cell_key(config: SuiteConfig, model: str, attack: Attack, side: str, run: str) -> dict[str, Json]:
    """Key of the cell of one run."""
    names: dict[str, Json] = {"kind": "attack", "model": model, "attack": attack.name, "run": run, "side": side}
    if attack.trained:
        names["budget"] = config.budget
    return names | {"matchers": list(config.matchers)}


def suite_rows(folder: RunFolder, attacks: Sequence[Attack], config: SuiteConfig) -> list[dict[str, Any]]:
    """A row a model and attack: its best run, the best of its control, and the scaling curve of a trained one."""
    found = folder.cells()
    rows = []
    for model in config.face_models:
        for attack in attacks:
            if not (captured := _runs(found, config, model, attack, CAPTURED)):
                continue
            control = _control(found, config, model, attack)
            rows.append(
                {
                    "model": model,
                    "attack": attack.name,
                    "threat_model": attack.threat_model,
                    "given": attack.given,
                    "best": best_of(captured),
                    "control": best_of(control) if control else None,
                    "runs": {name: _rank1(cell) | _course(cell) for name, cell in captured.items()},
                    "failed": [name for name, cell in captured.items() if cell["converged"] is False],
                    "seconds": round(sum(cell["fit_s"] + cell["judge_s"] for cell in captured.values())),
                }
            )
    return rows


def _runs(
    found: Sequence[Mapping[str, Any]], config: SuiteConfig, model: str, attack: Attack, side: str
) -> dict[str, Any]:
    """Finished cells by the name of their run."""
    return {
        key["run"]: cell["value"]
        for cell in found
        if (key := current_key(cell["key"])).get("run") and key == cell_key(config, model, attack, side, key["run"])
    }


def _control(found: Sequence[Mapping[str, Any]], config: SuiteConfig, model: str, attack: Attack) -> dict[str, Any]:
    """The same attack on raw photographs; or these as they are, since nobody filters what is recognised anyway.

    A training is compared with itself alone: its control says whether it works at all.
    """
    plain = {} if attack.trained else _runs(found, config, model, NO_ATTACK, CONTROL)
    return plain | _runs(found, config, model, attack, CONTROL)


def _course(cell: Mapping[str, Any]) -> dict[str, Any]:
    return {figure: cell[figure] for figure in ("learned_from", "curve", "converged")}


def best_of(runs: Mapping[str, Any]) -> dict[str, Any]:
    """The run and matcher that recognise most, the attacker's choice; with its other figures.

    Of equal runs, one whose ties were counted.
    """
    name = max(runs, key=lambda run: (_rank1(runs[run])["mean"], "tied" in runs[run]))
    cell = runs[name]
    rest = {figure: cell[figure] for figure in (*OTHER_FIGURES, "tied", "converged") if figure in cell}
    return {"run": name} | _rank1(cell) | rest


def _rank1(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Of the better matcher."""
    matcher, figures = max(cell["matchers"].items(), key=lambda item: item[1]["rank1"]["mean"])
    return {"matcher": matcher} | figures["rank1"]


def scaling_points(row: Mapping[str, Any]) -> list[tuple[int, float]]:
    """(photographs, best rank-1) of a row's runs, fewest first."""
    best: dict[int, float] = {}
    for run in row["runs"].values():
        if run["learned_from"]:
            best[run["learned_from"]] = max(best.get(run["learned_from"], 0.0), run["mean"])
    return sorted(best.items())


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown, worst last."""
    lines = ["| model | attack | threat model | given | best | rank-1, % | control, % | converged |", "|---" * 8 + "|"]
    for row in sorted(rows, key=lambda row: (row["model"], row["best"]["mean"])):
        cells = (row["model"], row["attack"], row["threat_model"], row["given"], row["best"]["run"], rate(row["best"]))
        lines.append("| " + " | ".join((*cells, rate(row["control"]), verdict(row))) + " |")
    return "\n".join(lines)


def verdict(row: Mapping[str, Any]) -> str:
    """Whether the figure can be relied on."""
    best = row["best"]
    if best.get("tied", 0) > 0.01:
        return f"{100 * best['tied']:.0f} % are ties"
    settled = {None: "nothing to train", True: "yes", False: "no: a lower bound"}[best["converged"]]
    return f"{settled}; {len(row['failed'])} of {len(row['runs'])} runs failed" if row["failed"] else settled


def rate(one: Mapping[str, Any] | None) -> str:
    """A rank-1 rate with its interval, in per cent; a dash where it was not measured."""
    return "–" if one is None else f"{100 * one['mean']:.1f} [{100 * one['low']:.1f}, {100 * one['high']:.1f}]"
