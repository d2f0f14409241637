r"""Names as text, in every medium: Markdown, HTML, charts, the terminal, spreadsheets.

Films, people, postures and annotators are named by strangers' files. In Markdown a name
can be a picture, in HTML a script, in matplotlib a formula, on the terminal a command
and in a spreadsheet a calculation. One helper a medium makes each of them text again.

A sentence that holds names is plain text until it is shown; who shows it escapes all
of it, once: `Markdown(escape_markdown(sentence))`.
"""

import html
import re
import unicodedata

import pandas as pd

# What can begin markup anywhere in a line. As entities, not with backslashes: `\$`
# and `\\(` still are formulas to some of the programs that draw Markdown.
_MARKDOWN = re.compile(
    r"[\\`*\[\]<>&$|~{}@]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # inside a word, as in arms_raised, it means nothing
    r"|:(?=//)|(?<=www)\."  # addresses become links by themselves
)
# What makes a list, a heading or a rule of a line that begins with it.
_MARKDOWN_START = re.compile(
    r"^(?:(?:#{1,6}|[+\-:]|\d+[.)])(?=\s|$)|[\-=](?=[\s\-=]*$))"
)
# A spreadsheet calculates a cell that begins like this; the tab and the carriage return
# are passed over by some. Own apostrophes are doubled, so that reading is exact.
_FORMULA = re.compile(r"^'*[=+\-@\t\r]")
_GUARDED = re.compile(r"^'+[=+\-@\t\r]")
# Marks that turn the direction of the text after them, past the end of the name.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def escape_markdown(text: object) -> str:
    """Return Markdown that shows a text as it is written, on one line.

    Args:
        text: A name, or a whole sentence without markup of its own.

    Returns:
        The text with entities for all that could be markup, a formula or HTML; safe
        also as the start of a line and in a cell of a table.

    Example:
        >>> escape_markdown("arms_raised ![x](y)")
        'arms_raised !&#91;x&#93;(y)'
    """
    line = " ".join(str(text).split())
    line = _MARKDOWN.sub(lambda found: f"&#{ord(found[0])};", line)
    # Of `1.` the point is replaced, of `- ` the dash.
    return _MARKDOWN_START.sub(lambda m: f"{m[0][:-1]}&#{ord(m[0][-1])};", line)


def escape_html(text: object) -> str:
    """Return HTML that shows a text as it is written, between tags or in quotes.

    Example:
        >>> escape_html('<b a="1">')
        '&lt;b a=&quot;1&quot;&gt;'
    """
    return html.escape(str(text), quote=True)


def escape_plot(text: object) -> str:
    r"""Return what matplotlib draws as the text is written.

    Two `$` would make a formula of it, and a name that begins with `_` would be left
    out of the legend: a space of no width goes before it.

    Example:
        >>> escape_plot("Ba$$in")
        'Ba\\$\\$in'
    """
    plain = str(text).replace("$", r"\$")
    return f"\u200b{plain}" if plain.startswith("_") else plain


def escape_terminal(text: object) -> str:
    r"""Return a text that cannot command a terminal; line ends and tabs stay.

    Control characters, halves of characters (from names in another encoding) and marks
    that turn the direction of writing are written as Python writes them.

    Example:
        >>> escape_terminal("a\x1b[31mb")
        'a\\x1b[31mb'
    """
    return "".join(
        c.encode("unicode_escape", "backslashreplace").decode() if _commands(c) else c
        for c in str(text)
    )


def _commands(character: str) -> bool:
    """Return whether a character can do more to a terminal than be shown."""
    kind = unicodedata.category(character)
    if kind in {"Cc", "Cs", "Zl", "Zp"}:
        return character not in "\n\t"
    return bool(_TURNING.match(character))


def guard_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before text that a spreadsheet would calculate.

    Args:
        table: A table that is about to be written as CSV; it is not changed.

    Returns:
        Copy whose text cells and column names are guarded; numbers stay.

    Example:
        >>> guard_cells(pd.DataFrame({"label": ["=1+1", "sit"]}))["label"].tolist()
        ["'=1+1", 'sit']
    """
    guarded = table.rename(columns=guard_text)
    for idx in _find_text(table):
        guarded.isetitem(idx, table.iloc[:, idx].map(guard_text))
    return guarded


def unguard_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Take the apostrophes of `guard_cells` away, after reading.

    Args:
        table: A table as read from CSV; it is not changed.

    Returns:
        Copy with the text as it was before `guard_cells`.
    """
    plain = table.rename(columns=unguard_text)
    for idx in _find_text(table):
        plain.isetitem(idx, table.iloc[:, idx].map(unguard_text))
    return plain


def _find_text(table: pd.DataFrame) -> list[int]:
    """Return the places of the columns that can hold text."""
    return [
        idx
        for idx, dtype in enumerate(table.dtypes)
        if pd.api.types.is_string_dtype(dtype) or pd.api.types.is_object_dtype(dtype)
    ]


def guard_text(value: object) -> object:
    """Put an apostrophe before one text that a spreadsheet would calculate.

    What is no text is left alone.
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def unguard_text(value: object) -> object:
    """Take the apostrophe of `guard_text` away, after reading."""
    is_guarded = isinstance(value, str) and _GUARDED.match(value)
    return value[1:] if is_guarded else value
