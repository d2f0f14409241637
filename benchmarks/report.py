"""The measurements as a table (Markdown, CSV) and a chart."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from benchmarks.cells import RUNS

_OURS, _OTHERS = "#0072B2", "#999999"
# Ours followed, whose parts are "decode" and "inference".
_FOLLOWED = ("whole_1", "whole_2", "keypoints_1", "keypoints_2")
_WAYS = {
    "decode": "decoding alone",
    "inference": "following by the network alone",
    "whole_1": "this project, 1 process, pictures and keypoints",
    "whole_2": "this project, 2 processes, pictures and keypoints",
    "keypoints_1": "this project, 1 process, keypoints alone",
    "keypoints_2": "this project, 2 processes, keypoints alone",
    "alone_2": "this project with two looks a frame, 2 processes, keypoints alone",
    "tutorial": "TensorFlow's tutorial's way, two passes, SavedModel",
    "tutorial_follow": "TensorFlow's tutorial's way, following, SavedModel",
    "tutorial_tflite": "TensorFlow's tutorial's way, two passes, TFLite",
    "tutorial_tflite_follow": "TensorFlow's tutorial's way, following, TFLite",
    "mediapipe": "MediaPipe Pose",
}

_NAMES = {
    "movenet_lightning": "MoveNet Lightning",
    "movenet_thunder": "MoveNet Thunder",
    "mediapipe_tracking": "from frame to frame",
    "mediapipe_alone": "each frame alone",
}


def write_report(
    rows: pd.DataFrame, facts: dict[str, str], *, cells: pd.DataFrame, folder: Path
) -> None:
    """Write bench.csv, bench_cells.csv, bench.md and bench.png.

    Args:
        rows: One row a measurement: model, way, repeat, film_s, seconds, cpu_s,
            n_frames, peak_mb, load_before.
        facts: What they were measured with.
        cells: What `cells.measure_cells` gives; empty if the notebook was not run.
        folder: Where to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if len(cells):
        cells.to_csv(folder / "bench_cells.csv", index=False, float_format="%.4g")
    rows.to_csv(folder / "bench.csv", index=False, float_format="%.4g")
    speed = _summarise_speed(rows[rows["way"] != "worker"])
    memory = rows[rows["way"] == "worker"]
    load = f"{rows['load_before'].min():.1f} to {rows['load_before'].max():.1f}"
    lines = ["# How fast, and how much memory", ""]
    lines += [f"- {name}: {text}" for name, text in facts.items()]
    lines += [
        f"- load of the machine before each measurement (1 minute mean): {load}",
        "- medians; × real time = seconds of film a second; imports and the start of "
        "processes not counted; PCK: share of points within 0.2 torso of the demo's "
        "true ones; written by `make bench`",
        "",
        *_write_speed(speed),
        "",
        *_write_ratios(rows[rows["way"] != "worker"]),
        "",
        *_write_memory(memory),
        "",
        *_write_cells(cells),
        "",
        "![Seconds of film a second, by way](bench.png)",
    ]
    (folder / "bench.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    figure = plot_speed(speed, films=facts["films"])
    figure.savefig(folder / "bench.png", dpi=150)
    plt.close(figure)
    print("\n".join(lines))


def plot_speed(speed: pd.DataFrame, *, films: str) -> plt.Figure:
    """Plot how many seconds of film each way does in a second, a panel a network."""
    models = [model for model in speed["model"].unique() if "movenet" in model]
    shown = speed[~speed["way"].isin(["decode", "inference"])]
    figure, axes = plt.subplots(
        nrows=len(models),
        figsize=(9.5, 3.4 * len(models)),
        layout="constrained",
        squeeze=False,
    )
    for ax, model in zip(axes[:, 0], models, strict=True):
        bars = shown[(shown["model"] == model) | (shown["way"] == "mediapipe")]
        bars = bars.sort_values("times_real_time")
        ours = ["project" in _WAYS[way] for way in bars["way"]]
        names = [_WAYS[row.way] for row in bars.itertuples()]
        for idx, (way, theirs) in enumerate(
            zip(bars["way"], bars["model"], strict=True)
        ):
            if way == "mediapipe":
                names[idx] += f", {_name(theirs)}"
        drawn = ax.barh(
            range(len(bars)),
            bars["times_real_time"],
            color=[_OURS if own else _OTHERS for own in ours],
        )
        ax.bar_label(drawn, fmt="%.1f", padding=3)
        ax.margins(x=0.15)
        ax.set_yticks(range(len(bars)), names, fontsize=8)
        ax.set_title(_name(model))
        ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Film in, keypoints out")
    figure.supxlabel(f"seconds of film a second ({films})", fontsize=10)
    return figure


def _summarise_speed(rows: pd.DataFrame) -> pd.DataFrame:
    """Take the median over repeats and say it against the film's length."""
    rows = rows.assign(pck=rows["pck"] if "pck" in rows else float("nan"))
    names = ["film_s", "seconds", "cpu_s", "n_frames", "pck"]
    speed = rows.groupby(["model", "way"], sort=False)[names].median().reset_index()
    speed["times_real_time"] = speed["film_s"] / speed["seconds"]
    speed["ms_per_frame"] = 1000 * speed["seconds"] / speed["n_frames"]
    return speed


def _write_speed(speed: pd.DataFrame) -> list[str]:
    """Write the table of ways."""
    lines = [
        "| network | way | × real time | ms a frame | processor s | PCK |",
        "|---|---|---|---|---|---|",
    ]
    for row in speed.itertuples():
        cpu_s = f"{row.cpu_s:.1f}"
        pck = "" if pd.isna(row.pck) else f"{row.pck:.3f}"
        network = "" if row.way == "decode" else _name(row.model)
        lines.append(
            f"| {network} | {_WAYS[row.way]} | {row.times_real_time:.1f} | "
            f"{row.ms_per_frame:.1f} | {'–' if row.way[-1] == '2' else cpu_s} | {pck} |"
        )
    return lines


def _write_ratios(rows: pd.DataFrame) -> list[str]:
    """Write efficiency and the ratios to other ways, each the median over rounds."""
    by_way = {"index": "repeat", "columns": ["model", "way"]}
    seconds = rows.pivot_table(values="seconds", **by_way)
    cpu = rows.pivot_table(values="cpu_s", **by_way)
    lines = [
        "Medians of the ratios of each round. Efficiency = (decoding alone + network "
        "alone) / (processes × the whole); by processor time, the same without waiting "
        "for a busy machine.",
        "",
        "| network | measure | value |",
        "|---|---|---|",
    ]
    for model in dict.fromkeys(rows.loc[rows["way"] == "whole_2", "model"]):
        values = _measure_efficiency(seconds, cpu, model)
        values |= _compare_ways(seconds, model)
        lines += [
            f"| {_name(model)} | {name} | {ratio.median():.2f} |"
            for name, ratio in values.items()
        ]
    for way, option in (
        ("mediapipe", "mediapipe-python"),
        ("tutorial", "saved-models"),
    ):
        if way not in set(rows["way"]):
            lines += ["", f"{_WAYS[way]}: not measured (no `--{option}`)."]
    return lines


def _measure_efficiency(
    seconds: pd.DataFrame, cpu: pd.DataFrame, model: str
) -> dict[str, pd.Series]:
    """Return the efficiency of each of our ways, by round."""
    parts_s, parts_cpu_s = (
        table.xs("decode", axis=1, level="way").iloc[:, 0] + table[model, "inference"]
        for table in (seconds, cpu)
    )
    values = {}
    for way in _FOLLOWED:
        name, n_processes = _WAYS[way].removeprefix("this project, "), int(way[-1])
        values[f"efficiency, {name}"] = parts_s / n_processes / seconds[model, way]
        if n_processes == 1:
            values[f"efficiency by processor time, {name}"] = (
                parts_cpu_s / cpu[model, way]
            )
    return values


def _compare_ways(seconds: pd.DataFrame, model: str) -> dict[str, pd.Series]:
    """Return how many times as long other ways take, by round."""
    values = {}
    for ours in ("keypoints_2", "whole_2"):
        name = _WAYS[ours].removeprefix("this project, ")
        for theirs in seconds.columns:
            is_theirs = theirs[1].startswith("tutorial") and theirs[0] == model
            is_own = theirs in ((model, ours.replace("2", "1")), (model, "alone_2"))
            if is_theirs or is_own or theirs[1] == "mediapipe":
                other = _WAYS[theirs[1]].removeprefix("this project, ")
                other += f", {_name(theirs[0])}" * (theirs[1] == "mediapipe")
                values[f"{name}, against {other}"] = (
                    seconds[theirs] / seconds[model, ours]
                )
    return values


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


def _write_cells(cells: pd.DataFrame) -> list[str]:
    """Write how long each section of the notebook takes, run by run."""
    if cells.empty:
        return ["The notebook, cell by cell: not measured."]
    runs = list(dict.fromkeys(cells["run"]))
    table = cells.pivot_table(
        index="section", columns="run", values="seconds", aggfunc="sum", sort=False
    )
    peaks_mb = cells.dropna(subset="peak_mb").set_index("run")["peak_mb"]
    return [
        "`make run` on the demo, after installation, section by section in seconds: "
        + "; ".join(f"{run} = {RUNS[run]}" for run in runs)
        + ".",
        "",
        f"| section | {' | '.join(runs)} |",
        "|---|" + "---|" * len(runs),
        *(
            f"| {section} | " + " | ".join(f"{value:.1f}" for value in row) + " |"
            for section, row in table[runs].iterrows()
        ),
        "| peak memory of all processes, shared pages counted once, MB | "
        + " | ".join(f"{peaks_mb[run]:.0f}" for run in runs)
        + " |",
    ]


def _name(model: str) -> str:
    """Return a network's name as people write it."""
    return _NAMES.get(model, model)
