"""Cells of attacks with made-up rates."""

from __future__ import annotations

from campro.audit import cell_keys
from campro.audit.results import AttackResult, IdentificationResult
from campro.core.run_folder import RunFolder
from campro.metrics.rates import Rate

FILTERS = ("filters", "black-box", None)
TRAINED = ("distillation", "gray-box", "standard")
INVERSION = ("analytic inversion", "white-box", None)
NO_ATTACK = ("no attack", "none", None)


def result(threat_model, mean, learned_from=None, curve=None, converged=None, tied=0.0):
    """An attack result with this rank-1 rate, +- 0.01."""
    rate = Rate(mean, mean - 0.01, mean + 0.01, 100)
    found = IdentificationResult(100, rate, rate, rate, (mean,) * 50, ())
    return AttackResult(
        {"nearest": found},
        threat_model=threat_model,
        given="nothing",
        tied=tied,
        linkability=rate,
        training_images=learned_from,
        curve=curve,
        converged=converged,
        fit_s=10.0,
        judge_s=5.0,
    )


def trained(mean, learned_from, curve, converged):
    """Rates of a training."""
    return {"mean": mean, "learned_from": learned_from, "curve": curve, "converged": converged}


CELLS = (
    (FILTERS, "captured", "invert", {"mean": 0.04}),
    (FILTERS, "control", "invert", {"mean": 0.01}),
    (NO_ATTACK, "control", "no attack", {"mean": 0.9}),
    (
        TRAINED,
        "captured",
        "400 photographs",
        trained(0.05, 400, (0.1, 0.2), True),
    ),
    (
        TRAINED,
        "captured",
        "800 photographs",
        trained(0.08, 800, (0.1, 0.3), True),
    ),
    (TRAINED, "captured", "all", trained(0.06, 1600, (0.1, 0.1), False)),
    (TRAINED, "control", "800 photographs", trained(0.9, 800, (0.9,), True)),
    (INVERSION, "captured", "per pixel", {"mean": 0.8, "tied": 0.5}),
)
"""Attack, camera, run, and rates: an attack without training, one of three trainings of which the largest failed."""


def attack_cells(run: RunFolder) -> None:
    """Write the made-up cells into a run folder."""
    for (name, threat_model, budget), camera, label, rates in CELLS:
        key = cell_keys.attack("colour", name, label, camera, ("nearest",), budget)
        run.write_cell(key, result(threat_model, **rates))
