from __future__ import annotations

import errno
import os
import threading

import pytest

from campro.core.atomic_io import atomic_write, remove_stale_parts, replacing
from campro.core.errors import CamproError


@pytest.fixture
def full_disk(monkeypatch):
    def fsync(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)


def test_text_and_bytes_are_written_and_folders_created(tmp_path):
    atomic_write(tmp_path / "a" / "b.txt", "grün")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "grün".encode()
    atomic_write(tmp_path / "a" / "b.txt", b"\x00")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"\x00"


def test_a_full_disk_keeps_the_old_file_and_names_the_remedy(tmp_path, full_disk):
    (tmp_path / "a").write_text("old")
    with pytest.raises(CamproError, match=r"/a: .*No space left.*free space and run the same command again"):
        atomic_write(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failing_writer_leaves_no_file(tmp_path):
    with pytest.raises(KeyError), replacing(tmp_path / "a.bin") as part:
        part.write_text("half")
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_the_name_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CamproError, match="make the folder writable"):
        atomic_write(tmp_path / "file" / "a", "x")


def test_concurrent_writers_of_one_file_leave_one_complete_file(tmp_path):
    texts = [str(i) * 10_000 for i in range(8)]
    threads = [threading.Thread(target=atomic_write, args=(tmp_path / "a", text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_only_old_part_files_are_stale(tmp_path):
    for name in (".old.1.part.png", ".new.1.part", "kept.part"):
        (tmp_path / name).touch()
    for name in (".old.1.part.png", "kept.part"):
        os.utime(tmp_path / name, (0, 0))
    remove_stale_parts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new.1.part", "kept.part"]
