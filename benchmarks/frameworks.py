"""PyTorch and TensorFlow beside each other, on the same weights.

    OMP_NUM_THREADS=1 python benchmarks/frameworks.py speed [MODEL]      what a step and a prediction cost
    OMP_NUM_THREADS=1 python benchmarks/frameworks.py agree [MODEL...]   how far outputs, gradients and losses are apart
    OMP_NUM_THREADS=1 python benchmarks/frameworks.py scores --output DIR [--gpt FOLDER] [--tasks NAME...] [--seed S]
                                                                         whole runs of both, and a SavedModel
    --epochs N    of `scores`, instead of 2, 4 and 3 of classification, names and replies
    --dropout P   of `scores`, instead of the model's own; without any (0) both see the same at each step
    --data DIR    the folder of data (default: the environment variable TRUETUNE_DATA)

`speed` counts processor time, because other work on a machine does not sway it; the two take turns, and the fastest
of each counts. `agree` takes 16 real sentences, with heads that classify and tag, or, of a decoder, predict pieces,
without dropout, then learns from them for 12 steps. `scores` fine-tunes on small parts of public sets, drawn with
seed 0, with the same config but for `model.framework`: classification (SST-2) and names (WNUT17) with minilm-en,
replies (DailyDialog) with --gpt, a folder of the type gpt2 (as `truetune pretrain` makes one of `new:gpt-mini`); then
TensorFlow's run, of replies none, is exported as a SavedModel, which answers the same test part. A run that is there is
not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from task_sets import daily_replies, sst2, wnut17

from truetune.backbones.base import Backbone, ModelSettings, Recipe
from truetune.backbones.builtin import builtin_folder
from truetune.backbones.choice import load_backbone
from truetune.backbones.pretrained import load_tokenizer
from truetune.bundle.run_folder import RunFolder
from truetune.data.batch import padded, target_number
from truetune.evaluation.compare import Gate, compared
from truetune.files import read_json
from truetune.parity.export import Wanted, exported
from truetune.tasks.piece_encoding import causal_inputs, masked_inputs
from truetune.tasks.table import task_named
from truetune.types import IGNORED, Batch
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_table

ROWS, LENGTH, TURNS = 32, 32, 5
FRAMEWORKS = ("pytorch", "tensorflow")
SENTENCES = [
    "The film is a small wonder, and its cast is a joy to watch.",
    "My card has not arrived yet; how long does it take?",
    "Anna Smith flew from Berlin to New York on Monday, Bob said.",
    "What a dull, tedious story!",
    "Could you tell me where the nearest station is, please?",
    "He paid 25 dollars for it, which was far too much.",
    "None of this is true.",
    "They have been waiting in the rain since early morning, and nobody came to open the door.",
] * 2
NUMBER = {"train": 600, "validation": 200, "test": 400}
EPOCHS = {"classification": 2, "ner": 4, "dialogue": 3}
STEPS, RATE = 12, 3e-4


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("what", choices=("speed", "agree", "scores"))
    arguments.add_argument("models", nargs="*", default=["builtin:minilm-en"])
    arguments.add_argument("--output", type=Path)
    arguments.add_argument("--gpt", type=Path)
    arguments.add_argument("--dropout", type=float)
    arguments.add_argument("--epochs", type=float)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--tasks", nargs="+", choices=("classification", "ner", "dialogue"))
    arguments.add_argument("--data", type=Path, default=os.environ.get("TRUETUNE_DATA"))
    chosen = arguments.parse_args()
    if chosen.what == "scores":
        if chosen.output is None or chosen.data is None:
            arguments.error("scores: name --output, and the data folder (TRUETUNE_DATA or --data)")
        scores(chosen)
        return
    for name in chosen.models:
        (speed if chosen.what == "speed" else agree)(name)


def folder_of(name: str) -> str:
    return str(builtin_folder(name.removeprefix("builtin:"), print)) if name.startswith("builtin:") else name


def speed(name: str) -> None:
    settings = ModelSettings(folder_of(name), "classify", ("a", "b"), precision="float32", device="cpu")
    works: dict[str, dict[str, Callable[[], Any]]] = {}
    for framework in FRAMEWORKS:
        backbone = load_backbone(framework, settings, Recipe(), load_tokenizer(settings))
        batch, rates = random_batch(np.random.default_rng(0)), dict.fromkeys(backbone.groups, 1e-5)
        works[framework] = {
            "step": lambda backbone=backbone, batch=batch, rates=rates: backbone.train_step([batch], rates, ROWS),
            "prediction": lambda backbone=backbone, batch=batch: backbone.predict(batch),
        }
    print(f"{name}, float32, {ROWS} inputs of {LENGTH} pieces; processor seconds: the first, then the best of {TURNS}")
    first = {key: {what: seconds(work) for what, work in own.items()} for key, own in works.items()}
    best: dict[str, dict[str, float]] = {key: dict.fromkeys(own, float("inf")) for key, own in works.items()}
    for _ in range(TURNS):
        for key, own in works.items():
            for what, work in own.items():
                best[key][what] = min(best[key][what], seconds(work))
    for key, own in best.items():
        print(key, *(f"{what}: {first[key][what]:.2f}, {value:.3f}" for what, value in own.items()))


def random_batch(rng: np.random.Generator) -> Batch:
    ids = rng.integers(1000, 20_000, (ROWS, LENGTH))
    filled = np.ones_like(ids, dtype=bool)
    return Batch(ids, filled, np.zeros_like(ids), rng.integers(0, 2, ROWS), np.arange(ROWS))


def seconds(work: Callable[[], Any]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def agree(name: str) -> None:
    """Print the largest difference of an output, and of the norm of a weight's gradient, as a share of it."""
    place = folder_of(name)
    decoder = read_json(Path(place) / "config.json")["model_type"] == "gpt2"
    for head in ("generate",) if decoder else ("classify", "tag"):
        labels = () if decoder else ("a", "b", "c")
        settings = ModelSettings(place, head, labels, dropout=0.0, precision="float32", device="cpu")
        # What PyTorch draws for a new head is saved, so that TensorFlow reads it.
        one = load_backbone("pytorch", settings, Recipe(), load_tokenizer(settings))
        other = load_backbone("tensorflow", settings, Recipe(), load_tokenizer(settings))
        same_head(one, other)
        batch = real_batch(one, head)
        outputs, others = one.predict(batch), other.predict(batch)
        real = batch.mask if head == "tag" else ...
        far = np.abs(outputs[real] - others[real]).max()
        norms, other_norms = torch_norms(one, batch), tensorflow_norms(other, batch)
        apart = {key: abs(other_norms[key] - norm) / norm for key, norm in norms.items() if norm > 1e-6}
        worst = max(apart, key=lambda key: apart[key])
        print(
            f"{name}, {head}: {len(batch.ids)} inputs, outputs up to {np.abs(outputs[real]).max():.3g}, at most "
            f"{far:.2g} apart; norms of the gradients of {len(apart)} weights at most {apart[worst]:.2g} of them apart "
            f"({worst})"
        )
        losses = [losses_of(each, batch) for each in (one, other)]
        print(
            f"{name}, {head}: {STEPS} steps at {RATE:g} take the loss from {losses[0][0]:.3f} to {losses[0][-1]:.3f}; "
            f"at most {np.abs(np.subtract(*losses)).max():.2g} apart"
        )


def losses_of(backbone: Backbone, batch: Batch) -> list[float]:
    rates = dict.fromkeys(backbone.groups, RATE)
    return [backbone.train_step([batch], rates, target_number(batch)) for _ in range(STEPS)]


def real_batch(backbone: Backbone, head: str) -> Batch:
    tokenizer = backbone.tokenizer
    if head == "generate":
        return padded(causal_inputs(SENTENCES, tokenizer), np.arange(len(SENTENCES)), tokenizer.pad)
    rng = np.random.default_rng(0)
    encoded = []
    for place, one in enumerate(masked_inputs(SENTENCES, tokenizer)):
        tags = np.where(one.target == IGNORED, IGNORED, rng.integers(0, 3, len(one.ids)))
        encoded.append(replace(one, target=tags if head == "tag" else np.array(place % 3)))
    return padded(encoded, np.arange(len(encoded)), tokenizer.pad)


def same_head(one: Any, other: Any) -> None:
    drawn = {
        name.rpartition(".")[2]: array
        for name, array in one.state(optimizer=False).arrays.items()
        if any(part in name for part in ("own.", "classifier."))
    }
    for name, weight in other._network.weights().items():
        if name.startswith("head/"):
            weight.fill(name, drawn[name.rpartition(".")[2]])


def torch_norms(backbone: Any, batch: Batch) -> Mapping[str, float]:
    learner = backbone._learner
    learner._network.train()
    learner.backward([batch], target_number(batch))
    found = {}
    for name, one in learner._network.named_parameters():
        if one.requires_grad and one.grad is not None:
            found[short(name)] = float(one.grad.norm())
            one.grad = None  # else the next step would add to it
    return found


def tensorflow_norms(backbone: Any, batch: Batch) -> Mapping[str, float]:
    _, gradients = backbone._learner.gradients([batch], target_number(batch))
    return {short(name): float(np.linalg.norm(array)) for name, array in zip(backbone._weights, gradients, strict=True)}


def short(name: str) -> str:
    """Return what both call a weight, whatever stands before it."""
    for begin in ("model.bert.", "model.roberta.", "model.transformer.", "model.", "own.", "head/"):
        name = name.removeprefix(begin)
    return name.replace("word_embeddings.rows", "word_embeddings.weight")


def scores(chosen: argparse.Namespace) -> None:
    chosen.output.mkdir(parents=True, exist_ok=True)
    for task in chosen.tasks or ("classification", "ner", *(("dialogue",) if chosen.gpt else ())):
        parts = parts_of(chosen.data, task, chosen.output)
        runs = {}
        for framework in FRAMEWORKS:
            run = RunFolder(chosen.output / run_name(chosen, task, framework))
            begin = time.perf_counter()
            finetune(settings(chosen, task, parts, framework), resume=run.config.is_file())
            runs[framework] = run
            print(f"{task}, {framework}: {time.perf_counter() - begin:.0f} s", flush=True)
        told(task, runs)
        if task != "dialogue":
            told_export(task, runs["tensorflow"], parts["test"], chosen.output / run_name(chosen, task, "savedmodel"))


def run_name(chosen: argparse.Namespace, task: str, what: str) -> str:
    return f"{task}-{what}" + (f"-{chosen.seed}" if chosen.seed else "")


def parts_of(data: Path, task: str, folder: Path) -> Mapping[str, str]:
    whole = {"classification": sst2, "ner": wnut17, "dialogue": daily_replies}[task](data)
    files = {}
    for part, number in NUMBER.items():
        rows = [
            whole[part][place] for place in np.random.default_rng(0).permutation(len(whole[part]))[:number].tolist()
        ]
        if task == "dialogue":
            rows = [{"history": row["history"][-1:], "reference": row["response"]} for row in rows]
        file = folder / f"{task}-{part}.jsonl"
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        files[part] = str(file)
    return files


def settings(chosen: argparse.Namespace, task: str, parts: Mapping[str, str], framework: str) -> dict[str, Any]:
    gpt = task == "dialogue"
    return {
        "task": task,
        "data": dict(parts),
        "model": {
            "name": str(chosen.gpt) if gpt else "builtin:minilm-en",
            "framework": framework,
            "dtype": "float32",
            "device": "cpu",
            "dropout": chosen.dropout,
        },
        "train": {
            "epochs": chosen.epochs or EPOCHS[task],
            "learning_rate": 1e-4 if task == "classification" else 3e-4,
            "seed": chosen.seed,
        },
        "evaluate": {"baselines": [{"classification": "majority", "ner": "all-O", "dialogue": "nearest"}[task]]},
        **({"generate": {"max_pieces": 24}} if gpt else {}),
        "track": {"output": str(chosen.output), "name": run_name(chosen, task, framework)},
    }


def told(task: str, runs: Mapping[str, RunFolder]) -> None:
    """Print the score of each with its interval, and the paired difference."""
    primary = read_json(runs["pytorch"].scores("after"))["primary"]
    for name, run in runs.items():
        (one,) = [score for score in read_json(run.scores("after"))["scores"] if score["metric"] == primary]
        print(f"{task}, {name}: {primary} {one['value']:.4f} ({one['low']:.4f} to {one['high']:.4f})")
    found = compared(task_named(task), read_table(task_named(task), runs), gate=Gate(primary))
    (one,) = [each for each in found.comparisons if each.metric == primary]
    print(
        f"{task}: tensorflow less pytorch {one.difference:+.4f} ({one.low:+.4f} to {one.high:+.4f}), "
        f"p {one.p_value:.2g}",
        flush=True,
    )


def told_export(task: str, run: RunFolder, test: str, folder: Path) -> None:
    """Print how the SavedModel of a run answers its test part."""
    if folder.exists():
        return
    found = exported(run.path, folder, Wanted(format="savedmodel", data=test), Progress(quiet=True)).parity
    primary = found.comparison.primary
    values = {
        name: next(one.value for one in several if one.metric == primary) for name, several in found.scores.items()
    }
    (same,) = found.agreements
    print(
        f"{task}, SavedModel: {same.same:,} of {same.examples:,} answers the same, {primary} "
        + ", ".join(f"{name} {value:.4f}" for name, value in values.items()),
        flush=True,
    )


if __name__ == "__main__":
    main()
