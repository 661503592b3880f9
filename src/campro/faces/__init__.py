"""Faces: find, align, embed."""

from campro.faces.align import align, crop_with
from campro.faces.card import EmbedderCard, FaceEmbedder
from campro.faces.detectors import FACE_DETECTORS, load_face_detector
from campro.faces.embed import crop_photos, embed_photos
from campro.faces.embedders import FACE_EMBEDDERS, load_embedder
from campro.faces.landmarks import FaceDetector, Landmarks, find_landmarks

__all__ = [
    "FACE_DETECTORS",
    "FACE_EMBEDDERS",
    "EmbedderCard",
    "FaceDetector",
    "FaceEmbedder",
    "Landmarks",
    "align",
    "crop_photos",
    "crop_with",
    "embed_photos",
    "find_landmarks",
    "load_embedder",
    "load_face_detector",
]
