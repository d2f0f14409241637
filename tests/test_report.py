"""Tests of `utils.report`: what is shown, and what never leaves or enters the page."""

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.jupyter_rig import ROOT, find_chromium, run_browser
from utils import report
from utils.core.markup import escape_markdown

AXE = Path(__file__).parent / "vendor/axe-core/axe.min.js"
SEEK = """async () => {
  const { violations } = await axe.run();
  const bad = violations.filter((v) => ["serious", "critical"].includes(v.impact));
  return bad.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`);
}"""
SECRET = "poseNet-secret-0123456789"
# {port} is a server that must never be asked; {secret} a file beside the report.
HOSTILE = {
    "class": "![x]({secret}) ![y](attachment:z) <script>document.title='own'</script>",
    "film": "bad<img src={secret}>.mp4 <img src=http://127.0.0.1:{port}/film>",
    "person": "\"><img src=x onerror=document.title='own'> [a](http://127.0.0.1:{port}/)",
    "annotator": "</pre></td></table><iframe src=http://127.0.0.1:{port}/a></iframe>",
    "camera": "<style>@import url(http://127.0.0.1:{port}/css)</style>$$x$$ \x1b[2J=1",
    "svg": "<svg onload=document.title='own'><image href=http://127.0.0.1:{port}/s />",
    "link": "<link rel=stylesheet href=//127.0.0.1:{port}/l> <base href=//127.0.0.1>",
    "meta": "<meta http-equiv=refresh content='0;url=http://127.0.0.1:{port}/m'>",
    "data": "<img src='data:image/svg+xml,<svg onload=alert(1)>'> data:,0 data:,7",
    "object": "<object data={secret}></object><embed src={secret}><audio src={secret}>",
    "long": "x" * 255,
}
# What a careless cell does with a name: each of these is markup of its own.
SHOW = """
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML, Javascript, Markdown, SVG, display
for field, name in NAMES.items():
    display(Markdown(f"- {field} {name} is short\\n\\n| a |\\n|---|\\n| {name} |"))
    display(HTML(f"<p>{field} {name}</p>"))
    display(pd.DataFrame({name: [name]}, index=[name]))
    print(field, name)
display(Javascript("document.title = 'own'"))
svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>parent.document.title='own'</script>"
display(SVG(svg + f"<image href='http://127.0.0.1:{PORT}/svg'/></svg>"))
raise ValueError(NAMES["film"])
"""


@pytest.fixture
def canary() -> Iterator[tuple[int, list[str]]]:
    """A server on loopback: its port, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def hostile_report(tmp_path: Path, canary: tuple[int, list[str]]) -> Path:
    """The report of a notebook that was run on names meant to break out of it."""
    from nbclient import NotebookClient

    (tmp_path / "secret.txt").write_text(SECRET)
    names = {
        field: name.format(port=canary[0], secret="secret.txt")
        for field, name in HOSTILE.items()
    }
    cells = [
        new_markdown_cell("# Postures\n\n![x](secret.txt) <img src='secret.txt'>"),
        new_code_cell(f"NAMES, PORT = {names!r}, {canary[0]}"),
        new_code_cell(SHOW),
    ]
    notebook = new_notebook(cells=cells)
    client = NotebookClient(notebook, allow_errors=True, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
    nbformat.write(notebook, tmp_path / "poseNet.ipynb")
    return report.write_report(
        tmp_path / "poseNet.ipynb", failure=names["film"], missing=[names["class"]]
    )


def check_in_browser(path: Path, profile: Path, *, title: str) -> str:
    """Open a report in Chromium: it runs nothing, fetches nothing, and is never wide.

    Args:
        path: The report.
        profile: Empty folder for the browser's profile.
        title: What the page's title must still be.

    Returns:
        The text that is shown.
    """
    requests, events = [], []
    with run_browser(profile) as context:
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("dialog", lambda dialog: (events.append("dialog"), dialog.dismiss()))
        # The page does not even try what its policy forbids: that would be told here.
        page.on("console", lambda said: events.append(said.text))
        page.goto(path.as_uri())
        page.wait_for_timeout(500)
        assert page.title() == title
        assert page.locator("script, iframe, object, embed, link, base").count() == 0
        assert page.locator("[onerror], [onload]").count() == 0
        shown = page.locator("main").inner_text()
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not events
    assert {url.split(":")[0] for url in requests} <= {"file", "data"}
    assert {url for url in requests if url[:5] == "file:"} == {path.as_uri()}
    return " ".join(shown.split())


@pytest.mark.browser
@pytest.mark.skipif(not find_chromium(), reason="needs a Chromium")
def test_axe_finds_no_serious_fault_in_a_report(tmp_path: Path) -> None:
    pixel = base64.b64encode(b"\x89PNG").decode()
    drawn = new_output("display_data", {"image/png": pixel})
    table = pd.DataFrame({"accuracy": [0.9]}, index=["majority"])
    wide = pd.DataFrame(np.eye(40), columns=[f"a_long_column_{k}" for k in range(40)])
    film = '<video controls><source src="data:video/mp4;base64,AAAA"></video>'
    shown = [_show(html) for html in (table.to_html(), wide.to_html(), film)]
    answer = new_code_cell("a", outputs=shown[:1], metadata={"tags": ["answer"]})
    code = new_code_cell("x = 1  # why", outputs=[drawn, *shown])
    _write(tmp_path, [new_markdown_cell("# T\n\n## Part\n\n`x`"), code, answer])
    with run_browser(tmp_path / "profile") as context:
        page = context.new_page()
        page.goto((tmp_path / "report.html").as_uri())
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(SEEK) == []


@pytest.mark.browser
@pytest.mark.skipif(not find_chromium(), reason="needs a Chromium")
def test_hostile_names_run_nothing_ask_nobody_and_bring_no_file(
    hostile_report: Path, canary: tuple[int, list[str]], tmp_path: Path
) -> None:
    port, asked = canary
    page_bytes = hostile_report.read_bytes()
    for content in (SECRET.encode(), base64.b64encode(SECRET.encode())):
        assert content not in page_bytes
    shown = check_in_browser(hostile_report, tmp_path / "profile", title="Postures")
    assert not asked
    # Chromium's own log, of all that its network stack did.
    log = tmp_path / "net.json"
    command = [find_chromium(), "--headless", "--no-sandbox", "--disable-gpu"]
    command += ["--disable-background-networking", f"--log-net-log={log}"]
    command += [f"--user-data-dir={tmp_path / 'second'}", "--dump-dom"]
    done = subprocess.run(
        [*command, hostile_report.as_uri()], capture_output=True, timeout=120
    )
    assert b"<title>Postures</title>" in done.stdout
    assert f"127.0.0.1:{port}/" not in _list_addresses(log)
    assert not asked
    for field, name in HOSTILE.items():  # printed text stands as it is written
        written = name.format(port=port, secret="secret.txt").replace("\x1b[2J", "")
        assert " ".join(f"{field} {written}".split()) in shown


def _list_addresses(log: Path) -> str:
    """Return the addresses that a net log says were asked for."""
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    found = [event.get("params", {}).get("url", "") for event in events]
    return "\n".join(found)


def _write(tmp_path: Path, cells: list, **options: object) -> str:
    notebook = new_notebook(cells=cells)
    nbformat.write(notebook, tmp_path / "poseNet.ipynb")
    path = report.write_report(tmp_path / "poseNet.ipynb", **options)
    return path.read_text(encoding="utf-8")


def test_contents_title_code_and_pictures_have_their_words(tmp_path: Path) -> None:
    pixel = base64.b64encode(b"\x89PNG").decode()
    told = new_output(
        "display_data", {"image/png": pixel}, metadata={"image/png": {"alt": "Loss"}}
    )
    cells = [
        new_markdown_cell("# A title"),
        new_markdown_cell("## Frames & points\ntext\n### More\n## Frames & points"),
        new_code_cell(
            "x = 1", outputs=[new_output("display_data", {"image/png": pixel}), told]
        ),
    ]
    page = _write(tmp_path, cells)
    assert "<title>A title</title>" in page
    assert '<a href="#frames-points">Frames &amp; points</a>' in page
    assert '<h2 id="frames-points-2">' in page
    assert '<details class="code"><summary>Code</summary>' in page
    assert 'alt="Chart: Frames &amp; points"' in page
    assert 'alt="Loss"' in page


def test_the_answer_opens_the_report_and_is_not_repeated(tmp_path: Path) -> None:
    said = new_output(
        "display_data", {"text/markdown": "Right in **9 of 10**.\n\n### Next"}
    )
    answer = new_code_cell("a", outputs=[said], metadata={"tags": ["answer"]})
    page = _write(tmp_path, [new_markdown_cell("# T\n\nfirst words"), answer])
    assert page.count("<strong>9 of 10</strong>") == 1
    assert '<h3 id="next">Next</h3>' in page and "#next" not in page  # no contents
    assert page.index("<h1>T</h1>") < page.index("9 of 10") < page.index("first words")


def test_a_failed_run_says_what_is_missing_and_names_no_folder(tmp_path: Path) -> None:
    trace = f'File "{report.ROOT}/utils/run.py", line 3\n{Path.home()}/films/a.mp4'
    error = new_output("error", ename="ValueError", evalue="No.", traceback=[trace])
    cells = [new_code_cell(f"# {report.ROOT}", outputs=[error])]
    page = _write(tmp_path, cells, failure="No.", missing=["Compare", "Save"])
    assert "stopped before its end" in page
    assert "Not done: Compare, Save." in page
    assert "ValueError: No." in page
    assert "File &quot;utils/run.py&quot;" in page
    assert "~/films/a.mp4" in page
    assert str(report.ROOT) not in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{root}/utils/run.py", "utils/run.py"),
        ("in {root} now", "in . now"),
        ("/x{root}/y", "/x{root}/y"),
        ("{home}/films", "~/films"),
        ("{films}/a.mp4", "…/my films/a.mp4"),
        ("see (/usr)", "see (/usr)"),
        (
            "data:video/mp4;base64,AA+{home}/= {home}",
            "data:video/mp4;base64,AA+{home}/= ~",
        ),
    ],
)
def test_only_folders_of_this_machine_are_hidden(text: str, shown: str) -> None:
    folders = {"root": report.ROOT, "home": Path.home(), "films": "/mnt/x/my films"}
    found = report.hide_paths(text.format(**folders), folders=[Path("/mnt/x/my films")])
    assert found == shown.format(**folders)


def test_tables_name_columns_and_models_in_words(tmp_path: Path) -> None:
    table = pd.DataFrame({"n_frames": [3], "kick_off": ["n"]}, index=["pose_softmax"])
    page = _write(tmp_path, [new_code_cell("x", outputs=[_show(table.to_html())])])
    for words in ("<th>frames</th>", "<th>kick_off</th>", "<th>pose classifier</th>"):
        assert words in page


def test_sentences_are_read_as_written_and_missing_numbers_are_a_dash(
    tmp_path: Path,
) -> None:
    said = "`a` [b] <i>c</i> & d_ &lt;"
    sentence = new_output("display_data", {"text/markdown": escape_markdown(said)})
    table = _show(pd.DataFrame({"n": [np.nan]}, index=["NaN b"]).to_html())
    page = _write(tmp_path, [new_code_cell("x", outputs=[sentence, table])])
    assert "`a` [b] &lt;i&gt;c&lt;/i&gt; &amp; d_ &amp;lt;" in page
    assert "<td>–</td>" in page and "<th>NaN b</th>" in page


def test_a_film_in_an_output_is_kept(tmp_path: Path) -> None:
    film = '<source src="data:video/mp4;base64,AAAA"></video>'
    poster = "data:image/jpeg;base64,BBBB"
    shown = [f"<video controls>{film}", f'<video controls poster="{poster}">{film}']
    page = _write(tmp_path, [new_code_cell("x", outputs=[*map(_show, shown)])])
    assert page.count('<source src="data:video/mp4;base64,AAAA">') == 2
    assert f'<video controls poster="{poster}">' in page
    printed = [text.split(">")[0] for text in page.split('class="printed"')[1:]]
    assert printed[0] == ""  # a sentence: this film has no poster
    assert f'src="{poster}"' in printed[1]


def _show(html: str) -> nbformat.NotebookNode:
    return new_output("display_data", {"text/html": html})


def test_saving_in_jupyterlab_writes_the_report_where_results_go(
    tmp_path: Path,
) -> None:
    settings = new_code_cell('RESULTS = "out"', metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[settings])
    path = tmp_path / "my_poseNet.ipynb"
    nbformat.write(notebook, path)
    report.save_report(os_path=str(path), model={"type": "notebook"})
    assert not (tmp_path / "out/report.html").exists()  # nothing has been run
    settings.outputs = [_show("<b>done</b>")]
    nbformat.write(notebook, path)
    report.save_report(os_path=str(path), model={"type": "notebook"})
    assert "<b>done</b>" in (tmp_path / "out/report.html").read_text()
    ours = nbformat.read(ROOT / "poseNet.ipynb", as_version=4)
    assert report.find_results(path, ours) == tmp_path / "data/results"


def test_noise_of_libraries_stays_out_of_the_report_and_warnings_stay_in() -> None:
    noise = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
    noise += "I0000 00:00:17 8255 cudart_stub.cc:31] Could not find cuda drivers\n"
    noise += "2026-01-01 10:00:00.123456: E external/local_xla cuFFT factory\n"
    warning = "UserWarning: a person became a fold\n"
    outputs = [
        new_output("stream", name="stderr", text=text)
        for text in (noise, noise + warning)
    ]
    outputs.append(new_output("stream", name="stdout", text=noise))
    notebook = new_notebook(cells=[new_code_cell("", outputs=outputs)])
    kept = report.drop_noise(notebook).cells[-1].outputs
    assert [output.text for output in kept] == [warning, noise]


def test_the_answer_is_the_lines_that_the_last_cell_left(tmp_path: Path) -> None:
    assert report.describe_answer(tmp_path) == []
    (tmp_path / "answer.txt").write_text("Right in 9 of 10.\nNext: film more.\n")
    assert report.describe_answer(tmp_path) == ["Right in 9 of 10.", "Next: film more."]
    page = _write(tmp_path, [new_markdown_cell("# T")])
    assert page.index("<h1>") < page.index("<li>Right in 9 of 10.</li>")
    assert "9 of 10" not in _write(tmp_path, [], failure="It stopped.")


def test_a_report_shows_results_then_evidence_then_how_they_were_made(
    tmp_path: Path,
) -> None:
    parts = [("Flow", "part-flow"), ("Charts", "part-results")]
    parts += [
        ("Use", "part-flow"),
        ("Evidence", "part-evidence"),
        ("Save", "part-flow"),
    ]
    cells = [new_markdown_cell("# T\n\nfirst words")]
    for heading, tag in parts:
        cells.append(new_markdown_cell(f"## {heading}", metadata={"tags": [tag]}))
        said = new_output("display_data", {"text/markdown": f"said of {heading}"})
        kinds = ["answer"] if heading in ("Use", "Save") else []
        cells.append(new_code_cell("x", outputs=[said], metadata={"tags": kinds}))
    page = _write(tmp_path, cells)
    order = ["said of Save", "said of Use", "first words", "said of Charts"]
    order += ["said of Evidence", ">How it was made</h1>", "said of Flow"]
    places = [page.index(words) for words in order]
    assert places == sorted(places)
    assert page.count("said of Use") == 1
    stopped = _write(tmp_path, cells, failure="No.")
    assert stopped.index("said of Flow") < stopped.index("said of Charts")
