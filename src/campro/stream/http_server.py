"""A small HTTP server on loopback: MJPEG (multipart/x-mixed-replace), or the files of an HLS playlist."""

from __future__ import annotations

import re
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET6, SO_SNDBUF, SOL_SOCKET
from threading import Condition, Thread
from types import TracebackType

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BOUNDARY = "frame"
MAX_CLIENTS = 8
WAIT_S = 5.0
"""Longest wait of a client for the next frame, and for a client that does not read."""
SEND_BUFFER = 1 << 18
"""Bytes: about one picture, so that a slow client skips frames instead of seeing old ones."""
TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".m4s": "video/iso.segment"}
PAGE = (
    '<!doctype html><title>CamPro</title><body style="margin:0;background:#111">'
    '<img src="stream.mjpeg" alt="live picture" style="width:100%;height:100vh;object-fit:contain">'
)


class StreamServer:
    """Serves the latest frame, or a folder with a playlist, until it is left.

    Requests that name another host than loopback are refused, so that a page of a stranger cannot read the stream
    through a name that resolves to loopback (DNS rebinding).
    """

    def __init__(self, host: str, port: int, playlist: Path | None = None) -> None:
        """Port 0 is any free one; `playlist` is the file of an HLS muxer, whose folder holds nothing else.

        Raises:
            OSError: if the port is in use.
        """
        self.playlist, self.clients = playlist, 0
        self._changed, self._frame, self._number, self._open = Condition(), b"", 0, True
        stream = self

        class Handler(_Handler):
            server_of_stream = stream

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            address_family = AF_INET6 if ":" in host else ThreadingHTTPServer.address_family

        self._server = Server((host, port), Handler)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> StreamServer:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def publish(self, jpeg: bytes) -> None:
        """Make a picture the latest one."""
        with self._changed:
            self._frame, self._number = jpeg, self._number + 1
            self._changed.notify_all()

    def join(self) -> bool:
        """Count a client; False if there are too many."""
        with self._changed:
            if self.clients >= MAX_CLIENTS:
                return False
            self.clients += 1
            return True

    def leave(self) -> None:
        """A client has gone."""
        with self._changed:
            self.clients -= 1

    def next_frame(self, number: int) -> tuple[int, bytes] | None:
        """Number and JPEG of the latest frame after frame `number`; None at the end or after WAIT_S."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > number or not self._open, WAIT_S)
            return (self._number, self._frame) if self._open and self._number > number else None


class _Handler(BaseHTTPRequestHandler):
    server_of_stream: StreamServer
    timeout = WAIT_S
    server_version, sys_version = "campro", ""

    def log_message(self, format: str, *args: object) -> None:
        """Silent: addresses of readers are nobody's business."""

    def do_GET(self) -> None:
        """Answer one request."""
        if re.sub(r":\d+$", "", self.headers.get("Host", "")).strip("[]") not in LOOPBACK:
            self.send_error(HTTPStatus.FORBIDDEN)
        elif self.server_of_stream.playlist is not None:
            self._file(self.server_of_stream.playlist)
        elif self.path == "/":
            self._send(PAGE.encode(), "text/html; charset=utf-8")
        elif self.path == "/stream.mjpeg":
            self._mjpeg()
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _mjpeg(self) -> None:
        stream, number = self.server_of_stream, 0
        if not stream.join():
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        try:
            self.connection.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            while (found := stream.next_frame(number)) is not None:
                number, jpeg = found
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
        except OSError:  # the client has gone, or does not read
            pass
        finally:
            stream.leave()
            self.close_connection = True

    def _file(self, playlist: Path) -> None:
        name = self.path.partition("?")[0].lstrip("/")
        path = playlist.parent / name
        known = re.fullmatch(rf"{re.escape(playlist.stem)}(\d+\.ts|\.m3u8)", name)
        if not known or not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            with suppress(OSError):  # the segment was deleted, or the client has gone
                self._send(path.read_bytes(), TYPES[path.suffix])

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)
