"""Files of verification pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.data import FaceSet
from campro.data.verification_pairs import read_pairs

TEXT = """2\t1
Ann\t1\t2
Ann\t1\tBob\t3
Cy\t1\t2
Cy\t1\tDee\t9
"""


@pytest.fixture
def faces(tmp_path):
    numbers = {"Ann": (1, 2), "Bob": (3,), "Cy": (1, 2), "Dee": (1,)}
    return FaceSet(
        "toy", tmp_path, {name: tuple(Path(f"{name}_{n:04d}.jpg") for n in ns) for name, ns in numbers.items()}
    )


def test_pairs_are_read_and_missing_ones_counted(tmp_path, faces):
    (tmp_path / "pairs.txt").write_text(TEXT)
    pairs = read_pairs(tmp_path / "pairs.txt", faces)
    assert [path.stem for path in pairs.first] == ["Ann_0001", "Ann_0001", "Cy_0001"]
    assert [path.stem for path in pairs.second] == ["Ann_0002", "Bob_0003", "Cy_0002"]
    assert pairs.mated.tolist() == [True, False, True]
    assert pairs.fold.tolist() == [0, 0, 1]
    assert pairs.missing == 1  # Dee has no ninth photograph
    assert not pairs.folds_complete
    assert replace(pairs, fold=torch.tensor([0, 0, 0])).folds_complete is False
    assert replace(pairs, mated=pairs.mated.repeat(2), fold=torch.tensor([0, 0, 1, 1, 1, 0])).folds_complete


WORDS = TEXT.replace("1\t2\nAnn", "one\ttwo\nAnn")
NOBODY = "1 1\nZoe 1 2\nZoe 1 Yan 2\n"


@pytest.mark.parametrize("text", ["", "2\n", "2 1\nAnn 1 2\n", WORDS, NOBODY])
def test_other_files_are_refused(tmp_path, faces, text):
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(CamproError, match="pairs"):
        read_pairs(tmp_path / "pairs.txt", faces)


@pytest.mark.shared
def test_pairs_of_lfw_are_read(shared_data):
    from campro.data import read_faces

    pairs = read_pairs(shared_data / "lfw" / "pairs.txt", read_faces(shared_data / "lfw"))
    assert len(pairs.first) + pairs.missing == 6000
    assert pairs.fold.max() == 9
    assert (pairs.mated.sum() > 1000) and ((~pairs.mated).sum() > 300)


def test_a_missing_file_is_refused(tmp_path, faces):
    with pytest.raises(CamproError, match="pairs"):
        read_pairs(tmp_path / "absent.txt", faces)


@given(st.text(alphabet="-012 \t\nAnB", max_size=60) | st.sampled_from(["-1 -1\nAnn 1 2\nAnn 1 Bob 3\n", "0 0\n"]))
def test_any_text_gives_pairs_or_a_campro_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "pairs.txt"
    path.write_text(text)
    toy = FaceSet(
        "toy", path.parent, {"Ann": (Path("Ann_0001.jpg"), Path("Ann_0002.jpg")), "Bob": (Path("Bob_0003.jpg"),)}
    )
    try:
        pairs = read_pairs(path, toy)
    except CamproError as error:
        assert "\n" not in str(error)
    else:
        assert pairs.fold.min() >= 0 and len(pairs.first) == len(pairs.second) == len(pairs.mated)


@pytest.mark.parametrize(
    "data",
    [b"1 1\nJ\xf6rg 1 2\nAnn 1 Bob 3\n", b"9" * 5000, b"1 1\nAnn " + b"9" * 400 + b" 2\nAnn 9 Bob 9\n", b"\xff\xfe"],
)
def test_other_encodings_and_long_numbers_are_refused_in_one_line(tmp_path, faces, data):
    (tmp_path / "pairs.txt").write_bytes(data)
    with pytest.raises(CamproError) as caught:
        read_pairs(tmp_path / "pairs.txt", faces)
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_is_no_part_of_the_number(tmp_path, faces):
    (tmp_path / "pairs.txt").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert len(read_pairs(tmp_path / "pairs.txt", faces).first) == 3
