"""Table V from cells written by hand, and the figures with drawn pictures."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.evaluation.pose_evaluation import PosesOfHeight
from campro.metrics.captions import CaptionScores
from campro.metrics.keypoints import PoseScores
from campro.paper import fig_10, table_5
from campro.paper.drawing import draw_boxes, draw_skeletons, jpeg_uri
from campro.paper.paper_cells import PaperCells
from campro.paper.scoped_run import ScopedRun


def test_rows_of_both_halves(paper_run):
    part = ScopedRun(paper_run, {"data": table_5.DATA, "profile": "campro-default"})
    part.write_cell(table_5.pose_key("simple", "raw"), PoseScores(0.5, 0.8, 0.4, 0.4, 0.6, 68))
    by_height = (PosesOfHeight(56.6, 113.1, PoseScores(0.3, 0.6, 0.2, 0.1, 0.4, 9)),)
    part.write_cell(table_5.height_key("simple", "raw"), by_height)
    part.write_cell(table_5.caption_key("tiny-gru", "enhanced"), CaptionScores(0.3, 0.2, 0.4, 102))
    part.write_cell(table_5.caption_key(table_5.PEOPLE, "raw"), CaptionScores(1.0, 0.9, 1.1, 102))
    section = table_5.section(PaperCells(paper_run.cells()))
    rows = {row.row: row for row in section.rows}
    assert set(rows) == {
        "pose, raw, simple, 68 people",
        "captions, enhanced, tiny-gru, 102 photographs",
        "captions, raw, people, 102 photographs",
    }
    pose = rows["pose, raw, simple, 68 people"].here
    assert (pose.value, pose.low, pose.high) == pytest.approx((50, 40, 60))
    assert section.tables[0].rows == (("simple", "57 to 113", "47", "9", "30.0 [10.0, 40.0]"),)


def test_the_sample_has_neither_key_points_nor_captions():
    context = SimpleNamespace(root=None)
    with pytest.raises(CamproError, match="--scale small"):
        table_5._measure_poses(None, context, {})
    with pytest.raises(CamproError, match="captions"):
        table_5.captioned(context)


def test_pictures_of_the_cells_are_shown(paper_run):
    part = ScopedRun(paper_run, {"data": fig_10.DATA, "profile": "campro-default"})
    part.write_cell(fig_10.key(0, "raw"), fig_10.DrawnScene("data:image/jpeg;base64,xx", 2, "two dogs"))
    (figure,) = fig_10.section(PaperCells(paper_run.cells())).figures
    assert figure.uri.endswith("xx") and "2 people detected" in figure.caption and "two dogs" in figure.caption


def test_boxes_and_skeletons_are_drawn_on_a_copy():
    rgb = np.zeros((100, 80, 3), np.uint8)
    boxed = draw_boxes(rgb, np.array([[10.0, 20, 50, 90]]))
    assert boxed[20, 30].any() and boxed[90, 30].any() and not boxed[50, 30].any() and not rgb.any()
    points = np.zeros((1, 17, 3))
    points[0, 5], points[0, 7] = (20, 30, 0.9), (20, 60, 0.9)  # left shoulder, left elbow
    points[0, 9] = (20, 95, 0.1)  # a wrist of low score
    drawn = draw_skeletons(rgb, points)
    assert drawn[45, 20].any() and not drawn[80, 20].any() and not rgb.any()
    assert jpeg_uri(drawn).startswith("data:image/jpeg;base64,")
