"""What labels chosen by `truetune label-next` bring beside as many of texts drawn at random.

    TRUETUNE_DATA=FOLDER python benchmarks/active_labels.py [--set sst2|trec|banking77] [--first 100] [--more 100]
        [--repeats 20] [--pool 2000]

A linear model on the frozen features of `minilm-en` stands for what is fine-tuned, so that many repeats are cheap. Each
repeat draws a pool of the training part, labels the first so many of it at random, and then as many more: by doubt and
unlikeness (what the command does), by doubt alone, and at random. Printed are the mean test accuracy of each way, and
its mean difference from random with a t interval over the repeats (whose pools overlap, so it is a little too narrow).
"""

from __future__ import annotations

import argparse
import os
import warnings
from pathlib import Path

import numpy as np
import task_sets
from label_noise import frozen
from scipy import stats

from truetune.optimization.labelling import doubts, unlike
from truetune.training.baselines_frozen import standardised
from truetune.types import Floats, Ints

SETS = {"sst2": task_sets.sst2, "trec": task_sets.trec, "banking77": task_sets.banking77}
WAYS = ("doubt and unlikeness", "doubt", "random")


def fitted(features: Floats, codes: Ints, asked: Floats) -> tuple[Floats, Ints]:
    """Return probabilities of the asked, and the codes that their columns stand for."""
    from sklearn.linear_model import LogisticRegression

    learnt, shown = standardised(features, asked)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of iterations: the order of probabilities is there long before.
        model = LogisticRegression(C=0.01, max_iter=200).fit(learnt, codes)
    return model.predict_proba(shown), model.classes_


def repeated(
    train: tuple[Floats, Ints], test: tuple[Floats, Ints], sizes: tuple[int, int, int], rng: np.random.Generator
) -> list[float]:
    """Return the test accuracy of each way in one repeat."""
    pool, first, more = sizes
    places = rng.permutation(len(train[1]))[:pool]
    features, codes = train[0][places], train[1][places]
    told, _ = fitted(features[:first], codes[:first], features[first:])
    doubt = doubts([dict(enumerate(row)) for row in told], multiple=False)  # type: ignore[misc]
    chosen = {
        "doubt and unlikeness": unlike(doubt, features[first:], more, int(rng.integers(2**31))),
        "doubt": np.argsort(-doubt, kind="stable")[:more],
        "random": np.arange(more),
    }
    scores = []
    for way in WAYS:
        labelled = np.r_[np.arange(first), first + chosen[way]]
        said, known = fitted(features[labelled], codes[labelled], test[0])
        scores.append(float((known[said.argmax(axis=1)] == test[1]).mean()))
    return scores


def main() -> None:
    """Print the table of one set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--set", choices=SETS, default="sst2")
    parser.add_argument("--data", type=Path, default=os.environ.get("TRUETUNE_DATA"))
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--more", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--pool", type=int, default=2000)
    parser.add_argument("--tests", type=int, default=1000, help="test texts, drawn at random")
    given = parser.parse_args()
    if given.data is None:
        parser.error("name the data folder: set TRUETUNE_DATA or give --data")
    parts = SETS[given.set](given.data)
    rng = np.random.default_rng(0)
    labels = sorted({row["label"] for row in parts["train"]})
    sides = []
    for part, most in (("train", 2 * given.pool), ("test", given.tests)):
        rows = [parts[part][place] for place in rng.permutation(len(parts[part]))[:most]]
        codes = np.array([labels.index(row["label"]) for row in rows], dtype=np.int64)
        sides.append((frozen("builtin:minilm-en", [row["text"] for row in rows]), codes))
    sizes = (given.pool, given.first, given.more)
    scores = np.array([repeated(sides[0], sides[1], sizes, rng) for _ in range(given.repeats)])
    print(f"{given.set}: {given.first} labels at random and {given.more} more of {given.pool}, {given.repeats} repeats")
    print("| the more by | accuracy | less random | 95 % |\n|---|---|---|---|")
    for place, way in enumerate(WAYS):
        apart = scores[:, place] - scores[:, -1]
        reach = stats.t.ppf(0.975, len(apart) - 1) * apart.std(ddof=1) / np.sqrt(len(apart))
        bounds = f"{apart.mean() - reach:+.4f} to {apart.mean() + reach:+.4f}" if way != "random" else ""
        print(f"| {way} | {scores[:, place].mean():.4f} | {apart.mean():+.4f} | {bounds} |", flush=True)


if __name__ == "__main__":
    main()
