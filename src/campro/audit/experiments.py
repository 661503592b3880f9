"""Measurements without attacks: identification, face and person detection, image quality. One cell per figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import product
from typing import Any

import torch

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, ENHANCED, RAW
from campro.audit.audit_context import AuditContext
from campro.audit.metadata import GROUP_VIEWS
from campro.audit.raw_control import check_person_detector, check_recogniser, control_enhancer
from campro.audit.remaining_information import remaining_information
from campro.audit.results import IdentificationResult, PersonDetectionResult, group_rates
from campro.audit.thumbnails import save_chart, save_faces, save_scenes
from campro.core.progress import note
from campro.core.run_folder import RunFolder
from campro.core.types import Detections
from campro.evaluation import MATCHERS, NEAREST, identify
from campro.evaluation.closed_set import tracked

SHOWN_SCENES = 4
"""Photographs that the report shows."""


def measure_identification(run: RunFolder, context: AuditContext) -> None:
    """Identification by model, matcher and view; by group; and of the faces that a detector finds on each view."""
    identify_views(run, context)
    detect_faces(run, context)
    _identify_detected(run, context)
    _identify_by_group(run, context)


def identify_views(run: RunFolder, context: AuditContext) -> None:
    """A cell per face model, matcher and view; none of a model that fails on raw photographs."""
    evaluation = context.evaluation
    for model in context.config.face_models:
        for matcher in context.config.matchers:
            keys = {view: cell_keys.identification(model, view, matcher) for view in context.views}
            todo = [view for view, key in keys.items() if run.cell(key) is None]
            if not todo:
                continue
            _log(f"identification: {model}, {matcher}, {', '.join(todo)}")
            embeddings = context.embed(model, todo)
            wanted = {view: embeddings[view] for view in todo}
            trials, others = tracked(evaluation.trials, matcher), context.embed_distractors(model)
            results = identify(embeddings[RAW], wanted, evaluation.subjects, trials, MATCHERS[matcher](), others)
            if RAW in results:
                check_recogniser(model, embeddings[RAW], evaluation, results[RAW].mean())
            for view, result in results.items():
                run.write_cell(keys[view], IdentificationResult.of(result))


def detect_faces(run: RunFolder, context: AuditContext) -> None:
    """A cell per face detector and view: the share of probes in which it finds the face."""
    for view in context.views:
        for detector in context.face_detectors:
            key = cell_keys.face_detection(detector, view)
            if run.cell(key) is None:
                _log(f"face detection: {detector}, {view}")
                run.write_cell(key, context.detect_faces(detector, view).rate())


def _identify_detected(run: RunFolder, context: AuditContext) -> None:
    """A cell per face model and view, for the faces that the first detector finds."""
    for view in context.views:
        for model in context.config.face_models:
            key = cell_keys.end_to_end(model, view)
            if run.cell(key) is None:
                _log(f"identification of detected faces: {model}, {view}")
                run.write_cell(key, IdentificationResult.of(context.identify_detected(model, view)))


def _identify_by_group(run: RunFolder, context: AuditContext) -> None:
    """A cell per face model, raw and captured."""
    evaluation = context.evaluation
    for model in context.config.face_models:
        for view in GROUP_VIEWS:
            key = cell_keys.identification_by_group(model, view)
            if run.cell(key) is not None:
                continue
            _log(f"identification by group: {model}, {view}")
            embeddings = context.embed(model, [view])
            wanted = {view: embeddings[view]}
            others = context.embed_distractors(model)
            results = identify(
                embeddings[RAW], wanted, evaluation.subjects, evaluation.trials, MATCHERS[NEAREST](), others
            )
            run.write_cell(key, group_rates(results[view], context.groups))


def measure_person_detection(run: RunFolder, context: AuditContext) -> None:
    """A cell per view for the detector as given, and for the adapted one; last those by height: they take longer."""
    kinds = (False, True) if context.adapts else (False,)
    for adapted in kinds:
        for view in context.views:
            measure_person_view(run, context, view, adapted)
    for adapted, view in product(kinds, (RAW, CAPTURED)):
        measure_people_by_height(run, context, view, adapted)


def measure_person_view(run: RunFolder, context: AuditContext, view: str, adapted: bool) -> None:
    """A cell with the scores of the person detector on one view, as given or adapted.

    Raises:
        CamproError: for a detector that fails on raw photographs; see `raw_control.check_person_detector`.
    """
    key = cell_keys.person_detection(view, adapted)
    if run.cell(key) is None:
        _log(f"person detection: {view}{', adapted' if adapted else ''}")
        scores, shown = context.detect_people(view, adapted, SHOWN_SCENES)
        if view == RAW:
            check_person_detector(context.config.detector, scores.ap50)
        result = PersonDetectionResult(
            **_finite(asdict(scores)),
            boxes=_boxes(shown),
            kept=context.kept_precision(view, adapted),
            adaptation=context.adaptation(view) if adapted else None,
        )
        run.write_cell(key, result)


def measure_people_by_height(run: RunFolder, context: AuditContext, view: str, adapted: bool) -> None:
    """A cell with the detection of whole people by their height in pixels."""
    key = cell_keys.people_by_height(view, adapted)
    if run.cell(key) is None:
        _log(f"person detection by height: {view}{', adapted' if adapted else ''}")
        run.write_cell(key, context.people_by_height(view, adapted))


def measure_enhancer_control(run: RunFolder, context: AuditContext) -> None:
    """A cell with the correlation of enhanced with raw pictures.

    Raises:
        CamproError: for an enhancer that does not restore pictures; see `raw_control.control_enhancer`.
    """
    if ENHANCED in context.views and run.cell(cell_keys.ENHANCER_CONTROL) is None:
        _log("control of the enhancer")
        run.write_cell(cell_keys.ENHANCER_CONTROL, control_enhancer(context))


def measure_quality(run: RunFolder, context: AuditContext) -> None:
    """A cell per view: how close it is to the raw pictures; and how much of the faces the enhancer removes."""
    for view in context.views:
        key = cell_keys.image_quality(view)
        if view != RAW and run.cell(key) is None:
            _log(f"image quality: {view}")
            run.write_cell(key, context.quality(view))
    if ENHANCED in context.views and run.cell(cell_keys.FACES_LEFT_OUT) is None:
        _log("faces left out")
        run.write_cell(cell_keys.FACES_LEFT_OUT, context.faces_left_out())


def measure_remaining_information(run: RunFolder, context: AuditContext) -> None:
    """A cell with the entropies of the colour of a pixel, where the profile maps colours only."""
    if run.cell(cell_keys.REMAINING_INFORMATION) is None:
        _log("information that is left in a pixel")
        if (found := remaining_information(context)) is not None:
            run.write_cell(cell_keys.REMAINING_INFORMATION, found)


def save_thumbnails(run: RunFolder, context: AuditContext) -> None:
    """Pictures of the report: a colour chart, faces, and scenes where these are audited.

    Pictures of people are saved anew if a run is resumed with another value of `show_faces`.
    """
    config, views = context.config, context.views
    shown = config.show_faces
    if run.cell(cell_keys.COLOUR_CHART) is None:
        run.write_cell(cell_keys.COLOUR_CHART, save_chart(run.path, views[RAW], views[CAPTURED]))
    scenes = run.cell(cell_keys.SCENE_THUMBNAILS)
    if config.measures("detection") and (not scenes or scenes[0].get("recognisable", True) != shown):
        scenes = save_scenes(run.path, context.scenes[:SHOWN_SCENES], views, shown)
        run.write_cell(cell_keys.SCENE_THUMBNAILS, scenes)
    faces = run.cell(cell_keys.FACE_THUMBNAILS)
    if config.measures("identification") and (faces is None or faces.get("recognisable", True) != shown):
        model = config.face_models[0]
        embeddings = context.embed(model, list(views))
        faces = save_faces(run.path, model, context.evaluation, embeddings, views, context.crop, shown)
        run.write_cell(cell_keys.FACE_THUMBNAILS, faces)


def _boxes(found: list[Detections]) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Per image, a row (x0, y0, x1, y1, score) per detection; pixels rounded to tenths."""
    tables = [torch.cat([each.boxes, each.scores[:, None]], dim=1).tolist() for each in found]
    return tuple(tuple((*(round(x, 1) for x in row[:4]), round(row[4], 3)) for row in table) for table in tables)


def _finite(scores: Mapping[str, Any]) -> dict[str, float | None]:
    """Scores as JSON numbers; an undefined score (no large people, say) is None, never NaN."""
    return {name: value if value == value else None for name, value in scores.items()}


def _log(line: str) -> None:
    note(f"audit: {line}")
