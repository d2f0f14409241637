"""Finding films and the table of facts."""

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.made_films import flag_film, make_film
from utils.core.files import hash_file
from utils.core.names import normalise_name
from utils.core.tables import SCHEMAS, check_table, read_table
from utils.video.catalogue import (
    build_videos,
    choose_films,
    find_videos,
    list_videos,
    read_facts,
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film `anna.mp4` of 12 frames, flagged as turned by 90 degrees."""
    path = tmp_path_factory.mktemp("films") / "anna.mp4"
    return flag_film(make_film(path), (0, 1, -1, 0))


def _write_subjects(folder: Path, text: str) -> pd.DataFrame:
    (folder / "videos.csv").write_text(text, encoding="utf-8")
    return read_table(folder / "videos.csv", "subjects")


def test_films_are_found_in_any_letter_case_sorted_and_none_else(
    tmp_path: Path,
) -> None:
    names = ["b.MP4", "a.mov", "c.WebM", "d.mkv", "Z.AVI", "ü.mp4"]
    others = [".hidden.mp4", "x.txt", "mp4", "x.mp4.part", "videos.csv"]
    for name in names + others:
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "deep.mp4").touch()
    (tmp_path / "link.mp4").symlink_to(tmp_path / "a.mov")
    found = [path.name for path in find_videos(tmp_path)]
    assert found == sorted([*names, "link.mp4"])


def test_several_folders_are_searched_and_none_twice(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    for path in (tmp_path / "b.mp4", tmp_path / "videos" / "a.mp4"):
        path.touch()
    folders = [tmp_path, tmp_path / "videos", str(tmp_path), tmp_path / "gone"]
    found = [path.name for path in find_videos(folders)]
    assert found == ["a.mp4", "b.mp4"]


def test_no_films_found_says_where_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="No film") as error:
        find_videos([tmp_path, tmp_path / "gone"])
    assert "in this folder or gone (which does not exist)" in str(error.value)
    assert "Put a film there" in str(error.value)


def test_the_table_holds_the_facts(film: Path) -> None:
    videos, problems = build_videos([film], settle_s=0)
    assert problems.empty
    assert list(problems) == ["video", "path", "problem"]
    assert set(SCHEMAS["videos"].columns) <= set(videos)
    row = videos.iloc[0]
    assert (row.video, row.subject, row.path) == ("anna", "anna", str(film))
    assert row.sha256 == hash_file(film)
    assert (row.width_px, row.height_px, row.rotation_deg) == (96, 128, 90)
    assert (row.n_frames, row.fps, row.fps_fraction) == (12, 15.0, "15/1")
    assert row.duration_s == pytest.approx(0.8)
    assert (row.codec, row.sample_aspect_ratio, row.advice) == ("h264", "1:1", "")
    assert not row.is_vfr
    assert "camera" not in videos


def test_no_films_make_an_empty_table() -> None:
    videos, problems = build_videos([])
    assert videos.empty
    assert problems.empty
    check_table(videos, "videos")


def test_videos_csv_says_who_is_in_a_film_and_how_it_is_turned(
    film: Path, tmp_path: Path
) -> None:
    other = shutil.copy(film, tmp_path / "ben.mp4")
    subjects = _write_subjects(
        tmp_path,
        "video,subject,camera,rotation_deg\nben.mp4,Ben,kitchen,-180\nanna,,,\n",
    )
    videos, problems = build_videos([film, other], subjects=subjects, settle_s=0)
    assert problems.empty
    assert videos.subject.tolist() == ["anna", "Ben"]
    assert videos.camera.isna().tolist() == [True, False]
    assert videos.rotation_deg.tolist() == [90, 180]
    assert videos.width_px.tolist() == [96, 128]


def test_a_film_that_is_not_there_is_a_sentence(film: Path, tmp_path: Path) -> None:
    subjects = _write_subjects(tmp_path, "video,subject\nana,Anna\nzzz,Z\n")
    videos, problems = build_videos([film], subjects=subjects, settle_s=0)
    assert videos.subject.tolist() == ["anna"]
    assert problems.video.tolist() == ["ana", "zzz"]
    assert "names ana, but there is no film of that name" in problems.problem[0]
    assert "Did you mean anna?" in problems.problem[0]
    assert "Correct or remove the line" in problems.problem[1]


def test_a_turn_that_is_not_possible_is_a_sentence(film: Path, tmp_path: Path) -> None:
    table = "video,subject,rotation_deg\nanna,Anna,45\n"
    subjects = _write_subjects(tmp_path, table)
    videos, problems = build_videos([film], subjects=subjects, settle_s=0)
    assert (videos.subject[0], videos.rotation_deg[0]) == ("Anna", 90)
    assert "turns anna by 45 degrees, but only" in problems.problem[0]


def test_accents_are_one_letter_however_written(film: Path, tmp_path: Path) -> None:
    path = shutil.copy(film, tmp_path / "Zoe\u0308.mp4")
    subjects = pd.DataFrame({"video": ["Zo\u00eb"], "subject": ["Zoë"]})
    videos, problems = build_videos([path], subjects=subjects, settle_s=0)
    assert problems.empty
    assert videos[["video", "subject"]].iloc[0].tolist() == ["Zo\u00eb", "Zoë"]


def test_films_of_one_name_are_all_left_out_and_named(
    film: Path, tmp_path: Path
) -> None:
    twin = shutil.copy(film, tmp_path / "anna.mov")
    third = shutil.copy(film, tmp_path / "carl.mp4")
    videos, problems = build_videos([film, twin, third], settle_s=0)
    assert videos.video.tolist() == ["carl"]
    assert problems.video.tolist() == ["anna"]
    assert str(film) in problems.problem[0]
    assert str(twin) in problems.problem[0]
    assert "Rename or remove all but one" in problems.problem[0]


def test_a_path_given_twice_is_one_film(film: Path) -> None:
    videos, problems = build_videos([film, str(film)], settle_s=0)
    assert len(videos) == 1
    assert problems.empty


def test_a_hundred_unchanged_films_are_recalled_quickly(
    film: Path, tmp_path: Path
) -> None:
    paths = [Path(shutil.copy(film, tmp_path / f"f{n}.mp4")) for n in range(100)]
    cache_path = tmp_path / "cache.json"
    time.sleep(2.1)  # a file touched a moment ago is not trusted
    first = build_videos(paths, cache_path=cache_path)
    started_s = time.process_time()
    second = build_videos(paths, cache_path=cache_path)
    assert time.process_time() - started_s < 2
    pd.testing.assert_frame_equal(first[0], second[0])


_CELL = st.one_of(
    st.sampled_from(["anna", "anna.mp4", "", "90", "-90", "1e9", "nan", "inf", "x"]),
    st.text(max_size=6),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(st.tuples(_CELL, _CELL, _CELL, _CELL), max_size=4),
    header=st.sampled_from(
        [
            "video,subject,camera,rotation_deg",
            "\ufeffvideo,subject,camera,rotation_deg",
            "rotation_deg,camera,subject,video",
            "video,subject",
            "video,who,camera,rotation_deg",
        ]
    ),
    ends=st.sampled_from(["\n", "\r\n"]),
)
def test_any_videos_csv_is_used_or_refused_in_one_sentence(
    rows: list[tuple], header: str, ends: str, film: Path, tmp_path: Path
) -> None:
    path = tmp_path / "videos.csv"
    text = ends.join([header, *(",".join(row) for row in rows)])
    path.write_bytes(text.encode("utf-8", errors="replace"))
    try:
        subjects = read_table(path, "subjects")
        videos, problems = build_videos(
            [film], subjects=subjects, settle_s=0, cache_path=tmp_path / "cache.json"
        )
    except ValueError as error:
        assert "videos.csv" in str(error)
        return
    assert videos.video.tolist() == ["anna"]
    assert videos.rotation_deg[0] in (0, 90, 180, 270)
    assert problems.problem.str.len().gt(0).all()


def test_the_demo_steps_out_while_there_are_films_of_ones_own(tmp_path: Path) -> None:
    folder, own = tmp_path / "videos", tmp_path / "data/labels.csv"
    (folder / "demo").mkdir(parents=True)
    assert choose_films(folder, own, also=tmp_path).folder == folder  # nothing at all
    make_film(folder / "demo/person.mp4")
    films = choose_films(folder, own, also=tmp_path)
    assert films[:2] == (folder / "demo", tmp_path / "data/demo_labels.csv")
    assert "No films of yours" in films.sentence
    for mine in (folder / "me.mp4", tmp_path / "me.MOV"):
        mine.write_bytes(b"x")
        assert choose_films(folder, own, also=tmp_path)[:2] == (folder, own)
        assert find_videos([folder, tmp_path]) == [mine]
        mine.unlink()
    assert choose_films(folder, own, also=tmp_path) == films


def test_the_clips_of_the_demo_are_described(demo_videos: Path) -> None:
    subjects = read_table(demo_videos / "videos.csv", "subjects")
    videos, problems = build_videos(find_videos(demo_videos), subjects=subjects)
    assert problems.empty
    assert len(videos) == 16
    assert videos.subject.nunique() == 14
    truth = pd.read_csv(demo_videos / "true_keypoints.csv", usecols=["video"])
    n_frames = truth.groupby("video").size()
    np.testing.assert_array_equal(
        videos.set_index("video").n_frames.loc[n_frames.index], n_frames
    )


@pytest.fixture
def settled(tmp_path: Path) -> tuple[Path, Path]:
    """A film that is old enough to be trusted, and a file of facts of it."""
    path, cache_path = make_film(tmp_path / "a.mp4"), tmp_path / "cache.json"
    time.sleep(2.1)
    read_facts({"a": path}, cache_path=cache_path)
    return path, cache_path


def test_facts_of_an_unchanged_film_are_recalled(settled: tuple[Path, Path]) -> None:
    path, cache_path = settled
    kept = cache_path.read_bytes()
    facts, unread = read_facts({"a": path}, cache_path=cache_path)
    assert unread == {}
    assert facts["a"]["sha256"] == hash_file(path)
    assert cache_path.read_bytes() == kept
    assert json.loads(kept)["films"][str(path)]["facts"] == facts["a"]


@pytest.mark.parametrize("keeps_time", [False, True])
def test_facts_of_a_changed_film_are_forgotten(
    keeps_time: bool, settled: tuple[Path, Path]
) -> None:
    path, cache_path = settled
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1  # of the same size
    path.write_bytes(data)
    if keeps_time:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    facts, _ = read_facts({"a": path}, cache_path=cache_path, settle_s=0)
    assert facts["a"]["sha256"] == hash_file(path)


def test_a_film_touched_a_moment_ago_is_not_kept(tmp_path: Path) -> None:
    path, cache_path = make_film(tmp_path / "a.mp4"), tmp_path / "cache.json"
    read_facts({"a": path}, cache_path=cache_path, settle_s=0)
    assert not cache_path.exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"[]",
        lambda data: b'{"version": 1}',
        lambda data: data.replace(b'"n_frames": 12', b'"n_frames": 99'),
        lambda data: b"\xff\xfe" + data,
    ],
)
def test_a_spoilt_file_of_facts_is_made_anew(
    spoil: object, settled: tuple[Path, Path]
) -> None:
    path, cache_path = settled
    whole = cache_path.read_bytes()
    cache_path.write_bytes(spoil(whole))
    facts, _ = read_facts({"a": path}, cache_path=cache_path)
    assert facts["a"]["n_frames"] == 12
    assert cache_path.read_bytes() == whole


def test_a_film_that_is_gone_is_forgotten(settled: tuple[Path, Path]) -> None:
    path, cache_path = settled
    path.unlink()
    facts, unread = read_facts({"a": path}, cache_path=cache_path)
    assert facts == {}
    assert "No film at" in unread["a"]
    assert json.loads(cache_path.read_text())["films"] == {}


# Names, and tables made by hand


NAMES = [
    "clip .mp4",
    " clip.mp4",
    "clip\u00a0.mp4",
    "my\tclip.mp4",
    "Zoe\u0308.mp4",
    "\u200bzero.mp4",
    "=1+1.mp4",
    "$\\frac$.mp4",
    "_anna.mp4",
    "<img src=x>.mp4",
    "x" * 249 + ".mp4",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_film_is_found_by_its_name_however_it_is_written(
    name: str, film: Path, tmp_path: Path
) -> None:
    shutil.copy(film, tmp_path / name)
    clean = normalise_name(Path(name).stem)
    for written in (Path(name).stem, clean, name, clean + ".mp4"):
        subjects = pd.DataFrame({"video": [written], "subject": [" Anna\u00a0"]})
        videos, problems = build_videos(
            find_videos(tmp_path), subjects=subjects, settle_s=0
        )
        assert problems.empty
        assert videos[["video", "subject"]].iloc[0].tolist() == [clean, "Anna"]


@pytest.mark.parametrize(
    ("one", "two"), [("a.mp4", "a .mp4"), ("Zo\u00eb.mp4", "Zoe\u0308.mov")]
)
def test_films_whose_names_become_one_are_said(
    one: str, two: str, film: Path, tmp_path: Path
) -> None:
    for name in (one, two):
        shutil.copy(film, tmp_path / name)
    videos, problems = build_videos(find_videos(tmp_path), settle_s=0)
    assert videos.empty
    assert "2 films are called" in problems.problem[0]


def test_people_whose_names_become_one_are_one(film: Path, tmp_path: Path) -> None:
    people = ["Zo\u00eb", "Zoe\u0308 ", "\u00a0Zo\u00eb", "\tZo\u00eb"]
    names = [f"film{number}" for number in range(len(people))]
    paths = [shutil.copy(film, tmp_path / f"{name}.mp4") for name in names]
    subjects = pd.DataFrame({"video": names, "subject": people, "camera": people})
    videos, problems = build_videos(paths, subjects=subjects, settle_s=0)
    assert problems.empty
    assert set(videos.subject) == set(videos.camera) == {"Zo\u00eb"}


def test_a_name_that_is_no_text_is_one_sentence_and_others_go_on(
    film: Path, tmp_path: Path
) -> None:
    good = shutil.copy(film, tmp_path / "good.mp4")
    try:
        shutil.copy(film, os.fsencode(tmp_path) + b"/B\xe4r.mp4")
    except OSError:
        pytest.skip("this file system takes no such names")
    videos, problems = build_videos([*find_videos(tmp_path), good], settle_s=0)
    assert videos.video.tolist() == ["good"]
    assert problems.video.tolist() == ["B\ufffdr"]
    assert "B\ufffdr.mp4 has a name that is no text" in problems.problem[0]


def test_a_name_of_spaces_is_one_sentence(film: Path, tmp_path: Path) -> None:
    shutil.copy(film, tmp_path / "\u00a0 .mp4")
    videos, problems = build_videos(find_videos(tmp_path), settle_s=0)
    assert videos.empty
    assert "nothing but spaces" in problems.problem[0]


def test_a_film_that_videos_csv_names_twice_is_said(film: Path, tmp_path: Path) -> None:
    table = "video,subject\nanna,Anna\nanna.mp4,Ben\n"
    subjects = _write_subjects(tmp_path, table)
    videos, problems = build_videos([film], subjects=subjects, settle_s=0)
    assert videos.subject.tolist() == ["Ben"]
    assert "videos.csv names anna twice" in problems.problem[0]


def test_list_videos_reads_the_table_beside_the_videos(
    film: Path, tmp_path: Path
) -> None:
    folder, also = tmp_path / "films", tmp_path / "project"
    folder.mkdir()
    also.mkdir()
    shutil.copy(film, folder / "anna.mp4")
    shutil.copy(film, also / "ben.mp4")
    _write_subjects(folder, "video;subject;\nanna;Zo\u00eb;\nben;Ben;\n")
    videos, problems = list_videos(folder, also=also, data=tmp_path / "data")
    assert problems.empty
    assert videos[["video", "subject"]].to_numpy().tolist() == [
        ["anna", "Zo\u00eb"],
        ["ben", "Ben"],
    ]
