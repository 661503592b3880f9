"""Runs exported enhancers on 8-bit pictures: the `ImageTransform` behind `campro enhance`."""

from __future__ import annotations

from base64 import b64decode
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from jaxtyping import Float32, Float64, UInt8
from onnx import numpy_helper

from campro.core.device import disable_busy_waiting, retain_freed_memory
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.subgraph import load_subgraph
from campro.core.types import ImageTransform, Rgb8
from campro.enhance.captured_check import CapturedCheck
from campro.enhance.composer import COMPOSER_SETTINGS, Composer
from campro.enhance.file_names import CELL_MAP, ENHANCED, FEATURES, HALF, PADDED, PICTURE, PRIOR, PROFILE
from campro.enhance.fill_names import BLACK, SMOOTH, Fill
from campro.enhance.fills import FILL_SETTINGS, insert
from campro.enhance.lut_kernels import to_planes
from campro.enhance.recolouring import Recoloured, Recolouring
from campro.inversion.cell_grid import CELL, MULTIPLE, cell_features, downscaled
from campro.inversion.inverse import BINS
from campro.inversion.preimage_selection import SELECTION_SETTINGS, PreimageSelector
from campro.isp import IspProfile
from campro.isp.pointwise import is_pointwise

SHIPPED = Path(__file__).parent / "weights" / "campro-default.onnx"
LUTS = {"lut": "table", "residual_lut": "corrections", "ambiguity": "spread"}
"""Tables of `FastEnhancer` in the file, and their names in files of version 0.1, such as the shipped one."""
MAX_AMBIGUITY = 63
"""Highest ambiguity code."""
MAX_MASK_RISE = 1 / 16
"""Largest rise of a cell's mask from one video frame to the next: half a second from black to visible at 30 fps."""
RISE_PER_CHANGE = 8.0
"""Additional rise for each unit of change of the cell's mean colour (0 to 1), since its content is then new."""


class OnnxEnhancer:
    """An enhancer from a file of `campro.enhance.export.export_onnx`.

    Of the fast enhancer, onnxruntime runs only the networks. What is computed for every pixel runs in compiled kernels,
    several times faster than trilinear interpolation in onnxruntime, and with a better inverse for unprocessed camera
    output (see `campro.enhance.recolouring`).
    """

    def __init__(self, path: Path, name: str = "enhanced", fill: Fill | None = None) -> None:
        """Load a file.

        Args:
            path: ONNX file.
            name: label in tables.
            fill: what stands where a face is masked; default: "smooth", or "black" for an enhancer that is not fast.

        Raises:
            CamproError: if it is missing, damaged, not an enhancer that `export_onnx` wrote, or cannot have that fill.
        """
        model = _read(path)
        self.name, self._settings = name, [file_sha256(path), COMPOSER_SETTINGS, SELECTION_SETTINGS]
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        try:
            self.profile = IspProfile.from_json(metadata[PROFILE])
            """The profile whose pictures it enhances."""
            self._tables = _Tables.of(model, metadata[PRIOR]) if PRIOR in metadata else None
            self._output = ENHANCED if self._tables is None else CELL_MAP
            inputs = [PICTURE] if self._tables is None else [PADDED, FEATURES]
            self._session = load_subgraph(model, inputs, [self._output])
        except Exception as error:  # a damaged file can raise any exception
            raise _damaged(str(path), error) from error
        self._set_fill(fill)

    def with_fill(self, fill: Fill) -> OnnxEnhancer:
        """The same enhancer with another fill.

        Raises:
            CamproError: if it cannot have that fill, since its file does not give the mask.
        """
        other = copy(self)
        other._set_fill(fill)
        return other

    def __call__(self, rgb: Rgb8) -> Rgb8:
        """The enhanced picture of one captured picture."""
        if self._tables is not None:
            recoloured = self.recolouring(rgb)
            return self.compose(rgb, recoloured, self.cell_map(rgb, recoloured), out=recoloured.rgb)
        import torch  # only here, since that takes seconds

        from campro.core.images import to_rgb8

        return to_rgb8(torch.from_numpy(self._run({PICTURE: to_planes(rgb)})).clamp(0, 1))[0]

    @cached_property
    def recolouring(self) -> Recolouring:
        """The colour tables of a fast enhancer.

        Raises:
            CamproError: for another enhancer, which has no such tables.
        """
        tables = self._fast_tables()
        return Recolouring(tables.lut, tables.ambiguity, self.profile, tables.prior)

    @property
    def colour_prior(self) -> Float64[np.ndarray, " bins"]:
        """The prior of raw colours in the file of a fast enhancer (`campro.inversion.inverse.prior_from_photos`).

        Raises:
            CamproError: for an enhancer that is not fast.
        """
        return self._fast_tables().prior

    def cell_map(self, rgb: Rgb8, recoloured: Recoloured) -> Float32[np.ndarray, "7 h w"]:
        """The cell map of the `downscaled` picture: mask (0 to 1), mean colour (3, 0 to 1), mean ambiguity (3, 0 to 1).

        `recoloured` is the result of `recolouring` for the captured picture `rgb`.
        """
        small = [downscaled(part) for part in (rgb, recoloured.rgb, recoloured.ambiguity)]
        return np.asarray(self._run({PADDED: to_planes(small[0], MULTIPLE), FEATURES: cell_features(*small)})[0])

    def compose(
        self, rgb: Rgb8, recoloured: Recoloured, cell_map: Float32[np.ndarray, "7 h w"], out: Rgb8 | None = None
    ) -> Rgb8:
        """The enhanced picture, from the captured one, its `recolouring` and its `cell_map`.

        `out` may be `recoloured.rgb`, which is then overwritten.

        Raises:
            CamproError: for an enhancer that is not fast.
        """
        if self.fill == BLACK:
            return self._restored(rgb, recoloured, cell_map, out)
        return insert(self.fill, self._restored(rgb, recoloured, _unmasked(cell_map), out), cell_map[0])

    def without_mask(self, rgb: Rgb8) -> Rgb8:
        """The restored picture with faces visible: what an attacker who has the file of a fast enhancer can restore.

        Raises:
            CamproError: for an enhancer that is not fast.
        """
        recoloured = self.recolouring(rgb)
        cell_map = _unmasked(self.cell_map(rgb, recoloured))
        return self._restored(rgb, recoloured, cell_map, out=recoloured.rgb)

    def video(self) -> ImageTransform:
        """An enhancer of the frames of one video, in order (`VideoEnhancer`); itself if it is not fast."""
        return self if self._tables is None else VideoEnhancer(self)

    def captured_check(self) -> CapturedCheck | None:
        """A check that pictures were captured with `profile`; None for enhancers and profiles that do not allow it."""
        if self._tables is None or not is_pointwise(self.profile.blocks):
            return None
        return CapturedCheck(self.profile, self._tables.prior, self.recolouring)

    def check_profile(self, digest: str, name: str) -> None:
        """Refuse pictures of another profile, which this enhancer would make worse.

        Raises:
            CamproError: if `digest` is not the digest of `profile`.
        """
        if digest != self.profile.digest:
            remedy = "train one for it: campro design --enhance"
            wanted = f"pictures of {self.profile.name} ({self.profile.digest[:12]})"
            raise CamproError("enhancer", wanted, f"{name} ({digest[:12]})", remedy)

    def _restored(
        self, rgb: Rgb8, recoloured: Recoloured, cell_map: Float32[np.ndarray, "7 h w"], out: Rgb8 | None
    ) -> Rgb8:
        """The restored picture, multiplied by the mask."""
        if recoloured.is_camera_output:
            return self._select(rgb, recoloured.rgb, recoloured.ambiguity, cell_map, out)
        return self._compose(recoloured.rgb, recoloured.ambiguity, cell_map, out)

    def _set_fill(self, fill: Fill | None) -> None:
        if self._tables is None and fill not in (None, BLACK):
            wanted = f"--fill {BLACK} for an enhancer whose file does not give the mask"
            raise CamproError("enhancer", wanted, str(fill))
        self.fill: Fill = BLACK if self._tables is None else fill or SMOOTH
        """What stands where a face is masked."""
        # With "black" the digest is that of versions without fills.
        self.digest = json_digest(self._settings if self.fill == BLACK else [*self._settings, self.fill, FILL_SETTINGS])
        """Content hash of file, settings and fill."""

    @cached_property
    def _compose(self) -> Composer:
        return Composer(self._fast_tables().residual_lut)

    @cached_property
    def _select(self) -> PreimageSelector:
        return PreimageSelector(self.recolouring.preimages)

    def _fast_tables(self) -> _Tables:
        if self._tables is None:
            raise CamproError("enhancer", "a fast enhancer, which has colour tables", "another enhancer")
        return self._tables

    def _run(self, inputs: dict[str, np.ndarray]) -> Float32[np.ndarray, "1 c h w"]:
        """The output of the network: the picture, or a cell map of 7 planes in 1/8 of the size of PADDED."""
        try:
            (output,) = self._session.run([self._output], inputs)
            height, width = next(iter(inputs.values())).shape[2:]
            shape = (1, 3, height, width) if self._tables is None else (1, 7, height // CELL, width // CELL)
            if output.shape != shape or output.dtype != np.float32 or not np.isfinite(output).all():
                raise ValueError(f"an output {output.shape} of {output.dtype}, or NaN; expected {shape}")
        except Exception as error:  # onnxruntime raises errors of many classes
            raise _damaged("enhancer", error) from error
        return np.asarray(output)


class VideoEnhancer:
    """A fast enhancer for the frames of one video; cells become masked at once and visible again slowly.

    Near the decision threshold noise changes the mask in every frame, and masked patches would flicker. A mask that is
    slow in both directions would show a moving face. Where the content of a cell changes, the mask may rise at once.
    """

    def __init__(self, enhancer: OnnxEnhancer) -> None:
        self.name = enhancer.name
        self.digest = json_digest(["film", MAX_MASK_RISE, RISE_PER_CHANGE, enhancer.digest])
        self._enhancer = enhancer
        self._before: Float32[np.ndarray, "7 h w"] | None = None

    def __call__(self, rgb: Rgb8) -> Rgb8:
        """The next frame, enhanced; a frame of another size starts a new video."""
        recoloured = self._enhancer.recolouring(rgb)
        cell_map = self._enhancer.cell_map(rgb, recoloured).copy()
        if self._before is not None and self._before.shape == cell_map.shape:
            change = np.abs(cell_map[1:4] - self._before[1:4]).max(0)
            cell_map[0] = np.minimum(cell_map[0], self._before[0] + MAX_MASK_RISE + RISE_PER_CHANGE * change)
        self._before = cell_map
        return self._enhancer.compose(rgb, recoloured, cell_map, out=recoloured.rgb)


def load_enhancer(path: Path | None = None, fill: Fill | None = None) -> OnnxEnhancer:
    """The enhancer in that file, or the shipped one for `campro-default`; `fill` as for `OnnxEnhancer`.

    It changes two settings of the process, each of which saves a tenth of the time at 1080p: the allocator keeps freed
    memory, and idle threads of the kernels release their cores to onnxruntime.

    Raises:
        CamproError: as `OnnxEnhancer`.
    """
    retain_freed_memory()
    disable_busy_waiting()
    return OnnxEnhancer(path or SHIPPED, fill=fill)


def _unmasked(cell_map: Float32[np.ndarray, "7 h w"]) -> Float32[np.ndarray, "7 h w"]:
    """A copy of a cell map that masks nothing."""
    whole = cell_map.copy()
    whole[0] = 1
    return whole


class _Tables(NamedTuple):
    """The tables in the file of a fast enhancer."""

    lut: Float32[np.ndarray, "n n n 3"]
    """Values of its 3D LUT, colours last."""
    residual_lut: Float32[np.ndarray, "n n n"]
    ambiguity: UInt8[np.ndarray, " bins"]
    """Ambiguity code of the LUT's output, for each bin of captured colours."""
    prior: Float64[np.ndarray, " bins"]
    """Prior of raw colours."""

    @classmethod
    def of(cls, model: onnx.ModelProto, prior: str) -> _Tables:
        """Read and check the tables; the compiled kernels that use them do not check indices.

        Raises:
            ValueError: for tables of another shape or type, or with values that are not finite.
        """
        lut, residual_lut = (_table(model, name).astype(np.float32) for name in ("lut", "residual_lut"))
        bins, ambiguity = np.frombuffer(b64decode(prior), np.float16).astype(np.float64), _table(model, "ambiguity")
        nodes, residual_nodes = len(lut[0]), len(residual_lut[0])
        if nodes < 2 or lut.shape != (3, nodes, nodes, nodes) or residual_nodes < 2:
            raise ValueError(f"a LUT of shape {lut.shape}")
        if residual_lut.shape != (1, residual_nodes, residual_nodes, residual_nodes):
            raise ValueError(f"a residual LUT of shape {residual_lut.shape}")
        if ambiguity.shape != (BINS,) or ambiguity.dtype != np.uint8 or ambiguity.max() > MAX_AMBIGUITY:
            raise ValueError("no table of ambiguity codes")
        if bins.shape != (BINS,) or not (bins > 0).all():
            raise ValueError("no prior of raw colours above 0")
        if not all(np.isfinite(table).all() for table in (lut, residual_lut, bins)):
            raise ValueError("tables with values that are not finite")
        return cls(np.ascontiguousarray(lut.transpose(1, 2, 3, 0)), residual_lut[0], ambiguity, bins)


def _table(model: onnx.ModelProto, name: str) -> np.ndarray:
    """A table of a fast enhancer, by its name in LUTS."""
    weights = {weight.name: weight for weight in model.graph.initializer}
    end = "" if name == "ambiguity" else f".values{HALF}"
    found = next(key for one in (name, LUTS[name]) if (key := f"enhancer.{one}{end}") in weights)
    return np.asarray(numpy_helper.to_array(weights[found]))


def _read(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise CamproError(str(path), "an enhancer as an ONNX file", "no such file")
    try:
        model = onnx.load(str(path))
        names = {value.name for value in (*model.graph.input, *model.graph.output)}
        if not {PICTURE, ENHANCED} <= names or PROFILE not in {entry.key for entry in model.metadata_props}:
            raise ValueError(f"a network with inputs and outputs {', '.join(sorted(names))}")
        if CELL_MAP in names:
            _table(model, "ambiguity")
    except StopIteration as error:
        raise CamproError(str(path), "an enhancer of this version", "an older version", "export it again") from error
    except Exception as error:  # a damaged file can raise any exception
        raise _damaged(str(path), error) from error
    return model


def _damaged(who: str, error: Exception) -> CamproError:
    reason = " ".join(str(error).split())[:160]
    return CamproError(who, "an enhancer that campro exported", reason, "export it again")
