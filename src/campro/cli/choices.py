"""Names of models and matchers in options, checked before anything heavy is imported or read."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from campro.attacks.attack_options import ATTACK_GROUPS, ATTACK_OPTIONS, option_name
from campro.core.errors import CamproError
from campro.models.model_table import families

RECOGNISERS = families("face recogniser")
FACE_DETECTORS = families("face detector")
PERSON_DETECTORS = families("person detector")
MATCHERS = ("nearest", "linear")
CHOICES = {
    "face_models": RECOGNISERS,
    "face_model": RECOGNISERS,
    "landmarks": FACE_DETECTORS,
    "face_detectors": FACE_DETECTORS,
    "detector": PERSON_DETECTORS,
    "matchers": MATCHERS,
    "attack_matchers": MATCHERS,
    "attacks": (*ATTACK_GROUPS, *ATTACK_OPTIONS),
    "attackers": ("recogniser", "filters", "colours", "distilled", "ridge"),
}
"""Option to names. The tables themselves take seconds to import; a test compares the names with them. A member of a
family or a file may follow after a slash, which is checked when the model is loaded."""


def check_choices(config: Any) -> None:
    """Check the options of a command that are in CHOICES.

    Raises:
        CamproError: for an unknown name.
    """
    for option, names in CHOICES.items():
        value = getattr(config, option, ())
        for name in (value,) if isinstance(value, str) else value or ():
            if name and _spelt(option, name) not in names:
                near = get_close_matches(name, names, 1)
                remedy = f"did you mean {near[0]}?" if near else ""
                raise CamproError(f"--{option.replace('_', '-')}", "one of " + ", ".join(names), repr(name), remedy)


def _spelt(option: str, name: str) -> str:
    return option_name(name) if option == "attacks" else name.partition("/")[0]
