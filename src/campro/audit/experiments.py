"""The experiments of an audit. Each leaves cells in the run folder; finished cells are not computed again."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from campro.audit.audit_config import CAPTURED, ENHANCED, RAW, AuditConfig
from campro.audit.thumbnails import CHART_KEY, FACES_KEY, SCENES_KEY, save_chart, save_faces, save_scenes
from campro.core.run_folder import Json, RunFolder
from campro.core.types import Detections, ImageTransform, Rgb8, Scene
from campro.evaluation import MATCHERS, Draw, Roll, draw_repeats, identify
from campro.metrics.identification import Repeated

META_KEY = {"kind": "meta"}
NEAREST = "nearest"
"""The matcher of figures that are made for one alone."""
GROUP_VIEWS = (RAW, CAPTURED)
"""Views whose figures are broken down by group."""
LEAST_PEOPLE = 20
"""Of a group that has a figure of its own; of a smaller one an interval says nothing, and it is said to be too few."""
SHOWN_SCENES = 4
"""Photographs on the report's sheet of scenes."""


class Bench(Protocol):
    """The data and models of one audit. `AuditContext` loads each when it is first needed."""

    @property
    def views(self) -> Mapping[str, ImageTransform]:
        """By row label, raw first."""
        ...

    @property
    def roll(self) -> Roll:
        """The people to recognise."""
        ...

    def inputs(self) -> dict[str, str]:
        """Content hashes of everything that the figures rest on."""
        ...

    def facts(self) -> dict[str, Json]:
        """What the report says about data, models and profile."""
        ...

    def embed(self, model: str, views: list[str]) -> dict[str, Float[Tensor, "N D"]]:
        """Embeddings of the roll's photographs under each of `views`, and under raw."""
        ...

    @property
    def face_detectors(self) -> list[str]:
        """Names of those that are tried on every view, the one of the landmarks first."""
        ...

    def find_faces(self, detector: str, view: str, draws: list[Draw]) -> Repeated:
        """Queries in which the face is found, as rank 1."""
        ...

    def recognise_found(self, model: str, view: str, draws: list[Draw]) -> Repeated:
        """Identification of the faces that the first detector finds on the view."""
        ...

    def groups(self) -> dict[str, Int[Tensor, "P"]]:
        """People, by the roll's numbers, of each group whose figures are told apart."""
        ...

    def crop(self, rgb: Rgb8, row: int) -> Rgb8:
        """The face of the roll's photograph `row`, cut from a view of that photograph."""
        ...

    def scenes(self) -> tuple[Scene, ...]:
        """The audited photographs with people."""
        ...

    def detect(self, view: str, adapted: bool, shown: int) -> tuple[Any, list[Detections]]:
        """DetectionScores on all scenes, and the detections on the first `shown`."""
        ...

    def left_out(self) -> dict[str, Json]:
        """How much of the faces in the scenes the enhancer leaves out, by the face detector that finds them."""
        ...

    def quality(self, view: str) -> dict[str, Json]:
        """Mean image quality of all scenes against raw: per region the figures of `Quality` and how many pictures."""
        ...


def identification_key(model: str, view: str, matcher: str) -> dict[str, Json]:
    """Key of a cell of identification figures."""
    return {"kind": "identification", "model": model, "view": view, "matcher": matcher}


def group_key(model: str, view: str) -> dict[str, Json]:
    """Key of a cell of identification by group."""
    return {"kind": "group", "model": model, "view": view}


def detection_key(view: str, adapted: bool) -> dict[str, Json]:
    """Key of a cell of detection figures."""
    return {"kind": "detection", "view": view, "adapted": adapted}


def quality_key(view: str) -> dict[str, Json]:
    """Key of a cell of image quality."""
    return {"kind": "quality", "view": view}


def faces_found_key(detector: str, view: str) -> dict[str, Json]:
    """Key of a cell of faces found."""
    return {"kind": "faces found", "detector": detector, "view": view}


def end_to_end_key(model: str, view: str) -> dict[str, Json]:
    """Key of a cell of identification of found faces, to the nearest gallery photograph."""
    return {"kind": "end to end", "model": model, "view": view}


LEFT_OUT_KEY = {"kind": "faces left out"}


def run_audit(config: AuditConfig, bench: Bench | None = None) -> RunFolder:
    """Judge a profile; returns the run folder, whose cells `write_report` turns into a page.

    Killed and started again it goes on with the first unfinished cell.

    Raises:
        CamproError: on unusable input, or a run folder of another configuration.
    """
    if bench is None:
        from campro.audit.audit_context import AuditContext

        bench = AuditContext(config)
    run = RunFolder.open(config.out, _settings(config), inputs=bench.inputs())
    run.write_cell(META_KEY, bench.facts())
    draws = draw_repeats(bench.roll, config.repeats, config.seed)
    _identify(run, config, bench, draws)
    _find_faces(run, config, bench, draws)
    _identify_by_group(run, config, bench, draws)
    _detect(run, config, bench)
    _judge_looks(run, bench)
    if ENHANCED in bench.views and run.cell(LEFT_OUT_KEY) is None:
        _say("faces left out")
        run.write_cell(LEFT_OUT_KEY, bench.left_out())
    _show(run, config, bench, draws)
    return run


def _identify(run: RunFolder, config: AuditConfig, bench: Bench, draws: list[Draw]) -> None:
    """A cell per face model, matcher and view."""
    for model in config.face_models:
        for matcher in config.matchers:
            todo = [view for view in bench.views if run.cell(identification_key(model, view, matcher)) is None]
            if not todo:
                continue
            _say(f"identification: {model}, {matcher}, {', '.join(todo)}")
            rows = bench.embed(model, todo)
            wanted = {view: rows[view] for view in todo}
            found = identify(rows[RAW], wanted, bench.roll.owner, draws, MATCHERS[matcher]())
            for view, result in found.items():
                run.write_cell(identification_key(model, view, matcher), identification_value(result))


def _find_faces(run: RunFolder, config: AuditConfig, bench: Bench, draws: list[Draw]) -> None:
    """A cell per face detector and view, and one per face model and view for those that the first detector finds."""
    for view in bench.views:
        for detector in bench.face_detectors:
            if run.cell(faces_found_key(detector, view)) is None:
                _say(f"faces found: {detector}, {view}")
                found = identification_value(bench.find_faces(detector, view, draws))["rank1"]
                run.write_cell(faces_found_key(detector, view), found)
        for model in config.face_models:
            if run.cell(end_to_end_key(model, view)) is None:
                _say(f"end to end: {model}, {view}")
                run.write_cell(
                    end_to_end_key(model, view), identification_value(bench.recognise_found(model, view, draws))
                )


def _identify_by_group(run: RunFolder, config: AuditConfig, bench: Bench, draws: list[Draw]) -> None:
    """A cell per face model, raw and captured."""
    todo = [(m, v) for m in config.face_models for v in GROUP_VIEWS if run.cell(group_key(m, v)) is None]
    if not todo:
        return
    groups = bench.groups()
    for model, view in todo:
        _say(f"by group: {model}, {view}")
        rows = bench.embed(model, [view])
        result = identify(rows[RAW], {view: rows[view]}, bench.roll.owner, draws, MATCHERS[NEAREST]())[view]
        run.write_cell(group_key(model, view), groups_value(result, groups))


def _detect(run: RunFolder, config: AuditConfig, bench: Bench) -> None:
    """A cell per view for the detector as it comes, and one for the adapted one."""
    for adapted in (False, True) if config.adapt_steps else (False,):
        for view in bench.views:
            if run.cell(detection_key(view, adapted)) is None:
                _say(f"detection: {view}{', adapted' if adapted else ''}")
                scores, boxes = bench.detect(view, adapted, SHOWN_SCENES)
                run.write_cell(detection_key(view, adapted), {"scores": _plain(asdict(scores)), "boxes": _rows(boxes)})


def _judge_looks(run: RunFolder, bench: Bench) -> None:
    """A cell per view: how close it is to the raw pictures."""
    for view in bench.views:
        if view != RAW and run.cell(quality_key(view)) is None:
            _say(f"image quality: {view}")
            run.write_cell(quality_key(view), bench.quality(view))


def _show(run: RunFolder, config: AuditConfig, bench: Bench, draws: list[Draw]) -> None:
    """Pictures of the report: a colour chart, scenes, and faces."""
    if run.cell(CHART_KEY) is None:
        run.write_cell(CHART_KEY, save_chart(run.path, bench.views[RAW], bench.views[CAPTURED]))
    if run.cell(SCENES_KEY) is None:
        run.write_cell(SCENES_KEY, save_scenes(run.path, bench.scenes()[:SHOWN_SCENES], bench.views))
    if run.cell(FACES_KEY) is None:
        model = config.face_models[0]
        rows = bench.embed(model, list(bench.views))
        run.write_cell(FACES_KEY, save_faces(run.path, model, bench.roll, draws[0], rows, bench.views, bench.crop))


def identification_value(result: Repeated) -> dict[str, Json]:
    """Everything that tables, figures and later readers need of one cell."""
    rates = {
        f"rank{k}": dict(zip(("mean", "sd", "low", "high"), (result.mean(k), result.sd(k), *result.interval(k))))
        for k in (1, 5, 50)
    }
    repeats = [
        {"probes": trial.probes, "hits": trial.hits, "rank1": trial.rank1, "rank5": trial.rank5, "rank50": trial.rank50}
        for trial in result.trials
    ]
    return {"people": result.identities, "repeats": repeats, "cmc": result.cmc(50), **rates}


def groups_value(result: Repeated, groups: Mapping[str, Int[Tensor, "P"]]) -> list[dict[str, Json]]:
    """Per group its name, its people, and their rank-1, searched for among all; null where they are too few."""
    return [
        {
            "name": name,
            "people": len(people),
            "rank1": identification_value(result.of(people))["rank1"] if len(people) >= LEAST_PEOPLE else None,
        }
        for name, people in groups.items()
    ]


def _settings(config: AuditConfig) -> dict[str, Json]:
    """What must not change between a run and its resumption; files are known by content, not by place."""
    places = {"out", "profile", "faces", "scenes", "train_scenes", "detector_weights", "enhancer"}
    return {name: value for name, value in vars(config).items() if name not in places}


def _rows(found: list[Detections]) -> list[list[list[float]]]:
    """Per image, a row (x0, y0, x1, y1, score) per detection, pixels rounded to tenths."""
    together = [torch.cat([each.boxes, each.scores[:, None]], dim=1) for each in found]
    return [[[round(x, 1) for x in row[:4]] + [round(row[4], 3)] for row in table.tolist()] for table in together]


def _plain(scores: Mapping[str, Any]) -> dict[str, Json]:
    """Scores as JSON numbers; a figure that does not exist (no large people, say) is null, never NaN."""
    return {name: value if value == value else None for name, value in scores.items()}


def _say(line: str) -> None:
    print(f"audit: {line}", file=sys.stderr, flush=True)
