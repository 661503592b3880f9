"""Runs the page: one process, until it is interrupted."""

from __future__ import annotations

import secrets
import socket
from urllib.parse import quote

import uvicorn

from campro.core.errors import CamproError
from campro.serve.page_app import create_app
from campro.serve.page_settings import LOOPBACK, PageSettings
from campro.serve.request_guard import TOKEN


def new_token(host: str) -> str:
    """A random token for an address that other machines can reach; empty for loopback."""
    return "" if host in LOOPBACK else secrets.token_urlsafe(24)


def address(settings: PageSettings) -> str:
    """The address to open, with the token.

    >>> address(PageSettings("::1", 8760))
    'http://[::1]:8760/'
    """
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}/" + (f"?{TOKEN}={quote(settings.token)}" if settings.token else "")


def check_address(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on, before anything is loaded.

    Raises:
        CamproError: If the host is none of this machine, stands for all addresses, or the port is in use.
    """
    if host in ("", "0.0.0.0", "::"):
        wanted = "--host with one address of this machine, which the page checks"
        raise CamproError("serve", wanted, repr(host), "name the address that others use")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OSError as error:
        raise CamproError("serve", "a free port of this machine", f"{host}:{port} ({error.strerror})") from error


def serve(settings: PageSettings) -> None:
    """Serve until interrupted (Ctrl-C)."""
    app = create_app(settings)
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_level="warning", access_log=False, server_header=False
    )
    uvicorn.Server(config).run()
