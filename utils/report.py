"""`report.html`: an executed notebook as one file that may be given to anybody.

A report shows what the notebook drew and nothing else. Names come out of strangers'
files, so every output is taken for hostile: it is shown as text, tables, charts and
films that lie in it, and never fetches, runs or holds anything from elsewhere. The
page has no script, and its content policy forbids the browser any request.
"""

import ast
import base64
import html
import re
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
from mistune import HTMLRenderer, create_markdown
from mistune.util import escape as escape_text

from utils.core.files import ANSWER_FILE, atomic_path
from utils.core.markup import escape_html, escape_terminal
from utils.core.tables import WORDS
from utils.screen import is_noise

ROOT = Path(__file__).parents[1]
NAME = "report.html"
ANSWER = "answer"  # tag of a cell whose outputs open the report
TOP = "answer-top"  # tag of the copy of it at the top of an executed notebook
PARTS = ("part-results", "part-evidence", "part-flow")  # tags, in the report's order
_MADE = "# How it was made"
_UNLISTED = 4  # headings from this level on are not in the table of contents
_TEMPLATE = Path(__file__).with_name("report.html.j2")
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
# What a film or chart within an HTML output may be; everything else is dropped.
_DATA = re.compile(
    r"data:(?:image/(?:png|jpeg|gif|webp)|video/(?:mp4|webm));base64,[A-Za-z0-9+/=\s]+"
)
_DATA_URI = re.compile(r"(data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+)")
_VIDEO = re.compile(r"(?s)<video\b([^>]*)>.*?</video>")
_TAGS = set(
    re.findall(
        r"\w+",
        "a b blockquote br caption code dd details div dl dt em figcaption figure h2 "
        "h3 h4 hr i img li ol p pre s small source span strong sub summary sup table "
        "tbody td tfoot th thead tr ul video",
    )
)
_FACTS = {  # attribute -> what its value must look like
    **dict.fromkeys(("src", "poster"), re.compile(r"data:,\d+")),
    "href": re.compile(r"#[\w-]+|\w[\w-]*(?:\.[\w-]+)*"),  # here, or a file beside it
    "type": re.compile(r"(?:image|video)/[\w+.-]+"),
    "class": re.compile(r"[\w -]*"),
    "scope": re.compile(r"row|col"),
    **dict.fromkeys(("width", "height", "colspan", "rowspan"), re.compile(r"\d{1,4}")),
    **dict.fromkeys(("alt", "title", "controls", "aria-label"), re.compile(r"(?s).*")),
}


@dataclass
class _Heading:
    """A line of the table of contents."""

    level: int
    anchor: str
    html: str


@dataclass
class _Contents:
    """The headings met so far, with anchors of their own."""

    headings: list[_Heading] = field(default_factory=list)

    def add(self, html: str, level: int) -> str:
        """Note a heading and return its anchor."""
        words = re.sub(r"<[^>]+>|&\S+?;", "", html).lower()
        slug = re.sub(r"[^a-z0-9]+", "-", words).strip("-") or "section"
        taken = {heading.anchor for heading in self.headings}
        anchor, n = slug, 2
        while anchor in taken:
            anchor, n = f"{slug}-{n}", n + 1
        self.headings.append(_Heading(level, anchor, html))
        return anchor

    @property
    def latest(self) -> str:
        """The words of the heading above, as HTML; empty before the first."""
        return self.headings[-1].html if self.headings else ""


class _Renderer(HTMLRenderer):
    """Markdown to HTML: raw HTML and pictures are shown as they are written."""

    def __init__(self, contents: _Contents) -> None:
        super().__init__(escape=True)
        self._contents = contents

    def text(self, text: str) -> str:
        """Show text as it is meant: entities stand for what would be markup."""
        return escape_text(html.unescape(text))

    def heading(self, text: str, level: int, **_: object) -> str:
        """Write a heading with an anchor."""
        anchor = self._contents.add(text, level)
        return f'<h{level} id="{anchor}">{text}</h{level}>\n'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Show the source: a picture that the notebook drew is an output."""
        return escape_text(f"![{text}]({url})")

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Link within the page or to a file beside it; else show the address."""
        if _FACTS["href"].fullmatch(url):
            return f'<a href="{escape_text(url)}">{text}</a>'
        return text if text == escape_text(url) else f"{text} ({escape_text(url)})"


def write_report(
    executed: Path,
    *,
    failure: str = "",
    is_turn: bool = False,
    missing: Sequence[str] = (),
) -> Path:
    """Write an executed notebook as one HTML file that needs nothing else.

    Outputs of the cell tagged `answer` come first, or else the answer in words; code
    is folded, and the files beside the notebook are linked at the end.

    Args:
        executed: The executed notebook, or one that JupyterLab has saved.
        failure: A sentence, if the run stopped before its end.
        is_turn: Whether it stopped because a person has to do something first.
        missing: Headings of the sections that are not there.

    Returns:
        Path of `report.html` beside it, or where its settings say that results go.
    """
    import jinja2

    notebook = nbformat.read(executed, as_version=4)
    folder = find_results(Path(executed), notebook)
    contents, title = _Contents(), _take_title(notebook)
    if not failure:
        notebook.cells = put_results_first(notebook.cells)
    cells = [_render_cell(cell, contents) for cell in drop_noise(notebook).cells]
    environment = jinja2.Environment(autoescape=True, trim_blocks=True)
    page = environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        title=title,
        failure=hide_paths(failure),
        is_turn=is_turn,
        missing=missing,
        # the last word first: how good it is, then the film, then the seconds
        answer=[cell for cell in reversed(cells) if ANSWER in cell["tags"]],
        found=[] if failure else describe_answer(folder),
        cells=cells,
        contents=[h for h in contents.headings if h.level < _UNLISTED],
        files=[
            (quote(p.name), p.name, p.stat().st_size / 1024)
            for p in _list(folder, since_s=_find_start(notebook))
        ],
        code_style=_style_code(),
    )
    report = folder / NAME
    with atomic_path(report) as part:
        part.write_text(page, encoding="utf-8", errors="backslashreplace")
    return report


def put_results_first(
    cells: Sequence[nbformat.NotebookNode],
) -> list[nbformat.NotebookNode]:
    """Put what was found before how it was made: nobody reads a report to its middle.

    Args:
        cells: Of the notebook. A Markdown cell with a tag of `PARTS` begins a part.

    Returns:
        The cells by part, each part in its own order, `_MADE` above the last.
    """
    parts: dict[str, list] = {"": [], **{part: [] for part in PARTS}}
    part = ""
    for cell in cells:
        tags = cell.metadata.get("tags", [])
        part = next((tag for tag in tags if tag in PARTS), part)
        if not (cell.cell_type == "markdown" and TOP in tags):
            parts[part].append(cell)
    if parts[PARTS[-1]]:
        parts[PARTS[-1]].insert(0, nbformat.v4.new_markdown_cell(_MADE))
    return [cell for own in parts.values() for cell in own]


def save_report(os_path: str, model: dict[str, Any], **_: object) -> None:
    """Write the report whenever JupyterLab saves a notebook that has been run.

    Args:
        os_path: The notebook's path.
        model: What JupyterLab saved.
    """
    if model["type"] != "notebook":
        return
    path = Path(os_path)
    notebook = nbformat.read(path, as_version=4)
    folder = find_results(path, notebook)
    is_run = any(cell.get("outputs") for cell in notebook.cells)
    if is_run and folder != path.parent:  # else it has no settings: another notebook
        with suppress(OSError):  # a full disk must not keep the notebook from saving
            folder.mkdir(parents=True, exist_ok=True)
            write_report(path)


def describe_answer(results: Path) -> list[str]:
    """Return what a run found, five lines or so, as its last cell left them.

    Args:
        results: Folder with `answer.txt`.

    Returns:
        Lines; none if there is no such file.
    """
    told = results / ANSWER_FILE
    return told.read_text(encoding="utf-8").splitlines() if told.is_file() else []


def find_results(executed: Path, notebook: nbformat.NotebookNode) -> Path:
    """Return the folder that a notebook's report belongs to.

    Args:
        executed: The notebook's path.
        notebook: The notebook.

    Returns:
        The folder of its setting `RESULTS`, seen from the notebook, if it was run where
        it lies; its own folder if `make run` has put it among its results.
    """
    if "papermill" in notebook.metadata:
        return executed.parent
    for cell in notebook.cells:
        found = re.search(r"^RESULTS\s*=\s*(['\"].*?['\"])", cell.source, re.MULTILINE)
        if found and {"settings", "parameters"} & set(cell.metadata.get("tags", [])):
            return executed.parent / ast.literal_eval(found[1])
    return executed.parent


def _list(folder: Path, *, since_s: float) -> list[Path]:
    """List the files that the run has left in a folder, but for the report."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file()
        and not path.name.startswith(".")
        and path.name != NAME
        and path.stat().st_mtime >= since_s
    )


def _find_start(notebook: nbformat.NotebookNode) -> float:
    """Return when a run began, so that what lay there before is not listed."""
    begun = notebook.metadata.get("papermill", {}).get("start_time")
    # Two seconds: what FAT, an old file system, rounds times to.
    return datetime.fromisoformat(begun).timestamp() - 2 if begun else 0.0


def _take_title(notebook: nbformat.NotebookNode) -> str:
    """Return the notebook's first heading, and take it out: it opens the page."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            first, _, cell.source = cell.source.partition("\n")
            return first[2:].strip()
    return "Report"


def _render_cell(cell: nbformat.NotebookNode, contents: _Contents) -> dict[str, Any]:
    """Make of a cell what the template shows: its prose, code and outputs as HTML."""
    from markupsafe import Markup

    tags = cell.metadata.get("tags", [])
    if cell.cell_type == "markdown":
        return {"tags": tags, "prose": Markup(_render_markdown(cell.source, contents))}
    if cell.cell_type != "code":
        return {"tags": tags}
    outputs = [_render_output(output, contents) for output in cell.outputs]
    code = _highlight(hide_paths(cell.source)) if cell.source.strip() else ""
    shown = [Markup(output) for output in outputs if output]
    return {"tags": tags, "code": Markup(code), "outputs": shown}


def _render_markdown(source: str, contents: _Contents) -> str:
    """Render Markdown in which HTML and pictures are only text."""
    renderer = _Renderer(contents)
    render = create_markdown(renderer=renderer, plugins=["table", "strikethrough"])
    return _frame_tables(render(source))


def _render_output(output: nbformat.NotebookNode, contents: _Contents) -> str:
    """Render one output; what a reader can do nothing with is left out."""
    if output.output_type == "stream":
        return f'<pre class="{output.name}">{_show_text(output.text)}</pre>'
    if output.output_type == "error":
        said = escape_html(hide_paths(f"{output.ename}: {output.evalue}"))
        trace = _show_text("\n".join(output.traceback))
        return (
            f'<details class="failure"><summary>{said}</summary>'
            f"<pre>{trace}</pre></details>"
        )
    data = output.get("data", {})
    if any("widget" in kind or "javascript" in kind for kind in data):
        return ""
    for kind, render in _KINDS.items():
        if kind in data:
            text = "".join(data[kind])
            return render(text, output.get("metadata", {}), contents)
    return ""


def _show_html(text: str, _: dict, __: _Contents) -> str:
    """Keep tables, text, and the pictures and films that are in the output itself."""
    import bleach

    films = _DATA.findall(text)
    text = re.sub(r"(?is)<(style|script)\b.*?(</\1\s*>|$)", "", text)
    numbers = iter(range(len(films)))
    text = _DATA.sub(lambda _: f"data:,{next(numbers)}", text)
    clean = bleach.clean(
        text,
        tags=_TAGS,
        attributes=lambda _, name, value: (
            name in _FACTS and bool(_FACTS[name].fullmatch(value.strip()))
        ),
        protocols={"data", "https"},
        strip=False,
    )
    clean = re.sub(r"<img(?![^>]* src=)[^>]*>", "", clean)
    clean = re.sub(r"<img(?![^>]* alt=)", '<img alt=""', clean)
    clean = re.sub(
        r'(src|poster)="data:,(\d+)"',
        lambda m: f'{m[1]}="{films[int(m[2])]}"' if int(m[2]) < len(films) else "",
        hide_paths(clean),
    )
    clean = _VIDEO.sub(lambda found: found[0] + _print_film(found[1]), clean)
    return _frame_tables(f"<div>{_word_cells(clean)}</div>")


def _print_film(attributes: str) -> str:
    """Return what stands in a film's place on paper: its poster, or a sentence."""
    poster = re.search(r'poster="([^"]+)"', attributes)
    if not poster:
        return '<p class="printed">A film stands here; it cannot be printed.</p>'
    return f'<img class="printed" src="{poster[1]}" alt="The film\'s first picture">'


def _show_markdown(text: str, _: dict, contents: _Contents) -> str:
    """Show Markdown that a cell displayed; its headings are not in the contents."""
    n_before = len(contents.headings)
    page = _render_markdown(hide_paths(text), contents)
    for heading in contents.headings[n_before:]:
        heading.level = _UNLISTED
    return f"<div>{page}</div>"


def _show_image(kind: str, text: str, facts: dict, contents: _Contents) -> str:
    """Show a chart, with the words that the notebook gives or its heading."""
    if kind == "image/svg+xml":  # as a picture it can neither run nor fetch
        text = base64.b64encode(text.encode()).decode()
    own = facts.get(kind, facts)
    alt = own.get("alt") if isinstance(own, dict) else None
    above = re.sub(r"<[^>]+>", "", contents.latest)
    words = escape_html(alt) if alt else f"Chart: {above}".strip(": ")
    text = re.sub(r"[^A-Za-z0-9+/=]", "", text)
    image = f'<img src="data:{kind};base64,{text}" alt="{words}">'
    return f'<div class="chart" tabindex="0">{image}</div>'


def _show_plain(text: str, _: dict, __: _Contents) -> str:
    """Show plain text."""
    return f"<pre>{_show_text(text)}</pre>"


# The first of these that an output has is shown.
_KINDS = {
    "text/html": _show_html,
    "text/markdown": _show_markdown,
    "image/svg+xml": lambda *own: _show_image("image/svg+xml", *own),
    "image/png": lambda *own: _show_image("image/png", *own),
    "image/jpeg": lambda *own: _show_image("image/jpeg", *own),
    "text/plain": _show_plain,
}


def _show_text(text: str) -> str:
    """Make HTML of text that was printed, without colours and commands."""
    return escape_html(escape_terminal(hide_paths(_ANSI.sub("", text))))


def _word_cells(page: str) -> str:
    """Put words in place of columns and models that only programs name so."""
    return re.sub(
        r"(<t[hd][^>]*>)(\w+)(?=</t[hd]>)",
        lambda found: found[1] + WORDS.get(found[2], found[2]),
        page.replace("<td>NaN</td>", "<td>–</td>"),
    )


def _frame_tables(html: str) -> str:
    """Let a wide table scroll by itself, so that the page never does."""
    begin = '<div class="table" tabindex="0"><table'  # scrolled by the arrow keys
    return re.sub(r"</table>", "</table></div>", re.sub(r"<table\b", begin, html))


def _highlight(source: str) -> str:
    """Colour Python code."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return highlight(source, PythonLexer(), HtmlFormatter(cssclass="source"))


def _style_code() -> str:
    """Return the colours of code, in light and dark."""
    from pygments.formatters import HtmlFormatter

    light = HtmlFormatter(nobackground=True).get_style_defs(".source")
    dark = HtmlFormatter(style="github-dark", nobackground=True)
    dark_style = dark.get_style_defs(".source")
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{ {dark_style} }}"


def drop_noise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Leave out what C libraries say on starting: no reader can do anything with it.

    Args:
        notebook: An executed notebook; it is changed.

    Returns:
        The notebook without lines such as TensorFlow's "Could not find cuda drivers";
        warnings of Python stay.
    """
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        for output in outputs:
            if output.get("name") == "stderr":
                lines = output["text"].splitlines(keepends=True)
                output["text"] = "".join(x for x in lines if not is_noise(x))
        if outputs:
            cell["outputs"] = [o for o in outputs if o.get("text") != ""]
    return notebook


def hide_paths(text: str, *, folders: Sequence[Path] = ()) -> str:
    """Take the folders of this machine out of a text.

    Args:
        text: What was printed, a traceback or a setting.
        folders: Absolute folders of which only the last name is to stay.

    Returns:
        The text with paths within the project as seen from it, and of others only the
        end: who reads a result need not know whose machine it came from.
    """
    folders_here = _list_private_folders(tuple(map(str, folders)))
    parts = _DATA_URI.split(text)  # every other one is the bytes of a film or picture
    for place in range(0, len(parts), 2):
        for pattern, ending in folders_here:
            parts[place] = pattern.sub(ending, parts[place])
    return "".join(parts)


@lru_cache(maxsize=8)
def _list_private_folders(own: tuple[str, ...]) -> list[tuple[re.Pattern[str], str]]:
    """Return what to look for, the longest first, and what to put in its place."""
    libraries = sysconfig.get_paths()
    found = {libraries["purelib"]: "…", libraries["stdlib"]: "…", sys.prefix: "…"}
    found |= {str(Path(folder).parent): "…" for folder in own}
    # a folder that holds another of them keeps its name, too
    found |= {folder: f"…/{Path(folder).name}" for folder in own if folder in found}
    found |= {str(ROOT): "", tempfile.gettempdir(): "…", str(Path.home()): "~"}
    found.pop("/", None)
    patterns = []
    for folder in sorted(found, key=len, reverse=True):
        # A folder's whole name: not the start of a longer one, not the end of another.
        here = rf"(?<![\w.~…/]){re.escape(folder)}(?![\w-])(?!\.\w)"
        if not found[folder]:
            patterns.append((re.compile(rf"{here}[\\/]"), ""))
        patterns.append((re.compile(here), found[folder] or "."))
    return patterns
