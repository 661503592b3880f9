"""The web application of `campro serve`: one page per tab, and the requests that its scripts make."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from campro.core.errors import CamproError
from campro.core.types import Rgb8
from campro.serve.bundled_pictures import BUNDLED, bundled_picture
from campro.serve.deployment_zip import MAX_TEXT, camera_entries, deployment
from campro.serve.face_comparison import Comparison, FaceComparison
from campro.serve.face_scale import PURPOSES, face_scale
from campro.serve.page_settings import MAX_SIDE, PageSettings
from campro.serve.page_templates import html
from campro.serve.picture_views import VIEWS, PictureView, PictureViews, ViewSettings
from campro.serve.profile_drawing import profile_drawing
from campro.serve.range_chooser import SENSORS, range_of
from campro.serve.report_list import find_reports, report_path
from campro.serve.request_guard import RequestGuard
from campro.serve.uploads import picture_of, read_body, reduced, split_pictures

MAX_WAITING = 16
"""Most requests that wait for the computation before them."""
TABS = (("/", "Try"), ("/compare", "Compare"), ("/results", "Results"), ("/deploy", "Deploy"))
STATIC = {
    "page.css": "text/css",
    "common.js": "text/javascript",
    "try.js": "text/javascript",
    "compare.js": "text/javascript",
    "results.js": "text/javascript",
    "deploy.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
"""Files that are served, and their types."""
REPORT_POLICY = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Of reports: they may come from somebody else, so no script of theirs runs."""
JPEG_QUALITY = 92

Result = TypeVar("Result")


class Page:
    """The handlers of all routes and what they share."""

    def __init__(self, settings: PageSettings) -> None:
        self.settings = settings
        self.views = PictureViews(settings.profiles, settings.detector)
        self.faces = FaceComparison(self.views, settings.face_models)
        self._limiter, self._waiting = CapacityLimiter(1), 0

    async def warm_up(self) -> None:
        """Load the models one after the other; requests come in between."""
        for step in self.views.warm_up_steps(next(iter(self.settings.profiles))):
            await self._run(step)

    async def try_tab(self, request: Request) -> Response:
        """The first page."""
        limits = {"max_side": MAX_SIDE, "purposes": PURPOSES, "detector": self.settings.detector}
        return self._tab("try.html", bundled=BUNDLED, views=VIEWS, **limits)

    async def compare_tab(self, request: Request) -> Response:
        """Compare two pictures."""
        faces = {name: picture for name, picture in BUNDLED.items() if picture.faces}
        return self._tab("compare.html", bundled=faces, models=self.settings.face_models)

    async def results_tab(self, request: Request) -> Response:
        """Reports below the results folder."""
        folder = self.settings.results
        reports = await self._run(find_reports, folder)
        return self._tab("results.html", folder=folder, reports=reports, sensors=SENSORS)

    async def deploy_tab(self, request: Request) -> Response:
        """Write a profile for a camera."""
        return self._tab("deploy.html", cameras=camera_entries())

    async def view(self, request: Request) -> Response:
        """One view of a picture."""
        query = request.query_params
        rgb = await self._picture(request)
        settings = ViewSettings(query.get("profile", ""), _number(query, "scale", 1), _number(query, "noise", 0))
        return JSONResponse(_shown(await self._run(self.views.view, rgb, query.get("view", ""), settings)))

    async def face(self, request: Request) -> Response:
        """The pixel density at the main face of a picture; null without a face."""
        rgb = await self._picture(request)
        found = await self._run(lambda: face_scale(rgb, self.faces.detector))
        return JSONResponse(None if found is None else {"density": found.density})

    async def profile(self, request: Request) -> Response:
        """The drawing of a profile as HTML, and the views that it allows."""
        name = request.query_params.get("profile", "")
        profile = self.views.profile(name)
        drawing = profile_drawing(name, profile)
        return JSONResponse({"views": self.views.possible(profile), "html": html("profile.html", drawing=drawing)})

    async def compare(self, request: Request) -> Response:
        """Compare two faces; each picture is bundled, or part of the body."""
        query, body = request.query_params, await read_body(request)
        parts = split_pictures(body, int(_number(query, "size", 0)))
        pictures = [
            bundled_picture(name) if name else await self._run(picture_of, data, f"{which} picture")
            for which, data, name in zip(("first", "second"), parts, (query.get("first"), query.get("second")))
        ]
        found = await self._run(self.faces.compare, *pictures, query.get("profile", ""))
        return JSONResponse(_compared(found))

    async def deployment(self, request: Request) -> Response:
        """The files of a deployment."""
        query, body = request.query_params, await read_body(request, MAX_TEXT)
        fit, fixed = (query.get(name) == "1" for name in ("fit", "fixed"))
        profile, name = self.views.profile(query.get("profile", "")), query.get("name", "")[:100]
        return JSONResponse(await self._run(deployment, query.get("target", ""), profile, body, name, fit, fixed))

    async def range(self, request: Request) -> Response:
        """Distances of an audit for a sensor and a lens."""
        path = self._report_path(request)
        values = [request.query_params.get(name, "") for name in ("width", "sensor_width", "lens")]
        return JSONResponse(await self._run(range_of, path.parent, *values))

    async def report(self, request: Request) -> Response:
        """A report, without permission to run scripts."""
        path = self._report_path(request)
        return HTMLResponse(await self._run(path.read_bytes), headers={"content-security-policy": REPORT_POLICY})

    def _report_path(self, request: Request) -> Path:
        path = report_path(self.settings.results, request.path_params["place"])
        if path is None:
            raise HTTPException(404, "no such report")
        return path

    async def static(self, request: Request) -> Response:
        """A file of `STATIC`."""
        name = request.path_params["name"]
        if name not in STATIC:
            raise HTTPException(404, "no such file")
        content = (files("campro.serve") / "static" / name).read_bytes()
        return Response(content, media_type=STATIC[name], headers={"cache-control": "no-cache"})

    def _tab(self, template: str, **values: Any) -> Response:
        return HTMLResponse(html(template, tabs=TABS, profiles=tuple(self.settings.profiles), **values))

    async def _picture(self, request: Request) -> Rgb8:
        """The bundled picture that the address names, or the uploaded one."""
        name = request.query_params.get("picture")
        if name:
            return reduced(bundled_picture(name), MAX_SIDE)
        return await self._run(picture_of, await read_body(request))

    async def _run(self, work: Callable[..., Result], *args: Any) -> Result:
        """Compute in a thread, one computation at a time.

        Raises:
            HTTPException: 503 if too many wait.
        """
        if self._waiting >= MAX_WAITING:
            raise HTTPException(503, "too many requests at once; try again")
        self._waiting += 1
        try:
            return await run_sync(partial(work, *args), limiter=self._limiter)
        finally:
            self._waiting -= 1


def create_app(settings: PageSettings, warm_up: bool = True) -> Starlette:
    """The ASGI application; `warm_up` loads the models in the background as soon as it runs."""
    page = Page(settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(page.warm_up()) if warm_up else None
        yield
        if task is not None:
            task.cancel()

    routes = [
        Route("/", page.try_tab),
        Route("/compare", page.compare_tab),
        Route("/results", page.results_tab),
        Route("/deploy", page.deploy_tab),
        Route("/static/{name}", page.static),
        Route("/report/{place:path}", page.report),
        Route("/range/{place:path}", page.range),
        Route("/api/profile", page.profile),
        Route("/api/view", page.view, methods=["POST"]),
        Route("/api/face", page.face, methods=["POST"]),
        Route("/api/compare", page.compare, methods=["POST"]),
        Route("/api/deployment", page.deployment, methods=["POST"]),
    ]
    handlers: Any = {CamproError: _user_error, HTTPException: _http_error}
    guard = [Middleware(RequestGuard, settings=settings)]
    return Starlette(routes=routes, middleware=guard, exception_handlers=handlers, lifespan=lifespan)


async def _user_error(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


async def _http_error(request: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code)


def _number(query: Any, name: str, default: float) -> float:
    try:
        return float(query.get(name, default))
    except ValueError as error:
        raise CamproError(name, "a number", repr(query[name])[:40]) from error


def _shown(view: PictureView) -> dict[str, object]:
    height, width = view.rgb.shape[:2]
    return {"image": jpeg_uri(view.rgb), "width": width, "height": height, "boxes": view.boxes}


def _compared(found: Comparison) -> dict[str, object]:
    models = [
        {"model": row.model, "scores": row.scores, "threshold": asdict(row.threshold)}
        | {"matches": {view: row.matches(view) for view in row.scores}}
        for row in found.models
    ]
    probes = {view: jpeg_uri(rgb) for view, rgb in found.probes.items()}
    return {"models": models, "enrolled": jpeg_uri(found.enrolled), "probes": probes}


def jpeg_uri(rgb: Rgb8) -> str:
    """A picture as a data: URI, without chroma subsampling."""
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), options)
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
