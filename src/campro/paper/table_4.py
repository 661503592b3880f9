"""Table IV: image quality of captured and enhanced pictures against raw ones."""

from __future__ import annotations

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, ENHANCED
from campro.audit.experiments import measure_quality
from campro.audit.image_quality import OUTSIDE, WHOLE
from campro.audit.results import QualityResult
from campro.paper.comparison import Comparison, Estimate, Section, Unit
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published
from campro.paper.scoped_run import ScopedRun

ITEM = "table-4"
FIGURES: tuple[tuple[str, str, Unit], ...] = (
    ("RMSE", "rmse", "levels"),
    ("PSNR", "psnr", "dB"),
    ("SSIM", "ssim", "1"),
    ("MS-SSIM", "ms_ssim", "1"),
)
REASON = "the enhancer fast restores colours by the exact inverse of the profile; the paper has a U-Net"
FURTHER = "few steps on few photographs here"


def measure(context: PaperContext) -> None:
    """A cell per view, and one per further enhancer."""
    data = context.main_faces
    measure_quality(context.part(data, context.profile.name), context.audit(data, context.config.profile))
    for file in context.config.enhancers:
        labels = {"data": data, "profile": context.profile.name, "enhancer": file.stem}
        part, key = ScopedRun(context.run, labels), cell_keys.image_quality(ENHANCED)
        if part.cell(key) is None:
            part.write_cell(key, context.audit(data, context.config.profile, enhancer=str(file)).quality(ENHANCED))


def section(cells: PaperCells) -> Section:
    """Per view and region the four figures; those outside faces are what an enhancer is trained for (eqs. 7-8)."""
    profile = cells.settings.profile
    rows = []
    for data in cells.named("data", profile=profile, kind="image quality"):
        part = cells.part(data=data, profile=profile)
        further = [(name, ENHANCED, part.part(enhancer=name)) for name in part.named("enhancer")]
        for name, view, one in ((CAPTURED, CAPTURED, part), (ENHANCED, ENHANCED, part), *further):
            rows += _rows(name, view, one)
    how = "Mean over photographs of scenes, against the raw pictures; RMSE low, the others high, is close to raw."
    note = "The authors compare enhanced pictures with masked raw ones: nearest to that is the region outside faces."
    return Section(how, tuple(rows), notes=(note,))


def _rows(name: str, view: str, part: PaperCells) -> list[Comparison]:
    """The four figures of both regions."""
    key, rows = cell_keys.image_quality(view), []
    found, reason = part.value(dict[str, QualityResult], key) or {}, REASON if name == view else FURTHER
    for region in (OUTSIDE, WHOLE):
        for figure, field, unit in FIGURES if region in found else ():
            value = getattr(found[region], field)
            paper = published(ITEM, view, figure) if region == OUTSIDE else None
            here = None if value is None else Estimate(value)
            rows.append(Comparison(f"{name}, {region}", figure, unit, paper, here, reason, part.origin(key)))
    return rows
