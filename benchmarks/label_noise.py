"""How many of the labels that were turned at random are among the top suspects.

    TRUETUNE_DATA=FOLDER python benchmarks/label_noise.py [sst|banking] [--frozen MODEL] [--seeds N]
        [--examples N] [--folds K]

5 % of the training labels are replaced by another label, drawn at random. Probabilities come from models that have
not seen the example: of words and character sequences; with `--frozen builtin:minilm-en`, also of what a pretrained
model computes, and the mean of both. Printed is the share of the turned labels that stands in the top 5 % of the
ranking: by the probability of the given label as a share of what is usual (`truetune.audit.suspects`), by the margin
(its probability less that of the best other one), and at random. `--examples` takes that many training examples, drawn
at random; with `--folds K`, probabilities come from K models too, each fine-tuned on all folds but one for two epochs
(`truetune audit --folds`), and the pieces and seconds that these took are printed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from audit_sets import BANKING, SST, C, label_first, table

from truetune.audit.suspects import suspects
from truetune.data.keys import Keys, hashed
from truetune.text import normalised
from truetune.types import Floats, Ints
from truetune.workflows.suspects import folds_of, out_of_sample

SHARE = 0.05
READERS = {"sst": label_first(C + "sst_en/stsa.binary.{}", SST), "banking": table(BANKING, ["text"], "category")}


def turned(codes: Ints, labels: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return labels of which 5 % are other ones, and which."""
    places = rng.choice(len(codes), round(SHARE * len(codes)), replace=False)
    noisy = codes.copy()
    noisy[places] = (codes[places] + rng.integers(1, labels, len(places))) % labels
    return noisy, places


def frozen(model: str, texts: list[str]) -> Floats:
    """Return the mean-pooled features of texts by a pretrained model."""
    from truetune.backbones.base import ModelSettings, Recipe
    from truetune.backbones.torch import load_backbone, load_tokenizer
    from truetune.tasks.classification import CLASSIFICATION
    from truetune.workflows.features import text_features
    from truetune.workflows.model import model_place
    from truetune.workflows.progress import Progress

    quiet = Progress(quiet=True)
    assert CLASSIFICATION.training is not None
    settings = ModelSettings(model_place(model, quiet), "classify", ("a", "b"))
    backbone = load_backbone(settings, Recipe(), load_tokenizer(settings), None)
    return text_features(backbone, CLASSIFICATION.training, [texts], "features", quiet)


def tuned(model: str, texts: list[str], codes: Ints, keys: Keys, folds: int) -> Floats:
    """Return probabilities by fine-tuned models that have not seen the example; print what they took."""
    from truetune import config
    from truetune.tasks.classification import CLASSIFICATION
    from truetune.workflows.progress import Progress
    from truetune.workflows.suspects_tuned import Folded, tuned_probabilities

    settings = config.from_settings(
        {"task": "classification", "data": {"source": "-"}, "model": {"name": model}, "train": {"epochs": 2}}
    )
    names = tuple(f"{code:02}" for code in range(int(codes.max()) + 1))
    data = Folded([texts], codes, names, folds_of(keys, folds))
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found, cost = tuned_probabilities(settings, CLASSIFICATION, data, Path(folder), Progress())
    print(f"{cost} and {time.process_time() - began:.0f} s of processors", file=sys.stderr, flush=True)
    return found


def found(order: Ints, places: Ints) -> float:
    """Return the share of the turned labels in the top 5 %."""
    return float(np.isin(places, order[: len(places)]).mean())


def margins(probabilities: Floats, given: Ints) -> Floats:
    """Return the probability of each given label less that of the best other one."""
    own = probabilities[np.arange(len(given)), given]
    others = probabilities.copy()
    others[np.arange(len(given)), given] = -1
    found: Floats = own - others.max(axis=1)
    return found


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sets", nargs="*", metavar="sst|banking", help="default: both")
    arguments.add_argument("--frozen", metavar="MODEL")
    arguments.add_argument("--seeds", type=int, default=1)
    arguments.add_argument("--examples", type=int)
    arguments.add_argument("--folds", type=int, default=0)
    args = arguments.parse_args()
    if args.folds and not args.frozen:
        arguments.error("--folds: name the model with --frozen")
    if unknown := set(args.sets) - set(READERS):
        arguments.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(READERS)}")
    print("| set | examples | labels | features | share of the usual | margin | random |")
    print("|---|---|---|---|---|---|---|")
    for name in args.sets or ["sst", "banking"]:
        columns, gold, _ = READERS[name](Path(os.environ["TRUETUNE_DATA"]))["train"]
        kept = np.random.default_rng(0).permutation(len(columns[0]))[: args.examples]
        kept.sort()
        texts = [columns[0][place] for place in kept.tolist()]
        labels, codes = np.unique([(gold or ())[place] for place in kept.tolist()], return_inverse=True)
        keys = hashed([normalised(text) for text in texts], len(texts))
        inputs: dict[str, list[str] | Floats] = {"words and characters": texts}
        if args.frozen:
            inputs[args.frozen] = frozen(args.frozen, texts)
        shares: dict[str, list[list[float]]] = {}
        for seed in range(args.seeds):
            rng = np.random.default_rng(seed)
            noisy, places = turned(codes.astype(np.int64), len(labels), rng)
            random = rng.permutation(len(noisy))
            probabilities = {one: out_of_sample(values, noisy, keys) for one, values in inputs.items()}
            if args.frozen:
                probabilities["the mean of both"] = np.mean(list(probabilities.values()), axis=0)
            if args.folds:
                said = tuned(args.frozen, texts, noisy, keys, args.folds)
                probabilities[f"{args.folds} fine-tuned models"] = said
                probabilities["the mean of all three"] = (2 * probabilities["the mean of both"] + said) / 3
            for one, told_by in probabilities.items():
                rankings = (suspects(told_by, noisy).order, np.argsort(margins(told_by, noisy)), random)
                shares.setdefault(one, []).append([found(order, places) for order in rankings])
        for one, values in shares.items():
            told = " | ".join(f"{share:.3f}" for share in np.mean(values, axis=0))
            print(f"| {name} | {len(texts):,} | {len(labels)} | {one} | {told} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
