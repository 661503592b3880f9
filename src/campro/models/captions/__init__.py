from campro.models.captions.captioner import Captioner, CaptionerCard
from campro.models.captions.captioners import CAPTIONERS, load_captioner

__all__ = ["CAPTIONERS", "Captioner", "CaptionerCard", "load_captioner"]
