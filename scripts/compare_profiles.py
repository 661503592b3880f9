"""Privacy against utility: what the same attackers find behind each profile, and how many people a detector finds.

Runs are kept in RUN and not measured again; table.md and privacy-utility.png are written from them.

CAMPRO_DATA=... python scripts/compare_profiles.py RUN PROFILE...
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context

from campro.audit.attack_suite import run_suite
from campro.audit.suite_config import SuiteConfig
from campro.audit.suite_rows import rate
from campro.core.atomic_io import atomic_write
from campro.core.run_folder import RunFolder
from campro.data import join_scenes, read_scenes
from campro.isp import Camera, load_profile
from campro.metrics.detection import score_detections
from campro.models.persons import load_detector
from campro.models.persons.detector_adaptation import adapt, detect_scenes
from campro.report.plots import COLOURS, STYLE, axes_of

DATA = Path(os.environ["CAMPRO_DATA"])
SCENES = ("voc2012", "construction_ppe", "flickr8k")
MODEL, DETECTOR = "mobilefacenet", "yolox-nano"
ATTACKS = ("no attack", "filters", "colour maps", "analytic inversion", "distillation")
"""The rungs that were ever the worst of a profile, and what anybody tries first."""
STEPS, SEED = 100, 0
KEPT = 0.82
"""Share of the raw AP that the paper's own profile keeps (CamPro, NDSS 2024)."""

Cell = Mapping[str, Any]


def utility(run: Path, name: str) -> Cell:
    """AP of the detector as given and adapted, each as [mean, low, high]; on raw pictures it is as it is."""
    profile, labels = load_profile(name), DATA / "coco" / "annotations"
    folder, key = RunFolder.open(run / "utility", {"steps": STEPS}, inputs={}), {"profile": profile.digest}
    if (cell := folder.cell(key)) is None:
        detector, camera = load_detector(DETECTOR).eval(), Camera(profile)
        judged = read_scenes(labels / "instances_val2017.json").scenes
        files = (labels / "instances_train2017.json", *(DATA / "scenes" / one / "annotations.json" for one in SCENES))
        scenes = join_scenes([read_scenes(file, unlabelled=True) for file in files]).scenes
        cell = {}
        adapted = adapt(detector, scenes, camera, STEPS, SEED) if profile.blocks else detector
        for kind, one in (("given", detector), ("adapted", adapted)):
            scores = score_detections(judged, detect_scenes(one, judged, camera))
            cell[kind] = [scores.ap, scores.ap_low, scores.ap_high]
        folder.write_cell(key, cell)
    assert isinstance(cell, dict)
    return cell


def privacy(run: Path, name: str) -> list[Cell]:
    """Rows of the ladder, worst first."""
    photos = (DATA / "coco" / "train2017", *(DATA / "scenes" / one for one in SCENES))
    config = SuiteConfig(
        profile=name,
        faces=DATA / "lfw",
        train_faces=DATA / "celeba",
        photos=photos,
        face_models=(MODEL,),
        attacks=ATTACKS,
        landmarks="yunet",
        budget="quick",
        out=run / "ladders" / load_profile(name).name,
    )
    return sorted(run_suite(config), key=lambda row: -row["best"]["mean"])


def table(found: Mapping[str, tuple[Cell, Sequence[Cell]]], raw: float) -> str:
    """Markdown."""
    lines = ["| profile | AP as given | adapted | % of raw | worst case | " + " | ".join(ATTACKS) + " |"]
    lines.append("|---" * (5 + len(ATTACKS)) + "|")
    for name, (scores, rows) in found.items():
        best = {row["attack"]: rate(row["best"]) for row in rows}
        aps = [rate(dict(zip(("mean", "low", "high"), scores[kind]))) for kind in ("given", "adapted")]
        share = f"{100 * scores['adapted'][0] / raw:.0f}"
        lines.append(
            "| " + " | ".join((name, *aps, share, rows[0]["attack"], *(best.get(a, "–") for a in ATTACKS))) + " |"
        )
    return "\n".join(lines) + "\n"


def plot(found: Mapping[str, tuple[Cell, Sequence[Cell]]], raw: float, file: Path) -> None:
    """Worst-case rank-1 over adapted AP, both with intervals."""
    with rc_context(STYLE):
        axes, figure = axes_of((6.4, 4.0))
        for number, (name, (scores, rows)) in enumerate(found.items()):
            (x, left, right), worst = (100 * one for one in scores["adapted"]), rows[0]["best"]
            y, low, high = (100 * worst[one] for one in ("mean", "low", "high"))
            colour = COLOURS[number % len(COLOURS)]
            axes.errorbar(x, y, [[y - low], [high - y]], [[x - left], [right - x]], fmt="o", color=colour, capsize=2)
            beside = (5, 5 if number % 2 else -10)
            axes.annotate(f"{name} ({rows[0]['attack']})", (x, y), beside, textcoords="offset points", fontsize=7)
        axes.axvline(100 * KEPT * raw, color="0.6", linestyle=":")
        axes.set(xlabel="AP of the adapted person detector, %", ylabel="rank-1 of the worst attacker, %")
        axes.set_ylim(-2, 102)
        figure.savefig(file, dpi=150)


def main(run: Path, names: Sequence[str]) -> None:
    """Measure what is not measured yet."""
    scores = {name: utility(run, name) for name in ("identity", *names)}
    raw = scores.pop("identity")["given"][0]
    found: dict[str, tuple[Cell, Sequence[Cell]]] = {}
    for name in names:
        found[load_profile(name).name] = (scores[name], privacy(run, name))
        atomic_write(run / "table.md", table(found, raw))
        plot(found, raw, run / "privacy-utility.png")
    print((run / "table.md").read_text())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
