"""Tables as people's spreadsheets save them."""

from pathlib import Path

import pytest

from utils.core.tables import read_table

PLAIN = "video,subject,rotation_deg\na,Zo\u00eb,90.5\nb,Ben,\n"
WINDOWS = PLAIN.replace(",", ";").replace("90.5", "90,5").replace("\n", "\r\n")
SAVED = {
    "utf-8": PLAIN.encode(),
    "byte-order mark": PLAIN.encode("utf-8-sig"),
    "utf-16": PLAIN.encode("utf-16"),
    "utf-16, big end first": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "cp1252": PLAIN.encode("cp1252"),
    "windows": WINDOWS.encode("cp1252"),
    "utf-16 without its mark": PLAIN.encode("utf-16-le"),
    "utf-16-be without its mark": PLAIN.encode("utf-16-be"),
    "utf-32": PLAIN.encode("utf-32"),
    "capitals": PLAIN.replace("video,subject", "Video;SUBJECT")
    .replace(",", ";")
    .encode(),
    "tabs": PLAIN.replace(",", "\t").encode("utf-16"),
    "sep": b"sep=;\r\n" + WINDOWS.encode(),
    "trailing commas": PLAIN.replace("\n", ",,\n").encode(),
    "trailing commas in rows": PLAIN.replace("\n", ",\n")
    .replace("deg,\n", "deg\n")
    .encode(),
    "empty rows": PLAIN.replace("\n", "\n,,\n\n").encode(),
    "short rows": PLAIN.replace("Ben,", "Ben").encode(),
    "spaces": PLAIN.replace(",", " , ").encode(),
    "quotes": b'"video","subject","rotation_deg"\n"a","Zo\xc3\xab","90,5"\nb,Ben,\n',
}


@pytest.mark.parametrize("saved", SAVED)
def test_a_table_is_read_whatever_saved_it(saved: str, tmp_path: Path) -> None:
    (tmp_path / "videos.csv").write_bytes(SAVED[saved])
    table = read_table(tmp_path / "videos.csv", "subjects")
    assert table["video"].tolist() == ["a", "b"]
    assert table["subject"].tolist() == ["Zo\u00eb", "Ben"]
    assert table["rotation_deg"].iloc[0] == 90.5
    assert table["rotation_deg"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"video,subject\na,b,c\n", r"videos\.csv, line 2: expected 2 cells, found 3"),
        (b'video,subject\n"a,b\n', r"videos\.csv, line 2: not CSV"),
        (b"\x81\x8d", r"videos\.csv, line 1: no text that can be read"),
        (b"", r"videos\.csv is empty; expected a line of the columns video,subject"),
        (b"PK\x03\x04" + bytes(99), r"videos\.csv is a workbook or an archive, not t"),
        (b"video,subject,subject\n", r"a column is there twice \(subject\)"),
        (b"a,b\n1,2\n", r"videos\.csv: missing column video, subject"),
        (b"video,subject,rotation_deg\na,b,1,5\n", r"line 2: expected 3 cells"),
        (
            b"video,subject,rotation_deg\na,b,x\n",
            r"a number in column rotation_deg, f",
        ),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(
    data: bytes, match: str, tmp_path: Path
) -> None:
    (tmp_path / "videos.csv").write_bytes(data)
    with pytest.raises(ValueError, match=match):
        read_table(tmp_path / "videos.csv", "subjects")
