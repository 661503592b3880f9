"""Table V: person pose estimation and image captioning on raw, captured and enhanced photographs."""

from __future__ import annotations

from campro.audit.audit_config import RAW
from campro.audit.cell_keys import Key
from campro.core.errors import CamproError
from campro.core.types import ImageTransform
from campro.data import read_scenes
from campro.evaluation.pose_evaluation import PosesOfHeight, estimate_scenes, poses_by_height, with_keypoints
from campro.metrics.captions import CaptionScores, score_captions
from campro.metrics.keypoints import PoseScores, score_poses
from campro.paper.comparison import Comparison, Estimate, Section, Unit, estimate_text
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published
from campro.paper.scene_models import captioned, captioners, describe, pose_estimators
from campro.paper.scoped_run import ScopedRun
from campro.report.tables import Table
from campro.report.text import GAP

ITEM, DATA = "table-5", "coco"
KEYPOINTS = "coco/annotations/person_keypoints_val2017.json"
"""File below --data."""
POSE, BY_HEIGHT, CAPTIONS = "pose", "pose by height", "captions"
EXCHANGED, PEOPLE = "captions of other photographs", "people"
"""Controls: what a captioner would score that does not see the photograph, and what a person does."""
REASON = {
    POSE: "another pose estimator, and a tenth of a per cent of the photographs of COCO val2017",
    CAPTIONS: "a tiny captioner that learned from a hundred photographs; the paper has a large one",
}


def measure(context: PaperContext) -> None:
    """Two cells per estimator and view, and one per captioner and view.

    Raises:
        CamproError: where data or models are missing; poses are measured before captions.
    """
    part = context.part(DATA, context.profile.name)
    views = context.audit(context.main_faces, context.config.profile).views
    _measure_poses(part, context, views)
    _measure_captions(part, context, views)


def pose_key(estimator: str, view: str) -> Key:
    """Scores of a pose estimator."""
    return {"kind": POSE, "model": estimator, "view": view}


def height_key(estimator: str, view: str) -> Key:
    """Scores of a pose estimator by the height of people."""
    return {"kind": BY_HEIGHT, "model": estimator, "view": view}


def caption_key(captioner: str, view: str) -> Key:
    """Scores of a captioner, or of a control."""
    return {"kind": CAPTIONS, "model": captioner, "view": view}


def _measure_poses(part: ScopedRun, context: PaperContext, views: dict[str, ImageTransform]) -> None:
    if (root := context.root) is None:
        remedy = "--scale small, with COCO's person_keypoints file below --data"
        raise CamproError("paper", "labelled key points", "the embedded sample, which has none", remedy)
    scenes = with_keypoints(read_scenes(root / KEYPOINTS).scenes)[: context.sizes.scenes]
    for estimator in pose_estimators(context):
        for name, view in views.items():
            key = pose_key(estimator.card.name, name)
            if part.cell(key) is None:
                poses = estimate_scenes(estimator, scenes, view)
                part.write_cell(key, score_poses(scenes, poses, seed=context.config.seed))
            if part.cell(key := height_key(estimator.card.name, name)) is None:
                part.write_cell(key, poses_by_height(estimator, scenes, view, context.config.seed))


def _measure_captions(part: ScopedRun, context: PaperContext, views: dict[str, ImageTransform]) -> None:
    train, test = captioned(context)
    references = [photo.captions for photo in test]
    several = [texts for texts in references if len(texts) > 1]
    if part.cell(caption_key(PEOPLE, RAW)) is None:
        scores = score_captions([texts[0] for texts in several], [texts[1:] for texts in several])
        part.write_cell(caption_key(PEOPLE, RAW), scores)
    exchanged = [*references[1:], references[0]]
    for captioner in captioners(context, train):
        name = captioner.card.name
        control = caption_key(f"{name}, {EXCHANGED}", RAW)
        for view, transform in views.items():
            keys = [caption_key(name, view), *([control] if view == RAW else [])]
            if all(part.cell(key) is not None for key in keys):
                continue
            found = describe(captioner, test, transform)
            for key in keys:
                part.write_cell(key, score_captions(found, exchanged if key == control else references))


def section(cells: PaperCells) -> Section:
    """Key point AP and CIDEr-D by model and view."""
    part = cells.part(data=DATA, profile=cells.settings.profile)
    rows = [
        _pose_row(part, model, view)
        for model in part.named("model", kind=POSE)
        for view in part.named("view", kind=POSE, model=model)
    ]
    rows += [
        _caption_row(part, model, view)
        for model in part.named("model", kind=CAPTIONS)
        for view in part.named("view", kind=CAPTIONS, model=model)
    ]
    how = (
        "Pose: COCO's key point AP with the boxes of the ground truth, so that errors of a person detector do not "
        "count. Captions: CIDEr-D. Nothing is fine-tuned for the captured view; intervals are over photographs. The "
        "last table has people visible from head to feet, in photographs enlarged and shrunk in front of the camera."
    )
    notes = (
        "Captioners marked tiny-gru and retrieval learned from the raw photographs at hand, in this run; they see the "
        "objects that YOLOX-nano finds, and nothing else. A control shows what their captions score on other "
        "photographs; another what one person's caption scores against those of the other people.",
        "Words are split by an expression of our own, not by the Penn Treebank tokeniser of the published numbers.",
    )
    table = _height_table(part)
    return Section(how, tuple(rows), () if table is None else (table,), notes=notes)


def _pose_row(part: PaperCells, model: str, view: str) -> Comparison:
    key = pose_key(model, view)
    found = part.value(PoseScores, key)
    assert found is not None
    unit: Unit = "%"
    paper = published(ITEM, POSE, view)
    row = f"pose, {view}, {model}, {found.people} people"
    return Comparison(row, "key point AP", unit, paper, _estimate(found), REASON[POSE], part.origin(key))


def _height_table(part: PaperCells) -> Table | None:
    """Beyond the paper: key point AP by the height of people, a row per estimator and class; None without cells."""
    models, views = (part.named(name, kind=BY_HEIGHT) for name in ("model", "view"))
    rows = []
    for model in models:
        found = {view: part.value(tuple[PosesOfHeight, ...], height_key(model, view)) or () for view in views}
        for one in found[views[0]]:
            same = [next((each for each in found[view] if each.low == one.low), None) for view in views]
            aps = [GAP if each is None else estimate_text(_estimate(each.scores), "%") for each in same]
            height = f"{one.low:.0f} to {one.high:.0f}"
            rows.append((model, height, f"{one.density:.0f}", f"{one.scores.people}", *aps))
    header = ("pose estimator", "height, pixels", "px/m", "whole people", *(f"{view}, AP" for view in views))
    return Table((), header, tuple(rows)) if rows else None


def _estimate(scores: PoseScores) -> Estimate:
    """The AP in per cent."""
    return Estimate(100 * scores.ap, 100 * scores.ap_low, 100 * scores.ap_high)


def _caption_row(part: PaperCells, model: str, view: str) -> Comparison:
    key = caption_key(model, view)
    found = part.value(CaptionScores, key)
    assert found is not None
    control = model == PEOPLE or model.endswith(EXCHANGED)
    paper = None if control else published(ITEM, CAPTIONS, view)
    here = Estimate(found.cider, found.low, found.high)
    row = f"captions, {view}, {model}, {found.photographs} photographs"
    return Comparison(row, "CIDEr-D", "1", paper, here, REASON[CAPTIONS], part.origin(key))
