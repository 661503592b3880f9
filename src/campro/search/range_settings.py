"""Profiles of a few numbers: output size, strength of the clip, exposure, noise reduction and encoder quality."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec

import numpy as np

from campro.isp.limits import ccm_of
from campro.isp.profile import H264, Block, Ccm, Denoise, IspProfile, Jpeg, Scaler, load_profile

STRONG = "campro-strong"
"""The profile whose matrix clips the colours of skin; see its card."""
OFF = 0
"""Quality or quantiser of an encoder that is not used."""


@dataclass(frozen=True)
class RangeSetting:
    """One point of the search space, in the order in which the camera applies it."""

    scaler: float = 1.0
    """Output size: 1 / scaler of the height and width."""
    clip: float = 0.0
    """Matrix between the identity (0) and that of `campro-strong` (1); above 1 more is clipped."""
    denoise: float = 0.0
    """Strength of noise reduction of luma, 0 to 1; that of chroma is twice as high."""
    quality: int = OFF
    """JPEG quality, 1 to 100, or OFF."""
    quantiser: int = OFF
    """Quantiser (QP) of H.264, 1 to 51, or OFF. One of the two encoders is off."""
    exposure: float = 0.0
    """Exposure target in stops beside that of the camera: -1 halves linear light. Clipped highlights stay clipped."""

    def profile(self, name: str) -> IspProfile:
        """The profile with these settings."""
        strong = load_profile(STRONG)
        blocks: list[Block] = [Scaler(self.scaler)] if self.scaler > 1 else []
        blocks += [self._matrix(block) if isinstance(block, Ccm) else block for block in strong.blocks]
        blocks += [Denoise(self.denoise, 2 * self.denoise)] if self.denoise else []
        blocks += [Jpeg(self.quality)] if self.quality != OFF else []
        blocks += [H264(self.quantiser)] if self.quantiser != OFF else []
        return IspProfile(name, tuple(blocks))

    def _matrix(self, strong: Ccm) -> Ccm:
        """Exposure is a gain of linear light in front of the matrix, which is the matrix times that gain."""
        return ccm_of(2**self.exposure * np.array(milder(strong, self.clip).matrix))

    def __str__(self) -> str:
        exposure = f"{self.exposure:+g} EV, " if self.exposure else ""
        return f"scaler {self.scaler:g}, clip {self.clip:g}, {exposure}denoise {self.denoise:g}, {self.encoder}"

    @property
    def encoder(self) -> str:
        """Which encoder, and how strong."""
        if self.quality != OFF:
            return f"JPEG {self.quality}"
        return f"H.264 QP {self.quantiser}" if self.quantiser != OFF else "no encoder"


SPACE: Mapping[str, tuple[float, ...]] = {
    "scaler": (1, 1.25, 1.5, 2, 2.5, 3, 4),
    "clip": (0, 0.3, 0.5, 0.7, 0.85, 1),
    "denoise": (0, 0.04, 0.08, 0.16, 0.3),
    "quality": (OFF, 60, 40, 30, 20, 15),
    "quantiser": (OFF, 28, 32, 36, 40, 44),
    "exposure": (0, -0.5, -1, -1.5),
}
"""Values of each parameter, from mild to strong."""
ENCODERS = ("quality", "quantiser")
"""Of these one is on at most."""
BLOCKS = {"scaler": "scaler", "denoise": "denoise", "quality": "jpeg", "quantiser": "h264"}
"""The block of a profile that each parameter needs, if a camera does not have it anyway."""
REFERENCES = (
    RangeSetting(),
    RangeSetting(clip=1),
    RangeSetting(quality=20),
    RangeSetting(scaler=1.5),
    RangeSetting(scaler=3),
    RangeSetting(scaler=4),
    RangeSetting(scaler=4, denoise=0.04),
    RangeSetting(scaler=1.5, clip=0.5, quality=30),
    RangeSetting(clip=1, quality=30),
    RangeSetting(quantiser=36),
    RangeSetting(clip=1, quantiser=36),
    RangeSetting(quantiser=36, exposure=-1),
)
"""What is tried first: the camera without profile, `campro-strong`, encoder and scaler alone, a scaler with noise
reduction, all together, and `campro-strong` with an encoder; the last three with H.264, once of a darker picture."""


def space_of(settable: Collection[str] | None) -> dict[str, tuple[float, ...]]:
    """`SPACE`, without the parameters whose blocks a camera cannot be set to; None: a camera that has all."""
    lacking = {name for name, block in BLOCKS.items() if settable is not None and block not in settable}
    if find_spec("av") is None:  # without the extra `video` nothing can be coded by H.264
        lacking.add("quantiser")
    return {name: values[:1] if name in lacking else values for name, values in SPACE.items()}


def within(setting: RangeSetting, space: Mapping[str, tuple[float, ...]]) -> bool:
    """Whether every parameter has one of the values of the space."""
    return all(value in space[name] for name, value in asdict(setting).items())


def drawn(space: Mapping[str, tuple[float, ...]], rng: np.random.Generator) -> RangeSetting:
    """A setting with each parameter drawn from its values, milder ones more often: strong ones add up."""
    return _setting({name: values[rng.integers(len(values), size=2).min()] for name, values in space.items()}, rng)


def neighbour(setting: RangeSetting, space: Mapping[str, tuple[float, ...]], rng: np.random.Generator) -> RangeSetting:
    """The setting with one or two parameters one step milder or stronger."""
    changed = asdict(setting)
    pairs = zip(ENCODERS, ENCODERS[::-1], strict=True)
    idle = {other for name, other in pairs if changed[name] != OFF}  # an encoder beside the one that is on
    free = [name for name, values in space.items() if len(values) > 1 and name not in idle]
    for name in rng.permutation(free)[: rng.integers(1, 3)].tolist():
        values = space[name]
        place = values.index(changed[name]) + int(rng.choice((-1, 1)))
        changed[name] = values[min(max(place, 0), len(values) - 1)]
    return _setting(changed, rng)


def milder(block: Ccm, strength: float) -> Ccm:
    """A matrix between the identity (strength 0) and that of the block (1); rows keep their sum where it is 1.

    >>> milder(Ccm(((3, -2, 0), (0, 1, 0), (0, 0, 1))), 0.5).matrix[0]
    (2.0, -1.0, 0.0)
    """
    matrix = (1 - strength) * np.eye(3) + strength * np.array(block.matrix)
    return ccm_of(matrix.round(6))


def _setting(values: Mapping[str, float], rng: np.random.Generator) -> RangeSetting:
    """The setting; where both encoders are on, one of them, drawn at random, is switched off."""
    encoders = {name: int(values[name]) for name in ENCODERS}
    if OFF not in encoders.values():
        encoders[ENCODERS[rng.integers(2)]] = OFF
    return RangeSetting(values["scaler"], values["clip"], values["denoise"], **encoders, exposure=values["exposure"])
