"""`make live`: the live page on this machine alone, recordings into folders at once."""

import argparse
import secrets
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qsl, urlsplit

from utils.core.markup import escape_terminal
from utils.export.model_json import read_model
from utils.live.page import build_site
from utils.live.recordings import Recordings

PORT = 8642
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
_MAX_BYTES = 64 << 20  # of one second of film


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until ctrl+C.

    Args:
        arguments: Command line, without the program's name; the process's own if None.

    Returns:
        0; 1 with one sentence on stderr if it cannot start.
    """
    parser = argparse.ArgumentParser(prog="make live", description=__doc__)
    parser.add_argument("--RESULTS", type=Path, default=Path("data/results"))
    parser.add_argument("--VIDEOS", type=Path, default=Path("videos"))
    parser.add_argument("--LABELS", type=Path, default=Path("data/labels.csv"))
    parser.add_argument("--PORT", type=int, default=PORT)
    given = parser.parse_args(arguments)
    try:
        server = build_server(
            find_model(given.RESULTS),
            Recordings(given.VIDEOS, given.LABELS),
            port=given.PORT,
        )
    except (OSError, ValueError) as error:
        print(escape_terminal(f"make live stopped. {error}"), file=sys.stderr)
        return 1
    print(f"Open http://127.0.0.1:{server.server_port}/ in a browser; ctrl+C ends it.")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()
    return 0


def find_model(results: Path) -> Path | None:
    """Return the `model.json` of a run; None before the first run."""
    found = (results / "live/model.json", results / "export/model.json")
    return next((path for path in found if path.is_file()), None)


def build_server(
    model: Path | None, recordings: Recordings, *, port: int = PORT
) -> ThreadingHTTPServer:
    """Make the server, on 127.0.0.1 alone; the next free port if it is taken.

    Args:
        model: A `model.json`; None for a page that only records.
        recordings: Where recorded films go.
        port: Where to listen; 0 for any.

    Returns:
        The server, not yet serving.

    Raises:
        ValueError: If the model contradicts itself.
        OSError: If no port is free.
    """
    token = secrets.token_hex(16)
    site = build_site(model and read_model(model), token=token)
    handler = partial(_Handler, site, recordings, token, Lock())
    for offset in range(20):
        try:
            return ThreadingHTTPServer(("127.0.0.1", port + offset), handler)
        except OSError as error:
            if port == 0 or offset == 19:
                raise OSError(f"No port from {port} on is free ({error}).") from error
    raise AssertionError


class _Handler(BaseHTTPRequestHandler):
    """Gives the page's files, and takes recordings from that page alone."""

    def __init__(
        self,
        site: Mapping[str, bytes],
        recordings: Recordings,
        token: str,
        lock: Lock,
        *rest: object,
    ) -> None:
        self._site, self._recordings = site, recordings
        self._token, self._lock = token, lock
        super().__init__(*rest)

    def do_GET(self) -> None:
        """Give a file of the page."""
        name = urlsplit(self.path).path.lstrip("/") or "index.html"
        if not self._is_asked_by_name():
            return
        if name not in self._site:
            self._answer(HTTPStatus.NOT_FOUND, b"There is no such file.")
            return
        kind = _TYPES.get(Path(name).suffix, "application/octet-stream")
        self._answer(HTTPStatus.OK, self._site[name], kind=kind)

    def do_POST(self) -> None:
        """Keep a part of a recording; only our page knows the token."""
        address = urlsplit(self.path)
        n_bytes = int(self.headers.get("Content-Length") or 0)
        if not self._is_asked_by_name():
            return
        if self.headers.get("X-Live") != self._token or n_bytes > _MAX_BYTES:
            self._answer(HTTPStatus.FORBIDDEN, b"Reload the page.")
            return
        data = self.rfile.read(n_bytes)
        what = address.path.removeprefix("/keep/")
        try:
            with self._lock:
                self._recordings.keep(what, dict(parse_qsl(address.query)), data)
        except (OSError, ValueError, KeyError) as error:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, str(error).encode())
            return
        self._answer(HTTPStatus.OK, b"")

    def _is_asked_by_name(self) -> bool:
        """Refuse other names of this machine: a page elsewhere may point one here."""
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        if host in ("127.0.0.1", "localhost"):
            return True
        self._answer(HTTPStatus.FORBIDDEN, b"Open the page by 127.0.0.1.")
        return False

    def _answer(
        self, status: HTTPStatus, content: bytes, *, kind: str = _TYPES[".txt"]
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing for each file."""


if __name__ == "__main__":
    sys.exit(main())
