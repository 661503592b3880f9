"""Closed-set identification over several trials, the protocol of CamPro (NDSS 2024), section VI-A."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from campro.core.progress import track
from campro.evaluation.evaluation_set import Trial
from campro.evaluation.matchers import Matcher, NearestMatcher
from campro.metrics.identification import Identification, RepeatedIdentification, summarise


def tracked(trials: Sequence[Trial], matcher: str) -> Iterator[Trial]:
    """The trials, with a progress bar unless the matcher needs no time."""
    return iter(trials) if matcher == NearestMatcher.name else track(trials, f"{matcher} matching")


def identify(
    raw: Float[Tensor, "N D"],
    views: Mapping[str, Float[Tensor, "N D"]],
    subjects: Int[Tensor, "N"],
    trials: Iterable[Trial],
    matcher: Matcher,
    distractors: Float[Tensor, "M D"] | None = None,
) -> dict[str, RepeatedIdentification]:
    """Identify each trial's probes under every view in a gallery of raw photographs.

    The matcher is fitted once per trial, on the raw photographs without that trial's probes, and then scores all
    views: an attacker who does not know the camera does the same.

    Args:
        raw: embeddings of the raw photographs.
        views: embeddings of the same photographs under each view, by name.
        subjects: number of the person on each photograph.
        trials: gallery and probe rows.
        matcher: how probes are compared with the gallery.
        distractors: embeddings of one raw photograph each of M further people, who are enrolled in every gallery, and
            whom no probe shows.
    """
    extra = raw.new_zeros(0, raw.shape[1]) if distractors is None else distractors.to(raw)
    more = torch.arange(len(extra))
    outcomes: dict[str, list[Identification]] = {name: [] for name in views}
    for trial in trials:
        enrolled = torch.ones(len(subjects), dtype=torch.bool)
        enrolled[trial.probe] = False
        place = enrolled.cumsum(0) - 1
        people, known = torch.cat([raw[enrolled], extra]), int(enrolled.sum())
        who = torch.cat([subjects[enrolled], len(trial.gallery) + more])
        scorer = matcher.fit(people, who, torch.cat([place[trial.gallery], known + more]), trial.seed)
        for name, embeddings in views.items():
            outcomes[name].append(Identification(scorer.search(embeddings[trial.probe], subjects[trial.probe]).ranks))
    return {name: summarise(results) for name, results in outcomes.items()}
