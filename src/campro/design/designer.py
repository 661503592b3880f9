"""From a configuration to a profile: gather the data and the models, play the game, write what came out."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn import functional as F

from campro.cameras.camera_table import find_camera
from campro.core.catalogue import cache_root
from campro.core.device import make_fabric, seed_everything
from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.core.provenance import source_commit
from campro.core.run_folder import RunFolder, as_plain
from campro.data import FaceSet, SceneSet, join_scenes, read_faces, read_scenes, split_identities
from campro.design.attackers import ATTACKERS, Attacker
from campro.design.batches import FaceCrops
from campro.design.design_config import PLAIN, PRESETS, DesignConfig, Recipe
from campro.design.game import Game, play
from campro.design.monitor import Monitor
from campro.design.players import Protector
from campro.design.start import start_profile
from campro.isp import Camera, IspPipeline, IspProfile, Provenance
from campro.isp.limits import Limits
from campro.metrics.identification import closed_set
from campro.models.faces import FaceEmbedder, crop_photos, find_landmarks, load_embedder, load_face_detector
from campro.models.persons import load_detector

HELD_OUT = 0.1
"""Share of the training people kept aside, to say in the profile's provenance what it does to strangers."""


def design(config: DesignConfig) -> Path:
    """Train a profile; returns the path of profile.json in the run folder.

    Killed and started again, the same configuration ends with the same profile, bit for bit on the CPU.

    Raises:
        CamproError: on unusable input, a run folder of another configuration, or a loss that is not finite.
    """
    fabric = make_fabric(config.accelerator, config.devices, config.precision, config.nodes)
    seed_everything(config.seed)
    faces, scenes = training_data(config)
    recipe = recipe_of(config)
    inputs = {"faces": faces.digest, "scenes": scenes.digest}
    run = RunFolder.open(config.out, _settings(config, recipe), inputs=inputs)
    learnt, strangers = split_identities(faces, HELD_OUT, config.seed)
    embedder = load_embedder(config.face_model, weights=config.face_weights or "auto")
    detector = load_detector(config.detector, weights=config.detector_weights or "auto")
    start = start_profile(start_name(config, recipe), recipe.lut_points, config.isp)
    pipeline = IspPipeline.from_profile(start, limits_of(config))
    crops = crop_faces(learnt, embedder, config)
    if crops.people < 2:
        got = f"{crops.people} with a detectable face, besides those held out"
        raise CamproError("design", "faces of at least 2 people to train on", got, "add photographs of more people")
    game = Game(
        fabric=fabric,
        recipe=recipe,
        attackers=company(config, embedder, crops),
        protector=Protector(pipeline, detector),
        faces=crops,
        scenes=scenes.scenes,
        seed=config.seed,
        protector_only=config.protector_only,
        renew=config.renew,
    )
    play(game, run, Monitor(run, {"faces": to_tensor(crops.pixels[:8])}, active=fabric.is_global_zero))
    profile = pipeline.to_profile(config.name, Provenance())
    figures = strangers_rank1(profile, embedder, crop_faces(strangers, embedder, config))
    provenance = Provenance(
        data=inputs,
        models={"recogniser": config.face_model, "detector": config.detector},
        seed=config.seed,
        commit=source_commit(),
        figures=figures,
        note=_note(game),
    )
    out = config.out / "profile.json"
    replace(profile, provenance=provenance).save(out)
    if config.enhance:
        photos = [scene.path for scene in scenes.scenes], faces.photos
        make_enhancer(profile, *photos, recipe, config, fabric)
    return out


def make_enhancer(
    profile: IspProfile,
    scenes: Sequence[Path],
    faces: Sequence[Path],
    recipe: Recipe,
    config: DesignConfig,
    fabric: Fabric,
) -> Path:
    """Train and export an enhancer for the profile that was designed; returns the path of enhancer.onnx."""
    from campro.design.enhancer_design import EnhanceRecipe, load_trained, train_enhancer_for
    from campro.enhance.export import export_onnx

    lessons = EnhanceRecipe(steps=recipe.enhancer_steps, faces_by=config.landmarks, seed=config.seed)
    weights = train_enhancer_for(profile, scenes, faces, lessons, config.out / "enhancer", fabric)
    out = config.out / "enhancer.onnx"
    export_onnx(load_trained(weights), out, profile)
    return out


def _settings(config: DesignConfig, recipe: Recipe) -> dict:
    """What must not change between a run and its resumption: everything but where it lies and what it runs on."""
    where = {"out", "accelerator", "devices", "nodes"}
    return {name: value for name, value in as_plain(config).items() if name not in where} | {"recipe": as_plain(recipe)}


def _note(game: Game) -> str:
    state = game.state
    missed = " (the threshold was missed)" if state.missed_threshold else ""
    return f"warm-up {state.warmup_rounds} rounds{missed}, game {state.round} rounds"


def training_data(config: DesignConfig) -> tuple[FaceSet, SceneSet]:
    """The user's faces and scenes, or the embedded sample's training half.

    Scenes without labels are taken too: the detector learns from what it saw on the raw pictures.
    """
    if config.faces is None:
        from campro.data.embedded import embedded_faces, embedded_scenes  # only the sample needs the face model

        return embedded_faces("train", cache_root()), embedded_scenes("train", cache_root())
    scenes = join_scenes([read_scenes(path, unlabelled=True) for path in config.scenes])
    return read_faces(config.faces), scenes


def recipe_of(config: DesignConfig) -> Recipe:
    """The preset with the user's own rounds and omega in it."""
    recipe = PRESETS[config.preset]
    if config.rounds is not None:
        recipe = replace(recipe, max_rounds=config.rounds)
    return recipe if config.omega is None else replace(recipe, omega=config.omega)


def limits_of(config: DesignConfig) -> Limits | None:
    """What the camera that the profile is for can hold, where one is named."""
    return None if config.target is None else find_camera(config.target).limits


def start_name(config: DesignConfig, recipe: Recipe) -> str:
    """The start asked for, or the recipe's.

    For cameras whose curve cannot fall it is a plain camera: of a negative they can hold nothing but grey.
    """
    limits = limits_of(config)
    return config.start or (PLAIN if limits is not None and limits.curve.rise is not None else recipe.start)


def company(config: DesignConfig, embedder: FaceEmbedder, crops: FaceCrops) -> dict[str, Attacker]:
    """The attackers of the game, each with a recogniser of its own."""
    for name in config.attackers:
        if name not in ATTACKERS:
            raise CamproError("design", f"--attackers of {', '.join(ATTACKERS)}", repr(name))
    templates = mean_embeddings(embedder, crops)
    return {name: ATTACKERS[name](deepcopy(embedder), templates) for name in config.attackers}


def crop_faces(faces: FaceSet, embedder: FaceEmbedder, config: DesignConfig) -> FaceCrops:
    """Aligned crops of every photo in which a face was found; people without one are left out, with a line."""
    detector = load_face_detector(config.landmarks)
    photos = [photo for own in faces.identities.values() for photo in own]
    who = np.repeat(np.arange(len(faces.identities)), [len(own) for own in faces.identities.values()])
    landmarks = find_landmarks(photos, detector, cache_root())
    kept = [row for row, photo in enumerate(photos) if photo in landmarks.found]
    people, person = np.unique(who[kept], return_inverse=True)
    pixels = crop_photos([photos[row] for row in kept], landmarks, embedder.card)
    return FaceCrops(pixels, person, len(people))


@torch.no_grad()
def mean_embeddings(embedder: FaceEmbedder, faces: FaceCrops) -> Float[Tensor, "P D"]:
    """Each person's mean embedding over raw photographs: where the proxy head starts, so that warm-up is short."""
    rows = torch.cat([embedder(to_tensor(some)) for some in np.array_split(faces.pixels, len(faces) // 32 + 1)])
    sums = torch.zeros(faces.people, rows.shape[1]).index_add_(0, torch.from_numpy(faces.person), rows)
    return F.normalize(sums)


@torch.inference_mode()
def strangers_rank1(profile: IspProfile, embedder: FaceEmbedder, strangers: FaceCrops) -> dict[str, float]:
    """Rank-1 among the held-out people, first photo against second: probes raw, and as the profile captures them.

    A sign of life for the provenance, on a small gallery; the audit is what counts.
    """
    order = np.argsort(strangers.person, kind="stable")
    _, first = np.unique(strangers.person[order], return_index=True)
    pairs = [
        row
        for row in first
        if row + 1 < len(order) and strangers.person[order[row + 1]] == strangers.person[order[row]]
    ]
    if len(pairs) < 2:
        return {}
    gallery_px, probe_px = strangers.pixels[order[pairs]], strangers.pixels[order[np.array(pairs) + 1]]
    gallery, raw, captured = (
        embedder(to_tensor(pixels)) for pixels in (gallery_px, probe_px, Camera(profile)(probe_px))
    )
    return {
        "held_out_people": float(len(pairs)),
        "held_out_rank1_raw": closed_set(gallery, raw).rank1,
        "held_out_rank1_captured": closed_set(gallery, captured).rank1,
    }
