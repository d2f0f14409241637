"""The page's files: all inside, nothing outside, weights and model unchanged."""

import base64
import json
import re
from pathlib import Path

import pytest

from utils.core.files import hash_file
from utils.core.weights import find_weights
from utils.export.model_json import Model, read_model
from utils.live.page import (
    LITERT,
    NETWORK,
    build_file,
    build_setup,
    build_site,
    write_page,
)

MODEL = Path(__file__).parents[1] / "export/demo_model.json"


@pytest.fixture(scope="module")
def model() -> Model:
    return read_model(MODEL)


def test_the_folder_holds_the_weights_that_python_uses(
    model: Model, tmp_path: Path
) -> None:
    folder, file = write_page(model, tmp_path)
    assert hash_file(folder / NETWORK) == hash_file(find_weights(NETWORK))
    assert read_model(folder / "model.json") == model
    assert 9e6 < file.stat().st_size < 12e6
    named = re.findall(r'(?:src|href)="([^"]+)"', (folder / "index.html").read_text())
    assert {name for name in named if ":" not in name} == {"style.css", "live.js"}


def test_no_page_names_another_origin(model: Model) -> None:
    for page in (build_site(model)["index.html"], build_file(model)):
        text = re.sub(r"<script.*?</script>", "", page.decode(), flags=re.DOTALL)
        assert "http" not in text.replace("http-equiv", "")
        assert "default-src 'none'" in text
    assert b"connect-src 'none'" in build_file(model)


def test_the_one_file_holds_every_part(model: Model) -> None:
    text = build_file(model).decode()
    parts = dict(re.findall(r'id="part-([^"]+)">([^<]*)<', text))
    site = build_site(model)
    assert {name: base64.b64decode(part) for name, part in parts.items()} == {
        name: site[name]
        for name in ("worker.js", "litert.wasm.gz", NETWORK, "model.json")
    }


def test_the_page_has_the_colours_that_were_chosen_in_the_labelling_widget(
    model: Model,
) -> None:
    plain, first = build_setup(model)["colours"], model["labels"][0]
    coloured = {**model, "colours": {first: "#123456"}}
    assert build_setup(coloured)["colours"] == {**plain, first: "#123456"}


def test_a_class_name_cannot_end_the_script_it_stands_in(model: Model) -> None:
    page = build_site(model, classes=["</script><b>x"])["index.html"].decode()
    assert "</script><b>" not in page
    setup = re.search(r'id="setup">(.*?)</script>', page, re.DOTALL)[1]
    assert "</script><b>x" in json.loads(setup)["classes"]


def test_a_model_that_contradicts_itself_makes_no_page(
    model: Model, tmp_path: Path
) -> None:
    wrong = model | {"labels": model["labels"][::-1]}
    with pytest.raises(ValueError, match="cannot be used"):
        write_page(wrong, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_ships_of_litert_says_where_it_is_from() -> None:
    told = (LITERT / "README.md").read_text(encoding="utf-8")
    for name in ("core.js", "litert_wasm_compat_internal.js"):
        assert hash_file(LITERT / name) in told
    assert "Apache License" in (LITERT / "LICENSE").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in LITERT.iterdir()) < 4e6
