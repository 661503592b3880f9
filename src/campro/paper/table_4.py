"""Table IV: image quality of captured and enhanced pictures against raw ones."""

from __future__ import annotations

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, ENHANCED
from campro.audit.experiments import measure_quality
from campro.audit.image_quality import OUTSIDE, WHOLE
from campro.audit.results import QualityResult
from campro.core.provenance import Origin
from campro.paper.comparison import Comparison, Estimate, Section, Unit
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published

ITEM = "table-4"
FIGURES: tuple[tuple[str, str, Unit], ...] = (
    ("RMSE", "rmse", "levels"),
    ("PSNR", "psnr", "dB"),
    ("SSIM", "ssim", "1"),
    ("MS-SSIM", "ms_ssim", "1"),
)
REASON = "the enhancer fast restores colours by the exact inverse of the profile; the paper has a U-Net"


def measure(context: PaperContext) -> None:
    """A cell per view."""
    data = context.main_faces
    measure_quality(context.part(data, context.profile.name), context.audit(data, context.config.profile))


def section(cells: PaperCells) -> Section:
    """Per view and region the four figures; those outside faces are what an enhancer is trained for (eqs. 7-8)."""
    profile = cells.settings.profile
    rows = []
    for data in cells.named("data", profile=profile, kind="image quality"):
        part = cells.part(data=data, profile=profile)
        for view in (CAPTURED, ENHANCED):
            key = cell_keys.image_quality(view)
            for region, found in (part.value(dict[str, QualityResult], key) or {}).items():
                if region in (WHOLE, OUTSIDE):
                    rows += [_row(view, region, *figure, found, part.origin(key)) for figure in FIGURES]
    how = "Mean over photographs of scenes, against the raw pictures; RMSE low, the others high, is close to raw."
    note = "The authors compare enhanced pictures with masked raw ones: nearest to that is the region outside faces."
    return Section(how, tuple(rows), notes=(note,))


def _row(
    view: str, region: str, name: str, field: str, unit: Unit, found: QualityResult, origin: Origin | None
) -> Comparison:
    value = getattr(found, field)
    paper = published(ITEM, view, name) if region == OUTSIDE else None
    here = None if value is None else Estimate(value)
    return Comparison(f"{view}, {region}", name, unit, paper, here, REASON, origin)
