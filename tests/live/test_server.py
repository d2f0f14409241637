"""`make live`: what it gives, and that it takes recordings from its own page alone."""

import http.client
import re
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from utils.live.recordings import Recordings
from utils.live.server import build_server, find_model

MODEL = Path(__file__).parents[1] / "export/demo_model.json"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    recordings = Recordings(tmp_path / "videos", tmp_path / "labels.csv")
    server = build_server(MODEL, recordings, port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _ask(
    server: ThreadingHTTPServer, path: str, method: str = "GET", **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
    connection.request(method, path, body=b"x" if method == "POST" else None)
    if headers:
        connection.close()
        connection.request(method, path, body=b"x", headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_it_listens_on_this_machine_alone(server: ThreadingHTTPServer) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_it_gives_the_page_and_nothing_else(server: ThreadingHTTPServer) -> None:
    assert b"Live postures" in _ask(server, "/")[1]
    assert _ask(server, "/model.json")[1] == MODEL.read_bytes()
    for path in ("/../README.md", "/%2e%2e/README.md", "/labels.csv", "/static"):
        assert _ask(server, path)[0] == 404


def test_a_recording_needs_the_token_that_only_the_page_has(
    server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    begin = "/keep/begin?name=me_1&who=me&suffix=.mp4"
    assert _ask(server, begin, "POST")[0] == 403
    token = re.search(rb'"token": "(\w+)"', _ask(server, "/")[1])[1].decode()
    headers = {"X-Live": token}
    assert _ask(server, begin, "POST", **headers)[0] == 200
    assert _ask(server, "/keep/add?name=me_1", "POST", **headers)[0] == 200
    assert (tmp_path / "videos/me_1.mp4").read_bytes() == b"x"
    status, sentence = _ask(server, "/keep/add?name=other", "POST", **headers)
    assert (status, b"was begun" in sentence) == (500, True)


def test_a_page_elsewhere_that_points_its_name_here_gets_nothing(
    server: ThreadingHTTPServer,
) -> None:
    assert _ask(server, "/", Host="evil.example")[0] == 403


def test_before_the_first_run_there_is_no_model(tmp_path: Path) -> None:
    assert find_model(tmp_path) is None
    site = build_server(None, Recordings(tmp_path, tmp_path / "l.csv"), port=0)
    site.server_close()
