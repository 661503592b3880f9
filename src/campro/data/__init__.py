"""Faces, scenes, splits, and the embedded sample."""

from campro.data.faces import FaceSet, read_faces
from campro.data.scenes import SceneSet, read_scenes
from campro.data.splits import assert_disjoint, draw_split, split_identities

__all__ = ["FaceSet", "SceneSet", "assert_disjoint", "draw_split", "read_faces", "read_scenes", "split_identities"]
