"""Names and files in options, checked before anything heavy is imported or read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from campro.attacks.attack_options import ATTACK_GROUPS, ATTACK_OPTIONS, option_name
from campro.core.errors import CamproError
from campro.models.model_table import MODELS, Kind
from campro.paper.paper_options import ITEM_NAMES

KINDS: dict[str, Kind] = {
    "face_models": "face recogniser",
    "face_model": "face recogniser",
    "landmarks": "face detector",
    "face_detectors": "face detector",
    "detector": "person detector",
    "pose_models": "pose estimator",
    "captioners": "captioner",
}
"""Options whose values are models."""
MATCHERS = ("nearest", "linear")
PROFILES = tuple(sorted(file.stem for file in (Path(__file__).parents[1] / "isp" / "profiles").glob("*.json")))
CAMERAS = (
    *("rpi-vc4", "rpi-pisp", "rkisp1", "rkisp1-log", "rkisp1-equal", "libcamera-simple", "rockchip-rkaiq"),
    *("rockchip-isp21", "rockchip-isp30", "rockchip-isp32", "jetson-isp", "esp32-p4", "ingenic", "hisilicon"),
    *("android-camera2", "software"),
)
ISP_PARAMETERS = (
    *("curve-per-channel", "offsets", "bits", "defocus", "low-resolution", "chroma-blur"),
    *("scaler", "denoise", "chroma-subsampling", "jpeg", "h264"),
)
CHOICES = {
    **{option: tuple(name for name, entry in MODELS.items() if entry.kind == kind) for option, kind in KINDS.items()},
    "matchers": MATCHERS,
    "attack_matchers": MATCHERS,
    "attacks": (*ATTACK_GROUPS, *ATTACK_OPTIONS),
    "attackers": ("recogniser", "filters", "colours", "distilled", "ridge"),
    "profile": PROFILES,
    "baselines": PROFILES,
    "start": ("plain", *PROFILES),
    "target": ("auto", *CAMERAS),
    "isp": ISP_PARAMETERS,
    "enhancer": ("auto", "none"),
    "only": ITEM_NAMES,
}
"""Option to names. The tables themselves take seconds to import; a test compares the names with them."""
FILES_TOO = {"profile", "baselines", "start", "enhancer"}
"""Options of CHOICES that also accept a file, .json or .onnx."""
INPUTS = {
    *("faces", "scenes", "images", "train_scenes", "train_faces", "photos", "restorers", "source"),
    *("detector_weights", "face_weights", "base", "default", "protected", "run", "runs", "camera_shot", "default_shot"),
    *("profiles", "results", "audits", "enhancers", "data"),
}
"""Options that name existing files or folders."""
OUTPUTS = {"out", "plot", "stats_json"}
FREE_TEXT = {"name", "names", "cluster", "command", "sensor", "lens", "sensor_width", "sink", "host", "range_people"}
"""Options that accept any text, or that the command itself checks at once."""
POSITIONAL = {"source", "sink", "run", "runs"}


def check_choices(config: Any) -> None:
    """Check the options of a command that are in CHOICES.

    Raises:
        CamproError: for an unknown name.
    """
    for option in vars(config):
        for value in _values(getattr(config, option)) if option in CHOICES else ():
            _check_name(option, value)


def check_inputs(config: Any) -> None:
    """Check that the files and folders that options name exist.

    Raises:
        CamproError: for the first that does not.
    """
    for option in vars(config):
        for value in _values(getattr(config, option)):
            is_file = option in INPUTS or (option in FILES_TOO and not _is_name(option, value))
            if option == "face_weights" and "=" in value and not Path(value).exists():
                value = value.partition("=")[2]  # NAME=PATH of an audit; a design has one recogniser, and PATH alone
            if is_file and not _is_live(option, value) and not Path(value).exists():
                who = option.upper() if option in POSITIONAL else _option(option)
                raise CamproError(who, "an existing file or folder", value)


def _values(value: Any) -> Iterator[str]:
    """The texts and paths of an option, none of them empty."""
    for one in value if isinstance(value, tuple) else (value,):
        if isinstance(one, str | Path) and str(one):
            yield str(one)


def _check_name(option: str, name: str) -> None:
    names = CHOICES[option]
    is_file = option in FILES_TOO and (Path(name).suffix in (".json", ".onnx") or Path(name).is_file())
    if not _is_name(option, name) and not is_file:
        near = get_close_matches(name, names, 1)
        remedy = f"did you mean {near[0]}?" if near else ""
        wanted = "one of " + ", ".join(names) + (", or a file" if option in FILES_TOO else "")
        raise CamproError(_option(option), wanted, repr(name), remedy)


def _is_name(option: str, name: str) -> bool:
    return KNOWN.get(option, CHOICES[option].__contains__)(name)


def _is_model(kind: Kind, name: str) -> bool:
    """Whether `name` is in the table of models; capitals there, after a slash, stand for a member or a file."""
    family, _, member = name.partition("/")
    for entry in (entry.name for entry in MODELS.values() if entry.kind == kind):
        own, _, place = entry.partition("/")
        if not re.fullmatch(r"[A-Z_]+(\.\w+)?", place):
            if name == entry:
                return True
        elif own == family and member and ("." not in place or Path(member).is_file()):
            return True
    return False


def _is_isp_parameter(text: str) -> bool:
    """Whether `text` is NAME or NAME=NUMBER."""
    name, equals, value = text.partition("=")
    try:
        return name in ISP_PARAMETERS and (not equals or float(value) == float(value))
    except ValueError:
        return False


def _is_live(option: str, value: str) -> bool:
    """Whether a source is a live video, as in `campro.core.media.is_live`, or standard input."""
    return option == "source" and (value == "-" or "://" in value or value.startswith("/dev/video"))


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


KNOWN: dict[str, Callable[[str], bool]] = {
    "attacks": lambda name: option_name(name) in CHOICES["attacks"],
    "baselines": lambda name: name in (*PROFILES, "raw", "captured", "enhanced"),
    "isp": _is_isp_parameter,
    **{option: partial(_is_model, kind) for option, kind in KINDS.items()},
    "face_models": lambda name: name == "available" or _is_model("face recogniser", name),
}
"""Options whose values are not exactly the names of CHOICES."""
