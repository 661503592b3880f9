"""Each route through Starlette's test client, with the errors that users and other sites can cause."""

from __future__ import annotations

import base64
import io
import json
import os
import tempfile
import zipfile
import zlib

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from campro.core.images import decode_image
from campro.isp import apply, load_profile
from campro.serve import page_app
from campro.serve.bundled_pictures import BUNDLED, bundled_picture
from campro.serve.page_app import TABS, create_app
from campro.serve.page_settings import MAX_UPLOAD, PageSettings, profile_table

HOST = "127.0.0.1:8760"
PROFILES = profile_table()


def client_of(settings: PageSettings, **options) -> TestClient:
    return TestClient(create_app(settings, warm_up=False), base_url=f"http://{HOST}", **options)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """One client for all tests: models are loaded once."""
    folder = tmp_path_factory.mktemp("results")
    place = folder / "audits" / "first one"
    place.mkdir(parents=True)
    (place / "report.html").write_text("<title>Audit</title>")
    (folder / "secret.html").write_text("secret")
    return client_of(PageSettings(profiles=PROFILES, results=folder))


def png(rgb) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(rgb[..., ::-1]))[1].tobytes()


def picture_in(answer) -> np.ndarray:
    return decode_image(base64.b64decode(answer.json()["image"].partition(",")[2]), "view", 10**7)


@pytest.mark.parametrize(("address", "label"), TABS)
def test_each_tab_is_a_page(client, address, label):
    answer = client.get(address)
    assert answer.status_code == 200
    assert f"<title>{label} " in answer.text
    assert 'aria-current="page"' in answer.text


def test_pages_have_no_code_of_their_own_and_name_files_that_exist(client):
    for address, _ in TABS:
        text = client.get(address).text
        assert "<style" not in text and " style=" not in text and " onclick" not in text
        for part in text.split('"'):
            if part.startswith("/static/"):
                assert client.get(part).status_code == 200


def test_every_response_has_the_security_headers(client):
    for address in ("/", "/static/try.js", "/nowhere"):
        headers = client.get(address).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("host", ["evil.example:8760", "127.0.0.1:80", "127.0.0.1", "", "127.0.0.1.evil.example:8760"])
def test_another_host_name_is_refused(client, host):
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "campro serve printed" in answer.json()["error"]


def test_localhost_is_another_name_of_loopback(client):
    assert client.get("/", headers={"host": "localhost:8760"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8760", "http://127.0.0.1:81"])
def test_requests_of_other_sites_are_refused(client, origin):
    answer = client.post("/api/view?view=raw&profile=identity&picture=cat", headers={"origin": origin})
    assert answer.status_code == 403


class TestToken:
    settings = PageSettings("192.0.2.7", 8760, "a-secret", profiles=PROFILES)

    def client(self):
        app = create_app(self.settings, warm_up=False)
        return TestClient(app, base_url="http://192.0.2.7:8760", follow_redirects=False)

    @pytest.mark.parametrize("address", ["/", "/?token=", "/?token=wrong", "/static/page.css"])
    def test_without_it_nothing_is_served(self, address):
        assert self.client().get(address).status_code == 401

    def test_a_wrong_cookie_is_refused(self):
        assert self.client().get("/", headers={"cookie": "campro=wrong"}).status_code == 401
        assert self.client().get("/", headers={"cookie": 'campro="\\"; x'}).status_code == 401

    def test_it_moves_from_the_address_into_a_cookie(self):
        client = self.client()
        answer = client.get("/compare?token=a-secret&a=1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/compare?a=1")
        assert "httponly" in answer.headers["set-cookie"].lower()
        assert "samesite=strict" in answer.headers["set-cookie"].lower()
        assert client.get("/compare").status_code == 200

    def test_it_never_leads_to_another_site(self):
        answer = self.client().get("http://192.0.2.7:8760//evil.example/?token=a-secret")
        assert answer.headers["location"] == "/evil.example/"

    def test_it_does_not_replace_the_right_host(self):
        answer = self.client().get("/?token=a-secret", headers={"host": "evil.example"})
        assert answer.status_code == 421


def test_the_profile_is_drawn_with_the_views_that_it_allows(client):
    answer = client.get("/api/profile?profile=campro-default").json()
    assert answer["views"] == ["raw", "captured", "enhanced", "inverted"]
    assert "<polyline" in answer["html"] and "Worst case: rank-1 99.6" in answer["html"]
    assert client.get("/api/profile?profile=defocus-9-3").json()["views"] == ["raw", "captured"]


def test_a_bundled_picture_is_captured_as_by_the_profile(client):
    answer = client.post("/api/view?view=captured&profile=negative&picture=cat")
    wanted = apply(load_profile("negative"), bundled_picture("cat"))
    assert np.abs(picture_in(answer).astype(int) - wanted).mean() < 3  # JPEG


def test_an_upload_is_shown_raw_and_with_persons(client):
    rgb = bundled_picture("astronaut")
    answer = client.post("/api/view?view=raw&profile=campro-default", content=png(rgb))
    assert np.abs(picture_in(answer).astype(int) - rgb).mean() < 3
    ((x0, y0, x1, y1, score),) = answer.json()["boxes"]
    assert 0 <= x0 < x1 <= 512 and 0 <= y0 < y1 <= 512 and score > 0.5


def test_the_picture_is_reduced_before_the_camera(client):
    answer = client.post("/api/view?view=captured&profile=campro-default&picture=cat&scale=0.25")
    height, width = bundled_picture("cat").shape[:2]
    assert (answer.json()["width"], answer.json()["height"]) == (round(width / 4), round(height / 4))


def test_noise_changes_the_picture(client):
    shown = [
        picture_in(client.post(f"/api/view?view=captured&profile=campro-strong&picture=cat&scale=0.25&noise={noise}"))
        for noise in (0.0001, 0.02)
    ]
    assert np.abs(shown[0].astype(int) - shown[1]).mean() > 5


@pytest.mark.slow
def test_the_enhanced_view_belongs_to_one_profile(client):
    good = client.post("/api/view?view=enhanced&profile=campro-default&picture=cat&scale=0.25")
    assert good.status_code == 200
    bad = client.post("/api/view?view=enhanced&profile=campro-strong&picture=cat&scale=0.25")
    assert bad.status_code == 400 and "campro-default" in bad.json()["error"]


@pytest.mark.slow
def test_the_inverted_view_is_near_the_raw_one(client):
    raw, captured, inverted = (
        picture_in(client.post(f"/api/view?view={view}&profile=campro-default&picture=cat&scale=0.5")).astype(int)
        for view in ("raw", "captured", "inverted")
    )
    assert np.abs(inverted - raw).mean() < np.abs(captured - raw).mean() / 4


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("view=nope&profile=identity&picture=cat", "view: expected one of raw, captured"),
        ("view=raw&profile=../secret&picture=cat", "profile: expected one of campro-default"),
        ("view=raw&profile=identity&picture=../cat", "picture: expected one of astronaut"),
        ("view=raw&profile=identity&picture=cat&scale=nan", "scale: expected a number"),
        ("view=raw&profile=identity&picture=cat&scale=2", "scale: expected a number"),
        ("view=raw&profile=identity&picture=cat&noise=1", "noise: expected a number"),
        ("view=raw&profile=identity&picture=cat&noise=x", "noise: expected a number"),
        ("view=raw&profile=identity&picture=synthetic-a1&scale=0.02", "at least 16 pixels"),
        ("view=inverted&profile=defocus-9-3&picture=cat", "a profile that maps each pixel"),
        ("view=captured&profile=defocus-9-3&picture=cat&noise=0.001", "defocus"),
    ],
)
def test_wrong_settings_are_refused_with_a_reason(client, query, reason):
    answer = client.post(f"/api/view?{query}")
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


@pytest.mark.parametrize("body", [b"", b"no picture", png(np.zeros((40, 40, 3), np.uint8))[:60]])
def test_a_bad_upload_is_refused(client, body):
    answer = client.post("/api/view?view=raw&profile=identity", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("uploaded picture: ")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(client):
    bomb = png(np.zeros((10, 10, 3), np.uint8))
    head = bomb[:16] + (8000).to_bytes(4, "big") * 2 + bomb[24:]
    crc = zlib.crc32(head[12:29]).to_bytes(4, "big")
    answer = client.post("/api/view?view=raw&profile=identity", content=head[:29] + crc + head[33:])
    assert "8000 x 8000" in answer.json()["error"]


def test_too_large_an_upload_is_refused_whether_announced_or_not(client):
    assert client.post("/api/view", headers={"content-length": str(MAX_UPLOAD + 1)}).status_code == 413
    parts = (b"x" * (1 << 20) for _ in range(MAX_UPLOAD // (1 << 20) + 1))
    assert client.post("/api/view", content=parts).status_code == 413


def test_nothing_of_an_upload_is_written(client, monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("a file was opened for writing")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    answer = client.post("/api/view?view=raw&profile=identity", content=png(bundled_picture("astronaut")))
    assert answer.status_code == 200


def test_the_pixel_density_at_the_face(client):
    found = client.post("/api/face?picture=astronaut").json()
    assert 500 < found["density"] < 900  # the eyes are 43 pixels apart
    assert client.post("/api/face?picture=coffee").json() is None


def test_two_pictures_of_one_person_match_raw(client):
    body = png(bundled_picture("synthetic-a1"))
    query = f"first=&second=synthetic-a2&size={len(body)}&profile=defocus-9-3"  # a profile without tables
    answer = client.post(f"/api/compare?{query}", content=body).json()
    (row,) = answer["models"]
    assert row["model"] == "dlib-resnet29" and row["matches"]["raw"]
    assert row["threshold"]["fmr"] == 0.001 and "LFW" in row["threshold"]["source"]
    assert set(answer["probes"]) == {"raw", "captured"}


def test_two_people_do_not_match(client):
    query = "first=synthetic-a1&second=synthetic-b1&profile=defocus-9-3"
    assert not client.post(f"/api/compare?{query}").json()["models"][0]["matches"]["raw"]


def test_a_comparison_needs_two_faces(client):
    answer = client.post("/api/compare?first=coffee&second=synthetic-a2&profile=negative")
    assert answer.status_code == 400 and answer.json()["error"].startswith("first picture: expected a face")
    assert client.post("/api/compare?size=7&profile=negative").status_code == 400
    assert client.post("/api/compare?size=x&profile=negative").status_code == 400


def test_reports_are_listed_and_opened_without_scripts(client):
    page = client.get("/results").text
    assert 'href="/report/audits/first%20one"' in page
    answer = client.get("/report/audits/first%20one")
    assert answer.text == "<title>Audit</title>"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert "script-src" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("place", ["%2e%2e%2f", "audits/%2e%2e/..", "../../etc", "/etc", "audits", "%00", "x" * 5000])
def test_no_path_leads_out_of_the_results_folder(client, place):
    assert client.get(f"/report/{place}").status_code == 404
    assert client.get(f"/range/{place}").status_code == 404


@pytest.mark.parametrize("name", ["..%2fpage_app.py", "nope.css", "%2e%2e"])
def test_only_listed_files_are_static(client, name):
    assert client.get(f"/static/{name}").status_code == 404


@pytest.mark.slow
def test_a_deployment_is_made_in_memory(client):
    answer = client.post("/api/deployment?target=software&profile=campro-strong").json()
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(answer["zip"]))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        realised = json.loads(archive.read("realised.json"))
    assert {"README.md", "realised.json"} < set(names) == {file["name"] for file in answer["files"]}
    assert realised["name"] == "campro-strong-software"
    assert not answer["misses"] and "of 255 levels" in answer["summary"]


@pytest.mark.parametrize(
    ("query", "body", "reason"),
    [
        ("target=nope&profile=negative", b"", "target: expected one of"),
        ("target=software&profile=nope", b"", "profile: expected one of"),
        ("target=rpi-vc4&profile=negative", b"", "expected"),
        ("target=auto&profile=negative&name=x.json", b"{}", "expected"),
        ("target=auto&profile=negative&name=x.json", b"\xff\xfe", "x.json: expected a tuning file"),
    ],
)
def test_a_wrong_deployment_is_refused_with_a_reason(client, query, body, reason):
    answer = client.post(f"/api/deployment?{query}", content=body)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_too_many_waiting_requests_are_turned_away(monkeypatch):
    monkeypatch.setattr(page_app, "MAX_WAITING", 0)
    own = client_of(PageSettings(profiles=PROFILES))
    assert own.post("/api/view?view=raw&profile=identity&picture=cat").status_code == 503


def test_every_bundled_picture_is_a_picture():
    for name, picture in BUNDLED.items():
        rgb = bundled_picture(name)
        assert rgb.dtype == np.uint8 and rgb.shape[2] == 3 and picture.label
