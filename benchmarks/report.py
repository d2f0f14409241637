"""The measurements as a table (Markdown, CSV) and a chart."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

_OURS, _OTHERS = "#0072B2", "#999999"
_WAYS = {
    "decode": "decoding alone",
    "inference": "two passes of the network alone",
    "whole_1": "this project, 1 process, pictures and keypoints",
    "whole_2": "this project, 2 processes, pictures and keypoints",
    "keypoints_1": "this project, 1 process, keypoints alone",
    "keypoints_2": "this project, 2 processes, keypoints alone",
    "tutorial": "TensorFlow's tutorial's way, SavedModel",
    "tutorial_tflite": "TensorFlow's tutorial's way, TFLite",
    "mediapipe": "MediaPipe Pose",
}


def write_report(rows: pd.DataFrame, facts: dict[str, str], *, folder: Path) -> None:
    """Write bench.csv, bench.md and bench.png.

    Args:
        rows: One row a measurement: model, way, repeat, film_s, seconds, cpu_s,
            n_frames, peak_mb, load_before.
        facts: What they were measured with.
        folder: Where to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_csv(folder / "bench.csv", index=False, float_format="%.4g")
    speed = _summarise_speed(rows[rows["way"] != "worker"])
    memory = rows[rows["way"] == "worker"]
    load = f"{rows['load_before'].min():.1f} to {rows['load_before'].max():.1f}"
    lines = ["# How fast, and how much memory", ""]
    lines += [f"- {name}: {text}" for name, text in facts.items()]
    lines += [
        f"- load of the machine before each measurement (1 minute mean): {load}",
        "- medians; × real time = seconds of film a second; imports and the start of "
        "processes not counted; written by `make bench`",
        "",
        *_write_speed(speed),
        "",
        *_write_ratios(speed),
        "",
        *_write_memory(memory),
        "",
        "![Seconds of film a second, by way](bench.png)",
    ]
    (folder / "bench.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    figure = plot_speed(speed)
    figure.savefig(folder / "bench.png", dpi=150)
    plt.close(figure)
    print("\n".join(lines))


def plot_speed(speed: pd.DataFrame) -> plt.Figure:
    """Plot how many seconds of film each way does in a second."""
    shown = speed[~speed["way"].isin(["decode", "inference"])]
    shown = shown.sort_values("times_real_time")
    figure, ax = plt.subplots(figsize=(7.5, 0.42 * len(shown) + 1.1), layout="tight")
    colours = [_OURS if "project" in _WAYS[way] else _OTHERS for way in shown["way"]]
    bars = ax.barh(range(len(shown)), shown["times_real_time"], color=colours)
    ax.bar_label(bars, fmt="%.1f", padding=3)
    names = [f"{_WAYS[row.way]}, {_name(row.model)}" for row in shown.itertuples()]
    ax.set_yticks(range(len(shown)), names)
    ax.set_xlabel("seconds of film a second (frames every 0.2 s)")
    ax.set_title("Film in, keypoints out")
    ax.spines[["top", "right"]].set_visible(False)
    return figure


def _summarise_speed(rows: pd.DataFrame) -> pd.DataFrame:
    """Take the median over repeats and say it against the film's length."""
    names = ["film_s", "seconds", "cpu_s", "n_frames"]
    speed = rows.groupby(["model", "way"], sort=False)[names].median().reset_index()
    speed["times_real_time"] = speed["film_s"] / speed["seconds"]
    speed["ms_per_frame"] = 1000 * speed["seconds"] / speed["n_frames"]
    return speed


def _write_speed(speed: pd.DataFrame) -> list[str]:
    """Write the table of ways."""
    lines = [
        "| network | way | × real time | ms a frame | processor s |",
        "|---|---|---|---|---|",
    ]
    for row in speed.itertuples():
        cpu_s = f"{row.cpu_s:.1f}"
        network = "" if row.way == "decode" else _name(row.model)
        lines.append(
            f"| {network} | {_WAYS[row.way]} | {row.times_real_time:.1f} | "
            f"{row.ms_per_frame:.1f} | {'–' if row.way[-1] == '2' else cpu_s} |"
        )
    return lines


def _write_ratios(speed: pd.DataFrame) -> list[str]:
    """Write efficiency and the ratios to other ways."""
    seconds = speed.set_index(["model", "way"])["seconds"]
    cpu = speed.set_index(["model", "way"])["cpu_s"]
    decode = next(key for key in seconds.index if key[1] == "decode")
    others = [key for key in seconds.index if key[1] == "mediapipe"]
    lines = [
        "Efficiency = (decoding alone + network alone) / (processes × the whole); by "
        "processor time, the same without the processes' waiting for a busy machine.",
        "",
        "| network | measure | value |",
        "|---|---|---|",
    ]
    for model in dict.fromkeys(key[0] for key in seconds.index if key[1] == "whole_2"):
        parts_s = seconds[decode] + seconds[model, "inference"]
        parts_cpu_s = cpu[decode] + cpu[model, "inference"]
        values = {
            **{
                f"efficiency, {_WAYS[way].removeprefix('this project, ')}": parts_s
                / int(way[-1])
                / seconds[model, way]
                for way in _WAYS
                if "project" in _WAYS[way]
            },
            "by processor time, pictures and keypoints": parts_cpu_s
            / cpu[model, "whole_1"],
            "by processor time, keypoints alone": parts_cpu_s
            / cpu[model, "keypoints_1"],
        }
        rivals = {(model, "tutorial"), (model, "tutorial_tflite"), *others}
        for way in ("keypoints_2", "whole_2"):
            ours = _WAYS[way].removeprefix("this project, ")
            one = seconds[model, way.replace("2", "1")]
            values[f"{ours}, against 1 process"] = one / seconds[model, way]
            for key in seconds.index.intersection(list(rivals)):
                named = _WAYS[key[1]] + (f" ({_name(key[0])})" * (key in others))
                values[f"{ours}, against {named}"] = seconds[key] / seconds[model, way]
        lines += [f"| {_name(model)} | {n} | {v:.2f} |" for n, v in values.items()]
    if not others:
        lines += ["", "MediaPipe: not measured (no `--mediapipe-python`)."]
    return lines


def _write_memory(rows: pd.DataFrame) -> list[str]:
    """Write one worker's memory against the length of a film."""
    if rows.empty:
        return ["Memory: not measured."]
    lines = [
        "| film, minutes | frames | peak memory of one worker, MB | growth |",
        "|---|---|---|---|",
    ]
    first = rows["peak_mb"].iloc[0]
    for row in rows.itertuples():
        lines.append(
            f"| {row.film_s / 60:g} | {row.n_frames} | {row.peak_mb:.0f} | "
            f"{100 * (row.peak_mb / first - 1):+.1f} % |"
        )
    return lines


def _name(model: str) -> str:
    """Return a network's name as people write it."""
    return model.replace("movenet_", "MoveNet ").replace("mediapipe_", "").title()
