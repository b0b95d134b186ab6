"""Speed of fine-tuning against the loop that tutorials print and against the Trainer of Transformers.

    python benchmarks/training_peers.py --set sst --model minilm-en [--repeats 5] [--results FILE]

    --set     sst: SST-2, a label a text; wnut: WNUT17, a tag a word; cmrc: contexts of CMRC 2018, a made-up label each
    --model   minilm-en or e5-small-multi, of the embedded weights, or a folder
    --only    some of the contenders: loop, default, best, ours
    --profile print what the processor's time of ours goes into instead

The contenders learn the same texts once, from the pretrained model; what is timed begins with raw texts:
- loop: what tutorials print: a Dataset that tokenises and pads at each access, to 128 (cmrc: 512), batches of 16,
  AdamW, float32; its steps all cost the same, so it takes only the first 128 texts (cmrc: 32);
- default: Trainer with its documented defaults (batches of 8, float32, random order, padded to the longest of a batch);
- best: Trainer with batches of 32, texts grouped by length, and bfloat16;
- ours: the defaults of a config (1,024 pieces a step, precision as measured, trimmed vocabulary).

Each measurement is a process of its own, so that its peak of memory is its own; the contenders take turns. Printed are
medians, and medians of the ratios within each turn. Utilisation is operations by the model's formula, padding not
counted, a second, divided by those of a large matrix product in the same precision, measured in the same process. With
--results every measurement is added to a file as it is made, and those that are there are not made again: what was
interrupted goes on.

Data come from the folder that TRUETUNE_DATA (or --data) names.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from truetune.backbones.base import Recipe
from truetune.data.batch import padded, pairs_number, target_number
from truetune.tasks.classification import CLASSIFICATION
from truetune.tasks.ner import NER

CONTENDERS = ("loop", "default", "best", "ours")
SENTENCES = {"sst": 1024, "wnut": 1024, "cmrc": 128}
LOOP = {"sst": 128, "wnut": 128, "cmrc": 32}
LONGEST = {"sst": 128, "wnut": 128, "cmrc": 512}


class Texts(NamedTuple):
    """What is learnt: texts, the label of each or the tags of its words, and how many labels or tags there are."""

    part: Any
    targets: list[Any]
    labels: int
    words: list[list[str]]
    """Of texts whose words have tags; else empty."""


class Measured(NamedTuple):
    """What one contender did."""

    seconds: float
    pieces: int
    pairs: int
    computed: int
    """Pieces, padding included."""
    precision: str


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--set", choices=SENTENCES, default="sst")
    arguments.add_argument("--model", default="minilm-en")
    arguments.add_argument("--data", type=Path, default=os.environ.get("TRUETUNE_DATA"))
    arguments.add_argument("--sentences", type=int, help="how many are learnt; sst and wnut 1,024, cmrc 128")
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    arguments.add_argument("--results", type=Path, help="a file of lines of JSON to add to, and to go on from")
    arguments.add_argument("--profile", action="store_true")
    arguments.add_argument("--measure", choices=CONTENDERS, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.data is None:
        arguments.error("name the data folder: set TRUETUNE_DATA or give --data")
    if chosen.measure:
        print(json.dumps(measured(chosen)))
    elif chosen.profile:
        profiled(chosen)
    else:
        compared(chosen)


# ------------------------------------------------------------------------------------------------------ the table


def compared(chosen: argparse.Namespace) -> None:
    import torch
    import transformers

    number = chosen.sentences or SENTENCES[chosen.set]
    print(
        f"{chosen.set}, {chosen.model}, {number:,} texts; {processor()}, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}",
        flush=True,
    )
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in chosen.only}
    for repeat in range(chosen.repeats):
        for name in chosen.only:
            key = {"set": chosen.set, "model": chosen.model, "sentences": number, "contender": name, "repeat": repeat}
            one = known(chosen.results, key) or made(chosen, name, key)
            found[name].append(one)
            print(f"  {repeat + 1}: {name} {one['sentences_per_second']:.1f} sentences/s", flush=True)
    shown(found)


def shown(found: dict[str, list[dict[str, Any]]]) -> None:
    def median(name: str, key: str) -> float:
        return statistics.median(one[key] for one in found[name])

    print(
        "\n| | sentences/s | ours is | padding | utilisation | peak memory | precision |\n|---|---|---|---|---|---|---|"
    )
    for name, some in found.items():
        ratio = ""
        if "ours" in found and name != "ours":
            pairs = zip(found["ours"], some, strict=True)
            ratios = [own["sentences_per_second"] / other["sentences_per_second"] for own, other in pairs]
            ratio = f"{statistics.median(ratios):.1f}x ({min(ratios):.1f} to {max(ratios):.1f})"
        speed, memory = median(name, "sentences_per_second"), median(name, "peak_bytes") / 2**30
        cells = [name, f"{speed:.1f}", ratio, f"{median(name, 'padding'):.1%}", f"{median(name, 'utilisation'):.0%}"]
        print(f"| {' | '.join(cells)} | {memory:.2f} GiB | {some[0]['precision']} |")


def known(file: Path | None, key: dict[str, Any]) -> dict[str, Any] | None:
    if file is None or not file.exists():
        return None
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return next((line for line in lines if all(line[name] == value for name, value in key.items())), None)


def made(chosen: argparse.Namespace, name: str, key: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", name, "--set", chosen.set, "--model", chosen.model]
    command += ["--data", str(chosen.data), "--sentences", str(key["sentences"])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    one = {**key, **json.loads(done.stdout.splitlines()[-1])}
    if chosen.results is not None:
        with chosen.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(one) + "\n")
    return one


def profiled(chosen: argparse.Namespace) -> None:
    """Print the share of each kind of operation in the time of the processor, forward, backward and update."""
    import torch

    from training import folder_of

    texts = texts_of(chosen.data, chosen.set, chosen.sentences or SENTENCES[chosen.set])
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        ours(folder_of(f"builtin:{chosen.model}"), texts, LONGEST[chosen.set])
    found = sorted(profile.key_averages(), key=lambda one: one.self_cpu_time_total, reverse=True)
    whole = sum(one.self_cpu_time_total for one in found)
    print(f"{chosen.set}, {chosen.model}; {processor()}, {torch.get_num_threads()} threads\n\n| operation | share |")
    print("|---|---|")
    for one in found[:15]:
        print(f"| {one.key} | {one.self_cpu_time_total / whole:.1%} |")


def processor() -> str:
    from truetune.workflows.manifest import processor as name

    return f"{name()}, {os.cpu_count()} processors"


# --------------------------------------------------------------------------------------------------- one measurement


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Learn once as one contender does, and tell what it took."""
    import torch

    from training import folder_of
    from truetune.backbones.torch_work import best_speed

    number = chosen.sentences or SENTENCES[chosen.set]
    texts = texts_of(chosen.data, chosen.set, min(number, LOOP[chosen.set]) if chosen.measure == "loop" else number)
    model = folder_of(chosen.model if Path(chosen.model).exists() else f"builtin:{chosen.model}")
    way: Callable[[str, Texts, int], Measured] = {"loop": loop, "ours": ours}.get(chosen.measure) or trainer(
        chosen.measure == "best"
    )
    one = way(model, texts, LONGEST[chosen.set])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    speed = best_speed(torch.device("cpu"), "bfloat16" if one.precision == "bfloat16" else "float32")
    return {
        "sentences_per_second": len(texts.targets) / one.seconds,
        "seconds": one.seconds,
        "padding": 1 - one.pieces / one.computed,
        "utilisation": operations(model, texts, one) / one.seconds / speed,
        "peak_bytes": peak,
        "precision": one.precision,
    }


def texts_of(data: Path, name: str, number: int) -> Texts:
    """Return so many texts, drawn at random, the same for every contender."""
    from training import sst_part, wnut_part

    if name == "cmrc":
        return cmrc(data, number)
    part, tags = wnut_part(data, "wnut17train.conll") if name == "wnut" else (sst_part(data, "train"), [])
    places = np.random.default_rng(0).permutation(len(part.texts))[:number]
    taken = part.taken(places)
    if not tags:
        labels = sorted(set(part.gold["label"]))
        return Texts(taken, [labels.index(label) for label in taken.gold["label"]], len(labels), [])
    kinds = sorted({tag for row in tags for tag in row})
    chosen = [[kinds.index(tag) for tag in tags[place]] for place in places]
    return Texts(taken, chosen, len(kinds), [text.split(" ") for text in taken.texts])


def cmrc(data: Path, number: int) -> Texts:
    """Return contexts with a label that says nothing: only their length matters here."""
    from training import Part

    whole = json.loads((data / "qa/cmrc2018_zh/cmrc2018_dev.json").read_text(encoding="utf-8"))["data"]
    contexts = sorted({paragraph["context"] for one in whole for paragraph in one["paragraphs"]})
    chosen = random.Random(0).sample(contexts, number)
    targets = [len(text) % 2 for text in chosen]
    return Texts(Part(chosen, {"label": ["odd" if one else "even" for one in targets]}), targets, 2, [])


def operations(model: str, texts: Texts, one: Measured) -> float:
    """Return the operations of learning these pieces in full, by the formula of `backbones/torch_work.py`."""
    from training import prepared

    backbone, _ = prepared(training_of(texts), model, texts.part.taken(range(min(64, len(texts.targets)))))
    return backbone.work(one.pieces, one.pairs)


def training_of(texts: Texts) -> Any:
    return NER.training if texts.words else CLASSIFICATION.training


def loop(model: str, texts: Texts, longest: int) -> Measured:
    """The loop that tutorials print."""
    from training import plain_loop

    lengths = lengths_of(model, texts, longest)
    steps = plain_loop(model, texts.part.texts, texts.targets, texts.labels, longest)
    start = time.perf_counter()
    steps(-(-len(texts.targets) // 16))
    seconds = time.perf_counter() - start
    return Measured(seconds, sum(lengths), sum(one**2 for one in lengths), longest * len(lengths), "float32")


def lengths_of(model: str, texts: Texts, longest: int) -> list[int]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    found = tokenizer(list(texts.part.texts), truncation=True, max_length=longest)["input_ids"]
    return [len(one) for one in found]


def trainer(best: bool) -> Callable[[str, Texts, int], Measured]:
    """The Trainer of Transformers: as it is, or with what makes it fast switched on."""

    def learnt(model: str, texts: Texts, longest: int) -> Measured:
        import tempfile
        import warnings

        from transformers import (
            AutoModelForSequenceClassification,
            AutoModelForTokenClassification,
            AutoTokenizer,
            DataCollatorForTokenClassification,
            DataCollatorWithPadding,
            Trainer,
            TrainingArguments,
        )

        warnings.simplefilter("ignore")
        tokenizer = AutoTokenizer.from_pretrained(model)
        kind = AutoModelForTokenClassification if texts.words else AutoModelForSequenceClassification
        network = kind.from_pretrained(model, num_labels=texts.labels)
        collator = (DataCollatorForTokenClassification if texts.words else DataCollatorWithPadding)(tokenizer)
        pieces, pairs, computed = 0, 0, 0

        def counted(features: list[dict[str, Any]]) -> Any:
            nonlocal pieces, pairs, computed
            batch = collator(features)
            sizes = batch["attention_mask"].sum(dim=1)
            pieces, pairs = pieces + int(sizes.sum()), pairs + int((sizes**2).sum())
            computed += batch["attention_mask"].numel()
            return batch

        tuned = {
            "per_device_train_batch_size": 32,
            "train_sampling_strategy": "group_by_length",
            "bf16": True,
        }
        with tempfile.TemporaryDirectory() as folder:
            settings = TrainingArguments(
                output_dir=folder,
                num_train_epochs=1,
                save_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=True,
                use_cpu=True,
                **(tuned if best else {}),
            )
            start = time.perf_counter()
            rows = encoded(tokenizer, texts, longest)
            Trainer(model=network, args=settings, train_dataset=rows, data_collator=counted).train()
            seconds = time.perf_counter() - start
        return Measured(seconds, pieces, pairs, computed, "bfloat16" if best else "float32")

    return learnt


def encoded(tokenizer: Any, texts: Texts, longest: int) -> list[dict[str, Any]]:
    """Return the inputs of a Trainer; the tag of a word stands at its first piece."""
    words = texts.words or list(texts.part.texts)
    found = tokenizer(words, truncation=True, max_length=longest, is_split_into_words=bool(texts.words))
    rows = []
    for place, target in enumerate(texts.targets):
        row = {name: values[place] for name, values in found.items()}
        if texts.words:
            before = [None, *found.word_ids(place)[:-1]]
            pairs = zip(found.word_ids(place), before, strict=True)
            row["labels"] = [-100 if word is None or word == last else target[word] for word, last in pairs]
        else:
            row["labels"] = target
        rows.append(row)
    return rows


def ours(model: str, texts: Texts, longest: int) -> Measured:
    """What `truetune finetune` does between texts and weights, with the defaults of a config."""
    from training import labels_of
    from truetune.backbones.base import ModelSettings
    from truetune.backbones.torch import load_backbone, load_tokenizer, used_pieces
    from truetune.tasks.base import Lengths
    from truetune.training.order import Order, Plan
    from truetune.training.schedule import Schedule

    training, plan = training_of(texts), Plan(1e-4, epochs=1)
    labels = labels_of(training, texts.part)
    settings = ModelSettings(model, training.head, labels.names, multiple=labels.multiple, max_length=longest)
    tokenizer = load_tokenizer(settings)
    begun = time.perf_counter()
    inputs = training.encode([texts.part.texts], texts.part.gold, labels, tokenizer, Lengths(longest, 0)).inputs
    encoding = time.perf_counter() - begun
    backbone = load_backbone(settings, Recipe(), tokenizer, used_pieces([one.ids for one in inputs]))
    start = time.perf_counter()
    order = Order(np.array([len(one.ids) for one in inputs]), plan)
    schedule = Schedule(plan.learning_rate, order.steps)
    pieces, pairs, computed = 0, 0, 0
    for turn in order.after(0):
        batches = [padded(inputs, positions, tokenizer.pad) for positions in turn.batches]
        backbone.train_step(batches, schedule.rates(turn.number, backbone.groups), sum(map(target_number, batches)))
        pieces += sum(int(batch.mask.sum()) for batch in batches)
        pairs += sum(map(pairs_number, batches))
        computed += sum(batch.mask.size for batch in batches)
    seconds = encoding + time.perf_counter() - start
    return Measured(seconds, pieces, pairs, computed, str(backbone.facts["precision"]))


if __name__ == "__main__":
    main()
