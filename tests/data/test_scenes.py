"""COCO instances files: what is read, what is left out, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.data import SceneSet, join_scenes, read_scenes

SIZE = (30, 20)
"""Width and height of every image."""


def _coco(**changes):
    """Two images, one with a person and a dog."""
    images = [{"id": i, "file_name": f"{i}.png", "width": SIZE[0], "height": SIZE[1]} for i in (1, 2)]
    person = {"id": 7, "image_id": 1, "category_id": 1, "bbox": [2, 3, 10, 12], "area": 50, "iscrowd": 0}
    dog = {"id": 8, "image_id": 2, "category_id": 18, "bbox": [0, 0, 5, 5]}
    categories = [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}]
    return {"images": images, "annotations": [person, dog], "categories": categories} | changes


def _person(**changes):
    return _coco()["annotations"][0] | changes


@pytest.fixture
def folder(tmp_path):
    for i in (1, 2):
        write_image(tmp_path / "images" / f"{i}.png", np.full((SIZE[1], SIZE[0], 3), 40 * i, np.uint8))
    return tmp_path


def _read(folder, content, **options):
    file = folder / "instances.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_scenes(file, **options)


def test_persons_and_images_without_persons_are_read(folder):
    scenes = _read(folder, _coco())
    assert (len(scenes), scenes.person_count, scenes.problems) == (2, 1, ())
    first, second = scenes.scenes
    assert first.truth.boxes.tolist() == [[2, 3, 12, 15]]
    assert first.areas == (50,)
    assert (first.width, first.height) == SIZE
    assert len(second.truth) == 0
    assert str(scenes).endswith("2 photographs with 1 people")


def test_images_without_persons_can_be_left_out(folder):
    assert [scene.path.name for scene in _read(folder, _coco(), require_boxes=True).scenes] == ["1.png"]


def test_unlabelled_images_are_read_only_on_request(folder):
    content = _coco()
    content["images"][1]["labelled"] = False
    assert len(_read(folder, content)) == 1
    assert len(_read(folder, content, unlabelled=True)) == 2


def test_crowd_regions_are_marked_and_boxes_clipped(folder):
    crowd = _person(iscrowd=1, bbox=[-5, 10, 100, 100], area=None)
    scenes = _read(folder, _coco(annotations=[crowd]))
    assert scenes.person_count == 0
    assert scenes.scenes[0].truth.boxes.tolist() == [[0, 10, 30, 20]]
    assert scenes.scenes[0].areas == (300,)


def test_rotated_images_have_the_size_of_the_upright_image(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (SIZE[1], SIZE[0])).save(folder / "images" / "1.png", exif=exif)
    assert _read(folder, _coco()).problems == ()


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ({"bbox": None}, "four finite numbers"),
        ({"bbox": [1, 2, 3]}, "four finite numbers"),
        ({"bbox": [1, 2, "3", 4]}, "four finite numbers"),
        ({"bbox": [1, 2, True, 4]}, "four finite numbers"),
        ({"bbox": [1, 2, float("nan"), 4]}, "four finite numbers"),
        ({"bbox": [1, 2, 10**400, 4]}, "four finite numbers"),
        ({"bbox": [1, 2, 0, 4]}, "a positive width and height"),
        ({"bbox": [40, 2, 3, 4]}, "a box inside 30 x 20"),
    ],
)
def test_an_image_with_a_wrong_box_is_left_out(folder, annotation, message):
    scenes = _read(folder, _coco(annotations=[_person(), _person(**annotation)]))
    assert [scene.path.name for scene in scenes.scenes] == ["2.png"]
    assert len(scenes.problems) == 1 and message in scenes.problems[0]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ({"file_name": None}, "a file_name"),
        ({"file_name": "absent.png"}, "no such file"),
        ({"file_name": "a\0b"}, "no such file"),
        ({"file_name": "x" * 5000}, "no such file"),
        ({"width": 31}, "31 x 20"),
        ({"file_name": "text.png"}, "an image"),
    ],
)
def test_unusable_images_are_left_out(folder, image, message):
    (folder / "images" / "text.png").write_text("no image")
    content = _coco()
    content["images"][0] |= image
    scenes = _read(folder, content)
    assert [scene.path.name for scene in scenes.scenes] == ["2.png"]
    assert message in scenes.problems[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"annotations": [_person(category_id="1")]},
        {"annotations": [_person(image_id="1")]},
        {"annotations": [_person(image_id=1.0, category_id="01")]},
        {"categories": [{"id": "1", "name": "Person"}, {"id": "18", "name": "dog"}]},
        {"images": [{"id": "1", "file_name": "1.png", "width": "30", "height": "20"}]},
        {"images": [{"id": 1, "file_name": "1.png"}]},
        {"images": [{"id": 1, "file_name": "images/1.png", "width": 0, "height": 0}]},
        {"images": [{"id": 1, "file_name": "C:\\\\export\\\\images\\\\1.png"}]},
        {"images": [{"id": 1, "file_name": "/home/somebody/1.png"}]},
    ],
)
def test_files_as_labelling_tools_write_them(folder, changes):
    scenes = _read(folder, _coco(**changes))
    assert (scenes.person_count, scenes.problems) == (1, ())
    assert scenes.scenes[0].path == folder / "images" / "1.png"


def test_equal_entries_are_read_once_and_counted(folder):
    content = _coco(annotations=[_person(), _person()])
    content["images"].append(dict(content["images"][0]))
    scenes = _read(folder, content)
    assert (len(scenes), scenes.person_count) == (2, 1)
    assert scenes.problems == ("left out: 1 images that are listed twice", "left out: 1 boxes that are listed twice")


def test_a_file_under_two_ids_is_left_out(folder):
    content = _coco()
    content["images"].append(content["images"][0] | {"id": 3, "file_name": "./1.png"})
    scenes = _read(folder, content)
    assert [scene.path.name for scene in scenes.scenes] == ["2.png"]
    assert len(scenes.problems) == 2 and "one entry for each image file" in scenes.problems[0]


def test_boxes_of_unknown_categories_are_counted(folder):
    scenes = _read(folder, _coco(annotations=[_person(), _person(category_id=5), _person(category_id=[1])]))
    assert scenes.person_count == 1
    assert scenes.problems == ("left out: 2 boxes in instances.json whose category is not in its list",)


def test_names_never_leave_the_image_folder(folder):
    write_image(folder / "secret.png", np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    for name in ("../secret.png", str(folder / "secret.png"), "x/../../secret.png"):
        content = _coco()
        content["images"][0]["file_name"] = name
        assert "no such file" in _read(folder, content, images_dir=folder / "images").problems[0]


def test_boxes_of_unknown_images_are_counted(folder):
    scenes = _read(folder, _coco(annotations=[_person(image_id=9), _person(image_id=[1])]))
    assert scenes.problems == ("left out: 2 boxes in instances.json that belong to no image",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "JSON"),
        ("[" * 100_000, "JSON"),
        ("[]", "a COCO object"),
        (_coco(images=None), 'a list "images"'),
        (_coco(annotations=[1]), 'a list "annotations"'),
        (_coco(categories=[{"id": 1, "name": "dog"}]), 'a category called "person", got dog'),
        (_coco(images=[image | {"id": 1} for image in _coco()["images"]]), "a different id for each image"),
        (_coco(annotations=[_person(category_id=3)]), "boxes of its categories"),
        (_coco(images=[{"id": 1, "file_name": "absent.png"}]), "its images"),
        (_coco(annotations=[_person(bbox=0), _person(image_id=2, bbox=0)]), "at least one usable image"),
    ],
)
def test_other_files_are_refused(folder, content, message):
    with pytest.raises(CamproError, match=message):
        _read(folder, content)


def test_missing_files_and_folders_are_refused(folder):
    with pytest.raises(CamproError, match="a readable file"):
        read_scenes(folder / "absent.json")
    with pytest.raises(CamproError, match="which is not a folder"):
        _read(folder, _coco(), images_dir=folder / "absent")
    with pytest.raises(CamproError, match="only images without labels or boxes"):
        _read(folder, _coco(annotations=[]), require_boxes=True)


def test_images_are_found_where_coco_has_them(folder):
    (folder / "annotations").mkdir()
    (folder / "images").rename(folder / "val2017")
    file = folder / "annotations" / "instances_val2017.json"
    file.write_text(json.dumps(_coco()))
    scenes = read_scenes(file)
    assert scenes.name == "val2017" and len(scenes) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["person", "1.png", "", "\0", 1, 2]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
PLACES = [
    ("images",), ("annotations",), ("categories",), ("images", 0), ("annotations", 0), ("categories", 0),
    ("images", 0, "id"), ("images", 0, "file_name"), ("images", 0, "width"), ("images", 0, "labelled"),
    ("annotations", 0, "bbox"), ("annotations", 0, "area"), ("annotations", 0, "iscrowd"),
    ("annotations", 0, "image_id"), ("annotations", 0, "category_id"), ("categories", 0, "name"),
]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=3))
@settings(max_examples=200)
@pytest.mark.slow
def test_any_change_gives_valid_scenes_or_a_campro_error(tmp_path_factory, changes):
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    if not folder.exists():
        for i in (1, 2):
            write_image(folder / "images" / f"{i}.png", np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    content = _coco()
    for (*path, key), value in sorted(changes, key=lambda change: -len(change[0])):
        entry = content
        for step in path:
            entry = entry[step]
        entry[key] = value
    try:
        scenes = _read(folder, content)
    except CamproError as error:
        assert "\n" not in str(error)
    else:
        for scene in scenes.scenes:
            assert (scene.truth.boxes[:, 2:] > scene.truth.boxes[:, :2]).all()
            assert (scene.truth.boxes >= 0).all()
            assert (scene.truth.boxes <= torch.tensor([*SIZE, *SIZE])).all()
            assert len(scene.areas) == len(scene.truth) and all(area > 0 for area in scene.areas)


def test_without_leaves_out_images_of_the_other_set_by_content(folder):
    scenes = _read(folder, _coco())
    copy = folder / "other" / "renamed.png"
    copy.parent.mkdir()
    copy.write_bytes((folder / "images" / "1.png").read_bytes())
    other = SceneSet("other", (_renamed(scenes.scenes[0], copy),))
    rest = scenes.without(other)
    assert [scene.path.name for scene in rest.scenes] == ["2.png"]
    assert len(rest.problems) == 1 and "1.png: also in other" in rest.problems[0]
    assert scenes.without(SceneSet("none", ())).scenes == scenes.scenes
    with pytest.raises(CamproError, match="images that other does not contain"):
        scenes.first(1).without(other)


def _renamed(scene, path):
    return type(scene)(path, scene.width, scene.height, scene.truth, scene.areas)


def test_first_and_join_keep_the_order(folder):
    scenes = _read(folder, _coco())
    assert scenes.first(1).scenes == scenes.scenes[:1]
    both = join_scenes([scenes.first(1), scenes])
    assert both.name == "images+images" or both.name.count("+") == 1
    assert [scene.path.name for scene in both.scenes] == ["1.png", "1.png", "2.png"]
    with pytest.raises(CamproError, match="at least one scene"):
        scenes.first(0)


def test_the_digest_depends_on_contents_and_ground_truth_only(folder, tmp_path_factory):
    scenes = _read(folder, _coco())
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "images").mkdir()
    for i in (1, 2):
        (elsewhere / "images" / f"{i}.png").write_bytes((folder / "images" / f"{i}.png").read_bytes())
    assert _read(elsewhere, _coco()).digest == scenes.digest
    assert _read(elsewhere, _coco(annotations=[_person(area=51)])).digest != scenes.digest


@pytest.mark.parametrize(
    "name", ["../secret.png", "a/../../secret.png", "ABSOLUTE", "..\\secret.png", "C:\\secret.png"]
)
def test_images_outside_the_image_folder_are_left_out(folder, name):
    write_image(folder / "secret.png", np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    name = name.replace("ABSOLUTE", str(folder / "secret.png"))
    outside = {"id": 2, "file_name": name, "width": SIZE[0], "height": SIZE[1]}
    scenes = _read(folder, _coco(images=[_coco()["images"][0], outside]))
    assert len(scenes) == 1
    assert "no such file" in scenes.problems[0]
