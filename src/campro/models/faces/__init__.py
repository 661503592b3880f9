"""Face detection, alignment and embedding."""

from campro.models.faces.align import align, crop_with
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder
from campro.models.faces.embedders import FACE_EMBEDDERS, load_embedder
from campro.models.faces.embedding import crop_photos, embed_photos
from campro.models.faces.face_detectors import FACE_DETECTORS, load_face_detector
from campro.models.faces.landmarks import FaceDetector, Landmarks, find_landmarks

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
