"""The views of one picture: raw, captured, enhanced, and inverted by an attacker who has the profile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Literal, get_args

import numpy as np

from campro.attacks.analytic_inversion import NeighbourhoodInverse
from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.core.types import ImageTransform, Rgb8
from campro.enhance.runner import OnnxEnhancer, load_enhancer
from campro.inversion.inverse import Inverse
from campro.inversion.preimages import Preimages
from campro.isp.camera import RAW, Camera
from campro.isp.pointwise import is_pointwise
from campro.isp.profile import IspProfile, load_profile
from campro.isp.raw import RawCamera, Sensor
from campro.models.persons import TrainableDetector, load_detector
from campro.serve.uploads import scaled

ViewName = Literal["raw", "captured", "enhanced", "inverted"]
VIEWS: tuple[ViewName, ...] = get_args(ViewName)
ENHANCED_PROFILE = "campro-default"
"""The profile of the shipped enhancer."""
SHOWN_SCORE = 0.4
"""Detections from this score on are shown."""
MIN_SCALE = 1 / 64
MAX_SHOT = 0.05
"""Largest shot noise; 1.2e-2 is night (Brooks et al., CVPR 2019)."""
MIN_SIDE = 16
"""Shortest side in pixels of a picture that the networks accept."""

Box = tuple[float, float, float, float, float]
"""x0, y0, x1, y1 in pixels, and the score."""


@dataclass(frozen=True)
class ViewSettings:
    """What the sliders of the page choose."""

    profile: str = "campro-default"
    scale: float = 1.0
    """Both sides of the picture are multiplied by it before the camera."""
    shot: float = 0.0
    """Shot noise of the sensor (`Sensor.with_noise`); 0: the profile is applied to the finished picture."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and MIN_SCALE <= self.scale <= 1):
            raise CamproError("scale", f"a number from {MIN_SCALE:g} to 1", str(self.scale))
        if not (math.isfinite(self.shot) and 0 <= self.shot <= MAX_SHOT):
            raise CamproError("noise", f"a number from 0 to {MAX_SHOT:g}", str(self.shot))


@dataclass(frozen=True)
class PictureView:
    """One view and the persons that the detector finds in it."""

    rgb: Rgb8
    boxes: tuple[Box, ...]


class PictureViews:
    """Renders views; models are loaded on first use and then kept."""

    def __init__(self, profiles: Mapping[str, IspProfile], detector: str) -> None:
        """Profiles by name, and the name of a person detector."""
        self.profiles, self.detector_name = profiles, detector
        self._inverses = lru_cache(maxsize=2)(self._inverse)  # each holds up to 192 MiB

    def view(self, rgb: Rgb8, name: str, settings: ViewSettings) -> PictureView:
        """One view of a picture, with persons.

        Raises:
            CamproError: For an unknown view or profile, one that is not possible with this profile, or a picture that
                is too small.
        """
        picture = self.picture(scaled(rgb, settings.scale), name, settings)
        return PictureView(picture, self.persons(picture))

    def picture(self, rgb: Rgb8, name: str, settings: ViewSettings) -> Rgb8:
        """One view of a picture that has its final size; see `view`.

        Raises:
            CamproError: As `view`.
        """
        if name not in VIEWS:
            raise CamproError("view", f"one of {', '.join(VIEWS)}", repr(name)[:40])
        if min(rgb.shape[:2]) < MIN_SIDE:
            raise CamproError("picture", f"at least {MIN_SIDE} pixels on each side", f"{rgb.shape[1]} x {rgb.shape[0]}")
        profile = self.profile(settings.profile)
        if name == "raw":
            return _camera(RAW.profile, settings)(rgb)
        captured = _camera(profile, settings)(rgb)
        return captured if name == "captured" else self._restored(captured, name, settings.profile)

    def profile(self, name: str) -> IspProfile:
        """A profile of the page.

        Raises:
            CamproError: If there is none of this name.
        """
        if name not in self.profiles:
            raise CamproError("profile", f"one of {', '.join(self.profiles)}", repr(name)[:60])
        return self.profiles[name]

    def possible(self, profile: IspProfile) -> tuple[ViewName, ...]:
        """The views that can be made with a profile."""
        left_out = set() if profile.digest == load_profile(ENHANCED_PROFILE).digest else {"enhanced"}
        left_out |= set() if is_pointwise(profile.blocks) else {"inverted"}
        return tuple(name for name in VIEWS if name not in left_out)

    def persons(self, rgb: Rgb8) -> tuple[Box, ...]:
        """Persons from `SHOWN_SCORE` on, best first."""
        found = self._detector.detect(to_tensor(rgb))[0]
        rows = zip(found.boxes.tolist(), found.scores.tolist())
        return tuple((box[0], box[1], box[2], box[3], score) for box, score in rows if score >= SHOWN_SCORE)

    def warm_up_steps(self, profile: str) -> Iterator[Callable[[], object]]:
        """Calls that load what the views of a profile need, the quick ones first.

        Not the tables of the inversion, whose first computation takes half a minute: other requests would wait.
        """
        grey, settings = np.full((64, 64, 3), 128, np.uint8), ViewSettings(profile)
        for name in self.possible(self.profile(profile)):
            if name != "inverted":
                yield partial(self.view, grey, name, settings)

    def _restored(self, captured: Rgb8, name: str, profile_name: str) -> Rgb8:
        profile = self.profiles[profile_name]
        if name == "enhanced":
            self.enhancer.check_profile(profile.digest, profile.name)
            return self.enhancer(captured)
        if not is_pointwise(profile.blocks):
            wanted = "a profile that maps each pixel by its colour alone"
            raise CamproError("analytic inversion", wanted, f"{profile.name}, which also blurs or reduces")
        return self._inverses(profile_name)(captured)

    def _inverse(self, profile_name: str) -> ImageTransform:
        """The analytic inversion, with the prior of raw colours in the enhancer's file."""
        profile, prior = self.profiles[profile_name], self.enhancer.colour_prior
        return NeighbourhoodInverse(Inverse.stored(profile, prior), Preimages.stored(profile, prior))

    @cached_property
    def enhancer(self) -> OnnxEnhancer:
        """The shipped enhancer."""
        return load_enhancer()

    @cached_property
    def _detector(self) -> TrainableDetector:
        return load_detector(self.detector_name)


def _camera(profile: IspProfile, settings: ViewSettings) -> ImageTransform:
    """The camera with a profile: on the finished picture, or from a noisy mosaic on."""
    if not settings.shot:
        return Camera(profile)
    return RawCamera(profile, Sensor.with_noise(settings.shot))
