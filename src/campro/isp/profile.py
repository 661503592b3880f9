"""The profile: the settings of a camera's image signal processor, as a versioned JSON document.

    {"schema": 1, "name": ..., "blocks": [{"block": "degamma", ...}, ...], "provenance": {...}}

Blocks are applied in order to sRGB pictures in [0, 1] (CamPro, NDSS 2024, V-B, eqs. 1-2). This module does not need
PyTorch.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.core.hashing import json_digest

SCHEMA = 1
CCM_LIMIT = 5.0
"""Largest magnitude of a matrix entry: larger entries amplify noise too much, and few cameras can store them."""

KNOT_GAP = 1e-6
"""Smallest distance of two knots of a gamma LUT: no camera stores finer ones, and steeper curves have no useful
gradient."""

Matrix3 = tuple[tuple[float, ...], ...]
Curve = Literal["power-2.2", "srgb"]
ChromaFormat = Literal["4:2:2", "4:2:0", "4:1:1"]


def _refuse(block: str, wanted: str, got: object, remedy: str = "") -> CamproError:
    return CamproError(f"profile block {block}", wanted, str(got), remedy)


def _number(value: Any, block: str, name: str, low: float, high: float) -> float:
    # A whole number may be too large for `math.isfinite`.
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))):
        raise _refuse(block, f"a finite number for {name}", repr(value))
    if not low <= value <= high:
        raise _refuse(block, f"{name} in [{low:g}, {high:g}]", repr(value)[:40])
    return float(value)


def _numbers(values: Any, block: str, name: str, length: int | None, low: float, high: float) -> tuple[float, ...]:
    if not isinstance(values, list | tuple):
        raise _refuse(block, f"a list of numbers for {name}", repr(values))
    if length is not None and len(values) != length:
        raise _refuse(block, f"{length} numbers for {name}", len(values))
    return tuple(_number(value, block, name, low, high) for value in values)


def _whole(value: Any, block: str, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _refuse(block, f"a whole number {name} in [{low}, {high}]", repr(value))
    return value


@dataclass(frozen=True)
class Degamma:
    """sRGB to linear light: x^2.2 as in the paper, or the exact curve of IEC 61966-2-1.

    Raises:
        CamproError: For an unknown curve.
    """

    block: ClassVar[str] = "degamma"
    curve: Curve = "power-2.2"

    def __post_init__(self) -> None:
        if self.curve not in get_args(Curve):
            raise _refuse(self.block, f"a curve of {', '.join(get_args(Curve))}", repr(self.curve))


@dataclass(frozen=True)
class MeasuredDegamma:
    """sRGB to linear light by a measured tone curve, piecewise linear between evenly spaced inputs.

    Raises:
        CamproError: For values that do not rise from 0 to 1.
    """

    block: ClassVar[str] = "measured_degamma"
    values: tuple[float, ...]
    """Outputs at evenly spaced inputs; they rise from 0 to 1."""

    def __post_init__(self) -> None:
        values = _numbers(self.values, self.block, "values", None, 0.0, 1.0)
        if not 2 <= len(values) <= 4096 or values[0] != 0 or values[-1] != 1 or any(a > b for a, b in pairwise(values)):
            raise _refuse(self.block, "2 to 4096 values that rise from 0 to 1", list(values)[:4])
        object.__setattr__(self, "values", values)


@dataclass(frozen=True)
class Ccm:
    """Colour correction matrix on linear RGB (row = output channel), plus offsets; the result is clipped to [0, 1].

    Raises:
        CamproError: For a matrix that is not 3 x 3, or entries outside the limits.
    """

    block: ClassVar[str] = "ccm"
    matrix: Matrix3
    offsets: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if not isinstance(self.matrix, list | tuple) or len(self.matrix) != 3:
            raise _refuse(self.block, "a 3x3 matrix", repr(self.matrix))
        rows = tuple(_numbers(row, self.block, "matrix row", 3, -CCM_LIMIT, CCM_LIMIT) for row in self.matrix)
        object.__setattr__(self, "matrix", rows)
        object.__setattr__(self, "offsets", _numbers(self.offsets, self.block, "offsets", 3, -1.0, 1.0))


@dataclass(frozen=True)
class GammaLut:
    """Piecewise-linear curve through (knot, value): one for all channels, or three for R, G, B.

    Raises:
        CamproError: For curves of different lengths, values outside [0, 1], or knots that do not rise by at least
            `KNOT_GAP`.
    """

    block: ClassVar[str] = "gamma_lut"
    values: tuple[tuple[float, ...], ...]
    knots: tuple[float, ...] | None = None
    """Inputs, rising from 0 to 1 by at least `KNOT_GAP` each; None: evenly spaced."""

    def __post_init__(self) -> None:
        if not isinstance(self.values, list | tuple) or len(self.values) not in (1, 3):
            raise _refuse(self.block, "1 or 3 curves", repr(self.values)[:60])
        curves = tuple(_numbers(curve, self.block, "values", None, 0.0, 1.0) for curve in self.values)
        points = len(curves[0])
        if not 2 <= points <= 4096 or any(len(curve) != points for curve in curves):
            raise _refuse(self.block, "curves of the same 2 to 4096 points", [len(curve) for curve in curves])
        object.__setattr__(self, "values", curves)
        if self.knots is None:
            return
        knots = _numbers(self.knots, self.block, "knots", points, 0.0, 1.0)
        if knots[0] != 0 or knots[-1] != 1 or any(a >= b for a, b in pairwise(knots)):
            raise _refuse(self.block, "knots rising strictly from 0 to 1", list(knots)[:4])
        if (gap := min(b - a for a, b in pairwise(knots))) < KNOT_GAP:
            remedy = "merge the knots that lie so close together"
            raise _refuse(self.block, f"knots at least {KNOT_GAP:g} apart", f"{gap:.3g}", remedy)
        object.__setattr__(self, "knots", knots)

    @property
    def positions(self) -> tuple[float, ...]:
        """The knots, also if they are evenly spaced."""
        points = len(self.values[0])
        return self.knots or tuple(i / (points - 1) for i in range(points))


@dataclass(frozen=True)
class Quantise:
    """Rounding to 2^bits levels, halves up, as in the camera's output.

    Raises:
        CamproError: For less than 1 or more than 16 bits.
    """

    block: ClassVar[str] = "quantise"
    bits: int = 8

    def __post_init__(self) -> None:
        _whole(self.bits, self.block, "bits", 1, 16)


@dataclass(frozen=True)
class Defocus:
    """Gaussian blur with a kernel of `kernel` pixels and standard deviation `sigma` pixels.

    Raises:
        CamproError: For an even kernel, or numbers outside the limits.
    """

    block: ClassVar[str] = "defocus"
    kernel: int
    sigma: float

    def __post_init__(self) -> None:
        if _whole(self.kernel, self.block, "kernel", 1, 255) % 2 == 0:
            raise _refuse(self.block, "an odd kernel", self.kernel)
        object.__setattr__(self, "sigma", _number(self.sigma, self.block, "sigma", 1e-3, 100.0))


@dataclass(frozen=True)
class ChromaBlur(Defocus):
    """Gaussian blur of the colour differences alone, like a strong chroma denoising filter; luma stays sharp."""

    block: ClassVar[str] = "chroma_blur"


@dataclass(frozen=True)
class LowResolution:
    """Downscaling by `factor`, then upscaling to the old size, both bilinear."""

    block: ClassVar[str] = "low_resolution"
    factor: int

    def __post_init__(self) -> None:
        _whole(self.factor, self.block, "factor", 1, 128)


@dataclass(frozen=True)
class Scaler:
    """Output resolution: later blocks act on a picture of 1 / `factor` of the height and width (bilinear, antialiased).

    The pipeline enlarges its output to the old size (bicubic), so that boxes and landmarks keep their places; a camera
    delivers the small picture.
    """

    block: ClassVar[str] = "scaler"
    factor: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", _number(self.factor, self.block, "factor", 1.0, 32.0))


@dataclass(frozen=True)
class Denoise:
    """Spatial noise reduction that keeps edges: a bilateral filter of luma and one of the colour differences."""

    block: ClassVar[str] = "denoise"
    luma: float
    """Differences of luma that are smoothed (standard deviation, 0 to 1); 0: luma does not change."""
    chroma: float
    """The same of colour differences (Euclidean distance of the three)."""
    radius: int = 2
    """Neighbours up to this distance in pixels, horizontally and vertically; the spatial deviation is half of it."""

    def __post_init__(self) -> None:
        for name in ("luma", "chroma"):
            object.__setattr__(self, name, _number(getattr(self, name), self.block, name, 0.0, 2.0))
        _whole(self.radius, self.block, "radius", 1, 8)


@dataclass(frozen=True)
class ChromaSubsampling:
    """Colour differences of fewer pixels than luma, as in the pixel formats of encoders: means over 2 x 1, 2 x 2 or
    4 x 1 pixels (width x height).

    Raises:
        CamproError: For an unknown format.
    """

    block: ClassVar[str] = "chroma_subsampling"
    format: ChromaFormat = "4:2:0"

    def __post_init__(self) -> None:
        if self.format not in get_args(ChromaFormat):
            raise _refuse(self.block, f"a format of {', '.join(get_args(ChromaFormat))}", repr(self.format))


@dataclass(frozen=True)
class Jpeg:
    """Encoder quality: JPEG compression at `quality`, 1 to 100, with chroma 4:2:0."""

    block: ClassVar[str] = "jpeg"
    quality: int = 90

    def __post_init__(self) -> None:
        _whole(self.quality, self.block, "quality", 1, 100)


@dataclass(frozen=True)
class H264:
    """Encoder quality: one intra frame of H.264 at the quantiser (QP) 0 to 51, with chroma 4:2:0.

    It needs the extra `video`.
    """

    block: ClassVar[str] = "h264"
    quantiser: int = 30

    def __post_init__(self) -> None:
        _whole(self.quantiser, self.block, "quantiser", 0, 51)


@dataclass(frozen=True)
class SensorNoise:
    """Simulation only: Gaussian noise of variance shot * x + read^2 on linear light x in [0, 1]."""

    block: ClassVar[str] = "sensor_noise"
    shot: float
    read: float
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "shot", _number(self.shot, self.block, "shot", 0.0, 1.0))
        object.__setattr__(self, "read", _number(self.read, self.block, "read", 0.0, 1.0))
        _whole(self.seed, self.block, "seed", 0, 2**63 - 1)


Block = (
    Degamma
    | MeasuredDegamma
    | Ccm
    | GammaLut
    | Quantise
    | Defocus
    | ChromaBlur
    | LowResolution
    | Scaler
    | Denoise
    | ChromaSubsampling
    | Jpeg
    | H264
    | SensorNoise
)
Encoder = Jpeg | H264
"""What the encoder does to the delivered picture: the last blocks of a profile."""
BLOCK_TYPES: dict[str, type] = {kind.block: kind for kind in get_args(Block)}


@dataclass(frozen=True)
class Provenance:
    """The origin of a profile, for people: free text and figures that have no effect on pictures."""

    data: dict[str, str] = field(default_factory=dict)
    """Digest of each training set, by its name."""
    models: dict[str, str] = field(default_factory=dict)
    seed: int | None = None
    commit: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class IspProfile:
    """Settings of an image signal processor; profiles with equal blocks have equal digests and give equal pictures.

    Raises:
        CamproError: Without a name.
    """

    name: str
    blocks: tuple[Block, ...]
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise CamproError("profile", "a name", repr(self.name))
        object.__setattr__(self, "blocks", tuple(self.blocks))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of schema and blocks; the name and the provenance have no effect on it."""
        return json_digest({"schema": SCHEMA, "blocks": [_block_json(block) for block in self.blocks]})

    def to_json(self) -> str:
        """The JSON document; floats keep all digits, so that `from_json` gives back an equal profile."""
        document = {
            "schema": SCHEMA,
            "name": self.name,
            "blocks": [_block_json(block) for block in self.blocks],
            "provenance": asdict(self.provenance),
        }
        return json.dumps(document, indent=1, allow_nan=False) + "\n"

    def save(self, path: Path | str) -> None:
        """Write the document atomically."""
        atomic_write(Path(path), self.to_json())

    @staticmethod
    def load(path: Path | str) -> IspProfile:
        """Read and validate a document.

        Raises:
            CamproError: if the file is not readable or not a valid profile: unknown version, block or field, a
                number that is not finite or out of range, or a list of the wrong length. The message names the file.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            got = getattr(error, "strerror", None) or "not text"
            raise CamproError(f"profile {path}", "a readable JSON file", got) from error
        try:
            return IspProfile.from_json(text)
        except CamproError as error:
            raise error.within(str(path)) from error

    @staticmethod
    def from_json(text: str) -> IspProfile:
        """Parse and validate a document.

        Raises:
            CamproError: as `load`, without the name of a file.
        """
        document = _parse(text)
        if document.get("schema") != SCHEMA:
            remedy = "update campro, or design the profile anew"
            raise CamproError("profile", f"schema version {SCHEMA}", repr(document.get("schema")), remedy)
        _only_fields(document, {"schema", "name", "blocks", "provenance"}, "profile")
        blocks = document.get("blocks")
        if not isinstance(blocks, list):
            raise CamproError("profile", "a list of blocks", repr(blocks)[:60])
        provenance = _provenance(document.get("provenance", {}))
        return IspProfile(document.get("name", ""), tuple(_block(block) for block in blocks), provenance)


def _parse(text: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise CamproError("profile", "each key once", f"a key twice in {[key for key, _ in pairs]}")
        return dict(pairs)

    def refuse_constant(name: str) -> float:
        raise CamproError("profile", "finite numbers", name, "NaN and Infinity are not JSON; design the profile anew")

    try:
        document = json.loads(text, object_pairs_hook=unique, parse_constant=refuse_constant)
    except CamproError:
        raise
    except (ValueError, RecursionError) as error:  # ValueError also for numbers of thousands of digits
        raise CamproError("profile", "a JSON document", f"{error}".splitlines()[0]) from error
    if not isinstance(document, dict):
        raise CamproError("profile", "a JSON object", type(document).__name__)
    return document


def _only_fields(document: dict[str, Any], known: set[str], who: str) -> None:
    if strange := sorted(set(document) - known):
        raise CamproError(who, f"fields of {', '.join(sorted(known))}", ", ".join(strange))


def _block_json(block: Block) -> dict[str, Any]:
    return {"block": block.block, **asdict(block)}


def _block(document: Any) -> Block:
    kind = document.get("block") if isinstance(document, dict) else None
    if not isinstance(kind, str) or kind not in BLOCK_TYPES:
        raise CamproError("profile", f"a block of {', '.join(BLOCK_TYPES)}", repr(document)[:60])
    settings = {name: value for name, value in document.items() if name != "block"}
    _only_fields(settings, {f.name for f in fields(BLOCK_TYPES[kind])}, f"profile block {kind}")
    try:
        return BLOCK_TYPES[kind](**settings)
    except TypeError as error:  # a required field is missing
        raise _refuse(kind, "all its fields", error) from error


def _provenance(document: Any) -> Provenance:
    if not isinstance(document, dict):
        raise CamproError("profile", "provenance as an object", repr(document)[:60])
    _only_fields(document, {f.name for f in fields(Provenance)}, "profile provenance")
    return Provenance(**document)


_FOLDER = files("campro.isp") / "profiles"
BUILTIN_PROFILES: tuple[str, ...] = tuple(
    sorted(entry.name.removesuffix(".json") for entry in _FOLDER.iterdir() if entry.name.endswith(".json"))
)
"""Names of the built-in profiles: the files in `isp/profiles`."""


def load_profile(name_or_path: str | Path) -> IspProfile:
    """A built-in profile by its name, or any profile by the path of its JSON file.

    Raises:
        CamproError: if there is neither such a name nor such a file, or the file is not a valid profile.
    """
    if str(name_or_path) in BUILTIN_PROFILES:
        return IspProfile.load(Path(str(_FOLDER / f"{name_or_path}.json")))
    if Path(name_or_path).exists():
        return IspProfile.load(name_or_path)
    known = ", ".join(BUILTIN_PROFILES)
    raise CamproError("load_profile", "a file or a built-in name", str(name_or_path), f"built in: {known}")
