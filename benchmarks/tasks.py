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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import task_sets

from truetune.files import read_json, write_json, write_text

ENGLISH, CHINESE, WRITING = "builtin:minilm-en", "builtin:e5-small-multi", "builtin:smollm2-135m"
ASKED = "<|im_start|>user\n{}{{source}}<|im_end|>\n<|im_start|>assistant\n"
"""The chat template of the model that writes, without its system turn of 25 pieces."""
SURE = 45.0
"""Seconds of training after which its length is projected."""


@dataclass(frozen=True)
class Row:
    """A data set with the task and the settings that it is fine-tuned with."""

    name: str
    task: str
    language: str
    about: str
    parts: Callable[[Path], task_sets.Parts]
    train: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    metric: str | None = None
    """What decides; None: the primary metric of the task."""
    also: tuple[str, ...] = ()
    """Other metrics of the fine-tuned model that the table shows."""
    max_length: int | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    generate: Mapping[str, Any] = field(default_factory=dict)
    """How a model writes; empty for a task of another kind."""

    @property
    def model(self) -> str:
        """The embedded model that is fine-tuned."""
        return WRITING if self.generate else ENGLISH if self.language == "en" else CHINESE


ROWS = (
    Row("sst2", "classification", "en", "SST-2", task_sets.sst2, {"epochs": 3, "learning_rate": 1e-4}),
    Row(
        "sst2-16",
        "classification",
        "en",
        "SST-2, 16 examples a label",
        task_sets.sst2,
        {"epochs": 20, "learning_rate": 1e-4},
        {"per_label": 16},
        recipe={"contrastive": True},
    ),
    Row(
        "banking77-8",
        "classification",
        "en",
        "Banking77, 8 examples a label",
        task_sets.banking77,
        {"epochs": 10, "learning_rate": 2e-4, "tokens_per_batch": 4096},
        {"per_label": 8},
        recipe={"contrastive": True},
    ),
    Row("trec", "classification", "en", "TREC", task_sets.trec, {"epochs": 6, "learning_rate": 1e-4}),
    Row("banking77", "classification", "en", "Banking77", task_sets.banking77, {"epochs": 5, "learning_rate": 2e-4}),
    Row(
        "waimai",
        "classification",
        "zh",
        "waimai10k",
        task_sets.waimai,
        {"epochs": 2, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3},
    ),
    Row(
        "thucnews",
        "classification",
        "zh",
        "THUCNews titles (trained on dev)",
        task_sets.thucnews,
        {"epochs": 2, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3},
    ),
    Row(
        "smp2019",
        "classification",
        "zh",
        "SMP2019 domain",
        task_sets.smp2019_domain,
        {"epochs": 8, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3, "tokens_per_batch": 256},
    ),
    Row(
        "smp2019-frames",
        "intent-slots",
        "zh",
        "SMP2019 domain and intent with slots",
        task_sets.smp2019_frames,
        {"epochs": 12, "learning_rate": 2e-4, "head_learning_rate": 2e-3, "tokens_per_batch": 256},
        also=("accuracy", "span_f1"),
    ),
    Row(
        "mrpc",
        "pair",
        "en",
        "MRPC",
        task_sets.mrpc,
        {"epochs": 4, "learning_rate": 1e-4},
        also=("f1/paraphrase",),
    ),
    Row(
        "ocnli",
        "pair",
        "zh",
        "OCNLI (train.10k, tested on dev)",
        task_sets.ocnli,
        {"epochs": 2, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3},
    ),
    Row("wnut17", "ner", "en", "WNUT17", task_sets.wnut17, {"epochs": 3, "learning_rate": 1e-4}),
    Row(
        "cluener",
        "ner",
        "zh",
        "CLUENER, 6,000 sentences (tested on dev)",
        task_sets.cluener,
        {"epochs": 2, "learning_rate": 1e-4, "head_learning_rate": 2e-3},
        {"limit": 6000},
    ),
    Row(
        "semeval2010",
        "relations",
        "en",
        "SemEval-2010 task 8",
        task_sets.semeval2010,
        {"epochs": 5, "learning_rate": 1e-4},
        metric="relation_f1_macro",
    ),
    Row(
        "finre",
        "relations",
        "zh",
        "FinRE, pairs with one relation, 5,000 of them",
        task_sets.finre,
        {"epochs": 2, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3},
        {"limit": 5000},
        also=("relation_f1_macro",),
    ),
    Row("sst5", "regression", "en", "SST-5 as a number", task_sets.sst5_numbers, {"epochs": 2, "learning_rate": 1e-4}),
    Row(
        "bank-faqs",
        "retrieval",
        "en",
        "BankFAQs, the answer to a question among all answers",
        task_sets.bank_faqs,
        {"epochs": 5, "learning_rate": 1e-4},
        metric="mrr",
        also=("recall@1", "recall@10", "ndcg@10"),
        max_length=128,
    ),
    Row(
        "bank-faqs-hard",
        "retrieval",
        "en",
        "BankFAQs with hard negatives",
        task_sets.bank_faqs,
        {"epochs": 5, "learning_rate": 1e-4},
        metric="mrr",
        also=("recall@1", "recall@10", "ndcg@10"),
        max_length=128,
        recipe={"hard_negatives": 10},
    ),
    Row(
        "daily-replies",
        "response-ranking",
        "en",
        "XDailyDialog, the reply among 20",
        task_sets.daily_replies,
        {"epochs": 6, "learning_rate": 1e-4},
        also=("mrr",),
        max_length=96,
    ),
    Row(
        "xquad-en",
        "qa",
        "en",
        "XQuAD English",
        task_sets.xquad_en,
        {"epochs": 6, "learning_rate": 2e-4},
        also=("exact_match",),
        max_length=256,
    ),
    Row(
        "xquad-zh",
        "qa",
        "zh",
        "XQuAD Chinese",
        task_sets.xquad_zh,
        {"epochs": 4, "learning_rate": 1.5e-4},
        also=("exact_match",),
        max_length=256,
    ),
    Row(
        "c3",
        "multiple-choice",
        "zh",
        "C3, 3,000 questions on dialogues and texts",
        task_sets.c3,
        {"epochs": 1, "learning_rate": 1e-4},
        {"limit": 3000},
        max_length=256,
    ),
    Row(
        "cmrc2018",
        "qa",
        "zh",
        "CMRC 2018 (trained on 2,000 questions of dev, tested on trial)",
        task_sets.cmrc2018,
        {"epochs": 2, "learning_rate": 1.5e-4},
        {"limit": 2000},
        also=("exact_match",),
        max_length=256,
    ),
    Row(
        "tatoeba-zh-en",
        "translation",
        "zh-en",
        "Tatoeba Chinese to English, 2,150 sentences",
        task_sets.tatoeba_zh_en,
        {"epochs": 1, "learning_rate": 1e-4, "tokens_per_batch": 512},
        {"limit": 2150, "validation_share": 0.047, "test_share": 0.1165},
        metric="chrf",
        also=("bleu",),
        max_length=128,
        generate={"prompt": ASKED.format("Translate into English: ")},
    ),
    Row(
        "tatoeba-en-zh",
        "translation",
        "en-zh",
        "Tatoeba English to Chinese, 2,150 sentences",
        task_sets.tatoeba_en_zh,
        {"epochs": 1, "learning_rate": 1e-4, "tokens_per_batch": 512},
        {"limit": 2150, "validation_share": 0.047, "test_share": 0.1165},
        metric="chrf",
        also=("bleu",),
        max_length=128,
        generate={"prompt": ASKED.format("Translate into Chinese: ")},
    ),
    Row(
        "scitldr",
        "summarization",
        "en",
        "SciTLDR, 400 abstracts, 150 tested",
        task_sets.scitldr,
        {"epochs": 1, "learning_rate": 1e-4},
        {"limit": 400},
        also=("rouge1", "rouge2"),
        max_length=384,
        generate={"prompt": ASKED.format("Summarize in one sentence: "), "max_pieces": 48},
    ),
    Row(
        "csl-titles",
        "summarization",
        "zh",
        "CSL, titles of 400 abstracts, 150 tested",
        task_sets.csl_titles,
        {"epochs": 1, "learning_rate": 1e-4},
        {"limit": 400},
        also=("rouge1", "rouge2"),
        max_length=256,
        generate={"prompt": ASKED.format("Title in Chinese: "), "max_pieces": 64},
    ),
    Row(
        "daily-answers-en",
        "dialogue",
        "en",
        "XDailyDialog, replies to three turns, 1,400 of them, 250 tested",
        task_sets.daily_answers_en,
        {"epochs": 1, "learning_rate": 1e-4},
        {"limit": 1400},
        also=("bleu",),
        max_length=128,
        generate={"prompt": ASKED.format(""), "max_pieces": 40},
    ),
    Row(
        "daily-answers-zh",
        "dialogue",
        "zh",
        "XDailyDialog in Chinese, replies to three turns, 750 of them, 250 tested",
        task_sets.daily_answers_zh,
        {"epochs": 1, "learning_rate": 1e-4},
        {"limit": 750},
        also=("bleu",),
        max_length=192,
        generate={"prompt": ASKED.format(""), "max_pieces": 64},
    ),
)


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
            seconds, inputs, whole = told(run) if run else (0.0, 0, 0)
            if seconds < SURE or not whole:
                continue
            projected = seconds / inputs * whole * epochs
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


def told(run: Path) -> tuple[float, int, int]:
    """Return seconds of training so far, inputs learnt from, and training examples."""
    events, facts = run / "events.jsonl", run / "data.json"
    if not events.is_file() or not facts.is_file():
        return 0.0, 0, 0
    steps = [event for line in events.read_text(encoding="utf-8").splitlines() if (event := _event(line))]
    examples = int(read_json(facts)["splits"]["train"]["examples"])
    return sum(one["seconds"] for one in steps), sum(one["inputs"] for one in steps), examples


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
    seconds, _, examples = told(run)
    return {
        "metric": comparison["primary"],
        "baseline": before["system"],
        "before": _score(before, comparison["primary"]),
        "after": _score(after, comparison["primary"]),
        "also": {name: _score(after, name) for name in row.also},
        "comparison": one,
        "train_examples": examples,
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
