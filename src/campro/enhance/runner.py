"""Run an exported enhancer on 8-bit pictures: the `ImageTransform` behind `campro enhance`."""

from __future__ import annotations

from base64 import b64decode
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch
from jaxtyping import Float32, Float64, UInt8
from onnx import numpy_helper

from campro.core.device import disable_busy_waiting, retain_freed_memory
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.images import to_rgb8
from campro.core.subgraph import load_subgraph
from campro.core.types import ImageTransform, Rgb8
from campro.enhance.colours import Coloured, Colours
from campro.enhance.export import CONTEXT, CORRECTIONS, ENHANCED, PICTURE, PRIOR, PROFILE, SEEN, SPREAD, TABLE, TOLD
from campro.enhance.fused_kernels import SETTINGS, Composer, planes
from campro.inversion.cell_grid import MULTIPLE, cell_features, downscaled
from campro.inversion.preimage_selection import SETTLED, Settler
from campro.isp import IspProfile

SHIPPED = Path(__file__).parent / "weights" / "campro-default.onnx"
RISE = 1 / 16
"""In a video, by so much more of a cell may be kept than in the frame before: half a second from black to all."""
MOVED = 8.0
"""And by so much times what its mean has changed by (1 is black to white), for then something else is there."""


class OnnxEnhancer:
    """An enhancer from a file that `export_onnx` wrote.

    Of the fast one only the small network is run by onnxruntime: what touches every pixel are kernels of ours, several
    times faster than onnxruntime's interpolation in volumes, and a picture as the camera made it gets a sharper table.
    """

    def __init__(self, path: Path, name: str = "enhanced") -> None:
        model = _read(path)
        self.name, self.digest = name, json_digest([file_sha256(path), SETTINGS, SETTLED])
        notes = {entry.key: entry.value for entry in model.metadata_props}
        self.profile = IspProfile.from_json(notes[PROFILE])
        """Whose pictures it enhances."""
        self._tables = _Tables.of(model, notes[PRIOR]) if PRIOR in notes else None
        self._output = ENHANCED if self._tables is None else CONTEXT
        inputs = [PICTURE] if self._tables is None else [SEEN, TOLD]
        self._session = load_subgraph(model, inputs, [self._output])

    def __call__(self, rgb: Rgb8) -> Rgb8:
        """One captured picture, enhanced."""
        if self._tables is not None:
            coloured = self.colours(rgb)
            return self.compose(rgb, coloured, self.context(rgb, coloured), out=coloured.rgb)
        return to_rgb8(torch.from_numpy(self._run({PICTURE: planes(rgb)})).clamp(0, 1))[0]

    @cached_property
    def colours(self) -> Colours:
        """The tables of a fast one for colours.

        Raises:
            CamproError: for an enhancer whose network does both at once.
        """
        tables = self._fast()
        return Colours(tables.soft, tables.spread, self.profile, tables.prior)

    def compose(
        self, rgb: Rgb8, coloured: Coloured, context: Float32[np.ndarray, "7 h w"], out: Rgb8 | None = None
    ) -> Rgb8:
        """The enhanced picture, from a captured one, what a fast one's `colours` make of it, and its `context`; raises
        as `colours` does. `out` may be `coloured.rgb`.
        """
        if coloured.as_made:
            return self._settle(rgb, coloured.rgb, coloured.spread, context, out)
        return self._compose(coloured.rgb, coloured.spread, context, out)

    @cached_property
    def _compose(self) -> Composer:
        return Composer(self._fast().corrections)

    @cached_property
    def _settle(self) -> Settler:
        return Settler(self.colours.preimages)

    def with_faces(self, rgb: Rgb8) -> Rgb8:
        """Its colours alone, nothing left out: what one makes of a captured picture who owns the file of a fast one."""
        coloured = self.colours(rgb)
        context = self.context(rgb, coloured).copy()
        context[0] = 1
        return self.compose(rgb, coloured, context, out=coloured.rgb)

    def film(self) -> ImageTransform:
        """For the frames of one video, in order: see `Film`. Of one that is not fast, the enhancer itself."""
        return self if self._tables is None else Film(self)

    def context(self, rgb: Rgb8, coloured: Coloured) -> Float32[np.ndarray, "7 h w"]:
        """The map of a fast one for a captured picture and its `colours`, `downscaled`: keep (0 to 1), means (3) and
        how unsure colours are (3, 0 to 1).
        """
        seen, recoloured, spread = (downscaled(part) for part in (rgb, coloured.rgb, coloured.spread))
        return np.asarray(self._run({SEEN: planes(seen, MULTIPLE), TOLD: cell_features(seen, recoloured, spread)})[0])

    def _fast(self) -> _Tables:
        if self._tables is None:
            raise CamproError("enhancer", "a fast one, whose colours stand apart", "another")
        return self._tables

    def _run(self, inputs: dict[str, np.ndarray]) -> Float32[np.ndarray, "1 c h w"]:
        (answer,) = self._session.run([self._output], inputs)
        return np.asarray(answer)

    def check_profile(self, digest: str, name: str) -> None:
        """Refuse pictures of a profile that this enhancer was not made for: it would only make them worse."""
        if digest != self.profile.digest:
            remedy = "train one for it: campro design --enhance"
            wanted = f"pictures of {self.profile.name} ({self.profile.digest[:12]})"
            raise CamproError("enhancer", wanted, f"{name} ({digest[:12]})", remedy)


class Film:
    """A fast enhancer with a memory of one map: what it leaves out it leaves out at once, and gives back slowly.

    Where the map is in doubt noise decides in every frame anew, and black patches would come and go. A map that
    lagged behind both ways would show a face that moves. Where something else came into view nothing is remembered.
    """

    def __init__(self, enhancer: OnnxEnhancer) -> None:
        self.name, self.digest = enhancer.name, json_digest(["film", RISE, MOVED, enhancer.digest])
        self._enhancer = enhancer
        self._before: Float32[np.ndarray, "7 h w"] | None = None

    def __call__(self, rgb: Rgb8) -> Rgb8:
        """The next frame, enhanced."""
        coloured = self._enhancer.colours(rgb)
        context = self._enhancer.context(rgb, coloured).copy()
        if self._before is not None and self._before.shape == context.shape:
            moved = np.abs(context[1:4] - self._before[1:4]).max(0)
            context[0] = np.minimum(context[0], self._before[0] + RISE + MOVED * moved)
        self._before = context
        return self._enhancer.compose(rgb, coloured, context, out=coloured.rgb)


def load_enhancer(path: Path | None = None) -> OnnxEnhancer:
    """The enhancer in that file, or the one of `campro-default` that ships.

    From now on the process keeps the memory of a picture for the next, and kernels leave their cores to the network:
    about a tenth of the time at 1080p, each.
    """
    retain_freed_memory()
    disable_busy_waiting()
    return OnnxEnhancer(path or SHIPPED)


class _Tables(NamedTuple):
    """What a fast one's file holds beside its networks."""

    soft: Float32[np.ndarray, "n n n 3"]
    """The values of its 3D LUT, colours last."""
    spread: UInt8[np.ndarray, " cells"]
    """How far it errs, by cell of colours."""
    corrections: Float32[np.ndarray, "n n n"]
    prior: Float64[np.ndarray, " cells"]
    """How likely raw colours are."""

    @classmethod
    def of(cls, model: onnx.ModelProto, prior: str) -> _Tables:
        weights = {one.name: one for one in model.graph.initializer}
        soft, corrections = (numpy_helper.to_array(weights[name]).astype(np.float32) for name in (TABLE, CORRECTIONS))
        likely = np.frombuffer(b64decode(prior), np.float16).astype(np.float64)
        spread = numpy_helper.to_array(weights[SPREAD])
        return cls(np.ascontiguousarray(soft.transpose(1, 2, 3, 0)), spread, corrections[0], likely)


def _read(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise CamproError(str(path), "an enhancer as an ONNX file", "no such file")
    try:
        model = onnx.load(str(path))
        names = {value.name for value in (*model.graph.input, *model.graph.output)}
        if not {PICTURE, ENHANCED} <= names or PROFILE not in {entry.key for entry in model.metadata_props}:
            raise ValueError(f"a network from {', '.join(sorted(names))}")
        if CONTEXT in names and SPREAD not in {weight.name for weight in model.graph.initializer}:
            raise ValueError("one of an older version")
    except Exception as error:  # a damaged file can raise anything
        reason = " ".join(str(error).split())[:160]
        raise CamproError(str(path), "an enhancer that campro exported", reason, "export it again") from error
    return model
