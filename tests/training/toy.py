"""A small training that is killed and resumed: FOLDER MODEL KILLS SEED.

Each training is a forked process, so that the frameworks are imported once for all of them, and what is killed
is a whole process all the same.
"""

import hashlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.outputs import logits_of
from truetune.backbones.torch import load_backbone, load_tokenizer, used_pieces
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.classify_encoding import decode, encode
from truetune.training.checkpoint import Checkpoints
from truetune.training.loop import train
from truetune.training.order import Plan
from truetune.training.stopping import Selection


def run(folder: Path, model: str, resume: bool) -> None:
    rng = np.random.default_rng(0)
    words = ["bad", "dull", "boring", "great", "funny", "lovely", "film", "story", "plot", "and", "the", "is"]
    texts = [" ".join(rng.choice(words, rng.integers(3, 12))) for _ in range(48)]
    gold = {"label": ["good" if text.count("great") + text.count("funny") > 0 else "bad" for text in texts]}
    labels = Labels(("bad", "good"))
    settings = ModelSettings(model, "classify", labels.names, precision="float32", device="cpu")
    tokenizer = load_tokenizer(settings)
    encoded = encode([texts], gold, labels, tokenizer, Lengths(64)).inputs
    backbone = load_backbone(settings, Recipe(ema=0.9), tokenizer, used_pieces([one.ids for one in encoded]))
    shown = encoded[:16]

    def evaluate() -> dict[str, float]:
        found = decode(texts[:16], shown, logits_of(backbone, shown), labels, 0.5)["label"]
        return {"accuracy": float(np.mean([one == other for one, other in zip(found, gold["label"], strict=False)]))}

    plan = Plan(1e-3, epochs=2, tokens=64, evaluations=3)
    checkpoints = Checkpoints(folder, seconds=0.0)
    with (folder / "events.jsonl").open("a", encoding="utf-8") as events:
        for step in train(backbone, encoded, plan, (Selection("accuracy"), evaluate), checkpoints, resume):
            events.write(json.dumps([step.number, step.loss, step.scores, step.best]) + "\n")
            events.flush()
    digest = hashlib.sha256(b"".join(array.tobytes() for array in backbone.state(optimizer=False).arrays.values()))
    result = {"weights": digest.hexdigest(), "scores": evaluate()}
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


def forked(folder: Path, model: str, resume: bool = False) -> int:
    """Start a training in a process of its own and return its number."""
    folder.mkdir(exist_ok=True)
    child = os.fork()
    if child == 0:
        run(folder, model, resume)
        os._exit(0)
    return child


def finished(child: int) -> None:
    assert os.waitpid(child, 0)[1] == 0


def kill_after(child: int, folder: Path, lines: int, delay: float) -> None:
    """Kill a training once it has told of so many steps, a little later."""
    file = folder / "events.jsonl"
    while not file.exists() or file.read_bytes().count(b"\n") < lines:
        time.sleep(0.001)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def told(folder: Path) -> dict[int, object]:
    """What was told of each step; a step that was told twice must have been told the same."""
    found: dict[int, object] = {}
    for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines():
        if line.endswith("]"):  # the last line may be half written
            number, *rest = json.loads(line)
            assert found.setdefault(number, rest) == rest, f"step {number}"
    return found


def main(folder: Path, model: str, kills: int, seed: int) -> None:
    unbroken = folder / "unbroken"
    finished(forked(unbroken, model))
    expected, steps = json.loads((unbroken / "result.json").read_text()), len(told(unbroken))
    rng = random.Random(seed)
    for number in range(kills):
        broken = folder / f"broken-{number}"
        kill_after(forked(broken, model), broken, rng.randrange(1, steps - 2), rng.uniform(0, 0.03))
        assert not (broken / "result.json").exists(), "it was not killed in time"
        finished(forked(broken, model, resume=True))
        assert json.loads((broken / "result.json").read_text()) == expected
        assert told(broken) == told(unbroken)
    print(f"{kills} kills, {kills} identical endings")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
