from __future__ import annotations

import base64
import csv
import io
import json
import random
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from support.fake_attacks import attack_cells
from support.fake_audit import FakeContext, drop_cells

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.audit_run import run_audit
from campro.core.cells import CellFile
from campro.core.errors import CamproError
from campro.core.hashing import json_digest
from campro.core.images import read_image, write_image
from campro.report.findings import Findings
from campro.report.write import render, write_report


@pytest.fixture
def run(finished_audit):
    return finished_audit


@pytest.fixture
def folder(run):
    return run.path


@pytest.mark.slow
def test_the_page_is_self_contained(run):
    attack_cells(run)
    page = write_report(run.path).read_text()
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)
    assert all(source.startswith(("data:", "#")) for source in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert "&lt;script&gt;" in page  # a file name is shown, not run
    for heading in ("Synthetic data", "Identification by threat model", "Attacks", "Identification without an attack"):
        assert heading in page
    assert "is not finished" not in page


@pytest.mark.slow
def test_the_page_needs_only_the_run_folder(folder, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    shutil.rmtree(folder)
    shutil.rmtree(tmp_path / "faces")
    assert write_report(moved).stat().st_size > 50_000


@pytest.mark.slow
def test_json_and_csv_hold_the_cells(run):
    attack_cells(run)
    folder = write_report(run.path).parent
    report = json.loads((folder / "report.json").read_text())
    assert report["headline"]["no_attack"]["mean"] == 0.0
    assert report["headline"]["worst_case"]["rank1"]["mean"] == 0.8
    assert len(report["identification"]) == 6
    rows = list(csv.DictReader((folder / "tables/identification.csv").open()))
    assert len(rows) == 6
    assert [row["rank1_mean"] for row in rows if row["view"] == RAW] == ["1.0", "1.0"]
    rows = list(csv.DictReader((folder / "tables/person_detection.csv").open()))
    kept = {(row["view"], row["adapted"]): float(row["ap_over_best_raw_ap"]) for row in rows}
    assert kept[CAPTURED, "True"] == pytest.approx(0.6)
    rows = list(csv.DictReader((folder / "tables/attacks.csv").open()))
    assert {row["rank1_mean"] for row in rows if row["attack"] == "analytic inversion"} == {"0.8", "0.9"}


@pytest.mark.slow
def test_an_unfinished_audit_says_so(run):
    dropped = drop_cells(run, lambda key: key.get("view") in (RAW, CAPTURED))
    page = write_report(run.path).read_text()
    assert "is not finished" in page
    assert f"{dropped} figures are missing" in page
    assert dropped == 2 * (2 + 2 + 1 + 1 + 2 + 2) + 1  # per view, and quality


@pytest.mark.slow
def test_an_audit_without_adaptation(audit_config, tmp_path, audit_context):
    config = replace(audit_config, adapt_steps=0)
    run = run_audit(config, FakeContext(config, tmp_path))
    assert "Without adaptation" in write_report(run.path).read_text()
    assert run.cell(cell_keys.person_detection(RAW, True)) is None


@pytest.mark.slow
def test_cells_of_several_commits_are_listed_and_dirty_ones_marked(run):
    cells = run.cells()
    clean = [replace(cell, origin=replace(cell.origin, commit="abc1234", dirty=False)) for cell in cells]
    key = cell_keys.identification("colour", RAW, "nearest")
    mixed = [replace(c, origin=replace(c.origin, commit="def5678", dirty=True)) if c.key == key else c for c in clean]
    file = run.path / "cells.jsonl"
    file.write_text("".join(cell.to_line() for cell in clean))
    assert "†" not in write_report(run.path).read_text()
    file.write_text("".join(cell.to_line() for cell in mixed))
    page = write_report(run.path).read_text()
    assert "100.0 ± 0.0†" in page
    assert "made by <b>2 different</b> commits" in page
    assert "def5678 with uncommitted changes" in page
    assert page.count("†</td>") == 1
    assert len(CellFile(file).all()) == len(cells)
    assert {origin.commit for origin, _ in Findings.read(run.path).origins.values()} == {"abc1234", "def5678"}


def test_a_folder_without_an_audit_is_refused(tmp_path):
    with pytest.raises(CamproError, match="no such folder"):
        write_report(tmp_path / "nothing")
    with pytest.raises(CamproError, match="0 cells"):
        write_report(tmp_path)


def pictures(page):
    return [base64.b64decode(text) for text in re.findall(r'data:image/png;base64,([^"]*)"', page)]


def colours(data):
    with Image.open(io.BytesIO(data)) as image:
        return len(image.convert("RGB").getcolors(image.width * image.height))


@pytest.fixture
def without_plots(monkeypatch):
    """Plots are empty, which makes a page ten times as fast."""
    monkeypatch.setattr(Figure, "savefig", lambda *_args, **_options: None)


@pytest.mark.usefixtures("without_plots")
@pytest.mark.slow
def test_faces_are_pixelated_unless_asked_for(audit_config, audit_context, tmp_path):
    noise = np.random.default_rng(0)
    for photo in audit_context.faces.photos:
        hue = read_image(photo)[-1, 0].astype(int)
        write_image(photo, (hue + noise.integers(-10, 6, (96, 96, 3))).astype(np.uint8))
    write_image(tmp_path / "scene.png", noise.integers(0, 256, (200, 300, 3), dtype=np.uint8))
    folder = run_audit(audit_config, audit_context).path
    page = write_report(folder).read_text()
    assert "Faces are pixelated" in page
    shown = [colours(data) for data in pictures(page)]
    assert sum(count > 16 * 16 for count in shown[2:]) == 6 + 1  # captured faces and the captured scene
    saved = [colours((folder / name).read_bytes()) for name in self_saved(folder)]
    assert max(saved) <= 16 * 16

    config = replace(audit_config, show_faces=True)
    context = FakeContext(config, tmp_path)
    run_audit(config, context)
    assert "Faces are pixelated" in write_report(folder).read_text()  # the page is asked separately
    page = write_report(folder, show_faces=True).read_text()
    assert "This page shows faces" in page
    assert min(colours(data) for data in pictures(page)[2:]) > 1000
    run_audit(audit_config, FakeContext(audit_config, tmp_path))
    assert max(colours((folder / name).read_bytes()) for name in self_saved(folder)) <= 16 * 16
    assert "saved pixelated faces" in write_report(folder, show_faces=True).read_text()


def self_saved(folder):
    """Files of face crops and scenes outside the captured view, which is the second one."""
    names = [file.relative_to(folder) for file in (folder / "thumbnails").glob("*.png")]
    return [name for name in names if "chart" not in name.name and not name.stem.endswith("-1")]


@pytest.mark.usefixtures("without_plots")
@pytest.mark.parametrize("kind", ["parent", "absolute", "link", "folder", "nul", "missing", "text"])
@pytest.mark.slow
def test_only_pictures_of_the_run_folder_enter_the_page(run, tmp_path, kind):
    secret = tmp_path / "secret.png"
    write_image(secret, np.full((20, 20, 3), 77, np.uint8))
    (run.path / "link.png").symlink_to(secret)
    (run.path / "text.png").write_text("a private key")
    names = {"parent": "../secret.png", "absolute": str(secret), "link": "link.png", "folder": "thumbnails"}
    name = (names | {"nul": "a\0.png", "missing": "thumbnails/none.png", "text": "text.png"})[kind]
    for key in (cell_keys.COLOUR_CHART, cell_keys.FACE_THUMBNAILS, cell_keys.SCENE_THUMBNAILS):
        value = run.cell(key)
        run.write_cell(key, with_files(value, name))
        with pytest.raises(CamproError) as caught:
            write_report(run.path)
        assert "\n" not in str(caught.value)
        assert ("copy the run folder with its pictures" in str(caught.value)) == (kind == "missing")
        run.write_cell(key, value)
    write_report(run.path)


def with_files(value, name):
    """A cell's value in which every picture is called `name`."""
    if isinstance(value, dict):
        return {key: with_files(item, name) for key, item in value.items()}
    if isinstance(value, list):
        return [with_files(item, name) for item in value]
    return name if isinstance(value, str) and value.endswith(".png") else value


def cut(value, rng):
    """A cell's value with one part removed, or of another type."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(sorted(value))
        return {name: cut(item, rng) if name == key else item for name, item in value.items()}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        return [cut(item, rng) if number == place else item for number, item in enumerate(value)][: rng.choice([1, 99])]
    return rng.choice([None, [], {}, "x", -1, 10**400, 0.0, True, [[]], {"a": []}])


@pytest.mark.slow
@pytest.mark.usefixtures("without_plots")
def test_any_cells_give_a_page_or_one_line(run):
    """Of a run folder of somebody else, whose checksums are right."""
    attack_cells(run)
    cells, rng = run.cells(), random.Random(0)
    for _ in range(30):
        changed = rng.randrange(len(cells))
        lines = [replace(c, value=cut(c.value, rng)) if i == changed else c for i, c in enumerate(cells)]
        (run.path / "cells.jsonl").write_text("".join(cell.to_line() for cell in lines))
        try:
            write_report(run.path)
        except CamproError as error:
            assert "\n" not in str(error)


@pytest.mark.slow
def test_the_page_has_its_date(folder, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert "written 2023-11-14" in write_report(folder).read_text()


@pytest.mark.slow
def test_your_own_models_have_the_names_of_their_cards_on_the_page(folder):
    """Options name them by a path, which stays in cells, JSON and CSV."""
    found = Findings.read(folder)
    path = "onnx//home/ann/cards/b.json"
    card = replace(found.metadata.model_cards[0], name="my recogniser")
    cells = {
        digest: replace(cell, key=cell.key | {"model": path}) if "model" in cell.key else cell
        for digest, cell in found.cells.items()
    }
    metadata = replace(found.metadata, models=(path,), model_cards=(card,))
    labelled = Findings(folder, metadata, {json_digest(cell.key): cell for cell in cells.values()}).labelled()
    assert labelled.models == ["my recogniser"]
    page = render(labelled)
    assert "my recogniser" in page and "cards/b.json" not in page
    twice = replace(metadata, models=(path, "onnx/c.json"), model_cards=(card, card))
    assert replace(labelled, metadata=twice).labelled().metadata.models == ("my recogniser (b)", "my recogniser (c)")


@pytest.mark.slow
def test_no_column_is_cut_off_on_a_phone(folder):
    """Below 44 rem each cell has its column's name in front of it; rows of pictures scroll and say so."""
    page = write_report(folder).read_text()
    tables = [table for table in re.findall("<table.*?</table>", page, re.S) if 'class="sheet"' not in table]
    assert tables and all(table.count("<td data-label=") == table.count("<td") for table in tables)
    assert 'class="wide many pictures" tabindex="0"' in page and "scroll sideways" in page


@pytest.mark.slow
def test_every_section_is_in_the_contents_and_says_how_to_read_it(folder):
    page = write_report(folder).read_text()
    places = re.findall(r'<h2 id="([^"]+)">', page)
    assert len(places) == len(set(places)) == page.count("<h2") == page.count('<p class="how">') > 5
    assert re.findall(r'<li><a href="#([^"]+)">', page) == places
    assert all(f'class="permalink" href="#{place}"' in page for place in places)


@pytest.mark.slow
def test_pictures_are_compared_without_a_script(folder):
    page = write_report(folder).read_text()
    assert "<script" not in page
    names = set(re.findall(r'type="radio" name="([^"]+)"', page))
    assert {"chart", "divider-0"} <= names
    for place in re.findall(r'<use href="#([^"]+)"', page):
        assert page.count(f'<image id="{place}"') == 1
