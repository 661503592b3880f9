"""Search for the profile that protects best over a range of distances and keeps people detectable.

References first, then neighbours of the best settings and, now and then, random ones. Settings that lose too many
people are not attacked. Every tried setting is a cell; proposals depend on the seed and on earlier cells alone, so an
interrupted search that is started again tries the same settings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from campro.core.atomic_io import atomic_write
from campro.core.cells import Json
from campro.core.progress import note
from campro.core.provenance import source_commit
from campro.core.run_folder import RunFolder
from campro.core.typed_json import as_plain, from_json
from campro.isp.profile import IspProfile, Provenance
from campro.metrics.rates import Rate
from campro.search.range_objective import FULL_SIZE, AttackRate, PeopleKept, RangeObjective
from campro.search.range_settings import REFERENCES, RangeSetting, drawn, neighbour, within

KIND = "range search"
RANDOM_EVERY = 3
"""After the references, every third setting is drawn at random; the others are neighbours of the best."""
PARENTS = 4
MISSED_COST = 5.0
"""Weight of a missed goal for person detection against protection, where neighbours are chosen."""
HOPELESS = 0.7
"""Share of the raw AP below which a setting is not attacked."""
LEAST_AP, LEAST_PEOPLE = 0.82, 0.9
"""Goals: shares of the raw AP, and of the people of the given heights detected raw."""
GOALS = ((62.5, 0.02), (125.0, 0.10), (683.0, 0.33))
"""Goals: highest rank-1 by density in px/m; the last is half of what `campro-strong` leaves at full size."""
FRONTIER, TABLE, PROFILE = "frontier.json", "frontier.md", "profile.json"


@dataclass(frozen=True)
class TriedSetting:
    """A setting and what was measured; `worst` is empty if it loses too many people (`HOPELESS`)."""

    setting: RangeSetting
    digest: str
    """Of the profile."""
    people: PeopleKept
    worst: tuple[AttackRate, ...] = ()

    @property
    def missing(self) -> float:
        """By how much it misses the goals for person detection; 0 if it reaches them."""
        kept = self.people
        people = LEAST_PEOPLE if kept.kept_detected is None else kept.kept_detected
        return max(0.0, LEAST_AP - kept.kept_ap.mean) + max(0.0, LEAST_PEOPLE - people)

    @property
    def excess(self) -> float:
        """Mean over the densities of rank-1 by its goal; infinite if it was not attacked."""
        return float(np.mean([one.rank1.mean / goal(one.density) for one in self.worst])) if self.worst else np.inf

    @property
    def order(self) -> tuple[float, float]:
        """Lower is better: first the goals for person detection, to two digits, then protection."""
        return round(self.missing, 2), self.excess

    @property
    def promise(self) -> float:
        """Lower is better, for neighbours to try: a setting that misses a goal for people by little may lead on."""
        return self.excess * (1 + MISSED_COST * self.missing)

    def dominates(self, other: TriedSetting) -> bool:
        """Whether it is as good at every density and in person detection, and better somewhere."""
        if not self.worst or not other.worst:
            return bool(self.worst)
        own, theirs = _scores(self), _scores(other)
        return own != theirs and all(mine <= yours for mine, yours in zip(own, theirs, strict=True))


def goal(density: float) -> float:
    """Highest rank-1 wanted at a density (px/m), between the points of `GOALS` over logarithms.

    >>> goal(125.0), goal(FULL_SIZE), round(goal(88.4), 3)
    (0.1, 0.33, 0.045)
    """
    known, rates = zip(*GOALS, strict=True)
    at = known[-1] if density == FULL_SIZE else density
    return float(np.exp(np.interp(np.log(at), np.log(known), np.log(rates))).round(6))


def search_range(
    run: RunFolder, objective: RangeObjective, space: dict[str, tuple[float, ...]], tries: int, seed: int
) -> list[TriedSetting]:
    """Try settings until the run folder has `tries` cells, and return all in the order in which they were tried."""
    while len(tried := tried_settings(run)) < tries and (setting := proposal(tried, space, seed)) is not None:
        key: dict[str, Json] = {"kind": KIND, "setting": {n: float(value) for n, value in asdict(setting).items()}}
        note(f"design: setting {len(tried) + 1} of {tries}: {setting}")
        found = measured(setting, objective)
        run.write_cell(key, found)
        note(f"design: {summary(found)}")
    return tried


def tried_settings(run: RunFolder) -> list[TriedSetting]:
    """All settings with a cell in a run folder, in the order in which they were tried."""
    cells = [cell.value for cell in run.cells() if cell.key.get("kind") == KIND]
    return [from_json(TriedSetting, value, f"{run.path}, {KIND}") for value in cells]


def measured(setting: RangeSetting, objective: RangeObjective) -> TriedSetting:
    """Person detection behind a setting, and the attacks if it keeps `HOPELESS` of the raw AP."""
    profile = setting.profile("tried")
    people = objective.people_kept(profile)
    worst = objective.worst_attacks(profile) if people.kept_ap.mean >= HOPELESS else ()
    return TriedSetting(setting, profile.digest, people, worst)


def proposal(tried: Sequence[TriedSetting], space: dict[str, tuple[float, ...]], seed: int) -> RangeSetting | None:
    """The next setting, one that was not tried; None if there is none left."""
    known, references = {one.setting for one in tried}, [one for one in REFERENCES if within(one, space)]
    if left := [one for one in references if one not in known]:
        return left[0]
    rng = np.random.default_rng([seed, len(tried)])
    random = (len(tried) - len(references)) % RANDOM_EVERY == 0
    parents = sorted(tried, key=lambda one: one.promise)[:PARENTS]
    for _ in range(1000):
        chosen = drawn(space, rng) if random else neighbour(parents[rng.integers(len(parents))].setting, space, rng)
        if chosen not in known:
            return chosen
    return None


def frontier(tried: Sequence[TriedSetting]) -> list[TriedSetting]:
    """The settings that no other one dominates, best first (`TriedSetting.order`)."""
    attacked = [one for one in tried if one.worst]
    best = [one for one in attacked if not any(other.dominates(one) for other in attacked)]
    return sorted(best, key=lambda one: one.order)


def write_result(run: RunFolder, tried: Sequence[TriedSetting], name: str, seed: int) -> Path:
    """Write frontier.json, its table and the chosen profile (the first of the frontier); returns the profile's path."""
    best = frontier(tried)
    document = {
        "chosen": as_plain(best[0]),
        "frontier": [one.digest for one in best],
        "tried": [as_plain(one) for one in tried],
    }
    atomic_write(run.path / TABLE, table(tried))
    atomic_write(run.path / FRONTIER, json.dumps(document, indent=1, allow_nan=False) + "\n")
    provenance = Provenance(
        seed=seed,
        commit=source_commit(),
        figures={f"rank1_at_{one.density:g}": one.rank1.mean for one in best[0].worst}
        | {"kept_ap": best[0].people.kept_ap.mean},
        note=f"range search, {len(tried)} settings: {best[0].setting}",
    )
    profile: IspProfile = replace(best[0].setting.profile(name), provenance=provenance)
    profile.save(run.path / PROFILE)
    return run.path / PROFILE


def table(tried: Sequence[TriedSetting]) -> str:
    """All settings as a Markdown table, best first; figures in %."""
    rows, best = sorted(tried, key=lambda one: one.order), {one.digest for one in frontier(tried)}
    named = [(one.density, f"rank-1, {one.density:g} px/m" if one.density else "full size") for one in _longest(rows)]
    head = [
        "scaler",
        "clip",
        "EV",
        "denoise",
        "encoder",
        "AP kept",
        "people kept",
        *(name for _, name in named),
        "frontier",
    ]
    lines = [head, ["---"] * len(head)]
    for one in rows:
        setting, kept = one.setting, one.people.kept_ap
        lines.append(
            [
                *(f"{value:g}" for value in (setting.scaler, setting.clip, setting.exposure, setting.denoise)),
                setting.encoder,
                f"{100 * kept.mean:.0f} [{100 * kept.low:.0f}, {100 * kept.high:.0f}]",
                "–" if one.people.kept_detected is None else f"{100 * one.people.kept_detected:.0f}",
                *([f"{_interval(rate.rank1)} {rate.attack}" for rate in one.worst] or ["–"] * len(named)),
                "yes" if one.digest in best else "",
            ]
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _longest(tried: Sequence[TriedSetting]) -> tuple[AttackRate, ...]:
    return max((one.worst for one in tried), key=len, default=())


def _interval(rate: Rate) -> str:
    return f"{100 * rate.mean:.1f} [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def summary(tried: TriedSetting) -> str:
    """One line: what is kept, and the worst attack at each density."""
    rates = ", ".join(
        f"{100 * one.rank1.mean:.0f} % at {f'{one.density:g} px/m' if one.density else 'full size'} ({one.attack})"
        for one in tried.worst
    )
    people = tried.people
    shortest, tallest = people.heights
    small = "not measurable" if people.kept_detected is None else f"{people.kept_detected:.0%} of raw"
    kept = f"AP {people.kept_ap.mean:.0%} of raw, people of {shortest:g} to {tallest:g} pixels {small}"
    return f"{tried.setting}: {kept}; {rates or 'not attacked'}"


def _scores(tried: TriedSetting) -> tuple[float, ...]:
    """Lower is better."""
    kept = tried.people
    return (-kept.kept_ap.mean, -(kept.kept_detected or 0.0), *(one.rank1.mean for one in tried.worst))
