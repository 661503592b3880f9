"""What must go on working behind the camera: person detection."""

from campro.models.persons.person_detector import DetectorCard, PersonDetector, TrainableDetector
from campro.models.persons.person_detectors import PERSON_DETECTORS, load_detector

__all__ = ["PERSON_DETECTORS", "DetectorCard", "PersonDetector", "TrainableDetector", "load_detector"]
