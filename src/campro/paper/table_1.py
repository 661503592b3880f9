"""Table I: identification without an attack, by recogniser, view and matcher, on both data sets."""

from __future__ import annotations

from campro.attacks.filters import NO_ATTACK
from campro.audit import cell_keys
from campro.audit.attack_rows import attack_rows
from campro.audit.audit_config import CAPTURED, ENHANCED, RAW
from campro.audit.experiments import identify_views
from campro.audit.results import IdentificationResult
from campro.core.provenance import Origin
from campro.metrics.rates import Rate
from campro.paper.comparison import Comparison, Estimate, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published
from campro.paper.worst_attacks import AUDITED
from campro.report.tables import Table
from campro.report.text import GAP, interval

ITEM = "table-1"
VIEWS = (RAW, CAPTURED, ENHANCED)
MATCHERS = ("nearest", "linear")
REASON = "other recognisers, smaller galleries, another profile"


def measure(context: PaperContext) -> None:
    """A cell per data set, recogniser, view and matcher."""
    for data in context.face_sets:
        audit = context.audit(data, context.config.profile)
        identify_views(context.part(data, context.profile.name), audit)


def section(cells: PaperCells) -> Section:
    """The table in the paper's layout, and its average row beside the paper's."""
    profile = cells.settings.profile
    tables = [_table(cells, data, profile) for data in _data(cells)]
    how = (
        "Rank-1 in % without an attack: a probe in each view against a gallery of raw photographs. Low is good for "
        f"{CAPTURED} and {ENHANCED}. The last column is the mean over data sets; intervals are over people. These are "
        "attackers who do not know the camera; those who do are below."
    )
    notes = (
        "None of the people took part in the training of the profile, the enhancer or an attacker.",
        "audited: finished audits that --audits names, in no average.",
        f"* the recogniser that {profile} was trained against.",
    )
    return Section(how, _averages(cells, profile), (_joined(tables, cells),), notes=notes)


def _data(cells: PaperCells) -> list[str]:
    """Data sets of this run, then the finished audits of the profile, where there are some."""
    profile = cells.settings.profile
    audited = AUDITED in cells.named("data", profile=profile, kind="attack")
    return [*cells.named("data", profile=profile, kind="identification"), *([AUDITED] if audited else [])]


def rank1(part: PaperCells, model: str, view: str, matcher: str) -> Rate | None:
    """Rank-1 rate without an attack, None where it was not measured."""
    found = part.value(IdentificationResult, cell_keys.identification(model, view, matcher))
    return None if found is None else found.rank1


def _table(cells: PaperCells, data: str, profile: str) -> dict[tuple[str, str, str], Rate | None]:
    """Rank-1 by recogniser, view and matcher."""
    part = cells.part(data=data, profile=profile)
    if data == AUDITED:
        plain = [row for row in attack_rows(part) if row.attack == NO_ATTACK.name]
        found = {(row.model, RAW, "nearest"): row.control for row in plain}
        return found | {(row.model, CAPTURED, "nearest"): row.rank1 for row in plain}
    models = part.named("model", kind="identification")
    return {(m, v, k): rank1(part, m, v, k) for m in models for v in VIEWS for k in MATCHERS}


def _joined(tables: list[dict[tuple[str, str, str], Rate | None]], cells: PaperCells) -> Table:
    """A row per recogniser, view and matcher, a column per data set, and their mean."""
    white_box = cells.settings.white_box
    names = _data(cells)
    places = list(dict.fromkeys(place for table in tables for place in table))
    rows = []
    for model, view, matcher in places:
        found = [table.get((model, view, matcher)) for table in tables]
        known = [rate for rate in found if rate is not None]
        if known:
            own = [rate for rate, name in zip(found, names) if name != AUDITED]
            mean = _mean(own)
            label = f"{model} *" if model == white_box else model
            rows.append((label, view, matcher, *map(interval, found), mean))
    return Table((), ("face model", "view", "matcher", *names, "average"), tuple(rows))


def _mean(rates: list[Rate | None]) -> str:
    """Mean of the data sets of this run; a gap where one is missing."""
    known = [rate.mean for rate in rates if rate is not None]
    return f"{100 * sum(known) / len(known):.1f}" if known and len(known) == len(rates) else GAP


def _averages(cells: PaperCells, profile: str) -> tuple[Comparison, ...]:
    """Mean over recognisers and data sets, as in the last column of the paper."""
    tables = [_table(cells, data, profile) for data in _data(cells) if data != AUDITED]
    rows = []
    for view in VIEWS:
        for matcher in MATCHERS:
            places = [(table, place) for table in tables for place in table if place[1:] == (view, matcher)]
            found = [rate for table, place in places if (rate := table[place])]
            if found:
                here = mean_rate(found)
                paper = published(ITEM, f"average, {view}", matcher)
                origin = _origin(cells, view, matcher)
                rows.append(Comparison(f"average, {view}", f"rank-1, {matcher}", "%", paper, here, REASON, origin))
    return tuple(rows)


def _origin(cells: PaperCells, view: str, matcher: str) -> Origin | None:
    """What made the cells of an average: that of the first one, or of one with uncommitted changes."""
    keys = {"kind": "identification", "view": view, "matcher": matcher}
    found = [cell.origin for cell in cells if all(cell.key.get(name) == value for name, value in keys.items())]
    return next((origin for origin in found if origin.dirty), found[0] if found else None)


def mean_rate(rates: list[Rate]) -> Estimate:
    """Mean of rates on overlapping people: the interval is the mean of the intervals, as if they moved together.

    >>> mean_rate([Rate(0.1, 0.0, 0.2, 10), Rate(0.3, 0.2, 0.4, 10)])
    Estimate(value=20.0, low=10.0, high=30.0)
    """
    count = len(rates)
    mean, low, high = (100 * sum(getattr(rate, end) for rate in rates) / count for end in ("mean", "low", "high"))
    return Estimate(round(mean, 9), round(low, 9), round(high, 9))
