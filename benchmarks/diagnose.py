"""Does `truetune diagnose` name what was planted, and nothing where nothing is wrong?

    TRUETUNE_DATA=FOLDER python benchmarks/diagnose.py judge|develop [--runs DIR] [--only NAME...]

A set gives some hundred texts to learn from and 300 to validate. Eight causes are planted, one a run, and one run is
left healthy. Printed is a line a run: the causes that were named, in their order, and whether the planted one is first
or second. `develop` are the sets on which thresholds were chosen, `judge` others. Finished runs and diagnoses in the
folder of `--runs` are not made again.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from task_sets import Records, sst2, thucnews, trec, waimai

from truetune import config as configs
from truetune.bundle.run_folder import RunFolder
from truetune.errors import TruetuneError
from truetune.files import read_json, write_text
from truetune.optimization.diagnosis.run import diagnose
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

HEALTHY = "healthy"


@dataclass(frozen=True)
class PublicSet:
    """A public set, how many of its texts are learnt from, with which model, and the config that does well on it."""

    name: str
    read: Callable[[Path], Records]
    model: str
    train: int
    settings: dict[str, Any] = field(default_factory=dict)
    plants: bool = True
    """Whether causes are planted in it; else it is only a healthy run."""


@dataclass(frozen=True)
class Plant:
    """Something that is wrong with a run, and by which names it is found."""

    name: str
    expected: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    rate_times: float = 1.0
    data: Callable[[dict[str, Records]], dict[str, Records]] = lambda parts: parts


def flipped(parts: dict[str, Records]) -> dict[str, Records]:
    """Give 30 % of the texts of all parts another label, as a careless source would."""
    rng = random.Random(1)
    labels = sorted({row["label"] for row in parts["train"]})

    def turned(row: dict[str, Any]) -> dict[str, Any]:
        if rng.random() >= 0.3:
            return row
        return {**row, "label": rng.choice([label for label in labels if label != row["label"]])}

    return {name: [turned(row) for row in rows] for name, rows in parts.items()}


def imbalanced(parts: dict[str, Records]) -> dict[str, Records]:
    """Keep one text of the rarest label for 50 of the most frequent one."""
    counts = Counter(row["label"] for row in parts["train"]).most_common()
    most, rarest = counts[0][0], counts[-1][0]
    found = {}
    for name, rows in parts.items():
        kept = max(2, sum(row["label"] == most for row in rows) // 50)
        rare = [row for row in rows if row["label"] == rarest][:kept]
        found[name] = [row for row in rows if row["label"] != rarest] + rare
    return found


def few(parts: dict[str, Records]) -> dict[str, Records]:
    return {**parts, "train": parts["train"][:50]}


def doubled(parts: dict[str, Records]) -> dict[str, Records]:
    """Write the first half of the training part twice."""
    half = parts["train"][: len(parts["train"]) // 2]
    return {**parts, "train": half + [{**row, "id": f"{row['id']}-again"} for row in half]}


PLANTS = (
    Plant("learning rate x 100", ("learning rate too high",), rate_times=100.0),
    Plant("one epoch", ("too few epochs",), {"train.epochs": 1.0}),
    Plant("30 % flipped labels", ("wrong labels",), data=flipped),
    Plant("inputs of 16 pieces", ("inputs cut short",), {"model.max_length": 16}),
    Plant("1:50 imbalance", ("label imbalance",), data=imbalanced),
    Plant("50 examples", ("too few examples",), data=few),
    Plant("training set doubled", ("repeated examples",), {"data.drop_duplicates": False}, data=doubled),
    Plant("dropout 0.8", ("too much dropout",), {"model.dropout": 0.8}),
    Plant(HEALTHY, ()),
)


def phrasebank(data: Path) -> Records:
    lines = (data / "finance/phrasebank_en/Sentences_75Agree.txt").read_text(encoding="latin-1").splitlines()
    pairs = [line.rpartition("@") for line in lines if "@" in line]
    return [{"text": text, "label": label} for text, _, label in pairs]


def headlines(data: Path) -> Records:
    """Return headlines on Chinese companies, good news or bad."""
    with (data / "finance/xueqiu_news_sentiment_zh/test_data.csv").open(encoding="utf-8", newline="") as file:
        return [{"text": row["标题"], "label": row["正负面"]} for row in csv.DictReader(file)]


MINILM, E5 = "builtin:minilm-en", "builtin:e5-small-multi"
CHINESE = {"train.learning_rate": 1.5e-4, "train.head_learning_rate": 1e-3, "train.tokens_per_batch": 256}
"""What the rows of `tasks.py` give this model: at the rate of the rest its head learns little in fifty steps."""
SETS = {
    "develop": (
        PublicSet("sst", lambda data: sst2(data)["train"], MINILM, 400),
        PublicSet("trec", lambda data: trec(data)["train"], MINILM, 600),
    ),
    "judge": (
        PublicSet("waimai", lambda data: waimai(data)["train"], E5, 500, CHINESE),
        PublicSet("phrasebank", phrasebank, MINILM, 500),
        PublicSet("thucnews", lambda data: thucnews(data)["train"], E5, 800, CHINESE, plants=False),
        PublicSet("headlines", headlines, E5, 800, CHINESE, plants=False),
    ),
}
VALIDATION, TEST = 300, 60
"""The test part is only there because a run has one: nothing here reads it."""
SETTINGS = {"train.epochs": 3.0, "train.learning_rate": 1e-4, "train.tokens_per_batch": 512}
"""The defaults, with steps small enough for some hundred texts."""


def parts_of(one: PublicSet, data: Path) -> dict[str, Records]:
    """Return texts drawn for each part, the same each time."""
    rows = one.read(data)
    first = list({row["text"]: {"text": row["text"], "label": row["label"]} for row in rows}.values())
    random.Random(0).shuffle(first)
    rows = [{"id": f"{one.name}{place}", **row} for place, row in enumerate(first)]
    return {
        "train": rows[: one.train],
        "validation": rows[one.train : one.train + VALIDATION],
        "test": rows[one.train + VALIDATION : one.train + VALIDATION + TEST],
    }


def fine_tuned(one: PublicSet, plant: Plant, data: Path, runs: Path) -> RunFolder:
    """Return a finished run with something planted in it; it is not made again."""
    name = f"{one.name}-{plant.name}".replace(" ", "-").replace("%", "percent").replace(":", "-")
    run = RunFolder(runs / name)
    if run.finished:
        return run
    source = runs / "data" / name
    for part, rows in plant.data(parts_of(one, data)).items():
        source.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_text(source / f"{part}.jsonl", lines)
    settings = {**SETTINGS, **one.settings, **plant.settings}
    if plant.rate_times != 1:
        settings["train.learning_rate"] *= plant.rate_times
    groups: dict[str, Any] = {
        "task": "classification",
        "data": {part: str(source / f"{part}.jsonl") for part in ("train", "validation", "test")},
        "model": {"name": one.model},
        "evaluate": {"baselines": ["frozen-linear"], "resamples": 1000},
        "track": {"output": str(runs), "name": name},
    }
    for key, value in settings.items():
        group, _, last = key.partition(".")
        groups.setdefault(group, {})[last] = value
    finetune(configs.from_settings(groups), resume=run.config.is_file(), progress=Progress(quiet=True))
    return run


def named_in(run: RunFolder, minutes: float) -> list[dict[str, Any]]:
    """Return the causes that a diagnosis names, in their order; one that is there is not made again."""
    if not run.diagnosis.is_file():
        diagnose(run.path, minutes=minutes, progress=Progress(quiet=True))
    found: list[dict[str, Any]] = read_json(run.diagnosis)["causes"]
    return found


def told(cause: dict[str, Any]) -> str:
    gain = cause["gain"]
    return cause["name"] if gain is None else f"{cause['name']} ({gain['metric']} {gain['value']:+.3f})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=tuple(SETS))
    parser.add_argument("--runs", default="runs/diagnose", metavar="DIR")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="sets or plants")
    parser.add_argument("--minutes", type=float, default=60.0, help="of replays a run (default: 60)")
    args = parser.parse_args()
    data, runs = Path(os.environ["TRUETUNE_DATA"]), Path(args.runs)
    good = tried = 0
    print("| set | planted | accuracy on validation | named, in this order | as planted | seconds |")
    print("|---|---|---|---|---|---|", flush=True)
    for one in SETS[args.which]:
        for plant in PLANTS:
            if args.only and not {one.name, plant.name} & set(args.only):
                continue
            if not one.plants and plant.name != HEALTHY:
                continue
            began = time.perf_counter()
            tried += 1
            try:
                run = fine_tuned(one, plant, data, runs)
                causes = named_in(run, args.minutes)
            except TruetuneError as error:
                seconds = time.perf_counter() - began
                print(f"| {one.name} | {plant.name} | none | {error} | no | {seconds:.0f} |", flush=True)
                continue
            names = [cause["name"] for cause in causes]
            right = bool(set(plant.expected) & set(names[:2])) if plant.expected else not names
            good += right
            score = read_json(run.diagnosis)["score"]["value"]
            said = "; ".join(map(told, causes)) or "nothing"
            seconds = time.perf_counter() - began
            row = (one.name, plant.name, f"{score:.3f}", said, "yes" if right else "no", f"{seconds:.0f}")
            print("| " + " | ".join(row) + " |", flush=True)
    print(f"{good} of {tried} as planted")
    return 0 if good == tried else 1


if __name__ == "__main__":
    sys.exit(main())
