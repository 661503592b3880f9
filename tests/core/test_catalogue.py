from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from campro.core import catalogue
from campro.core.catalogue import ASSETS, Asset, data_root, locate, locate_first
from campro.core.errors import CamproError
from campro.core.fetch import fetch

BODY = bytes(range(256)) * 4000
SHA = hashlib.sha256(BODY).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves BODY; closes the connection after `cut` bytes; supports ranges if `ranges`."""

    cut: int | None = None
    ranges = True
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requested: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        requested = self.headers.get("Range")
        self.server.requested.append(requested)
        if self.server.status != 200:
            return self.send_error(self.server.status)
        start = int(requested.removeprefix("bytes=").rstrip("-")) if requested and self.server.ranges else 0
        if start and start >= len(BODY):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(BODY) - start))
        self.end_headers()
        self.wfile.write(BODY[start : self.server.cut])
        return None

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path))
    monkeypatch.delenv("CAMPRO_DATA", raising=False)
    url = f"http://127.0.0.1:{server.server_port}/toy.bin"
    monkeypatch.setitem(
        ASSETS, "toy", Asset("toy", "model", "CC0", len(BODY), SHA, "test", "models/toy.bin", None, url)
    )
    yield server
    server.shutdown()
    server.server_close()


def test_fetch_then_locate(server, tmp_path):
    calls = []
    path = fetch("toy", lambda done, total: calls.append((done, total)))
    assert path.read_bytes() == BODY and path == locate("toy") == tmp_path / "models" / "toy.bin"
    assert calls[-1] == (len(BODY), len(BODY)) and [file.name for file in path.parent.iterdir()] == ["toy.bin"]
    fetch("toy")
    assert server.requested == [None]  # a file that is there is not fetched again


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_is_resumed(server, tmp_path, ranges):
    server.cut, server.ranges = 600_000, ranges
    with pytest.raises(CamproError, match="run the same command again to resume at byte 600,000"):
        fetch("toy")
    assert not (tmp_path / "models" / "toy.bin").exists()
    server.cut = None
    assert fetch("toy").read_bytes() == BODY
    assert server.requested == [None, "bytes=600000-"]


def test_a_complete_part_file_is_only_verified(server, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "toy.bin.part").write_bytes(BODY)
    assert fetch("toy").read_bytes() == BODY


def test_a_download_with_a_wrong_hash_is_deleted(server, tmp_path, monkeypatch):
    monkeypatch.setitem(ASSETS, "toy", replace(ASSETS["toy"], sha256="0" * 64))
    with pytest.raises(CamproError, match="the download was deleted"):
        fetch("toy")
    assert list((tmp_path / "models").iterdir()) == []


def test_a_file_without_a_hash_is_not_fetched(server, monkeypatch):
    monkeypatch.setitem(ASSETS, "toy", replace(ASSETS["toy"], sha256=None))
    with pytest.raises(CamproError, match="an asset with a public address"):
        fetch("toy")
    assert server.requested == []


def test_the_first_asset_that_is_here_is_located(server, monkeypatch):
    other = replace(ASSETS["toy"], name="other", path="models/other.bin", url=None)
    monkeypatch.setitem(ASSETS, "other", other)
    with pytest.raises(CamproError, match="campro models fetch toy"):
        locate_first("other", "toy")
    path = fetch("toy")
    assert locate_first("other", "toy") == path
    (path.parent / "other.bin").write_bytes(BODY)
    assert locate_first("other", "toy") == path.parent / "other.bin"


def test_http_errors_and_unreachable_servers_give_one_line(server, monkeypatch):
    server.status = 404
    with pytest.raises(CamproError, match=r"HTTP 404.*run the same command again"):
        fetch("toy")
    monkeypatch.setitem(ASSETS, "toy", replace(ASSETS["toy"], url="http://127.0.0.1:1/toy.bin"))
    with pytest.raises(CamproError, match=r"(?i)refused"):
        fetch("toy")


def test_assets_without_an_address_name_the_folder_for_them():
    with pytest.raises(CamproError, match=r"point CAMPRO_DATA at a folder that holds lfw"):
        fetch("lfw")
    with pytest.raises(CamproError, match="one of"):
        fetch("no-such-thing")


def test_the_data_folder_has_priority_over_the_cache(server, tmp_path, monkeypatch):
    data = tmp_path / "data"
    (data / "models").mkdir(parents=True)
    (data / "models" / "toy.bin").write_bytes(BODY)
    fetch("toy")
    monkeypatch.setenv("CAMPRO_DATA", str(data))
    assert locate("toy") == data / "models" / "toy.bin"
    (data / "models" / "toy.bin").write_bytes(BODY[:-1])
    with pytest.raises(CamproError, match=r"toy\.bin: expected SHA-256"):
        locate("toy")


def test_errors_for_absent_assets_name_the_remedy(server, monkeypatch):
    with pytest.raises(CamproError, match="campro models fetch toy"):
        locate("toy")
    with pytest.raises(CamproError, match="point CAMPRO_DATA"):
        locate("yunet-320")
    monkeypatch.setitem(ASSETS, "toy", replace(ASSETS["toy"], package="no_such_package"))
    with pytest.raises(CamproError, match="reinstall"):
        locate("toy")


@pytest.mark.parametrize("name", ASSETS)
def test_table_contract(name):
    entry = ASSETS[name]
    assert entry.name == name and entry.licence and entry.source and not entry.path.startswith("/")
    assert entry.sha256 is None or (len(entry.sha256) == 64 and int(entry.sha256, 16) >= 0)
    assert entry.kind == "data" or entry.sha256  # a model without a hash could not be verified
    assert entry.url is None or (entry.sha256 and entry.url.startswith("https://"))


@pytest.mark.parametrize("name", [name for name, entry in ASSETS.items() if entry.package])
def test_weights_in_packages_are_those_of_the_table(name):
    assert locate(name).stat().st_size == ASSETS[name].size


@pytest.mark.shared
def test_research_data_has_the_sizes_of_the_table(shared_data):
    """Those of the table that the data at hand have: users bring some models themselves."""
    assert data_root() == shared_data
    here = [entry for entry in ASSETS.values() if entry.package is None and (shared_data / entry.path).exists()]
    assert {"lfw", "celeba", "coco", "yunet", "edgeface-xs"} <= {entry.name for entry in here}
    for entry in here:
        if not entry.path.endswith(".pth"):
            path = locate(entry.name)
            files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
            assert sum(file.stat().st_size for file in files) == entry.size, entry.name


def test_the_cache_folder_is_configurable(monkeypatch, tmp_path):
    monkeypatch.delenv("CAMPRO_CACHE", raising=False)
    assert catalogue.cache_root().parts[-2:] == (".cache", "campro")
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path))
    assert catalogue.cache_root() == tmp_path
