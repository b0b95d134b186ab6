"""Does speed cost quality? Our defaults against the plain float32 loop over seeds: TOST, margin 1 point.

    python benchmarks/training_seeds.py --set sst    --results sst.jsonl     SST-2, minilm-en: accuracy
    python benchmarks/training_seeds.py --set trec   --results trec.jsonl    TREC, minilm-en: accuracy
    python benchmarks/training_seeds.py --set waimai --results waimai.jsonl  waimai10k, e5-small-multi: accuracy

    --seeds 5     how many seeds of each
    --epochs 3    --rate 1e-4 (waimai 1.5e-4)    --limit N    learn only N texts
    --tokens N    pieces a step of ours; default: as many as 32 texts have on average, so that both take the same steps

Both start from the same pretrained model, take the same peak rate, warm-up, decay and epochs, choose their epoch by
validation, and score the test part. Ours: batches of like lengths, bfloat16 where it is measured to pay,
dropout from random bytes, trimmed vocabulary. Plain: the same model and head in PyTorch's own layers, batches of 32 in
random order, float32, `nn.Dropout`, all embeddings trained.

Every seed of a side is one line of the file, written when it is done; what is there is not done again, so it can be
interrupted. When all are there, the two one-sided t tests (Welch's) on the means over seeds are printed, and the
difference with its 90 % interval: equivalence within the margin is shown where that lies inside of it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from task_sets import trec

from training import Part, folder_of, labels_of, sst_part, waimai_parts
from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.outputs import logits_of
from truetune.backbones.torch import load_backbone, load_tokenizer, used_pieces
from truetune.tasks.base import Lengths
from truetune.tasks.classification import CLASSIFICATION
from truetune.training.loop import train
from truetune.training.order import Plan
from truetune.training.schedule import Schedule
from truetune.training.stopping import Selection

MODELS = {"sst": "minilm-en", "trec": "minilm-en", "waimai": "e5-small-multi"}
RATES = {"sst": 1e-4, "trec": 1e-4, "waimai": 1.5e-4}
BATCH = 32
"""Texts a step of the plain loop."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--set", choices=MODELS, default="sst")
    arguments.add_argument("--data", type=Path, default=os.environ.get("TRUETUNE_DATA"))
    arguments.add_argument("--results", type=Path, required=True)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--epochs", type=int, default=3)
    arguments.add_argument("--rate", type=float)
    arguments.add_argument("--limit", type=int)
    arguments.add_argument("--tokens", type=int)
    arguments.add_argument("--margin", type=float, default=0.01)
    chosen = arguments.parse_args()
    if chosen.data is None:
        arguments.error("name the data folder: set TRUETUNE_DATA or give --data")
    sides = {"ours": ours, "plain": plain}
    done = saved(chosen.results)
    for seed in range(chosen.seeds):
        for name, side in sides.items():
            tokens = (chosen.tokens or "as 32 texts") if name == "ours" else None
            key = {"set": chosen.set, "side": name, "seed": seed, "epochs": chosen.epochs, "limit": chosen.limit}
            key["tokens"] = tokens
            if any(all(line.get(part) == value for part, value in key.items()) for line in done):
                continue
            start = time.perf_counter()
            accuracy = side(chosen, parts_of(chosen), seed)
            line = {**key, "accuracy": accuracy, "seconds": round(time.perf_counter() - start)}
            print(json.dumps(line), flush=True)
            with chosen.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    told([line for line in saved(chosen.results) if line["seed"] < chosen.seeds], chosen)


def saved(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def told(lines: list[dict[str, Any]], chosen: argparse.Namespace) -> None:
    """Print the means, their difference with its 90 % interval, and the two one-sided tests."""
    key = {"set": chosen.set, "epochs": chosen.epochs, "limit": chosen.limit}
    sides = (("ours", chosen.tokens or "as 32 texts"), ("plain", None))
    own, other = (
        np.array(
            [
                line["accuracy"]
                for line in lines
                if (line["side"], line.get("tokens")) == side and all(line[one] == key[one] for one in key)
            ]
        )
        for side in sides
    )
    for name, values in (("ours", own), ("plain", other)):
        each = ", ".join(f"{value:.4f}" for value in values)
        print(f"{name}: mean {values.mean():.4f}, standard deviation {values.std(ddof=1):.4f} ({each})")
    found = stats.ttest_ind(own, other, equal_var=False)
    low, high = found.confidence_interval(0.90)
    below, above = (
        stats.ttest_ind(own + shift, other, equal_var=False, alternative=side).pvalue
        for shift, side in ((chosen.margin, "greater"), (-chosen.margin, "less"))
    )
    p_value = max(below, above)
    verdict = "equivalent" if p_value < 0.05 else "equivalence not shown"
    print(
        f"ours - plain: {own.mean() - other.mean():+.4f} [{low:+.4f}, {high:+.4f}] (90 %); margin {chosen.margin:g}: "
        f"p = {p_value:.4f} (TOST, Welch), {verdict}"
    )


def parts_of(chosen: argparse.Namespace) -> tuple[Part, Part, Part]:
    if chosen.set == "waimai":
        learnt, validation, test = waimai_parts(chosen.data, 0)
    elif chosen.set == "trec":
        learnt, validation, test = trec_parts(chosen.data)
    else:
        learnt, validation, test = (sst_part(chosen.data, name) for name in ("train", "dev", "test"))
    return (learnt if chosen.limit is None else learnt.taken(range(chosen.limit))), validation, test


def trec_parts(data: Path) -> tuple[Part, Part, Part]:
    """Return 4,952 questions to learn, 500 to choose the epoch by, and the test part."""
    records = trec(data)
    whole, test = (
        Part([one["text"] for one in rows], {"label": [one["label"] for one in rows]}) for rows in records.values()
    )
    places = np.random.default_rng(0).permutation(len(whole.texts))
    return whole.taken(places[500:]), whole.taken(places[:500]), test


def encoded(part: Part, labels: Any, tokenizer: Any) -> list[Any]:
    training = CLASSIFICATION.training
    assert training is not None
    return training.encode([part.texts], part.gold, labels, tokenizer, Lengths(tokenizer.max_length, 32)).inputs


def ours(chosen: argparse.Namespace, parts: tuple[Part, Part, Part], seed: int) -> float:
    """Return the test accuracy of the defaults of a config."""
    training = CLASSIFICATION.training
    assert training is not None
    labels = labels_of(training, parts[0])
    settings = ModelSettings(folder_of(f"builtin:{MODELS[chosen.set]}"), "classify", labels.names, seed=seed)
    tokenizer = load_tokenizer(settings)
    inputs, validation, test = (encoded(part, labels, tokenizer) for part in parts)
    backbone = load_backbone(settings, Recipe(), tokenizer, used_pieces(one.ids for one in inputs))

    def accuracy(some: list[Any]) -> float:
        pairs = zip(logits_of(backbone, some), some, strict=True)
        return float(np.mean([logits.argmax() == one.target for logits, one in pairs]))

    tokens = chosen.tokens or round(BATCH * float(np.mean([len(one.ids) for one in inputs])))
    plan = Plan(chosen.rate or RATES[chosen.set], epochs=chosen.epochs, seed=seed, tokens=tokens)
    judged = (Selection("accuracy"), lambda: {"accuracy": accuracy(validation)})
    for _ in train(backbone, inputs, plan, judged):
        pass
    return accuracy(test)


def plain(chosen: argparse.Namespace, parts: tuple[Part, Part, Part], seed: int) -> float:
    """Return the test accuracy of the plain loop: PyTorch's own layers, float32, batches in random order."""
    import copy

    import torch
    from transformers import AutoModel

    training = CLASSIFICATION.training
    assert training is not None
    labels = labels_of(training, parts[0])
    folder = folder_of(f"builtin:{MODELS[chosen.set]}")
    tokenizer = load_tokenizer(ModelSettings(folder, "classify", labels.names))
    inputs, validation, test = (encoded(part, labels, tokenizer) for part in parts)
    torch.manual_seed(seed)
    body = AutoModel.from_pretrained(folder, attn_implementation="sdpa", dtype=torch.float32)
    head = torch.nn.Sequential(
        torch.nn.Dropout(body.config.hidden_dropout_prob), torch.nn.Linear(body.config.hidden_size, len(labels.names))
    )
    torch.nn.init.normal_(head[1].weight, std=body.config.initializer_range)
    torch.nn.init.zeros_(head[1].bias)
    network = torch.nn.ModuleList([body, head])
    weights = [one for one in network.parameters() if one.ndim > 1]
    others = [one for one in network.parameters() if one.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": weights, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}], lr=0.0
    )

    def logits(some: list[Any]) -> Any:
        longest = max(len(one.ids) for one in some)
        ids = torch.tensor([[*one.ids.tolist(), *[tokenizer.pad] * (longest - len(one.ids))] for one in some])
        mask = torch.tensor([[1] * len(one.ids) + [0] * (longest - len(one.ids)) for one in some])
        hidden = body(input_ids=ids, attention_mask=mask).last_hidden_state
        return head((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))

    def accuracy(some: list[Any]) -> float:
        network.eval()
        order = sorted(some, key=lambda one: len(one.ids))
        with torch.inference_mode():
            found = [logits(order[start : start + 64]).argmax(1) for start in range(0, len(order), 64)]
        return float(np.mean(torch.cat(found).numpy() == [int(one.target) for one in order]))

    steps = chosen.epochs * -(-len(inputs) // BATCH)
    schedule = Schedule(chosen.rate or RATES[chosen.set], steps)
    rng, step, best, kept = np.random.default_rng(seed), 0, -1.0, None
    for _ in range(chosen.epochs):
        network.train()
        order = rng.permutation(len(inputs))
        for start in range(0, len(order), BATCH):
            some = [inputs[place] for place in order[start : start + BATCH]]
            step += 1
            for group in optimizer.param_groups:
                group["lr"] = schedule.peak * schedule.share(step)
            loss = torch.nn.functional.cross_entropy(logits(some), torch.tensor([int(one.target) for one in some]))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
        found = accuracy(validation)
        if found > best:
            best, kept = found, copy.deepcopy(network.state_dict())
    network.load_state_dict(kept)
    return accuracy(test)


if __name__ == "__main__":
    main()
