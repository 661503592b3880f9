"""The values of an audit's cells, typed. They become JSON by `as_plain` and come back by `from_json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import Int
from torch import Tensor

from campro.attacks.attack_base import ThreatModel
from campro.metrics.identification import RepeatedIdentification
from campro.metrics.rates import Rate, Ratio
from campro.models.persons.detector_adaptation import AdaptationOutcome

RANKS = (1, 5, 50)
CMC_RANKS = 50
MIN_GROUP = 20
"""People from which on a group has a rate of its own; in a smaller one the interval says nothing."""


@dataclass(frozen=True)
class TrialCounts:
    """One trial of closed-set identification."""

    probes: int
    hits: int
    """Probes whose mate is at rank 1."""
    rank1: float
    rank5: float
    rank50: float


@dataclass(frozen=True)
class IdentificationResult:
    """Closed-set identification over several trials."""

    people: int
    rank1: Rate
    rank5: Rate
    rank50: Rate
    cmc: tuple[float, ...]
    """Rank-k rates, k = 1 to 50, averaged over trials."""
    trials: tuple[TrialCounts, ...]

    @staticmethod
    def of(result: RepeatedIdentification) -> IdentificationResult:
        """Rates and counts of the trials."""
        trials = tuple(TrialCounts(t.probes, t.hits, t.rank1, t.rank5, t.rank50) for t in result.trials)
        rank1, rank5, rank50 = (result.rate(rank) for rank in RANKS)
        return IdentificationResult(result.identities, rank1, rank5, rank50, tuple(result.cmc(CMC_RANKS)), trials)


@dataclass(frozen=True)
class GroupRate:
    """Rank-1 of one group of people; the gallery holds all people."""

    name: str
    people: int
    rank1: Rate | None
    """None where the group has fewer than MIN_GROUP people."""


def group_rates(result: RepeatedIdentification, groups: Mapping[str, Int[Tensor, "P"]]) -> tuple[GroupRate, ...]:
    """Rank-1 of each group; `groups` holds subject numbers by name."""
    return tuple(
        GroupRate(name, len(people), result.of(people).rate() if len(people) >= MIN_GROUP else None)
        for name, people in groups.items()
    )


@dataclass(frozen=True)
class PersonDetectionResult:
    """Scores in [0, 1], see `metrics.detection.DetectionScores`; None where a score is undefined."""

    ap: float | None
    ap50: float | None
    ap75: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    ap_low: float | None
    ap_high: float | None
    boxes: tuple[tuple[tuple[float, ...], ...], ...] = ()
    """On each photograph that the report shows: rows (x0, y0, x1, y1, score), in pixels of the photograph."""
    kept: Ratio | None = None
    """AP over that on raw pictures, and its 95 % interval by a paired bootstrap over photographs; None for raw ones."""
    adaptation: AdaptationOutcome | None = None
    """Which candidate the adaptation chose on held-out scenes; None for a detector as given, and in older cells."""


@dataclass(frozen=True)
class QualityResult:
    """Mean image quality of one region against raw; a PSNR of equal pictures is infinite, and then None."""

    rmse: float | None
    """In levels of 255."""
    psnr: float | None
    """In dB."""
    ssim: float | None
    ms_ssim: float | None
    pictures: int


@dataclass(frozen=True)
class FacesLeftOut:
    """How much of the faces that a detector finds in raw pictures an enhancer removes."""

    faces: int
    area: float
    """Mean share of a face's box that is removed."""
    whole: Rate
    """Share of faces that are removed."""


@dataclass(frozen=True)
class OpenSetPoint:
    """Open-set identification at one false-positive identification rate (ISO/IEC 19795-1, NIST FRTE 1:N)."""

    fpir: float
    fnir: Rate
    non_mated: int
    """Searches of people who are not enrolled, on which the threshold rests."""

    @property
    def supported(self) -> bool:
        """Whether there are at least 1 / FPIR non-mated searches; with fewer the true FPIR is above the stated one."""
        return self.non_mated * self.fpir >= 1 - 1e-9


@dataclass(frozen=True)
class VerificationPoint:
    """Verification at one false match rate (ISO/IEC 19795-1)."""

    fmr: float
    fnmr: Rate


@dataclass(frozen=True)
class VerificationResult:
    """Verification of listed pairs: the first photograph is raw, the second one as the attacker sees it."""

    balanced_accuracy: float | None
    """Mean over folds; None in cells of older versions."""
    standard_error: float | None
    missing_pairs: int
    points: tuple[VerificationPoint, ...]


@dataclass(frozen=True)
class DensityResult:
    """One run of an attack on one camera, with probes at one pixel density; nearest matcher."""

    rank1: Rate
    gallery: str
    """The gallery of `rank1`: the attacker's choice of those that were tried."""
    by_gallery_size: dict[str, Rate] = field(default_factory=dict)
    """Rank-1 rates in smaller galleries, by the number of people; means over all such galleries."""
    verification: tuple[VerificationPoint, ...] = ()
    """Over all pairs of a trial; does not depend on the size of the gallery."""
    groups: tuple[GroupRate, ...] = ()
    tied: float | None = None
    """Share of probes that are hits only because ties go to the attacker."""
    left_out: int = 0
    """Photographs whose own density is lower, and those of people with less than two others."""
    by_gallery: dict[str, Rate] = field(default_factory=dict)
    """Rank-1 rates by gallery."""
    threat_model: ThreatModel = "none"
    given: str = ""
    training_images: int | None = None
    converged: bool | None = None
    fit_s: float = 0.0
    judge_s: float = 0.0


@dataclass(frozen=True)
class AttackResult:
    """One run of an attack on one camera."""

    matchers: dict[str, IdentificationResult]
    groups: tuple[GroupRate, ...] = ()
    threat_model: ThreatModel = "none"
    given: str = ""
    """What the attacker is given, in words."""
    tied: float | None = None
    """Share of probes that are hits only because ties go to the attacker."""
    linkability: Rate | None = None
    open_set: tuple[OpenSetPoint, ...] = ()
    verification: VerificationResult | None = None
    training_images: int | None = None
    """Photographs that the attacker learned from."""
    curve: tuple[float, ...] | None = None
    """Validation score over time, higher is better."""
    converged: bool | None = None
    """Whether the training converged; None where nothing was trained."""
    fit_s: float = 0.0
    judge_s: float = 0.0

    @property
    def best_matcher(self) -> str:
        """The matcher with the highest rank-1 rate: the attacker's choice."""
        return max(self.matchers, key=lambda name: self.matchers[name].rank1.mean)

    @property
    def rank1(self) -> Rate:
        """Of the best matcher."""
        return self.matchers[self.best_matcher].rank1
