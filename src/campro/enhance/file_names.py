"""Names inside an enhancer's ONNX file, which `export` writes and `runner` reads."""

from __future__ import annotations

PICTURE, ENHANCED = "captured", "enhanced"
"""The input (B, 3, H, W) in [0, 1] and the output of the same shape."""
CELL_MAP, PADDED, FEATURES = "context", "seen", "told"
"""In the file of `fast`: the cell map, and the inputs of the two networks that compute it (padded pictures and
`cell_features`)."""
PROFILE, PRIOR = "profile", "prior"
"""Keys of the file's metadata: the profile (JSON), and the prior of raw colours of `fast` (base64 of float16)."""
HALF = "/half"
"""Suffix of the name of a weight that is stored in half precision."""
