from __future__ import annotations

import errno
import gc
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from campro.core import provenance
from campro.core.errors import CamproError
from campro.core.folder_lock import lock_folder
from campro.core.run_folder import RunFolder
from campro.core.typed_json import as_plain

CONFIG = {"seed": 0, "design": {"steps": 10, "faces": "a"}}


@pytest.fixture
def run(tmp_path):
    return RunFolder.open(tmp_path / "run", CONFIG, inputs={"faces": "00"})


def reopened(run):
    return RunFolder.open(run.path, CONFIG, inputs={"faces": "00"})


def test_another_configuration_is_refused_with_the_differing_keys_named(run):
    changed = {"seed": 0, "design": {"steps": 11, "faces": "a"}, "extra": True}
    with pytest.raises(CamproError) as caught:
        RunFolder.open(run.path, changed, inputs={"faces": "00"})
    assert 'design.steps (10 -> 11), extra ("absent" -> true)' in str(caught.value)
    assert "seed" not in str(caught.value) and "\n" not in str(caught.value)
    reopened(run)  # the order of keys does not matter, and nothing was lost


def test_other_inputs_are_refused(run):
    with pytest.raises(CamproError, match="restore faces"):
        RunFolder.open(run.path, CONFIG, inputs={"faces": "01"})


def test_a_run_may_be_extended_by_an_input_which_then_counts(run):
    RunFolder.open(run.path, CONFIG, inputs={"faces": "00", "photos": "02"})
    reopened(run)
    with pytest.raises(CamproError, match="restore photos"):
        RunFolder.open(run.path, CONFIG, inputs={"faces": "00", "photos": "03"})


def test_configuration_of_a_dataclass(tmp_path):
    @dataclass
    class Config:
        out: Path
        sizes: tuple[int, ...] = (1, 2)

    assert as_plain({"a": Config(Path("x/y"))}) == {"a": {"out": "x/y", "sizes": [1, 2]}}
    RunFolder.open(tmp_path, as_plain(Config(Path("x"))))
    RunFolder.open(tmp_path, as_plain(Config(Path("x"))))


def test_meta_says_where_the_run_comes_from(run, monkeypatch):
    starts = json.loads((run.path / "meta.json").read_text())["starts"]
    assert (
        len(starts) == 1
        and starts[0]["libraries"]["torch"] == torch.__version__
        and starts[0]["inputs_sha256"] == {"faces": "00"}
    )
    assert all(starts[0][name] for name in ("commit", "campro", "python", "platform", "processor", "device"))
    reopened(run)
    assert len(json.loads((run.path / "meta.json").read_text())["starts"]) == 1
    monkeypatch.setattr("campro.core.provenance.source_commit", lambda: "another")
    provenance.current_origin.cache_clear()
    reopened(run)
    assert [s["commit"] for s in json.loads((run.path / "meta.json").read_text())["starts"]][1:] == ["another"]
    provenance.current_origin.cache_clear()


def test_commit_is_unknown_outside_a_source_tree(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    assert provenance.source_commit.__wrapped__() == "unknown"


def test_state_round_trip(run):
    assert run.load_state() is None
    model = torch.nn.Linear(3, 2)
    run.save_state({"step": 7, "model": model.state_dict(), "rng": torch.get_rng_state(), "order": [1, 2]})
    state = reopened(run).load_state()
    assert state["step"] == 7 and state["order"] == [1, 2]
    assert torch.equal(state["model"]["weight"], model.weight) and torch.equal(state["rng"], torch.get_rng_state())


def test_full_disk_keeps_the_old_state(run, monkeypatch):
    run.save_state({"step": 1})

    def fsync(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(CamproError, match=r"state\.pt: .*free space and run the same command again"):
            run.save_state({"step": 2})
        with pytest.raises(CamproError, match="free space"):
            run.write_cell({"k": 1}, 2)
    assert run.load_state() == {"step": 1} and run.cell({"k": 1}) is None
    assert not list(run.path.rglob(".*"))


@pytest.mark.parametrize("place", [0.2, 0.5, 0.99])
def test_damaged_state_is_a_clear_error_that_never_loads_wrong_numbers(run, place):
    weights = torch.rand(500)
    run.save_state({"w": weights})
    raw = bytearray((run.path / "state.pt").read_bytes())
    raw[int(len(raw) * place)] ^= 0xFF
    (run.path / "state.pt").write_bytes(raw)
    try:
        assert torch.equal(run.load_state()["w"], weights)  # the flipped bit was padding
    except CamproError as error:
        assert "state.pt" in str(error) and "delete this file" in str(error) and "\n" not in str(error)
    (run.path / "state.pt").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(CamproError, match="damaged"):
        run.load_state()


def test_state_never_runs_code(run):
    torch.save({"x": Path("a")}, run.path / "state.pt")  # an arbitrary class
    with pytest.raises(CamproError, match=r"state\.pt"):
        run.load_state()


def test_metrics_are_cut_back_to_what_the_state_knows(run):
    for step in range(6):
        run.log({"step": step, "loss": step / 10})
    with (run.path / "metrics.jsonl").open("a") as lines:
        lines.write('{"step": 6, "lo')  # killed while writing
    again = reopened(run)
    assert [record["step"] for record in again.metrics()] == [0, 1, 2, 3, 4, 5]
    again.rewind(3)
    again.log({"step": 4, "loss": 0.5})
    assert [record["step"] for record in reopened(run).metrics()] == [0, 1, 2, 3, 4]
    assert again.metrics()[-1]["loss"] == 0.5


def test_log_refuses_nan_and_a_damaged_line_is_named(run):
    with pytest.raises(CamproError, match="finite"):
        run.log({"step": 0, "loss": float("nan")})
    (run.path / "metrics.jsonl").write_text('{"step": 0}\n garbage \n{"step": 1}\n')
    with pytest.raises(CamproError, match=r"metrics\.jsonl.*damaged line"):
        reopened(run)


HOLD = """
import sys
from pathlib import Path
from campro.core.folder_lock import lock_folder
lock = lock_folder(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_ends(tmp_path):
    path = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(CamproError, match=f"no other process writes, got one of process {other.pid}; wait for it"):
            RunFolder.open(path, CONFIG)
        assert not (path / "config.json").exists()
        other.kill()
    run = RunFolder.open(path, CONFIG)
    assert RunFolder.open(path, CONFIG).path == run.path  # the same process may open it twice


def test_the_lock_is_released_with_the_last_object(tmp_path):
    first, second = RunFolder.open(tmp_path, CONFIG), RunFolder.open(tmp_path, CONFIG)
    probe = [sys.executable, "-c", HOLD, str(tmp_path)]
    del first
    assert subprocess.run(probe, input="", capture_output=True, text=True, check=False).returncode != 0
    assert second.config == CONFIG
    del second
    gc.collect()
    assert subprocess.run(probe, input="", capture_output=True, text=True, check=False).returncode == 0


def test_further_processes_of_a_training_share_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert lock_folder(tmp_path) is None


@pytest.mark.parametrize("name", ["config.json", "meta.json", "metrics.jsonl"])
@given(text=st.sampled_from(["", "[]", "{}", "null", "1", '{"starts": 1}', '{"starts": [1]}', "[" * 100_000 + "\n"]))
def test_damaged_files_are_refused_in_one_line(name, text, tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    RunFolder.open(path, CONFIG)
    (path / name).write_text(text + "\n")
    try:
        RunFolder.open(path, CONFIG)
    except CamproError as error:
        assert "\n" not in str(error)


def test_the_number_of_threads_is_recorded(run):
    starts = json.loads((run.path / "meta.json").read_text())["starts"]
    assert starts[0]["threads"] == torch.get_num_threads()
