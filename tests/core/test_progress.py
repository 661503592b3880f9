from __future__ import annotations

import pytest

from campro.core import progress as module
from campro.core.progress import Progress, track


def test_track_yields_all_items_and_prints_one_line_at_the_end(capsys):
    assert list(track((i * i for i in range(4)), "squares", total=4)) == [0, 1, 4, 9]
    assert capsys.readouterr().err == "squares: 4/4\n"


def test_plain_lines_are_printed_after_2_seconds_and_every_30_with_their_texts(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    with Progress("design", total=100) as progress:
        for step in range(100):
            clock[0] += 1.0
            progress.advance(loss=f"{step / 10:.1f}")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["design: 2/100  loss 0.1", "design: 32/100  loss 3.1"]
    assert lines[-1] == "design: 100/100  loss 9.9" and len(lines) == 5


def test_the_last_line_is_printed_once(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    with Progress("match", total=1) as progress:
        clock[0] = 5.0
        progress.advance()
    assert capsys.readouterr().err == "match: 1/1\n"


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Progress("fetch") as progress:
        progress.reach(5, total=10)
    assert "5/10" in capsys.readouterr().err


def test_an_error_before_the_first_step_prints_nothing(capsys):
    with pytest.raises(KeyError), Progress("x", 3):
        raise KeyError
    assert capsys.readouterr().err == ""


def test_work_without_steps_prints_nothing(capsys):
    assert list(track([], "embed")) == []
    assert capsys.readouterr().err == ""
