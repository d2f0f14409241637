"""Videos to pictures and keypoints: right, cached, and whole whatever happens."""

import shutil
import tempfile
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests import frame_runs
from utils.core.names import normalise_name
from utils.frames import extraction, images
from utils.video.catalogue import build_videos
from utils.video.reader import read_video

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two films: one of 2.5 pieces (150 s), one of 5 s."""
    folder = tmp_path_factory.mktemp("films")
    return [
        frame_runs.make_film(folder / "long.mp4", n_seconds=150, seed=1),
        frame_runs.make_film(folder / "short.mp4", n_seconds=5, seed=2),
    ]


@pytest.fixture(scope="module")
def whole(films: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of one run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    frame_runs.run(out, films)
    return out


def test_frames_table_says_which_frame_lies_where(
    films: list[Path], tmp_path: Path
) -> None:
    table, keypoints, problems = frame_runs.run(tmp_path, films)
    long = table[table["video"] == "long"]
    assert long["frame_idx"].tolist() == list(range(0, 600, 4))
    np.testing.assert_allclose(long["time_s"], np.arange(150.0), atol=1e-6)
    assert set(zip(table["width_px"], table["height_px"], strict=True)) == {(64, 48)}
    assert all(Path(path).is_file() for path in table["path"])
    assert len(keypoints) == 17 * len(table)
    assert problems.empty


def test_pictures_show_the_frame_of_their_row(
    films: list[Path], tmp_path: Path
) -> None:
    table, _, _ = frame_runs.run(tmp_path, films)
    decoded = {frame.frame_idx: frame.image for frame in read_video(films[0])}
    for row in table[table["video"] == "long"].iloc[::25].itertuples():
        difference = decoded[row.frame_idx].astype(float) - images.read_image(row.path)
        assert np.abs(difference).mean() < 12


def test_keypoints_are_of_the_film_frame_not_of_the_jpeg(
    films: list[Path], tmp_path: Path
) -> None:
    _, keypoints, _ = frame_runs.run(tmp_path, films[1:])
    means = [frame.image.mean() for frame in read_video(films[1], every_s=1.0)]
    noses = keypoints[keypoints["keypoint"] == "nose"]
    np.testing.assert_array_equal(noses["x_px"], means)


def test_read_image_gives_rgb_from_any_file_name(tmp_path: Path) -> None:
    path = tmp_path / "Ünï ;&'.png"
    red = np.zeros((4, 6, 3), np.uint8)
    red[..., 2] = 255  # BGR
    cv2.imencode(".png", red)[1].tofile(path)
    image = images.read_image(path)
    assert image.shape == (4, 6, 3)
    assert image[0, 0].tolist() == [255, 0, 0]


def test_read_image_refuses_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"a\.jpg is not a whole picture"):
        images.read_image(tmp_path / "a.jpg")
    with pytest.raises(FileNotFoundError):
        images.read_image(tmp_path / "none.jpg")


def test_sharpness_falls_with_blur_and_is_zero_for_one_colour() -> None:
    image = np.random.default_rng(0).integers(0, 255, (400, 640, 3), dtype=np.uint8)
    blurred = cv2.GaussianBlur(image, (0, 0), 3)
    assert images.measure_sharpness(image) > 5 * images.measure_sharpness(blurred)
    assert images.measure_sharpness(np.full_like(image, 90)) == 0
    assert images.measure_sharpness(image[:1, :1]) == 0


def test_splitting_a_film_changes_no_byte(
    films: list[Path], whole: Path, tmp_path: Path
) -> None:
    frame_runs.run(tmp_path, films, n_jobs=2)
    assert frame_runs.read_tree(tmp_path) == frame_runs.read_tree(whole)


@pytest.mark.parametrize("duration_s", [0.0, 59.0, 1000.0, float("nan")])
def test_a_wrong_duration_changes_no_byte(
    films: list[Path], whole: Path, tmp_path: Path, duration_s: float
) -> None:
    extraction.extract_frames(
        frame_runs.build_table(*films, duration_s=duration_s),
        every_s=frame_runs.EVERY_S,
        frames_dir=tmp_path / "frames",
        keypoints_dir=tmp_path / "keypoints",
        estimate=partial(frame_runs.start_chunk, frame_runs.estimate_mean),
        estimate_key="mean",
    )
    assert frame_runs.read_tree(tmp_path) == frame_runs.read_tree(whole)


def test_a_second_run_reads_no_film(films: list[Path], tmp_path: Path) -> None:
    first = frame_runs.run(tmp_path, films)
    hidden = [path.rename(path.with_suffix(".hidden")) for path in films]
    try:
        table = frame_runs.build_table(*hidden)
        second = extraction.extract_frames(
            table,
            every_s=frame_runs.EVERY_S,
            frames_dir=tmp_path / "frames",
            keypoints_dir=tmp_path / "keypoints",
            estimate=_fail,
            estimate_key="mean",
        )
    finally:
        for path in hidden:
            path.rename(path.with_suffix(".mp4"))
    for one, two in zip(first[:2], second[:2], strict=True):
        pd.testing.assert_frame_equal(one, two)


def test_a_changed_film_is_made_again_alone(films: list[Path], tmp_path: Path) -> None:
    copies = [Path(shutil.copy(path, tmp_path)) for path in films]
    out = tmp_path / "out"
    frame_runs.run(out, copies)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*.parquet")}
    frame_runs.make_film(copies[1], n_seconds=7, seed=3)
    table, _, _ = frame_runs.run(out, copies)
    changed = {p.name for p, t in before.items() if p.stat().st_mtime_ns != t}
    assert changed == {"short.parquet"}
    assert (table["video"] == "short").sum() == 7


def test_other_settings_or_another_model_keep_what_was_made(
    films: list[Path], tmp_path: Path
) -> None:
    frame_runs.run(tmp_path, films[1:])
    table, _, _ = frame_runs.run(tmp_path, films[1:], every_s=0.5)
    assert len(table) == 10
    frame_runs.run(tmp_path, films[1:], estimate_key="other")
    frame_runs.run(tmp_path, films[1:], estimate=_fail)


def test_only_the_missing_product_is_made(films: list[Path], tmp_path: Path) -> None:
    table, none, _ = frame_runs.run(
        tmp_path, films, keypoints_dir=None, estimate=None, estimate_key=""
    )
    assert none is None
    made = {path: Path(path).stat().st_mtime_ns for path in table["path"]}
    _, keypoints, _ = frame_runs.run(tmp_path, films)
    assert len(keypoints) == 17 * len(table)
    assert all(Path(path).stat().st_mtime_ns == made[path] for path in made)


def test_pictures_can_be_left_out(films: list[Path], tmp_path: Path) -> None:
    table, keypoints, problems = frame_runs.run(tmp_path, films, pictures=False)
    assert table["path"].isna().all()
    assert len(keypoints) == 17 * len(table)
    assert problems.empty
    assert not list(tmp_path.rglob("*.jpg"))
    again, _, _ = frame_runs.run(tmp_path, films, pictures=False, estimate=_fail)
    pd.testing.assert_frame_equal(again, table)
    with_pictures, _, _ = frame_runs.run(tmp_path, films, estimate=_fail)
    assert with_pictures["path"].notna().all()


def test_a_deleted_picture_is_made_again(films: list[Path], tmp_path: Path) -> None:
    table, _, _ = frame_runs.run(tmp_path, films)
    before = frame_runs.read_tree(tmp_path)
    Path(table["path"].iloc[3]).unlink()
    frame_runs.run(tmp_path, films, estimate=_fail)
    assert frame_runs.read_tree(tmp_path) == before


def test_one_broken_film_is_one_row_and_the_others_go_on(
    films: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"this is no film")
    table, keypoints, problems = frame_runs.run(tmp_path, [broken, *films], n_jobs=2)
    assert problems["video"].tolist() == ["broken"]
    assert set(table["video"]) == {"long", "short"}
    assert set(keypoints["video"]) == {"long", "short"}


def test_a_film_that_is_gone_is_told_and_found_again(
    films: list[Path], tmp_path: Path
) -> None:
    table = frame_runs.build_table(films[1])
    gone = table.assign(path=str(tmp_path / "gone.mp4"))
    options = {"every_s": 1.0, "frames_dir": tmp_path / "frames"}
    _, _, problems = extraction.extract_frames(gone, **options)
    assert problems["video"].tolist() == ["short"]
    again, _, problems = extraction.extract_frames(table, **options)
    assert len(again) == 5
    assert problems.empty


def test_an_estimator_that_fails_is_not_taken_for_a_broken_film(
    films: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="must not be called"):
        frame_runs.run(tmp_path, films, estimate=_fail)
    with pytest.raises(ValueError, match=r"\(17, 3\) x_px, y_px, score, got \(\)"):
        frame_runs.run(tmp_path, films, estimate=np.mean)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"every_s": -1.0}, "0 or more seconds, got -1.0"),
        ({"every_s": float("nan")}, "0 or more seconds"),
        ({"estimate": None}, "both `keypoints_dir` and `estimate`"),
        ({"estimate_key": ""}, "Give `estimate_key`"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    tmp_path: Path, options: dict, match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        frame_runs.run(tmp_path, [], **options)


def test_two_videos_of_one_name_are_refused(films: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Two videos are named 'short'"):
        frame_runs.run(tmp_path, [films[1], films[1]])


def test_no_videos_give_empty_tables(tmp_path: Path) -> None:
    table, keypoints, problems = frame_runs.run(tmp_path, [])
    assert len(table) == len(keypoints) == len(problems) == 0


def test_a_folder_of_results_reads_as_one_table(
    films: list[Path], tmp_path: Path
) -> None:
    odd = Path(shutil.copy(films[1], tmp_path / "_.Ünï ;&' 100%.mp4"))
    _, keypoints, _ = frame_runs.run(tmp_path / "out", [*films, odd])
    read = pd.read_parquet(keypoints.attrs["folder"])
    assert len(read) == len(keypoints)
    assert set(read["video"]) == {"long", "short", odd.stem}


def _fail(image: np.ndarray) -> np.ndarray:
    raise RuntimeError("must not be called")


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    stem=st.text(
        st.characters(exclude_characters="/\0", exclude_categories=("Cs",)),
        min_size=1,
        max_size=60,
    ).filter(lambda stem: len(stem.encode()) <= 251)
)
@example(stem="x" * 251)
@example(stem="\u00e4" * 125)
@example(stem="_")
@example(stem="a\tb\u2028c ")
@example(stem="=HYPERLINK(1)")
def test_a_film_of_any_name_keeps_it_from_the_folder_to_the_tables(
    stem: str, films: list[Path], tmp_path: Path
) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        path = Path(folder, f"{stem}.mp4")
        shutil.copy(films[1], path)
        videos, problems = build_videos([path], settle_s=0)
        name = normalise_name(path.stem)
        if not name:
            assert "nothing but spaces" in problems["problem"][0]
            return
        assert videos["video"].tolist() == [name]
        made, keypoints, problems = extraction.extract_frames(
            videos,
            every_s=1.0,
            frames_dir=Path(folder, "frames"),
            keypoints_dir=Path(folder, "keypoints"),
            estimate=partial(frame_runs.start_chunk, frame_runs.estimate_mean),
            estimate_key="mean",
        )
        assert problems.empty
        assert set(made["video"]) == set(keypoints["video"]) == {name}
        read = pd.read_parquet(keypoints.attrs["folder"])
        assert set(read["video"]) == {name}
        assert images.read_image(made["path"][0]).shape == (48, 64, 3)
