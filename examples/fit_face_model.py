"""Fit the synthetic face model that ships with CamPro, from a folder of people.

Eigenfaces of aligned photographs, then the covariance between people and the one between pictures of a person.

    python -m examples.fit_face_model FACES           # CelebA for the model that ships; about three minutes
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import tyro
from jaxtyping import Float, Float32, Int
from safetensors.numpy import save
from sklearn.utils.extmath import randomized_svd

from campro.core.atomic_io import atomic_write
from campro.core.catalogue import cache_root
from campro.core.hashing import file_sha256
from campro.core.images import read_image
from campro.core.progress import track
from campro.core.provenance import source_commit
from campro.core.types import Rgb8
from campro.data import FaceSet, read_faces
from campro.data.facemodel import CHROMA, SIZE, WEIGHTS, _ellipse
from campro.models.faces import find_landmarks, load_face_detector
from campro.models.faces.align import _ARCFACE, similarity

ZOOM, DOWN = 0.78, 2.0
"""The face is a little smaller in the picture than in an ArcFace crop, so that chin and forehead are in it."""
MAX_ANGLE = 14.0
"""Faces turned further (largest landmark residual, in pixels) would blur the average."""


@dataclass(frozen=True)
class Config:
    """Fit and write the weights and the card."""

    faces: Annotated[Path, tyro.conf.Positional]
    out: Path = WEIGHTS
    components: int = 170
    seed: int = 0


def main(config: Config) -> None:
    """Align, find eigenfaces, split their variance into identity and variation, write."""
    faces = read_faces(config.faces)
    pictures, person = aligned(faces)
    weight = importance()
    mean = pictures.mean(0)
    rows, spread, axes = randomized_svd(
        (pictures - mean) * weight, config.components, n_iter=3, random_state=config.seed
    )
    latent = rows * np.sqrt(len(pictures))  # unit variance each
    basis = axes / weight * (spread / np.sqrt(len(pictures)))[:, None]
    scale = np.abs(basis).max(1) / 127
    between, within = covariances(latent, person)
    tensors = {
        "mean": mean.astype(np.float32),
        "basis": np.round(basis / scale[:, None]).astype(np.int8),
        "scale": scale.astype(np.float32),
        "identity": factor(between).astype(np.float32),
        "variation": factor(within).astype(np.float32),
    }
    # safetensors stores the memory as it lies, so transposed views must be laid out anew
    atomic_write(config.out, save({name: np.ascontiguousarray(value) for name, value in tensors.items()}))
    explained = float((spread**2).sum() / (((pictures - mean) * weight) ** 2).sum())
    atomic_write(config.out.with_suffix(".md"), card(config, faces, len(pictures), explained))


def aligned(faces: FaceSet) -> tuple[Float32[np.ndarray, "N D"], Int[np.ndarray, "N"]]:
    """Every frontal face as luma and two small colour-difference planes, and who it shows."""
    landmarks = find_landmarks(faces.photos, load_face_detector("yunet"), cache_root())
    template = (_ARCFACE - SIZE / 2) * ZOOM + SIZE / 2 + np.array([0.0, DOWN])
    rows, person = [], []
    for who, photos in enumerate(track(list(faces.identities.values()), "align")):
        for photo in photos:
            points = landmarks.found.get(photo)
            if points is None:
                continue
            matrix = similarity(points, template)
            if np.abs(points @ matrix[:, :2].T + matrix[:, 2] - template).max() < MAX_ANGLE:
                rows.append(values(read_image(photo), matrix))
                person.append(who)
    return np.stack(rows), np.array(person)


def values(rgb: Rgb8, matrix: Float[np.ndarray, "2 3"]) -> Float32[np.ndarray, "D"]:
    """One face as the model stores it."""
    face = cv2.warpAffine(rgb, matrix, (SIZE, SIZE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
    luma, red, blue = cv2.split(cv2.cvtColor(face, cv2.COLOR_RGB2YCrCb))
    small = [cv2.resize(plane, (CHROMA, CHROMA), interpolation=cv2.INTER_AREA).ravel() for plane in (red, blue)]
    return np.concatenate([luma.ravel(), *small]).astype(np.float32)


def importance() -> Float32[np.ndarray, "D"]:
    """Weights of the values in the fit: most on eyes, nose and mouth, next to nothing outside the face."""
    y, x = (np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2) / (SIZE / 2)
    core = np.exp(-((np.hypot(x / 0.6, (y - 0.1) / 0.65)) ** 4))
    luma = 0.02 + 0.35 * _ellipse() + core
    colour = cv2.resize(luma, (CHROMA, CHROMA), interpolation=cv2.INTER_AREA) * 3
    return np.concatenate([luma.ravel(), colour.ravel(), colour.ravel()]).astype(np.float32)


def covariances(
    latent: Float[np.ndarray, "N K"], person: Int[np.ndarray, "N"]
) -> tuple[Float[np.ndarray, "K K"], Float[np.ndarray, "K K"]]:
    """Between people and within: unbiased moments of a one-way layout with unequal group sizes."""
    groups = [latent[person == who] for who in np.unique(person)]
    sizes = np.array([len(group) for group in groups])
    within = sum((g - g.mean(0)).T @ (g - g.mean(0)) for g in groups) / (sizes.sum() - len(groups))
    means = np.stack([g.mean(0) for g in groups]) - latent.mean(0)
    typical = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(groups) - 1)
    between = ((means * sizes[:, None]).T @ means / (len(groups) - 1) - within) / typical
    return between, within


def factor(covariance: Float[np.ndarray, "K K"]) -> Float[np.ndarray, "K K"]:
    """A square root; negative eigenvalues, which are estimation noise, become 0."""
    value, vector = np.linalg.eigh((covariance + covariance.T) / 2)
    return vector * np.sqrt(np.clip(value, 0, None))


def card(config: Config, faces: FaceSet, used: int, explained: float) -> str:
    """The model card."""
    people = len(faces.identities)
    how = f"{config.components} components, seed {config.seed}, commit {source_commit()}"
    return f"""# face-model

A linear model of faces that generates synthetic people, for demonstrations and tests without photographs of real
people. Its faces are blurred and frontal; results on them say nothing about real people.

| | |
|---|---|
| Fitted by | `examples/fit_face_model.py`, {how} |
| Training set | {used} frontal photographs of {people} people of CelebA (research use); none is in the file |
| Explained variance | {explained:.1%} of the weighted variance of the aligned photographs |
| Content | means over all photographs, components in 8 bits, two covariance factors |
| Licence | Apache-2.0 for the file; the terms of CelebA ask for non-commercial research use of derived models |
| SHA-256 | {file_sha256(config.out)} |
"""


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
