"""Sets of faces and scenes, splits, and the embedded sample (`campro.data.embedded`)."""

from campro.data.faces import FaceSet, read_faces
from campro.data.scenes import SceneSet, join_scenes, read_scenes
from campro.data.splits import assert_disjoint, draw_split, split_identities

__all__ = [
    "FaceSet",
    "SceneSet",
    "assert_disjoint",
    "draw_split",
    "join_scenes",
    "read_faces",
    "read_scenes",
    "split_identities",
]
