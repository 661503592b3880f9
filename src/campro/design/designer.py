"""Run a design: load data and models, train the game, write the profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from campro.cameras.camera_table import find_camera
from campro.core.catalogue import cache_root
from campro.core.device import make_fabric, seed_everything
from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.core.progress import note
from campro.core.provenance import source_commit
from campro.core.run_folder import RunFolder, as_plain
from campro.data import FaceSet, SceneSet, join_scenes, read_faces, read_scenes, split_identities
from campro.design.attackers import ATTACKERS, Attacker, check_differentiable
from campro.design.batches import FaceCrops
from campro.design.design_config import PLAIN, PRESETS, DesignConfig, Recipe
from campro.design.game import Game
from campro.design.held_out_check import held_out_rank1
from campro.design.linear_head import LinearHeadAttacker
from campro.design.monitor import Monitor
from campro.design.protector import Protector
from campro.design.start import check_trainable, start_profile
from campro.design.training_loop import play
from campro.isp import IspPipeline, IspProfile, Provenance
from campro.isp.limits import Limits
from campro.models.faces import FaceEmbedder, crop_photos, find_landmarks, load_embedder, load_face_detector
from campro.models.persons import TrainableDetector, load_detector

if TYPE_CHECKING:  # importing it takes seconds
    from lightning_fabric import Fabric

HELD_OUT = 0.1
"""Share of the people that are not trained on; their rank-1 rate is noted in the profile's provenance."""


LATER_FIELDS = {
    "warmup_faces", "head", "head_start", "momentum", "rate_rise", "detector_optimiser", "labels", "max_norm",
}  # fmt: skip
"""Fields of `Recipe` that the first design runs did not have."""


def design(config: DesignConfig) -> Path:
    """Train a profile; returns the path of profile.json in the run folder.

    An interrupted run that is started again ends with the same profile, bit for bit on the CPU with
    the same number of threads.

    Raises:
        CamproError: If the input is unusable, the run folder has another configuration, or a loss is not finite.
    """
    note("design: read faces, scenes and models")
    # Before data are read, and before the seed is set: loading draws random numbers.
    check_differentiable(load_embedder(config.face_model, weights=config.face_weights or "auto"))
    recipe = recipe_of(config)
    start = start_profile(start_name(config, recipe), recipe.lut_points, config.isp)
    pipeline = IspPipeline.from_profile(start, limits_of(config))
    check_trainable(pipeline)
    fabric = make_fabric(config.accelerator, config.devices, config.precision, config.nodes)
    seed_everything(config.seed)
    faces, scenes = training_data(config)
    data = {"faces": faces.digest, "scenes": scenes.digest}
    trained, held_out = split_identities(faces, HELD_OUT, config.seed)
    embedder = load_embedder(config.face_model, weights=config.face_weights or "auto")
    detector = load_detector(config.detector, weights=config.detector_weights or "auto")
    inputs = data | model_inputs(embedder, detector, start, config.landmarks)
    run = RunFolder.open(config.out, _settings(config, recipe), inputs=inputs)
    crops = crop_faces(trained, embedder, config)
    if crops.people < 2:
        got = f"{crops.people} with a detectable face, besides those held out"
        raise CamproError("design", "faces of at least 2 people to train on", got, "add photographs of more people")
    game = Game(
        fabric=fabric,
        recipe=recipe,
        attackers=attackers_for(config, recipe, embedder, crops),
        protector=Protector(pipeline, detector),
        faces=crops,
        scenes=scenes.scenes,
        seed=config.seed,
        protector_only=config.protector_only,
        reset_every=config.reset_every,
    )
    note("design: train")
    play(game, run, Monitor(run, {"faces": to_tensor(crops.pixels[:8])}, active=fabric.is_global_zero))
    profile = pipeline.to_profile(config.name, Provenance())
    figures = held_out_rank1(profile, embedder, held_out, config.landmarks, config.seed)
    provenance = Provenance(
        data=data,
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
    """Train and export an enhancer for the designed profile; returns the path of enhancer.onnx."""
    from campro.design.enhancer_design import EnhanceRecipe, load_trained, train_enhancer_for
    from campro.enhance.export import export_onnx

    settings = EnhanceRecipe(steps=recipe.enhancer_steps, face_detector=config.landmarks, seed=config.seed)
    weights = train_enhancer_for(profile, scenes, faces, settings, config.out / "enhancer", fabric)
    out = config.out / "enhancer.onnx"
    export_onnx(load_trained(weights), out, profile)
    return out


def model_inputs(
    embedder: FaceEmbedder, detector: TrainableDetector, start: IspProfile, face_detector: str
) -> dict[str, str]:
    """Content of everything that a run starts from beside the data: a run with other content is not resumed."""
    return {
        "recogniser": embedder.card.weights_sha256 or "random",
        "person detector": detector.card.weights_sha256 or "random",
        "face detector": load_face_detector(face_detector).digest,
        "start profile": start.digest,
    }


def _settings(config: DesignConfig, recipe: Recipe) -> dict:
    """Options that must be the same when a run is resumed: all except the run folder and the hardware."""
    free = {"out", "accelerator", "devices", "nodes"}
    if config.max_condition is None:  # runs that were started before there was this option are resumed
        free.add("max_condition")
    return {name: value for name, value in as_plain(config).items() if name not in free} | {"recipe": _plain(recipe)}


def _plain(recipe: Recipe) -> dict:
    """The recipe without later fields at their defaults: runs that were started without these fields are resumed."""
    later = {field.name: field.default for field in fields(Recipe) if field.name in LATER_FIELDS}
    return {name: value for name, value in as_plain(recipe).items() if name not in later or value != later[name]}


def _note(game: Game) -> str:
    state = game.state
    missed = " (the threshold was missed)" if state.missed_threshold else ""
    return f"warm-up {state.warmup_rounds} rounds{missed}, game {state.round} rounds"


def training_data(config: DesignConfig) -> tuple[FaceSet, SceneSet]:
    """The user's faces and scenes, or the embedded sample's training half.

    Scenes need labels only if the preset's detection loss does (`Recipe.labels`).

    Raises:
        CamproError: If a folder or file cannot be read.
    """
    if config.faces is None:
        from campro.data.embedded import embedded_faces, embedded_scenes  # only the sample needs the face model

        return embedded_faces("train", cache_root()), embedded_scenes("train", cache_root())
    unlabelled = not PRESETS[config.preset].labels
    scenes = join_scenes([read_scenes(path, config.images, unlabelled=unlabelled) for path in config.scenes])
    return read_faces(config.faces), scenes


def recipe_of(config: DesignConfig) -> Recipe:
    """The preset, with `--rounds` and `--omega` if they are given."""
    recipe = PRESETS[config.preset]
    if config.rounds is not None:
        recipe = replace(recipe, max_rounds=config.rounds)
    return recipe if config.omega is None else replace(recipe, omega=config.omega)


def limits_of(config: DesignConfig) -> Limits | None:
    """Limits of the target camera; None without `--target`.

    Raises:
        CamproError: If the camera is unknown.
    """
    return None if config.target is None else replace(find_camera(config.target).limits, condition=config.max_condition)


def start_name(config: DesignConfig, recipe: Recipe) -> str:
    """Name of the start profile: `--start`, or the recipe's.

    For cameras whose curve cannot fall it is `plain`: the nearest such curve to that of a negative is constant.
    """
    limits = limits_of(config)
    return config.start or (PLAIN if limits is not None and limits.curve.rise is not None else recipe.start)


def attackers_for(
    config: DesignConfig, recipe: Recipe, embedder: FaceEmbedder, crops: FaceCrops
) -> dict[str, Attacker]:
    """Attackers named in the configuration, each with its own copy of the recogniser.

    `recogniser` has the head of the recipe.

    Raises:
        CamproError: If a name is not in `ATTACKERS`, or the recogniser is not differentiable.
    """
    for name in config.attackers:
        if name not in ATTACKERS:
            raise CamproError("design", f"--attackers of {', '.join(ATTACKERS)}", repr(name))
    templates = mean_embeddings(embedder, crops)
    table: dict[str, Callable[..., Attacker]] = dict(ATTACKERS)
    if recipe.head == "linear":
        table["recogniser"] = partial(LinearHeadAttacker, from_templates=recipe.head_start == "templates")
    return {name: table[name](deepcopy(embedder), templates) for name in config.attackers}


def crop_faces(faces: FaceSet, embedder: FaceEmbedder, config: DesignConfig) -> FaceCrops:
    """Aligned crops of all photographs with a detected face; people without any are left out."""
    detector = load_face_detector(config.landmarks)
    photos = [photo for own in faces.identities.values() for photo in own]
    identity = np.repeat(np.arange(len(faces.identities)), [len(own) for own in faces.identities.values()])
    landmarks = find_landmarks(photos, detector, cache_root())
    kept = [place for place, photo in enumerate(photos) if photo in landmarks.found]
    people, person = np.unique(identity[kept], return_inverse=True)
    pixels = crop_photos([photos[place] for place in kept], landmarks, embedder.card)
    return FaceCrops(pixels, person, len(people))


@torch.no_grad()
def mean_embeddings(embedder: FaceEmbedder, faces: FaceCrops) -> Float[Tensor, "P D"]:
    """Unit-norm mean embedding of each person's raw photographs: start templates, which shorten warm-up."""
    batches = np.array_split(faces.pixels, len(faces) // 32 + 1)
    embeddings = torch.cat([embedder(to_tensor(batch)) for batch in batches])
    sums = torch.zeros(faces.people, embeddings.shape[1]).index_add_(0, torch.from_numpy(faces.person), embeddings)
    return F.normalize(sums)
