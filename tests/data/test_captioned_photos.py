"""Captions files of COCO."""

from __future__ import annotations

import json

import pytest

from campro.core.errors import CamproError
from campro.data.captioned_photos import read_captions


def write(folder, images, annotations):
    (folder / "annotations").mkdir(parents=True)
    (folder / "val").mkdir()
    file = folder / "annotations/captions_val.json"
    file.write_text(json.dumps({"images": images, "annotations": annotations}))
    return file


def test_photographs_with_captions_in_the_order_of_their_names(tmp_path):
    images = [{"id": 2, "file_name": "b.jpg"}, {"id": 1, "file_name": "a.jpg"}, {"id": 3, "file_name": "c.jpg"}]
    texts = [(1, "A dog. "), (2, "A cat."), (1, "Dogs."), (4, "Nothing.")]
    file = write(tmp_path, images, [{"image_id": i, "caption": text} for i, text in texts])
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / "val" / name).write_bytes(name.encode())
    found = read_captions(file)
    assert [(photo.path.name, photo.captions) for photo in found.photos] == [
        ("a.jpg", ("A dog.", "Dogs.")),
        ("b.jpg", ("A cat.",)),
    ]
    assert found.name == "val" and found.digest == read_captions(file, tmp_path / "val").digest


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"images": [{}], "annotations": []}', '{"images": [], "annotations": []}']
)
def test_other_files_are_refused(tmp_path, text):
    file = write(tmp_path, [], [])
    file.write_text(text)
    with pytest.raises(CamproError, match="captions"):
        read_captions(file)


@pytest.mark.shared
def test_the_captions_at_hand(shared_data):
    assert len(read_captions(shared_data / "coco/annotations/captions_val2017.json")) == 204
