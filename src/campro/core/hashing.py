"""Content hashes, which are the keys of cached results and identify inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from campro.core.errors import CamproError

if TYPE_CHECKING:
    from torch import Tensor


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in constant memory.

    Raises:
        CamproError: if the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CamproError(str(path), "a readable file", error.strerror or str(error)) from error


def canonical_json(value: Any) -> str:
    """The canonical JSON text of `value`: sorted keys, no spaces, ASCII.

    Raises:
        CamproError: for NaN, infinity and types that JSON does not have.

    >>> canonical_json({"b": [1, None], "a": 0.5})
    '{"a":0.5,"b":[1,null]}'
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise CamproError("canonical_json", "plain, finite JSON values", str(error)) from error


def json_digest(value: Any) -> str:
    """Hexadecimal SHA-256 of the canonical JSON text; the order of keys does not matter.

    Raises:
        CamproError: for NaN, infinity and types that JSON does not have.

    >>> json_digest({"a": 1, "b": 2}) == json_digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Hexadecimal SHA-256 of named tensors: names, dtypes, shapes and bytes, sorted by name; the device is ignored."""
    import torch  # imported here because it is slow to import

    total = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        total.update(canonical_json([name, str(tensor.dtype), list(tensor.shape)]).encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        total.update(flat.view(torch.uint8).numpy().data)
    return total.hexdigest()
