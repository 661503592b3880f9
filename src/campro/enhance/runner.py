"""Run an exported enhancer on 8-bit pictures: the `ImageTransform` behind `campro enhance`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.utils
import onnxruntime
import torch
from jaxtyping import Float32
from onnx import numpy_helper

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.core.images import to_rgb8
from campro.core.types import Rgb8
from campro.enhance.export import CONTEXT, ENHANCED, HALF, PICTURE, PROFILE
from campro.enhance.fused import Composer, planes

SHIPPED = Path(__file__).parent / "weights" / "campro-default.onnx"


class OnnxEnhancer:
    """An enhancer from a file that `export_onnx` wrote.

    Of the fast one only the small network is run by onnxruntime: the rest, which touches every pixel, is one kernel of
    ours, which is several times faster than onnxruntime's interpolation in volumes.
    """

    def __init__(self, path: Path, name: str = "enhanced") -> None:
        model = _read(path)
        self.name, self.digest = name, file_sha256(path)
        notes = {entry.key: entry.value for entry in model.metadata_props}
        self.profile = notes.get(PROFILE, "")
        """Digest of the profile whose pictures it enhances."""
        fast = CONTEXT in {output.name for output in model.graph.output}
        self.table = _table(model, path) if fast else None
        """The 3D LUT of a fast enhancer, [blue, green, red, colour]."""
        self._compose = Composer(self.table) if self.table is not None else None
        self._output = CONTEXT if fast else ENHANCED
        wanted = onnx.utils.Extractor(model).extract_model([PICTURE], [self._output])
        options = onnxruntime.SessionOptions()
        # Its idle threads would otherwise spin for a while on the cores that the kernel wants next.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            wanted.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, rgb: Rgb8) -> Rgb8:
        """One captured picture, enhanced."""
        answer = self._run(rgb)
        if self._compose is not None:
            return self._compose(rgb, answer[0])
        return to_rgb8(torch.from_numpy(answer).clamp(0, 1))[0]

    def with_faces(self, rgb: Rgb8) -> Rgb8:
        """Its colours alone, nothing left out: what one makes of a captured picture who owns the file of a fast one.

        Raises:
            CamproError: for an enhancer whose network does both at once.
        """
        if self._compose is None:
            raise CamproError("enhancer", "a fast one, whose map stands apart", "another")
        context = self._run(rgb)[0].copy()
        context[0] = 1
        return self._compose(rgb, context)

    def _run(self, rgb: Rgb8) -> Float32[np.ndarray, "1 c h w"]:
        (answer,) = self._session.run([self._output], {PICTURE: planes(rgb)})
        return np.asarray(answer)

    def check_profile(self, digest: str, name: str) -> None:
        """Refuse pictures of a profile that this enhancer was not made for: it would only make them worse."""
        if digest != self.profile:
            remedy = "train one for it: campro design --enhance"
            raise CamproError(
                "enhancer", f"pictures of the profile {self.profile[:12]}", f"{name} ({digest[:12]})", remedy
            )


def load_enhancer(path: Path | None = None) -> OnnxEnhancer:
    """The enhancer in that file, or the one of `campro-default` that ships."""
    return OnnxEnhancer(path or SHIPPED)


def _read(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise CamproError(str(path), "an enhancer as an ONNX file", "no such file")
    try:
        model = onnx.load(str(path))
        names = {value.name for value in (*model.graph.input, *model.graph.output)}
        if not {PICTURE, ENHANCED} <= names:
            raise ValueError(f"a network from {', '.join(sorted(names))}")
    except Exception as error:  # a damaged file can raise anything
        reason = " ".join(str(error).split())[:160]
        raise CamproError(str(path), "an enhancer that campro exported", reason, "export it again") from error
    return model


def _table(model: onnx.ModelProto, path: Path) -> Float32[np.ndarray, "n n n 3"]:
    """The 3D LUT in the file, colours last."""
    for entry in model.graph.initializer:
        if entry.name.endswith("table.values" + HALF):
            return np.ascontiguousarray(numpy_helper.to_array(entry).transpose(1, 2, 3, 0), dtype=np.float32)
    raise CamproError(str(path), "the 3D LUT of a fast enhancer", "none in the file", "export it again")
