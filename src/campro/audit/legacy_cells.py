"""Cells of run folders from before cells.jsonl (one file per cell in cells/, version 0.1), in today's form.

The numbers are not changed. The report reads such folders; a run cannot be resumed in them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from campro.attacks.attack_table import find_attack
from campro.attacks.legacy_names import current_name
from campro.audit import cell_keys
from campro.core.cells import Cell, CellFile, Json
from campro.core.errors import CamproError
from campro.core.provenance import UNKNOWN, Origin


def read_cells(folder: Path) -> list[Cell]:
    """All finished cells of a run folder, of this version or the one before.

    Raises:
        CamproError: for damaged files.
    """
    if not (folder / "cells.jsonl").exists() and (folder / "cells").is_dir():
        origin = _origin(folder / "meta.json")
        files = sorted((folder / "cells").glob("*.json"))
        old = [_read_json(file) for file in files]
        people = next((cell["value"]["faces"]["people"] for cell in old if cell["key"] == {"kind": "meta"}), 1)
        return [Cell(*upgraded(cell["key"], cell["value"], people), origin) for cell in old]
    return CellFile(folder / "cells.jsonl").all()


def upgraded(key: Mapping[str, Json], value: Json, people: int = 1) -> tuple[dict[str, Json], Json]:
    """Today's key and value of an old cell; `people` is the number of subjects, for rates that did not say it.

    Raises:
        CamproError: for a cell of an unknown kind.
    """
    kind = key.get("kind")
    if kind == "attack":
        return _attack(key, value)
    if kind == "meta":
        return cell_keys.META, _metadata(value)
    if kind == "identification":
        return dict(key), _identification(value)
    if kind == "group":
        return cell_keys.identification_by_group(key["model"], key["view"]), _groups(value)
    if kind == "detection":
        scores = value["scores"] | {"boxes": value["boxes"]}
        return cell_keys.person_detection(key["view"], key["adapted"]), scores
    if kind == "quality":
        return cell_keys.image_quality(key["view"]), value
    if kind == "faces found":
        return cell_keys.face_detection(key["detector"], key["view"]), _rate(value, people)
    if kind == "end to end":
        return dict(key), _identification(value)
    if kind == "faces left out":
        return cell_keys.FACES_LEFT_OUT, {
            name: one | {"whole": _rate(one["whole"], one["faces"])} for name, one in value.items()
        }
    thumbnails = {
        "chart": cell_keys.COLOUR_CHART,
        "sheet of faces": cell_keys.FACE_THUMBNAILS,
        "sheet of scenes": cell_keys.SCENE_THUMBNAILS,
    }
    if kind in thumbnails:
        return thumbnails[kind], value["scenes"] if kind == "sheet of scenes" else value
    raise CamproError("old run folder", "cells of an audit", f"a cell of kind {kind!r}")


def _attack(key: Mapping[str, Json], value: Json) -> tuple[dict[str, Json], Json]:
    name, run = current_name(key["attack"], key["run"])
    attack = find_attack(name)
    new_key = cell_keys.attack(key["model"], name, run, key["side"], key["matchers"], key.get("budget"))
    people = next(iter(value["matchers"].values()))["people"]
    result = {
        "matchers": {matcher: _identification(found) for matcher, found in value["matchers"].items()},
        "groups": _groups(value.get("groups", ())),
        "threat_model": attack.threat_model,
        "given": attack.given,
        "tied": value.get("tied"),
        "linkability": None if "linkability" not in value else _rate(value["linkability"], people),
        "open_set": _open_set(value.get("open set", {}), people),
        "verification": None if "verification" not in value else _verification(value["verification"]),
        "training_images": value["learned_from"],
        "curve": value["curve"],
        "converged": value["converged"],
        "fit_s": value["fit_s"],
        "judge_s": value["judge_s"],
    }
    return new_key, result


def _rate(old: Mapping[str, float], n: int) -> dict[str, Json]:
    return {"mean": old["mean"], "low": old["low"], "high": old["high"], "n": n, "sd": old.get("sd")}


def _identification(old: Mapping[str, Json]) -> dict[str, Json]:
    people = old["people"]
    rates = {rank: _rate(old[rank], people) for rank in ("rank1", "rank5", "rank50")}
    return {"people": people, "cmc": old["cmc"], "trials": old["repeats"]} | rates


def _groups(old: Sequence[Mapping[str, Json]]) -> list[dict[str, Json]]:
    return [
        dict(group) | {"rank1": None if group["rank1"] is None else _rate(group["rank1"], group["people"])}
        for group in old
    ]


def _open_set(old: Mapping[str, Mapping[str, Json]], people: int) -> list[dict[str, Json]]:
    return [
        {
            "fpir": float(fpir),
            "fnir": _rate({"mean": one["fnir"], "low": one["low"], "high": one["high"]}, people),
            "non_mated": one["strangers"],
        }
        for fpir, one in old.items()
    ]


def _verification(old: Mapping[str, Json]) -> dict[str, Json]:
    """True accept rates at false accept rates become false non-match rates at false match rates."""
    names = ("balanced_accuracy", "standard_error", "missing_pairs")
    points = [
        {
            "fmr": float(far),
            "fnmr": {"mean": 1 - one["tar"], "low": 1 - one["high"], "high": 1 - one["low"], "n": 10, "sd": None},
        }
        for far, one in old.items()
        if isinstance(one, Mapping)
    ]
    return {name: old.get(name) for name in names} | {"missing_pairs": old.get("missing_pairs", 0), "points": points}


def _metadata(old: Mapping[str, Json]) -> dict[str, Json]:
    new = dict(old)
    no_data = {"used": 0, "undetected": 0}
    for name in ("scenes", "train_scenes"):
        new[name] = None if old[name] is None else old[name] | no_data
    added = {
        "attack_matchers": ["nearest"],
        "attacks": [],
        "budget": "standard",
        "measured": ["identification", "detection", "quality"],
        "train_faces": None,
        "photos": 0,
    }
    return {"face_detectors": [], "group_views": []} | added | new


def _origin(meta: Path) -> Origin:
    """The origin of old cells: that of the starts of their run, all of which are named."""
    starts = _read_json(meta)["starts"]
    last = starts[-1]
    commits = list(dict.fromkeys(start["commit"] for start in starts))
    return legacy_origin(last, " or ".join(commit.removesuffix("-dirty") for commit in commits), commits)


def legacy_origin(start: Mapping[str, Any], commit: str, candidates: Sequence[str]) -> Origin:
    """An origin from a start of an old meta.json; dirty if one of the candidate commits was."""
    return Origin(
        commit=commit,
        dirty=any(candidate.endswith("-dirty") for candidate in candidates),
        campro=start.get("campro", UNKNOWN),
        python=start.get("python", UNKNOWN),
        libraries={"torch": start.get("torch", UNKNOWN)},
        platform=start.get("platform", UNKNOWN),
        processor=start.get("processor", UNKNOWN),
        device=start.get("device", UNKNOWN),
    )


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise CamproError(str(file), "readable JSON", f"a damaged file ({error})") from error
