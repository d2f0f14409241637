"""The same run on a cluster and an object store: processes on loopback, all real."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import joblib
import pandas as pd
import pytest

from tests import frame_runs
from utils.core import remote
from utils.frames import extraction, images
from utils.video.catalogue import list_remote_videos

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four films of 30 s."""
    folder = tmp_path_factory.mktemp("films")
    return [
        frame_runs.make_film(folder / f"film{number}.mp4", n_seconds=30, seed=number)
        for number in range(4)
    ]


@pytest.fixture(scope="module")
def whole(
    films: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """Every file of a run in this process alone."""
    out = tmp_path_factory.mktemp("whole")
    frame_runs.run(out, films)
    return frame_runs.read_tree(out)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    """A scheduler and two workers, each a process: client and workers' processes."""
    distributed = pytest.importorskip("distributed", reason="needs Dask's extra")
    folder = tmp_path_factory.mktemp("cluster")
    address_file = folder / "scheduler.json"
    scheduler = _start(
        "scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", address_file
    )
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
    workers = [
        _start(
            *("worker", "--scheduler-file", address_file, *options),
            *("--local-directory", folder / name, "--name", name),
        )
        for name in ("one", "two")
    ]
    try:
        with distributed.Client(scheduler_file=str(address_file), timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
            yield client, workers
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """An S3 server on loopback; workers find it by the environment."""
    pytest.importorskip("s3fs", reason="needs the object store's extra")
    server_module = pytest.importorskip("moto.server", reason="needs moto")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        import s3fs

        s3fs.S3FileSystem().mkdir("bucket")
        yield "s3://bucket"
    server.stop()


def test_a_cluster_gives_the_same_bytes(
    cluster: tuple, films: list[Path], whole: dict[str, bytes], tmp_path: Path
) -> None:
    with joblib.parallel_config(backend="dask"):
        frame_runs.run(tmp_path, films, n_jobs=-1)
    assert frame_runs.read_tree(tmp_path) == whole


def test_films_and_results_may_lie_in_an_object_store(
    bucket: str, films: list[Path], tmp_path: Path
) -> None:
    import s3fs

    store = s3fs.S3FileSystem()
    films = films[:2]
    for film in films:
        store.put_file(str(film), f"bucket/films/{film.name}")
    table = list_remote_videos(f"{bucket}/films")
    assert table["video"].tolist() == [film.stem for film in films]
    options = {
        "every_s": 5.0,
        "frames_dir": f"{bucket}/out/frames",
        "keypoints_dir": f"{bucket}/out/keypoints",
        "estimate": partial(frame_runs.start_chunk, frame_runs.estimate_mean),
        "estimate_key": "mean",
    }
    made, keypoints, problems = extraction.extract_frames(table, **options)
    assert problems.empty
    _, here, _ = frame_runs.run(tmp_path, films, every_s=5.0)
    pd.testing.assert_frame_equal(keypoints, here)
    read = pd.read_parquet(keypoints.attrs["folder"])
    assert len(read) == len(keypoints)
    assert images.read_image(made["path"].iloc[0]).shape == (48, 64, 3)
    again, _, _ = extraction.extract_frames(table, **{**options, "estimate": _fail})
    pd.testing.assert_frame_equal(again, made)


def test_a_film_that_is_not_in_the_store_is_one_sentence(
    bucket: str, tmp_path: Path
) -> None:
    table = pd.DataFrame(
        {"video": ["gone"], "path": [f"{bucket}/gone.mp4"], "sha256": ["0"]}
    )
    _, _, problems = extraction.extract_frames(
        table, every_s=1.0, frames_dir=tmp_path / "frames"
    )
    assert "s3://bucket/gone.mp4 cannot be fetched" in problems["problem"].iloc[0]


def test_a_worker_killed_in_mid_film_changes_no_byte(
    cluster: tuple, films: list[Path], whole: dict[str, bytes], tmp_path: Path
) -> None:
    _, workers = cluster
    killer = subprocess.Popen(
        [sys.executable, "-c", _KILLER, str(tmp_path), str(workers[0].pid)]
    )
    with joblib.parallel_config(backend="dask"):
        frame_runs.run(
            tmp_path, films, n_jobs=-1, estimate=frame_runs.estimate_very_slowly
        )
    assert killer.wait() == 0
    assert workers[0].wait() == -signal.SIGKILL
    assert frame_runs.read_tree(tmp_path) == whole


# Kills a process once there is work in progress below a folder.
_KILLER = """
import os, pathlib, signal, sys, time
root, pid = pathlib.Path(sys.argv[1]), int(sys.argv[2])
for _ in range(3000):
    if len(list(root.glob("frames/.work-*/0000/*.jpg"))) > 10:
        os.kill(pid, signal.SIGKILL)
        sys.exit(0)
    time.sleep(0.02)
sys.exit(1)
"""


def test_an_address_that_cannot_be_reached_says_what_to_install() -> None:
    with pytest.raises(ValueError, match=r"requirements-cluster\.txt"):
        remote.parse_address("nosuchstore://bucket/folder")


def _start(*command: object) -> subprocess.Popen:
    """Start a Dask process that finds this project."""
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + str(command[0])]
        + [str(argument) for argument in command[1:]],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _fail(image: object) -> None:
    raise RuntimeError("must not be called")
