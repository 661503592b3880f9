"""A small audit of real photographs, against figures worked out another way."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage import data

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, RAW, AuditConfig
from campro.audit.audit_context import AuditContext
from campro.audit.audit_run import run_audit
from campro.core.errors import CamproError
from campro.core.images import read_image, write_image
from campro.models.faces import Landmarks, align, embedding, load_embedder

PEOPLE, MODEL = 8, "mobilefacenet"


@pytest.fixture(scope="module")
def few(shared_data, tmp_path_factory):
    """Two photographs each of a few people, three photographs of scenes, and an empty cache."""
    folder = tmp_path_factory.mktemp("few")
    people = [one for one in sorted((shared_data / "lfw" / "images").iterdir()) if len(list(one.iterdir())) == 2]
    (folder / "faces").mkdir()
    for person in people[:PEOPLE]:
        (folder / "faces" / person.name).symlink_to(person)
    coco = json.loads((shared_data / "coco" / "annotations" / "instances_val2017.json").read_text())
    coco["images"] = coco["images"][:3]
    kept = {image["id"] for image in coco["images"]}
    coco["annotations"] = [row for row in coco["annotations"] if row["image_id"] in kept]
    (folder / "annotations").mkdir()
    (folder / "annotations" / "instances_val2017.json").write_text(json.dumps(coco))
    (folder / "val2017").symlink_to(shared_data / "coco" / "val2017")
    config = AuditConfig(
        faces=folder / "faces",
        scenes=folder / "annotations" / "instances_val2017.json",
        face_models=(MODEL,),
        matchers=("nearest",),
        landmarks="yunet",
        detector="yolox-nano",
        baselines=(),
        enhancer="none",
        few_people=True,
        repeats=3,
        adapt_steps=0,
        measure=("identification", "detection"),
        out=folder / "run",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMPRO_CACHE", str(folder / "cache"))
        yield config


@pytest.fixture(scope="module")
def first(few):
    """The run folder of an audit of these photographs."""
    return run_audit(few)


@pytest.mark.slow
@pytest.mark.shared
def test_figures_agree_with_a_loop_over_the_photographs(few, first):
    photos = [sorted(folder.iterdir()) for folder in sorted(few.faces.iterdir())]
    embedder = load_embedder(MODEL)
    with torch.no_grad():
        embeddings = [torch.cat([embedder(align(read_image(p), embedder.card)[:1]) for p in own]) for own in photos]
    hits = [
        int(np.argmax([float(embeddings[i][probe] @ embeddings[j][1 - probe]) for j in range(PEOPLE)]) == i)
        for i in range(PEOPLE)
        for probe in (0, 1)
    ]
    cell = first.cell(cell_keys.identification(MODEL, RAW, "nearest"))
    assert cell["people"] == PEOPLE
    assert abs(cell["rank1"]["mean"] - np.mean(hits)) <= 0.2  # trials differ in who is the probe
    captured = first.cell(cell_keys.identification(MODEL, CAPTURED, "nearest"))
    assert captured["rank1"]["mean"] <= 0.5 < cell["rank1"]["mean"]
    assert first.cell(cell_keys.person_detection(RAW, False))["ap"] > 0.2


@pytest.mark.slow
@pytest.mark.shared
def test_a_second_audit_embeds_nothing(few, first, tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("embedded again")

    monkeypatch.setattr(embedding, "embed_crops", refuse)
    second = run_audit(replace(few, out=tmp_path / "again", measure=("identification",)))
    key = cell_keys.identification(MODEL, CAPTURED, "nearest")
    assert first.cell(key) == second.cell(key)


@pytest.mark.shared
def test_audited_photographs_never_train_the_detector(few, shared_data):
    config = AuditConfig(**(vars(few) | {"adapt_steps": 1, "train_scenes": (few.scenes,)}))
    with pytest.raises(CamproError, match="images that val2017 does not contain"):
        AuditContext(config).inputs()
    both = (few.scenes, shared_data / "scenes" / "construction_ppe" / "annotations.json")
    train_scenes = AuditContext(AuditConfig(**(vars(config) | {"train_scenes": both}))).train_scenes
    assert not {scene.path.name for scene in train_scenes.scenes} & {
        path.name for path in (few.scenes.parent.parent / "val2017").iterdir()
    }
    assert sum("also in val2017" in line for line in train_scenes.problems) == 3
    assert not AuditContext(few).adapts


def test_a_simulated_camera_stands_in_front_of_every_view():
    config = AuditConfig(sensor_noise=1e-3, enhancer="none", baselines=("invert",))
    views = AuditContext(config).views
    picture = data.astronaut()[:64, :96]
    raw = views[RAW](picture)
    assert 1 < np.abs(raw.astype(int) - picture).mean() < 40
    assert (views["invert"](picture) == 255 - raw).all()
    assert (views[CAPTURED](picture) != raw).any()
    assert views[RAW].digest != AuditContext(AuditConfig(enhancer="none")).views[RAW].digest


def _people(folder, count):
    for person in range(count):
        for number in range(2):
            write_image(folder / f"p{person:02}/{number}.png", np.full((8, 8, 3), 2 * person + number, np.uint8))


@pytest.mark.parametrize(
    ("count", "few_people", "message"),
    [(19, False, "at least 20 people.*got 19.*--few-people"), (1, True, "at least 2 people"), (2, True, None)],
)
def test_fewer_than_20_people_are_refused_unless_asked_for(tmp_path, monkeypatch, count, few_people, message):
    _people(tmp_path, count)
    context = AuditContext(AuditConfig(faces=tmp_path, few_people=few_people))
    monkeypatch.setattr(
        AuditContext,
        "landmarks",
        lambda self, faces: Landmarks("five", "all", {photo: None for photo in faces.photos}),
    )
    if message is None:
        assert context.evaluation.people == count
    else:
        with pytest.raises(CamproError, match=message):
            _ = context.evaluation
