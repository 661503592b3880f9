"""What an audit says about itself: data, models, profile and settings, for the report."""

from __future__ import annotations

from dataclasses import dataclass, replace

from campro.attacks.attack_table import chosen_attacks
from campro.audit.audit_config import CAPTURED, FEWEST_PEOPLE, PARTS, RAW, Part
from campro.audit.audit_context import AuditContext
from campro.core.catalogue import cache_root
from campro.data import SceneSet
from campro.evaluation.repeated_photographs import repeated_photographs
from campro.isp import Ccm, GammaLut, IspProfile
from campro.isp.camera_settings import description, settings_of
from campro.isp.pointwise import pointwise_part
from campro.models.model_table import recognisers_at_hand

SYNTHETIC = (
    "The faces are drawn from a linear model: nobody of that name exists. They are blurred, frontal and evenly lit.",
    "The photographs with people are a handful that Python packages ship, and collages of these.",
)
GROUP_VIEWS = (RAW, CAPTURED)
"""Views whose rates are broken down by group."""


@dataclass(frozen=True)
class NamedDigest:
    """A view or data set and its content hash."""

    name: str
    digest: str


@dataclass(frozen=True)
class ModelInfo:
    """A face recogniser."""

    name: str
    licence: str
    weights: str | None
    """sha256."""


@dataclass(frozen=True)
class DataInfo:
    """A data set."""

    name: str
    digest: str
    photos: int
    people: int
    """People on the photographs: subjects of the evaluation, or person boxes of scenes."""
    used: int = 0
    """Photographs of the subjects, where the set is of faces."""
    undetected: int = 0
    """Photographs in which no face was found, and which were left out."""


@dataclass(frozen=True)
class Curves:
    """What the profile does: gamma curves (256 samples each; one, or one per channel) and the colour matrix."""

    gamma: tuple[tuple[float, ...], ...] | None
    ccm: tuple[tuple[float, ...], ...] | None


@dataclass(frozen=True)
class Metadata:
    """What was audited, with which models and settings."""

    profile_name: str
    profile_digest: str
    white_box: str
    """The recogniser that the profile was trained against, empty where there is none."""
    views: tuple[NamedDigest, ...]
    models: tuple[str, ...]
    model_cards: tuple[ModelInfo, ...]
    matchers: tuple[str, ...]
    attack_matchers: tuple[str, ...]
    attacks: tuple[str, ...]
    """Names of the attacks that were asked for."""
    budget: str
    measured: tuple[str, ...]
    """Parts of the audit that were asked for."""
    detector: str
    landmarks: str
    face_detectors: tuple[str, ...]
    group_views: tuple[str, ...]
    faces: DataInfo
    scenes: DataInfo | None
    train_scenes: DataInfo | None
    train_faces: DataInfo | None
    photos: int
    """Photographs of anything that attacks may use."""
    repeats: int
    seed: int
    adapt_steps: int
    synthetic: tuple[str, ...]
    """Lines on synthetic data, empty for real data."""
    warnings: tuple[str, ...]
    problems: tuple[str, ...]
    """Files that were left out."""
    curves: Curves
    densities: tuple[float, ...] = ()
    """Pixel densities in px/m at which faces were attacked; empty in cells of older versions."""
    distractors: int = 0
    """People in every gallery whom nobody searches for."""


def metadata_of(context: AuditContext) -> Metadata:
    """Gather the description of an audit; loads the data and models that are measured."""
    config, evaluation = context.config, context.evaluation
    parts: tuple[Part, ...] = tuple(part for part in config.measure if config.measures(part))
    on_scenes, attacks = {"detection", "quality"} & set(parts), config.attacked
    cards = [context.embedder(name).card for name in config.face_models]
    faces, landmarks = context.faces, evaluation.landmarks
    train_faces = context.train_faces if attacks else None
    problems = [*faces.problems, *landmarks.problems, *(context.scene_set.problems if on_scenes else ())]
    return Metadata(
        profile_name=context.profile.name,
        profile_digest=context.profile.digest,
        white_box=context.profile.provenance.models.get("recogniser", ""),
        views=tuple(NamedDigest(name, view.digest) for name, view in context.views.items()),
        models=config.face_models,
        model_cards=tuple(ModelInfo(card.name, card.licence, card.weights_sha256) for card in cards),
        matchers=config.matchers,
        attack_matchers=config.attack_matchers,
        attacks=_possible_attacks(context) if attacks else (),
        budget=config.budget,
        measured=parts,
        detector=config.detector,
        landmarks=config.landmarks,
        face_detectors=tuple(context.face_detectors),
        group_views=GROUP_VIEWS,
        faces=DataInfo(
            faces.name,
            faces.digest,
            len(faces.photos),
            evaluation.people,
            len(evaluation.photos),
            len(landmarks.missed),
        ),
        scenes=_scenes(context.scene_set) if on_scenes else None,
        train_scenes=_scenes(context.train_scenes) if context.adapts else None,
        train_faces=None
        if train_faces is None
        else DataInfo(train_faces.name, train_faces.digest, len(train_faces.photos), len(train_faces.identities)),
        photos=len(context.photos) if attacks else 0,
        repeats=config.repeats,
        seed=config.seed,
        adapt_steps=config.adapt_steps,
        synthetic=SYNTHETIC if config.faces is None else (),
        warnings=_warnings(context, attacks),
        problems=(*problems, *(context.train_scenes.problems if context.adapts else ())),
        curves=curves(context.profile),
        densities=context.densities if "densities" in parts else (),
        distractors=len(context.distractors),
    )


def _possible_attacks(context: AuditContext) -> tuple[str, ...]:
    """Names of the chosen attacks; those that use the profile invert its colours, where it has such a part."""
    inverted = pointwise_part(context.profile) is not None
    chosen = chosen_attacks(context.config.attacks)
    return tuple(attack.name for attack in chosen if inverted or attack.threat_model != "white-box")


def extended(new: Metadata, old: Metadata | None) -> Metadata:
    """`new` with the parts that an earlier command has measured in the same run folder, as `old` describes them."""
    if old is None:
        return new
    return replace(
        new,
        measured=tuple(part for part in PARTS if part in (*new.measured, *old.measured)),
        attacks=tuple(dict.fromkeys((*old.attacks, *new.attacks))),
        scenes=new.scenes or old.scenes,
        train_scenes=new.train_scenes or old.train_scenes,
        train_faces=new.train_faces or old.train_faces,
        photos=max(new.photos, old.photos),
        densities=tuple(sorted({*new.densities, *old.densities})),
        problems=tuple(dict.fromkeys((*old.problems, *new.problems))),
    )


def _scenes(scenes: SceneSet) -> DataInfo:
    return DataInfo(scenes.name, scenes.digest, len(scenes), scenes.person_count)


def _warnings(context: AuditContext, attacks: bool) -> tuple[str, ...]:
    """What a reader must know before using the figures."""
    config, lines = context.config, []
    if context.profile.provenance.data.get("faces") == context.faces.digest:
        lines.append("The profile was trained on these very people: the rates say nothing about others.")
    if settings := settings_of(context.profile):
        named = "; ".join(map(description, settings))
        lines.append(f"The figures hold only with settings that no camera file contains: {named}.")
    if attacks and config.faces is not None and not config.photos and not config.train_scenes:
        lines.append("Attackers had only the few photographs that ship; with --photos they may recognise more.")
    if attacks and (left := [name for name in recognisers_at_hand() if name not in config.face_models]):
        lines.append(f"Not tried: {', '.join(left)}. The worst case may be higher with them: --face-models available.")
    if config.faces is not None and config.scenes is None:
        lines.append("No --scenes were given: person detection and image quality were not measured.")
    lines.extend(repeated_photographs(context.evaluation.faces, cache_root()))
    if context.evaluation.people < FEWEST_PEOPLE:
        lines.append(f"Only {context.evaluation.people} people were recognised: such rates say little.")
    return tuple(lines)


def curves(profile: IspProfile) -> Curves:
    """The profile's gamma curves and colour matrix, where it has them."""
    lut = next((block for block in profile.blocks if isinstance(block, GammaLut)), None)
    ccm = next((block for block in profile.blocks if isinstance(block, Ccm)), None)
    return Curves(
        None if lut is None else tuple(tuple(values) for values in lut.values),
        None if ccm is None else tuple(tuple(row) for row in ccm.matrix),
    )
