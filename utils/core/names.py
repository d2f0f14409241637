"""Names of videos, people, classes, cameras: cleaned by one function at every door.

A name is a key: what a person sees as the same must be the same. So every door (folder
listing, CSV files, imports, widget, command line) passes names through
`normalise_name`, and nothing further in does.
"""

import hashlib
import re
import unicodedata

# Invisible characters that editors and web pages leave at the ends of a name: soft
# hyphen, zero-width space, word joiner, byte-order mark, marks of direction. Inside a
# name they may mean something (a joiner makes one emoji of two), so there they stay.
_INVISIBLE = "\u00ad\u200b\u200e\u200f\u2060\ufeff"
_MOST_BYTES = 100  # of 255: what is added to a name must fit too
_CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"


def normalise_name(text: str) -> str:
    r"""Write a name in the one way in which it is kept and compared.

    Accents are composed (NFC: macOS splits them off in file names), white space of any
    kind and what cannot be seen goes from both ends, and control characters inside, tab
    and line feed among them, become one space: they would break tables and terminals.

    Args:
        text: The name as it came; what is not text is written as text.

    Returns:
        The name; empty if nothing is left. Cleaning it again changes nothing, and it
        can be written as UTF-8.

    Example:
        >>> normalise_name("\tZoe\u0308\u00a0\n")
        'Zoë'
        >>> normalise_name("my\tclip ")
        'my clip'
    """
    # A file name of other bytes than UTF-8 reaches Python as lone surrogates.
    text = re.sub("[\ud800-\udfff]", "\ufffd", str(text))
    text = re.sub(f"{_CONTROL}+", " ", unicodedata.normalize("NFC", text))
    before = None
    while text != before:
        before, text = text, text.strip().strip(_INVISIBLE)
    return text


def show_name(name: object) -> str:
    """Write a class's or model's name as words, for sentences, tables and charts.

    Example:
        >>> show_name("arms_raised")
        'arms raised'
    """
    return str(name).replace("_", " ")


def name_file(name: str) -> str:
    """Return a video's name as the start of the name of a file or folder.

    File systems take 255 bytes; a long name is cut, and a leading `.` or `_`, for which
    readers of Parquet pass over a file, is dropped. A few digits of the whole name's
    hash then keep names apart.

    Args:
        name: The name.

    Returns:
        At most 100 bytes; most names are returned as they are.

    Example:
        >>> name_file("person1_a"), name_file("_person")
        ('person1_a', 'person-d74ece22')
    """
    plain = re.sub(r"^[._]+", "", name)
    if plain == name and len(name.encode()) <= _MOST_BYTES:
        return name
    digits = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain.encode()[: _MOST_BYTES - 20].decode(errors='ignore')}-{digits}"
