"""`campro serve`: a page in the browser, on this machine, to try profiles and to read results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

EXAMPLE = "campro serve --results runs"


@dataclass(frozen=True)
class Config:
    """Serve a page on loopback to try profiles, compare faces, read reports and write camera files (extra `serve`).

    Uploaded pictures stay in memory and are sent nowhere. With --host another address is served, and a random token
    is required, which is part of the address that is printed; the connection is not encrypted.
    """

    host: str = "127.0.0.1"
    """Address of this machine to listen on."""
    port: int = 8760
    """Port to listen on."""
    results: Path | None = None
    """Folder below which reports are listed; by default `runs`."""
    profiles: tuple[Path, ...] = ()
    """Further profiles, as JSON files."""
    face_models: tuple[str, ...] = ()
    """Recognisers of the Compare tab; by default all whose weights are on this machine."""
    detector: str = "campro-person"
    """Person detector."""


def run(config: Config) -> None:
    """Print the address and serve until interrupted."""
    from campro.core.extras import require

    for package in ("starlette", "uvicorn"):
        require(package, "serve", "campro serve")
    from campro.models.model_table import MODELS
    from campro.serve.page_settings import PageSettings, profile_table
    from campro.serve.web_server import address, check_address, new_token, serve

    check_address(config.host, config.port)
    here = tuple(name for name, entry in MODELS.items() if entry.kind == "face recogniser" and entry.here)
    settings = PageSettings(
        config.host,
        config.port,
        new_token(config.host),
        config.results or Path("runs"),
        profile_table(config.profiles),
        config.detector,
        config.face_models or here,
    )
    print(f"open {address(settings)}   (Ctrl-C ends)", flush=True)
    if not settings.is_loopback:
        print("WARNING: others on this network can reach the page, and read what is sent: it is not encrypted")
    serve(settings)
