"""Held-out texts inside those of training: runs by hand, a planted paragraph, and a clean twin."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from truetune.config import Data, Pretrain
from truetune.pretraining import overlap
from truetune.pretraining.corpus import corpus_of
from truetune.pretraining.overlap import inside_training, runs_of, shared
from truetune.workflows.progress import Progress

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def text_of(rng: random.Random, words: int) -> str:
    return " ".join("".join(rng.choice(LETTERS) for _ in range(rng.randint(3, 8))) for _ in range(words))


def test_a_run_has_one_number_wherever_it_stands() -> None:
    text = "中😀xabcdefgh"
    numbers = runs_of(text, 4)
    assert len(numbers) == len(text) - 3
    assert len(set(numbers.tolist())) == len(numbers)
    assert runs_of("abcd", 4)[0] == runs_of("--abcd-", 4)[2] == numbers[3]
    assert runs_of("abc", 4).tolist() == []


def test_shares_are_those_of_sets_of_runs() -> None:
    rng = random.Random(0)
    train = ["".join(rng.choice("ab") for _ in range(60)) for _ in range(3)]
    held_out = ["".join(rng.choice("ab") for _ in range(20)) for _ in range(30)] + ["ab", train[0][5:25], ""]
    known = {text[place : place + 6] for text in train for place in range(len(text) - 5)}
    expected = [
        np.mean([text[place : place + 6] in known for place in range(len(text) - 5)]) if len(text) > 5 else np.nan
        for text in held_out
    ]
    assert shared(held_out, train, 6).tolist() == pytest.approx(expected, nan_ok=True)
    assert shared([], train, 6).tolist() == []
    assert np.isnan(shared(["abc"], train, 6)).all()


def test_many_runs_are_looked_for_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "MOST", 200)
    rng = random.Random(0)
    held_out = [text_of(rng, 300), text_of(rng, 300)]
    found = shared(held_out, [f"before {held_out[0][:900]} after"], 20)
    assert found[0] == pytest.approx(900 / len(held_out[0]), abs=0.15)
    assert found[1] == 0


def corpus(folder: Path, planted: bool) -> dict:
    rng = random.Random(1)
    parts = {name: [text_of(rng, 40) for _ in range(12)] for name in ("train", "validation", "test")}
    if planted:
        # A held-out paragraph within a page, in other letters and with other signs: the two are not nearly equal.
        parts["train"][3] = f"{text_of(rng, 200)} {parts['test'][7].upper().replace(' ', ', ')} {text_of(rng, 200)}"
    for name, texts in parts.items():
        (folder / f"{name}.txt").write_text("\n".join(texts), encoding="utf-8")
    data = Data(**{name: str(folder / f"{name}.txt") for name in parts})
    return corpus_of(data, Pretrain(), folder / "whole", Progress(quiet=True))[0]


def test_a_paragraph_within_a_page_of_training_is_told(tmp_path: Path) -> None:
    found = list(inside_training(corpus(tmp_path, planted=True)))
    assert [(one.parts, one.severity, one.count) for one in found] == [(("test",), "warning", 1)]
    assert found[0].examples[0].startswith("8 (")


def test_texts_of_their_own_are_not_told(tmp_path: Path) -> None:
    assert list(inside_training(corpus(tmp_path, planted=False))) == []
