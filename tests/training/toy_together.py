"""A small training of one or several processes: FOLDER MODEL [shard]. Losses, scores, weights: the first writes."""

import json
import sys
from pathlib import Path

import numpy as np

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.outputs import logits_of
from truetune.backbones.torch import load_backbone, load_tokenizer, used_pieces
from truetune.backbones.torch_together import Processes, joined
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.classify_encoding import encode
from truetune.training.checkpoint import Checkpoints
from truetune.training.loop import train
from truetune.training.order import Plan
from truetune.training.stopping import Selection

MIXED = Recipe(ema=0.9, mixout=0.2)
SHARED = Recipe(ema=0.9, r_drop=1.0)


def run(folder: Path, model: str, processes: Processes | None, recipe: Recipe, resume: bool = False) -> None:
    rng = np.random.default_rng(0)
    words = ["bad", "dull", "boring", "great", "funny", "lovely", "film", "story", "plot", "and", "the", "is"]
    texts = [" ".join(rng.choice(words, rng.integers(3, 12))) for _ in range(41)]
    gold = {"label": ["good" if text.count("great") + text.count("funny") > 0 else "bad" for text in texts]}
    labels = Labels(("bad", "good"))
    settings = ModelSettings(model, "classify", labels.names, dropout=0.0, precision="float32", device="cpu")
    tokenizer = load_tokenizer(settings)
    encoded = encode([texts], gold, labels, tokenizer, Lengths(64)).inputs
    words_used = used_pieces([one.ids for one in encoded])
    backbone = load_backbone(settings, recipe, tokenizer, words_used, processes)

    def evaluate() -> dict[str, float]:
        logits = np.stack(logits_of(backbone, encoded, 64))
        right = [labels.names[row.argmax()] == label for row, label in zip(logits, gold["label"], strict=True)]
        return {"accuracy": float(np.mean(right)), "sum": float(np.abs(logits).sum())}

    plan = Plan(1e-3, epochs=2, tokens=64, accumulate=2, evaluations=2)
    checkpoints = Checkpoints(folder, seconds=0.0)
    steps = list(train(backbone, encoded, plan, (Selection("sum", "lower"), evaluate), checkpoints, resume))
    state = backbone.state(optimizer=False)
    whole = backbone.gathered()
    if processes is None or processes.rank == 0:
        whole.save(folder / "saved")
        told = [[step.loss, step.inputs, step.pieces, step.scores] for step in steps]
        (folder / "result.json").write_text(json.dumps(told), encoding="utf-8")
        np.savez(folder / "weights.npz", **state.arrays)


if __name__ == "__main__":
    shard = "shard" in sys.argv
    with joined(shard) as found:
        run(Path(sys.argv[1]), sys.argv[2], found, SHARED if shard else MIXED, "resume" in sys.argv)
