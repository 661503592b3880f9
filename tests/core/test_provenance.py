"""The commit of the source tree, and whether the tree has changes; nothing is written into the tree."""

from __future__ import annotations

import os
import subprocess

from campro.core import provenance


def git(folder, *words):
    names = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", *words], cwd=folder, env=os.environ | names, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_commit_of_a_clean_and_of_a_changed_tree(tmp_path, monkeypatch):
    source = tmp_path / "package" / "provenance.py"
    source.parent.mkdir()
    source.write_text("first")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    monkeypatch.setattr(provenance, "__file__", str(source))
    commit = provenance.source_commit.__wrapped__
    index = tmp_path / ".git" / "index"
    os.utime(source, (1, 1))  # the index has another time, which `git describe --dirty` would correct
    before = index.read_bytes()
    assert commit() == git(tmp_path, "rev-parse", "--short", "HEAD")
    assert index.read_bytes() == before
    (tmp_path / "new.txt").write_text("not tracked")
    assert not commit().endswith("-dirty")
    source.write_text("second")
    assert commit() == git(tmp_path, "describe", "--always", "--dirty")
    assert commit().endswith("-dirty")
