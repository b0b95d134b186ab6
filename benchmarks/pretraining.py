"""What pretraining is worth on a task: the same model fine-tuned without and with it, by a paired test.

    python benchmarks/pretraining.py bert      --output DIR    new:bert-mini of English sentences
    python benchmarks/pretraining.py electra   --output DIR    the same model, which learns to tell replaced pieces
    python benchmarks/pretraining.py gpt       --output DIR    new:gpt-mini of the same
    python benchmarks/pretraining.py continued --output DIR    minilm-en gone on with on bank customers' questions
    python benchmarks/pretraining.py chinese   --output DIR    e5-small-multi gone on with on restaurant reviews
    python benchmarks/pretraining.py lora      --output DIR    smollm2-135m gone on with by LoRA on the same questions
    --tasks NAME...  what is fine-tuned on: banking77 (10 questions of each intent), trec, sst2, waimai (1,000 reviews);
                     default: banking77, and for `chinese` waimai
    --data DIR       the folder of data (default: the environment variable TRUETUNE_DATA)
    --seeds 3        of fine-tuning, and, for `continued` and `chinese`, of pretraining too
    --first 0        the first of them, so that several processes can share the work
    --epochs N       of pretraining
    --limit N        at most so many documents, and labelled texts: a trial

From scratch: Tatoeba's English sentences, SST-2's training sentences, Banking77's and TREC's training questions and the
English of 1,000 DailyDialog dialogues, without their labels. The others: the texts of the task's training part, those
with and those without a label there. No text of a test part is learnt from.
Every run is a folder in DIR. What is finished there is not done again, and a run that was interrupted goes on, so give
the same command again. At the end one line a seed and one over the seeds is printed: accuracy without and with, the
difference on the same test texts with its interval, p.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from task_sets import banking77, sst2, trec, waimai

from truetune import Gate, compare
from truetune.bundle.run_folder import RunFolder
from truetune.data.arrow import read_parquet_columns
from truetune.files import read_json
from truetune.text import text_key
from truetune.workflows.finetune import finetune
from truetune.workflows.pretrain import pretrain

Settings = dict[str, Any]
MASKED = "masked-language-modeling"
LEARNT = {
    "bert": (MASKED, "sentences", "new:bert-mini", 6, 1e-3),
    "electra": ("replaced-token-detection", "sentences", "new:bert-mini", 3, 1e-3),
    "gpt": ("language-modeling", "sentences", "new:gpt-mini", 3, 1e-3),
    "continued": (MASKED, "banking", "builtin:minilm-en", 3, 1e-4),
    "chinese": (MASKED, "reviews", "builtin:e5-small-multi", 1, 1e-4),
    "lora": ("language-modeling", "banking", "builtin:smollm2-135m", 1, 1e-3),
}
"""What is learnt, of which corpus, beginning with which model, for how many epochs, at which rate."""
A_LABEL = 10
"""Labelled texts of each of Banking77's intents."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("what", choices=tuple(LEARNT))
    arguments.add_argument("--output", type=Path, required=True)
    arguments.add_argument("--tasks", nargs="+", choices=tuple(TASKS))
    arguments.add_argument("--data", type=Path, default=os.environ.get("TRUETUNE_DATA"))
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--first", type=int, default=0)
    arguments.add_argument("--epochs", type=float)
    arguments.add_argument("--limit", type=int)
    chosen = arguments.parse_args()
    if chosen.data is None:
        arguments.error("name the data folder: set TRUETUNE_DATA or give --data")
    chosen.output.mkdir(parents=True, exist_ok=True)
    if chosen.what == "lora":
        told(done(pretrain, pretraining(chosen, 0), chosen.output))
        return
    for task in chosen.tasks or ["waimai" if chosen.what == "chinese" else "banking77"]:
        measured(chosen, task)


def measured(chosen: argparse.Namespace, task: str) -> None:
    """Print what a task gains by pretraining, for each seed and over them."""
    new = LEARNT[chosen.what][2].startswith("new:")
    pairs = []
    for seed in range(chosen.first, chosen.first + chosen.seeds):
        learnt = done(pretrain, pretraining(chosen, 0 if new else seed), chosen.output)
        if seed == chosen.first or not new:
            told(learnt)
        without = str(learnt.path / "start") if new else str(pretraining(chosen, seed)["model"]["name"])
        ends = [
            done(finetune, finetuning(chosen, task, (name, model), seed), chosen.output)
            for name, model in (("without", without), ("with", str(learnt.model)))
        ]
        pairs.append(ends)
        line(f"{chosen.what}, {task}, seed {seed}", [correct(run) for run in ends])
    # A text's mean over the seeds without, and with: so the texts are the sample, and no seed counts as more texts.
    means = [np.mean([correct(pair[side]) for pair in pairs], axis=0) for side in (0, 1)]
    difference = means[1] - means[0]
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    half = 1.96 * error
    print(
        f"{chosen.what}, {task}, {len(pairs)} seeds: {means[0].mean():.4f} without, {means[1].mean():.4f} with; "
        f"difference {difference.mean():+.4f}, 95 % interval over texts {difference.mean() - half:+.4f} to "
        f"{difference.mean() + half:+.4f}; by seed {[round(float((b - a).mean()), 4) for a, b in seeds(pairs)]}",
        flush=True,
    )


def seeds(pairs: Iterable[list[RunFolder]]) -> list[list[Any]]:
    return [[correct(run) for run in pair] for pair in pairs]


def done(work: Callable[..., Any], settings: Settings, output: Path) -> RunFolder:
    """Return a run, made, gone on with, or there already."""
    run = RunFolder(output / settings["track"]["name"])
    return RunFolder(work(settings, resume=run.config.is_file()).run)


def correct(run: RunFolder) -> Any:
    """Return 1 for each text of the test part that is told right, else 0; in the order of the ids."""
    columns = read_parquet_columns(run.predictions("after"))
    order = np.argsort(np.array(columns["id"]))
    gold, said = (np.array(columns[name])[order] for name in ("gold.label", "predicted.label"))
    return (gold == said).astype(float)


def line(name: str, ends: list[Any]) -> None:
    one, other = (["right" if hit else "wrong" for hit in end] for end in ends)
    gold = ["right"] * len(one)
    found = compare(task="classification", gold=gold, predicted={"without": one, "with": other}, gate=Gate("accuracy"))
    (result,) = [each for each in found.comparisons if each.metric == "accuracy"]
    print(
        f"{name}: {ends[0].mean():.4f} without, {ends[1].mean():.4f} with, on {len(gold):,} texts; difference "
        f"{result.difference:+.4f}, 95 % interval {result.low:+.4f} to {result.high:+.4f}, p {result.p_value:.2g}",
        flush=True,
    )


def told(run: RunFolder) -> None:
    """Print what pretraining did on held-out documents, and how long it took."""
    print("\n".join(read_json(run.verdict)["lines"]["en"][:2]), json.dumps(read_json(run.timings)), flush=True)


def pretraining(chosen: argparse.Namespace, seed: int) -> Settings:
    task, corpus, model, epochs, rate = LEARNT[chosen.what]
    new = model.startswith("new:")
    gpt = chosen.what == "gpt"
    return {
        "task": task,
        "data": {"source": str(documents(chosen, corpus)), "test_share": 0.05, "validation_share": 0.05},
        "model": {"name": model, **({"max_length": 64} if new else {})},
        "recipe": {"lora_rank": 8} if chosen.what == "lora" else {},
        "pretrain": {"held_out": 500 if new else 200, **({"tokenizer": "bpe" if gpt else "wordpiece"} if new else {})},
        "train": {
            "epochs": chosen.epochs or epochs,
            "learning_rate": rate,
            "tokens_per_batch": 1024 if gpt else 2048,
            "seed": seed,
            **({} if new or chosen.what == "lora" else {"head_learning_rate": 1e-3}),
        },
        "track": {"output": str(chosen.output), "name": f"{chosen.what}-pretrained-{seed}"},
    }


def finetuning(chosen: argparse.Namespace, task: str, begun: tuple[str, str], seed: int) -> Settings:
    """Return the settings of fine-tuning what `begun` names, without or with pretraining."""
    parts = labelled(chosen, task)
    name, model = begun
    new = LEARNT[chosen.what][2].startswith("new:")
    return {
        "task": "classification",
        "data": {part: str(file) for part, file in parts.items()},
        "model": {"name": model},
        "train": {
            "epochs": TASKS[task][1] * (2 if new and task == "banking77" else 1),
            "learning_rate": 3e-4 if new else 1e-4,
            "seed": seed,
        },
        "evaluate": {"metric": "accuracy", "baselines": ["majority"]},
        "track": {"output": str(chosen.output), "name": f"{chosen.what}-{task}-{name}-{seed}"},
    }


def labelled(chosen: argparse.Namespace, task: str) -> Mapping[str, Path]:
    """Return the files of the task: training, validation and test texts, none of them in two parts."""
    parts = TASKS[task][0](chosen.data)
    test = {text_key([row["text"]]) for row in parts["test"]}
    rows = [row for row in parts["train"] if text_key([row["text"]]) not in test]
    if task == "banking77":
        rows = few(rows, A_LABEL)
    if task == "waimai":
        rows = shuffled(rows)[:1000]
    found = {"train": rows, "test": parts["test"]}
    if "validation" in parts:
        found["validation"] = parts["validation"]
    files = {}
    for name, some in found.items():
        files[name] = chosen.output / f"{task}-{name}.jsonl"
        shown = shuffled(some)[: chosen.limit] if chosen.limit else some
        files[name].write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in shown), encoding="utf-8")
    return files


def waimai_parts(data: Path) -> Mapping[str, list[Settings]]:
    """Return the reviews, each once, with 500 for validation and 2,000 to test on."""
    rows = shuffled(list({text_key([row["text"]]): row for row in waimai(data)["train"]}.values()))
    return {"test": rows[:2000], "validation": rows[2000:2500], "train": rows[2500:]}


TASKS: Mapping[str, tuple[Callable[[Path], Mapping[str, list[Settings]]], int]] = {
    "banking77": (banking77, 15),
    "trec": (trec, 5),
    "sst2": (sst2, 3),
    "waimai": (waimai_parts, 3),
}
"""How a task's parts are read, and for how many epochs it is learnt; few questions by a new model for twice as many."""


def few(rows: list[Settings], number: int) -> list[Settings]:
    """Return so many texts of each label, drawn with seed 0."""
    by_label = defaultdict(list)
    for row in shuffled(rows):
        by_label[row["label"]].append(row)
    return [row for label in sorted(by_label) for row in by_label[label][:number]]


def shuffled(rows: list[Any]) -> list[Any]:
    return [rows[place] for place in np.random.default_rng(0).permutation(len(rows)).tolist()]


def documents(chosen: argparse.Namespace, name: str) -> Path:
    """Return the file of a corpus, a document a line, without any text of the test parts."""
    file = chosen.output / f"{name}.txt"
    data = chosen.data
    several = [banking77(data)] if name == "banking" else [waimai_parts(data)]
    texts = [row["text"] for row in several[0]["train"]]
    if name == "sentences":
        several = [read(data) for read in (sst2, banking77, trec)]
        tatoeba = (data / "translation/tatoeba_cmn_en/cmn.txt").read_text(encoding="utf-8").splitlines()
        talks = (data / "dialogue/xdailydialog_en_zh/part1k_dialogues_text_En.txt").read_text(encoding="utf-8")
        texts = [row.split("\t")[0] for row in tatoeba]
        texts += [talk.replace("__eou__", " ").strip() for talk in talks.splitlines()]
        texts += [row["text"] for parts in several for row in parts["train"]]
    held_out = {
        text_key([row["text"]]) for parts in several for part in ("validation", "test") for row in parts.get(part, [])
    }
    lines = [" ".join(text.split()) for text in texts if text.strip() and text_key([text]) not in held_out]
    file.write_text("\n".join(shuffled(lines)[: chosen.limit]) + "\n", encoding="utf-8")
    return file


if __name__ == "__main__":
    main()
