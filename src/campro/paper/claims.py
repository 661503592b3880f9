"""The claims C1 to C5 of the paper's artefact appendix, each with a verdict computed from the cells.

The wording is ours; each claim rests on one table of the paper. A rate is low if it is at most a tenth of the control's
(as in the report of an audit), by the upper end of its interval.
"""

from __future__ import annotations

from dataclasses import dataclass

from campro.attacks.analytic_inversion import ANALYTIC_INVERSION
from campro.audit import cell_keys
from campro.audit.attack_rows import AttackRow
from campro.audit.audit_config import CAPTURED, ENHANCED, RAW
from campro.audit.image_quality import OUTSIDE
from campro.audit.results import QualityResult
from campro.metrics.rates import Rate
from campro.paper import table_3
from campro.paper.comparison import Estimate, Section, estimate_text
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published
from campro.paper.table_1 import rank1
from campro.paper.worst_attacks import AUDITED, label, rows_of, worst_by_profile
from campro.report.attack_tables import LITTLE
from campro.report.tables import Table
from campro.report.text import interval, percent

HOLDS, CAVEAT, FAILS, UNMEASURED = "holds here", "holds with a caveat", "does not hold", "not measured"
INVERSE_IN_FILE = (
    "caveat: the file of the enhancer holds the inverse of the profile; its owner identifies as with analytic inversion"
)


@dataclass(frozen=True)
class Judged:
    """One claim with its verdict and the numbers that it rests on."""

    verdict: str
    """HOLDS, CAVEAT, FAILS or UNMEASURED."""
    numbers: str
    """The numbers that it rests on; empty where nothing was measured."""


def measure(context: PaperContext) -> None:
    """Nothing: claims rest on the cells of the other items."""


def section(cells: PaperCells) -> Section:
    """A row per claim."""
    judged = {claim: judge(cells) for claim, judge in CLAIMS.items()}
    lines = tuple((claim, one.verdict, one.numbers) for claim, one in judged.items() if one.verdict != UNMEASURED)
    how = (
        "What the authors' artefact claims (our wording), and whether it holds for the profile, data and models of "
        f"this run. A rate is low if its upper bound is at most {LITTLE:.0%} of the rate on raw pictures."
    )
    missing = tuple(f"{claim}: {UNMEASURED}." for claim, one in judged.items() if one.verdict == UNMEASURED)
    return Section(how, tables=(Table((), ("claim", "verdict", "rests on"), lines),), notes=missing)


def unknown_attackers(cells: PaperCells) -> Judged:
    """C1: every recogniser, captured and enhanced, both matchers, no attack."""
    triples = [one for one in _triples(cells) if one[2] in (CAPTURED, ENHANCED)]
    if not triples:
        return Judged(UNMEASURED, "")
    worst = max(triples, key=lambda one: one[3].mean)
    high = [one for one in triples if one[3].high > LITTLE * one[4].mean]
    numbers = (
        f"highest rank-1 {interval(worst[3])} % ({worst[1]}, {worst[0]}, {worst[2]}; raw {percent(worst[4].mean)}); "
        f"the paper's abstract states {published('claims', 'C1, captured', 'rank-1')} %"
    )
    if not high:
        return Judged(HOLDS, numbers)
    words = f"{len(high)} of {len(triples)} rates have an upper bound above {LITTLE:.0%} of the raw rate"
    low_on_average = sum(one[3].mean for one in triples) <= LITTLE * sum(one[4].mean for one in triples)
    return Judged(CAVEAT if low_on_average else FAILS, f"{numbers}; {words}")


def unseen_recognisers(cells: PaperCells) -> Judged:
    """C2: recognisers that took no part in the training of the profile, against the one that did."""
    white_box = cells.settings.white_box
    captured = [one for one in _triples(cells) if one[2] == CAPTURED]
    unseen = [one for one in captured if one[1] != white_box]
    if not white_box or not unseen or len(unseen) == len(captured):
        return Judged(UNMEASURED, "")
    worst = max(unseen, key=lambda one: one[3].mean)
    seen = max((one for one in captured if one[1] == white_box), key=lambda one: one[3].mean)
    numbers = (
        f"highest rank-1 of {len({one[1] for one in unseen})} unseen recognisers {interval(worst[3])} % ({worst[1]}), "
        f"of {white_box}, trained against, {interval(seen[3])} %"
    )
    low = all(one[3].high <= LITTLE * one[4].mean for one in unseen)
    return Judged(HOLDS if low else CAVEAT if worst[3].mean <= LITTLE * worst[4].mean else FAILS, numbers)


def person_detection(cells: PaperCells) -> Judged:
    """C3: the AP kept, against the paper's and the rivals'.

    Measured with the rivals: in finished audits the detector may be adapted, while that of the rivals is not.
    """
    kept: dict[str, Estimate] = {}
    rows = sorted(table_3.kept_by_view(cells), key=lambda pair: pair[1].row.startswith(AUDITED))
    for view, row in rows:
        if row.here is not None:
            kept.setdefault(view, row.here)
    paper = published("table-3", CAPTURED, "AP kept")
    if (mine := kept.pop(CAPTURED, None)) is None or mine.high is None or paper is None:
        return Judged(UNMEASURED, "")
    numbers = f"AP kept {estimate_text(mine, '%')} % (paper {paper:.0f} %)"
    numbers += "".join(f"; {name} {rival.value:.0f} %" for name, rival in kept.items())
    audited = [(row.row, row.here) for view, row in rows if view == CAPTURED and row.row.startswith(AUDITED)]
    numbers += "".join(f"; {name}: {estimate_text(found, '%')} %" for name, found in audited if found is not None)
    if mine.high >= paper:
        return Judged(HOLDS, numbers)
    return Judged(CAVEAT if all(rival.value < mine.value for rival in kept.values()) else FAILS, numbers)


def enhanced_pictures(cells: PaperCells) -> Judged:
    """C4: image quality at least the paper's, and what the owner of the enhancer's file can do."""
    profile, key = cells.settings.profile, cell_keys.image_quality(ENHANCED)
    for data in cells.named("data", profile=profile, kind="image quality"):
        part = cells.part(data=data, profile=profile)
        found = (part.value(dict[str, QualityResult], key) or {}).get(OUTSIDE)
        if found is not None and found.psnr is not None and found.ssim is not None and found.ms_ssim is not None:
            here = {"PSNR": found.psnr, "SSIM": found.ssim, "MS-SSIM": found.ms_ssim}
            paper = {name: published("table-4", ENHANCED, name) or 0.0 for name in here}
            numbers = ", ".join(f"{name} {value:.3g} (paper {paper[name]:g})" for name, value in here.items())
            good = all(value >= paper[name] for name, value in here.items())
            owner = _inversion(cells)
            return Judged(CAVEAT if good else FAILS, f"{numbers}; {INVERSE_IN_FILE}{owner}")
    return Judged(UNMEASURED, "")


def white_box(cells: PaperCells) -> Judged:
    """C5: the worst attacker who knows the profile or has pictures of the camera."""
    found = worst_by_profile(cells).get(cells.settings.profile, {})
    informed = [(name, one) for name, one in found.items() if name in ("gray-box", "white-box")]
    if not informed:
        return Judged(UNMEASURED, "")
    name, worst = max(informed, key=lambda pair: pair[1].rank1.mean)
    return Judged(FAILS if _restores(worst) else HOLDS, f"{name}: {label(worst)}, {interval(worst.rank1)} %")


def _restores(worst: AttackRow) -> bool:
    control = 1.0 if worst.control is None else worst.control.mean
    return worst.rank1.high > LITTLE * control


def _inversion(cells: PaperCells) -> str:
    """The rank-1 rate of the best analytic inversion, as text."""
    found = (row for _, row in rows_of(cells, cells.settings.profile) if row.attack == ANALYTIC_INVERSION.name)
    best = max(found, key=lambda row: row.rank1.mean, default=None)
    return "" if best is None else f": rank-1 {interval(best.rank1)} % ({best.model}, {best.rank1.n} people)"


def _triples(cells: PaperCells) -> list[tuple[str, str, str, Rate, Rate]]:
    """(data, model, view, rank-1, rank-1 on raw) of all cells of identification of the profile."""
    profile, found = cells.settings.profile, []
    for data in cells.named("data", profile=profile, kind="identification"):
        part = cells.part(data=data, profile=profile)
        for model in part.named("model", kind="identification"):
            for matcher in ("nearest", "linear"):
                rates = {view: rank1(part, model, view, matcher) for view in (RAW, CAPTURED, ENHANCED)}
                raw = rates.pop(RAW)
                if raw is not None:
                    found += [(data, model, view, rate, raw) for view, rate in rates.items() if rate is not None]
    return found


CLAIMS = {
    "C1: faces in captured and enhanced pictures are not identified (Table I)": unknown_attackers,
    "C2: nor by recognisers that the profile was not trained against (Table II)": unseen_recognisers,
    "C3: person detection keeps working (Table III)": person_detection,
    "C4: enhanced pictures are of use to people (Table IV)": enhanced_pictures,
    "C5: resistant to white-box attacks (Table VII)": white_box,
}
"""Claim to the function that judges it."""
