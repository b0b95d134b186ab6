"""Each task on public data, before and after fine-tuning: the table of docs/results.md.

    python benchmarks/tasks.py list                       the rows, and which of them are done
    python benchmarks/tasks.py run [ROW ...]              fine-tune these rows, or all that are not done
    python benchmarks/tasks.py diagnose [ROW ...]         ask why, of rows that are not shown better than before
    python benchmarks/tasks.py table                      print the table of what is done

Data come from the folder that TRUETUNE_DATA (or --data) names. A row is one `truetune finetune` in a process of its
own, in a folder under --output (default: runs/tasks); where it is not shown better than the strongest baseline,
`truetune diagnose` of the run follows, with replays for --replays minutes. A row that was interrupted is resumed where
it stood, one that is done is left alone; delete its folder to run it again. Where the steps so far say that training
will take longer than --minutes, the row begins again with as many epochs as fit, and says so: no row is left out,
whatever its verdict.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from task_rows import ROWS, Row

from truetune.files import read_json, write_json, write_text

SURE = 45.0
"""Seconds of training after which its length is projected."""


def main() -> None:
    known = {row.name: row for row in ROWS}
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("work", choices=("list", "run", "diagnose", "table"))
    arguments.add_argument("rows", nargs="*", metavar="ROW")
    arguments.add_argument("--data", type=Path, default=os.environ.get("TRUETUNE_DATA"))
    arguments.add_argument("--output", type=Path, default=Path("runs/tasks"))
    arguments.add_argument("--minutes", type=float, default=10.0, help="of training a row")
    arguments.add_argument("--limit", type=int, help="at most so many examples in each file: a check, no result")
    arguments.add_argument("--replays", type=float, default=0.0, help="minutes of a diagnosis for training again")
    chosen = arguments.parse_args()
    unknown = [name for name in chosen.rows if name not in known]
    if unknown:
        arguments.error(f"unknown row {unknown[0]!r}; known: {', '.join(known)}")
    rows = [known[name] for name in chosen.rows] or list(ROWS)
    if chosen.work == "table":
        print(table(chosen.output, rows))
        return
    for row in rows:
        folder = chosen.output / row.name
        if (folder / DONE).is_file():
            if chosen.work == "diagnose":
                diagnosed(folder, chosen.replays)
            print(f"{row.name}: done")
        elif chosen.work in ("list", "diagnose"):
            print(f"{row.name}: not done ({row.task}, {row.language}: {row.about})")
        elif chosen.data is None:
            arguments.error("name the data folder: set TRUETUNE_DATA or give --data")
        else:
            ran(row, folder, chosen.data, chosen.minutes * 60, chosen.limit)
            diagnosed(folder, chosen.replays)
            print(table(chosen.output, [row]), flush=True)


# ---------------------------------------------------------------------------------------------- one row

DONE, BEGUN = "row.json", "begun.json"


def ran(row: Row, folder: Path, data: Path, cap: float, limit: int | None) -> None:
    """Fine-tune a row, or go on with it, and write `row.json`; the epochs are lowered where they do not fit."""
    begun = folder / BEGUN
    epochs = float(read_json(begun)["epochs"]) if begun.is_file() else float(row.train["epochs"])
    while True:
        configured(row, folder, data, epochs, limit)
        resume = begun.is_file() and run_folder(folder) is not None
        write_json(begun, {"epochs": epochs})
        fitting = trained(folder, resume, cap, epochs)
        if fitting is None:
            break
        print(f"{row.name}: {epochs:g} epochs would take longer than {cap / 60:g} minutes; {fitting:g} fit", flush=True)
        epochs = fitting
        # Other settings are another run.
        run = run_folder(folder)
        if run is not None:
            run.rename(run.with_name(f"stopped-{time.time():.0f}"))
    write_json(folder / DONE, {"epochs": epochs, "limit": limit, "minutes": cap / 60, **found(row, folder)})


def configured(row: Row, folder: Path, data: Path, epochs: float, limit: int | None) -> None:
    """Write the parts of the data and the config of a row."""
    parts = row.parts(data)
    settings: dict[str, Any] = {**row.data}
    for name, records in parts.items():
        path = folder / "data" / f"{name}.jsonl"
        some = records if name == "train" else records[:limit]
        write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in some))
        settings["source" if len(parts) == 1 else name] = str(path.resolve())
    if any("group" in record for record in parts["train"][:1]):
        settings["group"] = "group"
    if limit is not None:
        settings["limit"] = min(limit, settings.get("limit", limit))
    model: dict[str, Any] = {"name": row.model}
    model |= {"max_length": row.max_length} if row.max_length else {}
    model |= {"freeze_layers": row.frozen} if row.frozen else {}
    config = {
        "task": row.task,
        "data": settings,
        "model": model,
        "train": {**row.train, "epochs": epochs},
        "recipe": dict(row.recipe),
        "generate": dict(row.generate),
        "evaluate": {"metric": row.metric} if row.metric else {},
        "track": {"output": str((folder / "runs").resolve()), "name": "run"},
    }
    # JSON is YAML.
    write_text(folder / "config.yaml", json.dumps(config, indent=1, ensure_ascii=False) + "\n")


def trained(folder: Path, resume: bool, cap: float, epochs: float) -> float | None:
    """Run `truetune finetune` to its end and return None; or stop it, and return how many epochs fit into `cap`."""
    command = [sys.executable, "-m", "truetune", "finetune", str(folder / "config.yaml")]
    process = subprocess.Popen([*command, "--resume"] if resume else command)
    try:
        while process.poll() is None:
            time.sleep(1)
            run = run_folder(folder)
            seconds, share = told(run) if run else (0.0, 0.0)
            if seconds < SURE or not share:
                continue
            projected = seconds / share
            if projected > cap * 1.05 and seconds < 2 * SURE:
                process.send_signal(signal.SIGINT)
                process.wait()
                return max(0.2, int(epochs * cap / projected * 10) / 10)
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    if process.returncode:
        raise SystemExit(f"{folder}: truetune finetune ended with {process.returncode}; run the row again to resume")
    return None


def run_folder(folder: Path) -> Path | None:
    """Return the run of a row."""
    found = sorted(folder.glob("runs/run*"))
    return found[-1] if found else None


def told(run: Path) -> tuple[float, float]:
    """Return seconds of training so far, and which share of its steps was taken: 0 where that is not known."""
    events = run / "events.jsonl"
    if not events.is_file():
        return 0.0, 0.0
    steps = [event for line in events.read_text(encoding="utf-8").splitlines() if (event := _event(line))]
    if not steps:
        return 0.0, 0.0
    last = steps[-1]
    return sum(one["seconds"] for one in steps), last["step"] / last["steps"] if "steps" in last else 0.0


def _event(line: str) -> dict[str, Any] | None:
    """Return a step; None for what is not, or is half written."""
    try:
        event: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return event if event.get("event") == "step" else None


def diagnosed(folder: Path, minutes: float) -> None:
    """Diagnose the run of a row that is not shown better than before, unless that was done."""
    run = run_folder(folder)
    done = run is not None and (run / "diagnosis.json").is_file()
    if not done and read_json(folder / DONE)["comparison"]["verdict"] != "better":
        command = [sys.executable, "-m", "truetune", "diagnose", str(run), "--minutes", str(minutes)]
        # Exit status 1 says that a cause is named.
        if subprocess.run(command).returncode > 1:
            print(f"{folder.name}: the diagnosis failed", flush=True)


# ---------------------------------------------------------------------------------------------- the table


def found(row: Row, folder: Path) -> dict[str, Any]:
    """Return what the run of a row found."""
    run = run_folder(folder)
    assert run is not None
    comparison = read_json(run / "comparison.json")
    # The first comparison is with `before`.
    one = next(one for one in comparison["comparisons"] if one["metric"] == comparison["primary"])
    before, after = (read_json(run / name / "scores.json") for name in ("before", "after"))
    manifest = read_json(run / "manifest.json")
    seconds, _ = told(run)
    return {
        "metric": comparison["primary"],
        "baseline": before["system"],
        "before": _score(before, comparison["primary"]),
        "after": _score(after, comparison["primary"]),
        "also": {name: _score(after, name) for name in row.also},
        "comparison": one,
        "train_examples": int(read_json(run / "data.json")["splits"]["train"]["examples"]),
        "test_examples": after["examples"],
        "training_seconds": seconds,
        "wall_seconds": sum(manifest["seconds"].values()),
    }


def _score(scores: Mapping[str, Any], metric: str) -> Mapping[str, Any]:
    return next(one for one in scores["scores"] if one["metric"] == metric)


def table(output: Path, rows: list[Row]) -> str:
    """Return a Markdown table; a row that is not done says so."""
    lines = [
        "| task | data (train / test) | model, epochs | metric | before | after | difference | p | verdict |"
        " training (whole run) | machine | command |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        folder = output / row.name
        if (folder / DONE).is_file():
            lines.append(_line(row, read_json(folder / DONE), folder))
        else:
            lines.append(f"| {row.task}, {row.language} | {row.about} | not run |" + " |" * 9)
    return "\n".join(lines)


def _line(row: Row, done: Mapping[str, Any], folder: Path) -> str:
    one = done["comparison"]
    run = run_folder(folder)
    assert run is not None
    p = one["p_value"]
    also = "".join(f"; {name} {_interval(score)}" for name, score in done["also"].items())
    cells = (
        f"{row.task}, {row.language}",
        f"{row.about} ({done['train_examples']:,} / {done['test_examples']:,})",
        f"`{row.model.removeprefix('builtin:')}`, {done['epochs']:g}",
        done["metric"],
        f"{_number(done['before']['value'])} ({done['baseline']}){_others(run, done)}",
        _interval(done["after"]) + also,
        f"{_number(one['difference'], '+')} [{_number(one['low'], '+')}, {_number(one['high'], '+')}]",
        "–" if p is None else ("< 0.0001" if p < 1e-4 else f"{p:.4f}"),
        one["verdict"] + ("" if one["verdict"] == "better" else f": {why(run)}"),
        f"{done['training_seconds']:.0f} s ({done['wall_seconds']:.0f} s)",
        machine(run),
        f"`{command(row, done)}`",
    )
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def command(row: Row, done: Mapping[str, Any]) -> str:
    """Return what a row was made with."""
    # Rows of before minutes were written down had what is usual.
    minutes = "" if done.get("minutes", 10.0) == 10.0 else f" --minutes {done['minutes']:g}"
    limit = "" if done["limit"] is None else f" --limit {done['limit']}"
    return f"python benchmarks/tasks.py run {row.name}{minutes}{limit}"


def machine(run: Path) -> str:
    """Return on what a run was trained, and in which precision."""
    known = read_json(run / "manifest.json")
    return f"{known['processor']}, {known['cores']} cores, {known['device']}, {known['dtype']}"


def why(run: Path) -> str:
    """Return what the diagnosis of a run names first, with what shows it; or that it names nothing, and did not try."""
    path = run / "diagnosis.json"
    if not path.is_file():
        return "not diagnosed"
    saved = read_json(path)
    if saved["causes"]:
        first = saved["causes"][0]
        return f"{first['name']} ({'; '.join(first['evidence'])})"
    return "no cause is named" + "".join(f"; {line}" for line in saved["not_tried"][:1])


def _others(run: Path, done: Mapping[str, Any]) -> str:
    """Return the scores of the baselines that are not the strongest on validation."""
    found = []
    for path in sorted(run.glob("baselines/*/scores.json")):
        scores = read_json(path)
        if scores["system"] != done["baseline"]:
            found.append(f"{scores['system']} {_number(_score(scores, done['metric'])['value'])}")
    return "".join(f"; {one}" for one in found)


def _interval(score: Mapping[str, Any]) -> str:
    return f"{_number(score['value'])} [{_number(score['low'])}, {_number(score['high'])}]"


def _number(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.3f}"


if __name__ == "__main__":
    main()
