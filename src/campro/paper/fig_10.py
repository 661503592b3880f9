"""Figs. 10 and 15: boxes, skeletons and captions on raw, captured and enhanced pictures of the embedded sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from campro.core.catalogue import cache_root
from campro.core.errors import CamproError
from campro.core.images import read_image, to_tensor
from campro.core.progress import note
from campro.core.types import ImageTransform, Scene
from campro.data.embedded import embedded_scenes
from campro.metrics.detection import THRESHOLD
from campro.models.captions import Captioner
from campro.models.persons import TrainableDetector, load_detector
from campro.models.poses import PoseEstimator
from campro.paper.comparison import Figure, Section
from campro.paper.drawing import draw_boxes, draw_skeletons, jpeg_uri
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.scene_models import captioned, captioners, pose_estimators

ITEM, DATA = "fig-10", "embedded"
SHOWN = 3
"""Photographs."""


@dataclass(frozen=True)
class DrawnScene:
    """One photograph under one view."""

    uri: str
    """JPEG as a data: URI, with boxes and skeletons."""
    people: int
    """Detected ones."""
    caption: str
    """Empty where no captioner is at hand."""


def key(number: int, view: str) -> dict[str, str | int]:
    """Photograph `number` of the embedded sample under a view."""
    return {"kind": "drawn scene", "number": number, "view": view}


def measure(context: PaperContext) -> None:
    """A cell per photograph and view; without pose estimator or captioner these are left out."""
    part = context.part(DATA, context.profile.name)
    views = context.audit(context.main_faces, context.config.profile).views
    scenes = [scene for scene in embedded_scenes("test", cache_root()).scenes if len(scene.truth)][:SHOWN]
    todo = [(n, view) for n in range(len(scenes)) for view in views if part.cell(key(n, view)) is None]
    if not todo:
        return
    drawer = _Drawer(load_detector(context.person_detector), _pose(context), _captioner(context))
    for number, view in todo:
        part.write_cell(key(number, view), drawer.draw(scenes[number], views[view]))


class _Drawer:
    """Detects, estimates, describes and draws."""

    def __init__(self, detector: TrainableDetector, pose: PoseEstimator | None, captioner: Captioner | None) -> None:
        self.detector, self.pose, self.captioner = detector, pose, captioner

    def draw(self, scene: Scene, view: ImageTransform) -> DrawnScene:
        rgb = view(read_image(scene.path))
        picture = to_tensor(rgb)
        found = self.detector.detect(picture)[0]
        boxes = found.boxes[found.scores >= THRESHOLD]
        drawn = draw_boxes(rgb, boxes.numpy())
        if self.pose is not None and len(boxes):
            drawn = draw_skeletons(drawn, np.asarray(self.pose.estimate(picture, [boxes])[0].points))
        caption = "" if self.captioner is None else self.captioner.caption(picture)[0]
        return DrawnScene(jpeg_uri(drawn), len(boxes), caption)


def _pose(context: PaperContext) -> PoseEstimator | None:
    try:
        return pose_estimators(context)[0]
    except CamproError as error:
        note(f"without skeletons: {error}")
        return None


def _captioner(context: PaperContext) -> Captioner | None:
    try:
        return captioners(context, captioned(context)[0])[0]
    except CamproError as error:
        note(f"without captions: {error}")
        return None


def section(cells: PaperCells) -> Section:
    """One picture per photograph and view."""
    part = cells.part(data=DATA, profile=cells.settings.profile)
    figures = []
    for number in part.named("number", kind="drawn scene"):
        for view in part.named("view", kind="drawn scene"):
            found = part.value(DrawnScene, key(int(number), view))
            if found is not None:
                says = f"; “{found.caption}”" if found.caption else ""
                figures.append(Figure(found.uri, f"{view}: {found.people} people detected{says}"))
    how = (
        "What a person detector, a pose estimator and a captioner find on raw, captured and enhanced pictures, without "
        "fine-tuning. Photographs and collages of the embedded sample, whose licences allow showing them."
    )
    return Section(how, figures=tuple(figures))
