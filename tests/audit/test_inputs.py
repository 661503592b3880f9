"""A run folder of other inputs is refused, whichever input was changed: cells are never those of other files."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from support.fake_audit import MeanColour, View

from campro.audit import audit_context, cell_keys
from campro.audit.audit_config import ENHANCED, AuditConfig
from campro.audit.audit_context import AuditContext
from campro.core.errors import CamproError
from campro.core.hashing import json_digest
from campro.core.images import write_image
from campro.core.run_folder import RunFolder
from campro.isp import load_profile


def picture(folder, name, seed):
    write_image(folder / name, np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8))


def scenes(folder, name, box):
    image = {"id": 1, "file_name": f"{name}.png", "width": 8, "height": 8}
    person = {"id": 1, "image_id": 1, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
    coco = {"images": [image], "annotations": [person], "categories": [{"id": 1, "name": "person"}]}
    (folder / f"{name}.json").write_text(json.dumps(coco))


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Write all inputs, and make a context of an audit of them."""
    for seed, name in enumerate(("faces/a/0", "faces/a/1", "faces/b/0", "train/c/0", "photos/0", "val", "train")):
        picture(tmp_path, f"{name}.png", seed)
    scenes(tmp_path, "val", [1, 1, 4, 6])
    scenes(tmp_path, "train", [1, 1, 4, 6])
    (tmp_path / "faces" / "groups.csv").write_text("person,group\na,x\nb,y\n")
    (tmp_path / "faces" / "pairs.txt").write_text("1 1\n")
    load_profile("invert").save(tmp_path / "profile.json")
    detectors = {"dlib": "1", "yunet": "2"}
    monkeypatch.setattr(audit_context, "load_face_detector", lambda name: SimpleNamespace(digest=detectors[name]))
    card = replace(MeanColour().card, weights_sha256="a" * 64)
    state = SimpleNamespace(card=card, detector="d" * 64, enhancer="e", face_detectors=detectors, folder=tmp_path)

    def context():
        made = AuditContext(
            AuditConfig(
                profile=str(tmp_path / "profile.json"),
                faces=tmp_path / "faces",
                scenes=tmp_path / "val.json",
                train_scenes=(tmp_path / "train.json",),
                train_faces=tmp_path / "train",
                photos=(tmp_path / "photos",),
                face_models=("onnx/card",),
                face_detectors=("yunet",),
                enhancer="none",
            )
        )
        embedder = MeanColour()
        embedder.card = state.card
        made._embedders["onnx/card"] = embedder
        made.detector = SimpleNamespace(card=SimpleNamespace(weights_sha256=state.detector))
        made.views[ENHANCED] = View(state.enhancer, lambda rgb: rgb)
        return made

    return context, state


def set_card(state, **changes):
    state.card = replace(state.card, **changes)


CHANGES = {
    "profile": lambda state: load_profile("negative").save(state.folder / "profile.json"),
    "faces": lambda state: picture(state.folder, "faces/a/0.png", 99),
    "faces: a name": lambda state: (state.folder / "faces/b").rename(state.folder / "faces/z"),
    "groups": lambda state: (state.folder / "faces/groups.csv").write_text("person,group\na,y\nb,y\n"),
    "pairs": lambda state: (state.folder / "faces/pairs.txt").write_text("1 2\n"),
    "face model": lambda state: set_card(state, weights_sha256="b" * 64),
    "card: mean": lambda state: set_card(state, mean=0.25),
    "card: order": lambda state: set_card(state, order="bgr"),
    "face detector dlib": lambda state: state.face_detectors.update(dlib="new"),
    "face detector yunet": lambda state: state.face_detectors.update(yunet="new"),
    "scenes": lambda state: picture(state.folder, "val.png", 99),
    "scenes: a box": lambda state: scenes(state.folder, "val", [1, 1, 5, 6]),
    "person detector": lambda state: setattr(state, "detector", "f" * 64),
    "train_scenes": lambda state: picture(state.folder, "train.png", 99),
    "train_faces": lambda state: picture(state.folder, "train/c/0.png", 99),
    "photos": lambda state: picture(state.folder, "photos/0.png", 99),
    "photos: one more": lambda state: picture(state.folder, "photos/1.png", 99),
    "enhanced": lambda state: setattr(state, "enhancer", "other"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_input_is_refused_by_name(change, build, tmp_path):
    context, state = build
    RunFolder.open(tmp_path / "run", {}, inputs=context().inputs())
    RunFolder.open(tmp_path / "run", {}, inputs=context().inputs())  # unchanged
    CHANGES[change](state)
    with pytest.raises(CamproError, match=f"the inputs that this run was started with.*{change.partition(':')[0]}"):
        RunFolder.open(tmp_path / "run", {}, inputs=context().inputs())


ATTACK = {
    "model": ("m", "n"),
    "name": ("filters", "fusion"),
    "run": ("gamma (1)", "gamma (2)"),
    "camera": ("captured", "control"),
    "matchers": (("nearest",), ("nearest", "linear")),
    "budget": ("quick", "full"),
}
KEYS = [
    (cell_keys.identification, {"model": "mn", "view": "vw", "matcher": "ab"}),
    (cell_keys.identification_by_group, {"model": "mn", "view": "vw"}),
    (cell_keys.face_detection, {"detector": "de", "view": "vw"}),
    (cell_keys.end_to_end, {"model": "mn", "view": "vw"}),
    (cell_keys.person_detection, {"view": "vw", "adapted": (False, True)}),
    (cell_keys.image_quality, {"view": "vw"}),
    (cell_keys.attack, ATTACK),
]


def test_every_part_of_a_key_counts():
    """Each change of one argument, and each kind of cell, has a key of its own."""
    digests = [json_digest(getattr(cell_keys, name)) for name in dir(cell_keys) if name.isupper()]
    for make, values in KEYS:
        first = {name: options[0] for name, options in values.items()}
        digests.append(json_digest(make(**first)))
        digests += [json_digest(make(**first | {name: options[1]})) for name, options in values.items()]
    assert len(set(digests)) == len(digests)
