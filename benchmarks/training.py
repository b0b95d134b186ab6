"""Speed and quality of fine-tuning on this machine.

    python benchmarks/training.py speed   [--repeats 5]    a plain loop, padded to 128, against ours: WNUT17, SST-2
    python benchmarks/training.py sst     [--seed 0]       SST-2 with minilm-en: accuracy, time, memory (2e-4, layers
                                                         below at 0.85 of the rate above, averaged weights)
    python benchmarks/training.py waimai  [--seed 0]       waimai10k with e5-small-multi, vocabulary trimmed, 1.5e-4

Against the Trainer of Transformers: benchmarks/training_peers.py. Equal quality over seeds: training_seeds.py there.

With `--pooling mean` or `first` a text is classified by that vector, whatever the model would choose.

Data come from the folder that TRUETUNE_DATA (or --data) names. The plain loop is the one that tutorials print
(a Dataset that tokenises and pads to 128 at each access, batches of 16, AdamW 2e-5, float32), without its
faults of alignment. `speed` takes turns between both in one process, on the same model, texts and threads, and
prints medians; our time includes the encoding of the texts, once.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.builtin import builtin_folder
from truetune.backbones.outputs import logits_of
from truetune.backbones.torch import load_backbone, load_tokenizer, used_pieces
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.data.batch import padded, padding_share, target_number, token_batches
from truetune.evaluation.api import evaluate
from truetune.tasks.base import Encoding, Labels, Lengths, Training
from truetune.tasks.classification import CLASSIFICATION
from truetune.tasks.ner import NER
from truetune.text import text_key
from truetune.training.loop import train
from truetune.training.order import Plan
from truetune.training.stopping import Selection
from truetune.types import Encoded, Span

TOKENS = 1024


@dataclass(frozen=True)
class Part:
    """Texts and their gold."""

    texts: Sequence[str]
    gold: Mapping[str, Sequence[Any]]

    def taken(self, places: Sequence[int] | np.ndarray[Any, Any]) -> Part:
        """Return the examples at these places."""
        chosen = [int(place) for place in places]
        gold = {name: [column[place] for place in chosen] for name, column in self.gold.items()}
        return Part([self.texts[place] for place in chosen], gold)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("work", choices=("speed", "sst", "waimai"))
    arguments.add_argument("--data", type=Path, default=os.environ.get("TRUETUNE_DATA"))
    arguments.add_argument("--model", help="a folder or builtin:NAME instead of the usual one")
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--split", type=int, default=0, help="which texts of waimai are held out")
    arguments.add_argument("--epochs", type=float)
    arguments.add_argument("--rate", type=float)
    arguments.add_argument("--head-rate", type=float)
    arguments.add_argument("--layer-decay", type=float)
    arguments.add_argument("--ema", type=float)
    arguments.add_argument("--r-drop", type=float, default=0.0)
    arguments.add_argument("--dropout", type=float)
    arguments.add_argument("--pooling", choices=("auto", "mean", "first"), default="auto")
    chosen = arguments.parse_args()
    if chosen.data is None:
        arguments.error("name the data folder: set TRUETUNE_DATA or give --data")
    described()
    {"speed": speed, "sst": sst, "waimai": waimai}[chosen.work](chosen)


def described() -> None:
    import torch
    import transformers

    print(
        f"{platform.machine()}, {torch.get_num_threads()} threads, Python {platform.python_version()}, "
        f"torch {torch.__version__}, transformers {transformers.__version__}"
    )


def folder_of(name: str) -> str:
    return str(builtin_folder(name.removeprefix("builtin:"), print)) if name.startswith("builtin:") else name


# ------------------------------------------------------------------------------------------------------ data


def sst_part(data: Path, part: str) -> Part:
    lines = (data / "classification/sst_en" / f"stsa.binary.{part}").read_text(encoding="utf-8").splitlines()
    labels, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    return Part(texts, {"label": ["positive" if label == "1" else "negative" for label in labels]})


def waimai_parts(data: Path, seed: int) -> tuple[Part, Part, Part]:
    """Return train, validation (500) and test (2,000) of the reviews, each text once after normalisation."""
    import csv

    with (data / "classification/waimai10k_zh/waimai_10k.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["review"], row["label"]) for row in csv.DictReader(file)]
    distinct = list({text_key([text]): (text, label) for text, label in reversed(rows)}.values())[::-1]
    whole = Part([text for text, _ in distinct], {"label": [label for _, label in distinct]})
    order = np.random.default_rng(seed).permutation(len(distinct))
    return whole.taken(order[2500:]), whole.taken(order[2000:2500]), whole.taken(order[:2000])


def wnut_part(data: Path, name: str) -> tuple[Part, list[list[str]]]:
    """Return texts with spans, and the tags of the words, joined by spaces."""
    texts, spans, tags = [], [], []
    lines = (data / "ner/wnut17_en" / name).read_text(encoding="utf-8").splitlines()
    for filled, block in groupby(lines, key=lambda line: bool(line.strip())):
        if not filled:
            continue
        rows = [line.split("\t")[:2] for line in block]
        words, own = [word for word, _ in rows], [tag.strip() for _, tag in rows]
        found: list[Span] = []
        place = 0
        for word, tag in zip(words, own, strict=True):
            if tag.startswith("I-") and found and found[-1].end == place - 1:
                found[-1] = found[-1]._replace(end=place + len(word))
            elif tag != "O":
                found.append(Span(place, place + len(word), tag[2:]))
            place += len(word) + 1
        texts.append(" ".join(words))
        spans.append(found)
        tags.append(own)
    return Part(texts, {"spans": spans}), tags


# ----------------------------------------------------------------------------------------------------- speed


def speed(chosen: argparse.Namespace) -> None:
    model = folder_of(chosen.model or "builtin:minilm-en")
    part, tags = wnut_part(chosen.data, "wnut17train.conll")
    kinds = sorted({tag for row in tags for tag in row})
    numbers = [[kinds.index(tag) for tag in row] for row in tags]
    compared("WNUT17, tags", NER.training, model, part, (numbers, len(kinds)), chosen.repeats)
    part = sst_part(chosen.data, "train")
    labels = sorted(set(part.gold["label"]))
    compared(
        "SST-2, labels",
        CLASSIFICATION.training,
        model,
        part,
        ([labels.index(label) for label in part.gold["label"]], len(labels)),
        chosen.repeats,
    )


def compared(
    name: str, training: Training | None, model: str, part: Part, targets: tuple[list[Any], int], repeats: int
) -> None:
    """Print labelled sentences a second of both loops; each repeat is 6 steps of theirs and 24 of ours."""
    assert training is not None
    theirs = plain_loop(model, part.texts, *targets)
    ours, share, bound = our_loop(training, model, part)
    rates: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(repeats + 1):
        for loop, steps, kept in ((theirs, 6, rates["plain"]), (ours, 24, rates["ours"])):
            start = time.perf_counter()
            sentences = loop(steps)
            kept.append(sentences / (time.perf_counter() - start))
    plain, own = (statistics.median(rates[side][1:]) for side in ("plain", "ours"))
    ratios = [one / other for one, other in zip(rates["ours"][1:], rates["plain"][1:], strict=True)]
    print(
        f"{name}: plain loop at 128 {plain:.1f} sentences/s, ours {own:.1f}: {statistics.median(ratios):.1f}x "
        f"(each repeat: {', '.join(f'{ratio:.1f}' for ratio in ratios)}); padding {share:.1%}; "
        f"matrix products alone, all as fast as the best measured: {bound:.1f} sentences/s, {bound / plain:.1f}x"
    )


def plain_loop(
    model: str, texts: Sequence[str], targets: list[Any], labels: int, longest: int = 128
) -> Callable[[int], int]:
    """Return a function that takes so many steps of the plain loop and returns how many sentences it learnt."""
    import torch
    from torch.utils.data import DataLoader, Dataset
    from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(model)
    tags = isinstance(targets[0], list)
    kind = AutoModelForTokenClassification if tags else AutoModelForSequenceClassification
    torch.manual_seed(0)
    network = kind.from_pretrained(model, num_labels=labels).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-5)

    class Texts(Dataset[dict[str, torch.Tensor]]):
        def __len__(self) -> int:
            return len(texts)

        def __getitem__(self, item: int) -> dict[str, torch.Tensor]:
            encoding = tokenizer(
                texts[item], return_tensors="pt", max_length=longest, padding="max_length", truncation=True
            )
            aims = (targets[item] + [0] * longest)[:longest] if tags else targets[item]
            return {
                "input_ids": encoding["input_ids"][0],
                "attention_mask": encoding["attention_mask"][0],
                "labels": torch.tensor(aims, dtype=torch.long),
            }

    loader = iter(DataLoader(Texts(), batch_size=16, shuffle=True))

    def steps(number: int) -> int:
        learnt = 0
        for _ in range(number):
            batch = next(loader)
            network.zero_grad()
            loss = network(**batch).loss
            loss.item()
            loss.backward()
            optimizer.step()
            learnt += len(batch["labels"])
        return learnt

    return steps


def our_loop(training: Training, model: str, part: Part) -> tuple[Callable[[int], int], float, float]:
    """Return the same of our loop (their encoding included), the share of padding, and the bound of its speed.

    The bound is sentences a second if nothing were computed but the model's products, without padding, each as fast as
    the best product of large square matrices on this machine in the precision of our loop.
    """
    backbone, encoding = prepared(training, model, part)
    encoded = encoding.inputs
    lengths = np.array([len(one.ids) for one in encoded])
    batches = token_batches(lengths, TOKENS, np.random.default_rng(0))
    turns = iter(batches * 20)
    rates = dict.fromkeys(backbone.groups, 2e-5)

    def steps(number: int) -> int:
        learnt = 0
        for _ in range(number):
            positions = next(turns)
            # Encoding is done once for all epochs; here its whole cost is borne by one.
            again = part.taken([encoded[place].example for place in positions.tolist()])
            training.encode(
                [again.texts], again.gold, labels_of(training, part), backbone.tokenizer, lengths_of(backbone)
            )
            batch = padded(encoded, positions, backbone.tokenizer.pad)
            backbone.train_step([batch], rates, target_number(batch))
            learnt += len(positions)
        return learnt

    work = backbone.work(int(lengths.sum()), int((lengths.astype(np.int64) ** 2).sum()))
    return steps, padding_share(lengths, batches), len(lengths) * backbone.best_speed() / work


# --------------------------------------------------------------------------------------------------- quality


def prepared(
    training: Training, model: str, part: Part, settings: Mapping[str, Any] | None = None, recipe: Recipe | None = None
) -> tuple[TorchBackbone, Encoding]:
    labels = labels_of(training, part)
    chosen = replace(ModelSettings(model, training.head, labels.names, multiple=labels.multiple), **(settings or {}))
    tokenizer = load_tokenizer(chosen)
    encoding = training.encode([part.texts], part.gold, labels, tokenizer, Lengths(tokenizer.max_length, 32))
    words = used_pieces([one.ids for one in encoding.inputs])
    return load_backbone(chosen, recipe or Recipe(), tokenizer, words), encoding


def labels_of(training: Training, part: Part) -> Labels:
    return training.labels(part.gold)


def lengths_of(backbone: TorchBackbone) -> Lengths:
    return Lengths(backbone.tokenizer.max_length, 32)


def fine_tuned(
    training: Training, model: str, parts: tuple[Part, Part, Part], plan: Plan, chosen: argparse.Namespace
) -> None:
    """Train, choose by the validation part, score the test part once, and print what it took."""
    train_part, validation, test = parts
    started = time.perf_counter()
    settings = {"seed": plan.seed, "pooling": chosen.pooling, "dropout": chosen.dropout}
    backbone, encoding = prepared(training, model, train_part, settings, Recipe(ema=chosen.ema, r_drop=chosen.r_drop))
    labels = labels_of(training, train_part)

    def encoded(part: Part) -> list[Encoded]:
        return training.encode([part.texts], None, labels, backbone.tokenizer, lengths_of(backbone)).inputs

    shown = encoded(validation)

    def predicted(part: Part, inputs: Sequence[Encoded]) -> list[str]:
        found: list[str] = training.decode(part.texts, inputs, logits_of(backbone, inputs), labels, 0.5)["label"]
        return found

    def accuracy() -> dict[str, float]:
        pairs = zip(predicted(validation, shown), validation.gold["label"], strict=True)
        return {"accuracy": float(np.mean([one == other for one, other in pairs]))}

    began = time.perf_counter()
    seconds, pieces = 0.0, 0
    for step in train(backbone, encoding.inputs, plan, (Selection("accuracy"), accuracy)):
        seconds, pieces = seconds + step.seconds, pieces + step.pieces
        if step.scores:
            print(f"  epoch {step.epoch}: loss {step.loss:.3f}, validation {step.scores['accuracy']:.4f}")
    wall = time.perf_counter() - began
    result = evaluate(
        task="classification",
        gold=[{"label": label} for label in test.gold["label"]],
        predicted=[{"label": label} for label in predicted(test, encoded(test))],
    )
    (score,) = (one for one in result.scores if one.metric == "accuracy")
    print(f"  {json.dumps(dict(backbone.facts))}")
    texts, memory = plan.epochs * len(train_part.texts), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"  test accuracy {score.value:.4f} [{score.low:.4f}, {score.high:.4f}] on {score.examples} texts\n"
        f"  training {wall:.0f} s with validation ({pieces / seconds:.0f} pieces/s, {texts / seconds:.0f} texts/s), "
        f"all {time.perf_counter() - started:.0f} s; peak memory {memory:.2f} GiB",
        flush=True,
    )


def sst(chosen: argparse.Namespace) -> None:
    assert CLASSIFICATION.training is not None
    parts = tuple(sst_part(chosen.data, name) for name in ("train", "dev", "test"))
    chosen.ema = 0.99 if chosen.ema is None else chosen.ema
    plan = Plan(
        chosen.rate or 2e-4,
        epochs=chosen.epochs or 3,
        tokens=TOKENS,
        layer_decay=chosen.layer_decay or 0.85,
        head_rate=chosen.head_rate,
        evaluations=2,
        seed=chosen.seed,
    )
    print(f"SST-2, minilm-en, {plan}, averages of decay {chosen.ema}")
    model = folder_of(chosen.model or "builtin:minilm-en")
    fine_tuned(CLASSIFICATION.training, model, (parts[0], parts[1], parts[2]), plan, chosen)


def waimai(chosen: argparse.Namespace) -> None:
    assert CLASSIFICATION.training is not None
    chosen.ema = chosen.ema or 0.0
    plan = Plan(
        chosen.rate or 1.5e-4,
        epochs=chosen.epochs or 2,
        tokens=TOKENS,
        layer_decay=chosen.layer_decay or 1.0,
        head_rate=chosen.head_rate or 1e-3,
        seed=chosen.seed,
    )
    print(f"waimai10k, e5-small-multi, split {chosen.split}, {plan}")
    model = folder_of(chosen.model or "builtin:e5-small-multi")
    fine_tuned(CLASSIFICATION.training, model, waimai_parts(chosen.data, chosen.split), plan, chosen)


if __name__ == "__main__":
    main()
