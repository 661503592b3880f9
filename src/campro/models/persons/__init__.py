"""Person detectors: their interface, their table, and their adaptation to a camera."""

from campro.models.persons.person_detector import DetectorCard, PersonDetector, TrainableDetector
from campro.models.persons.person_detectors import PERSON_DETECTORS, load_detector

__all__ = ["PERSON_DETECTORS", "DetectorCard", "PersonDetector", "TrainableDetector", "load_detector"]
