"""Print where other tools give another number than truetune, on examples small enough to check by hand.

    python benchmarks/why_numbers_differ.py [--simulations 400]

The table stands in docs/why-numbers-differ.md. Its first row is simulated; the others are exact.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, TER
from sacrebleu.significance import Result, _paired_bs_test
from seqeval.metrics import f1_score as seqeval_f1
from sklearn.metrics import auc, f1_score, ndcg_score, precision_recall_curve, precision_score

from truetune.metric import Additive
from truetune.metrics.areas import AVERAGE_PRECISION
from truetune.metrics.bleu import bleu
from truetune.metrics.calibration import ECE
from truetune.metrics.counts import label_counts
from truetune.metrics.f_measures import f1, f1_of_means, macro, micro, precision, recall
from truetune.metrics.ranking import ndcg
from truetune.metrics.rouge import rouge
from truetune.metrics.spans import conll_tag_rows, strict_tag_rows
from truetune.metrics.ter import ter
from truetune.rows import Rows
from truetune.stats.pairs import Pairs
from truetune.stats.randomisation import randomisation_p, swapped_differences

SEGMENTS, RESAMPLES, LEVEL = 300, 1_000, 0.05
POOL = 20_000


class Difference(NamedTuple):
    """One row of the table."""

    what: str
    other: str
    ours: str
    why: str

    def __str__(self) -> str:
        return f"| {self.what} | {self.other} | {self.ours} | {self.why} |"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--simulations", type=int, default=400)
    chosen = arguments.parse_args()
    print("| number | other tool | truetune | why |\n|---|---|---|---|")
    print(false_positives(chosen.simulations))
    for difference in exact_differences():
        print(difference)


def exact_differences() -> Iterator[Difference]:
    """Yield the differences that need no simulation."""
    yield spans()
    yield macro_f1()
    yield unpredicted_label()
    yield mean_of_batches()
    yield sentence_bleu()
    yield chinese_rouge()
    yield chinese_ter()
    yield last_bin()
    yield ideal_list()
    yield trapezoids()


def spans() -> Difference:
    gold, predicted = [["B-PER", "I-PER", "O", "B-LOC"]], [["I-PER", "I-PER", "O", "B-LOC"]]
    strict, lenient = (float(micro(f1)(read(gold, predicted).totals())) for read in (strict_tag_rows, conll_tag_rows))
    return Difference(
        "span F1 of `I-PER I-PER O B-LOC` for `B-PER I-PER O B-LOC`",
        f"seqeval, default: {seqeval_f1(gold, predicted):.3f}",
        f"`span_f1` {strict:.3f}, `span_f1_conll` {lenient:.3f}",
        "seqeval reads tags as conlleval: a span may begin with `I-`; `span_f1` reads strictly. Both are printed",
    )


def macro_f1() -> Difference:
    gold, predicted = list("aaabbc"), list("aabbbb")
    sums = label_counts(gold, predicted).totals()
    p, r = float(macro(precision)(sums)), float(macro(recall)(sums))
    return Difference(
        "macro-F1 of `a a b b b b` for `a a a b b c`",
        f"papers that take F1 of macro P and R: {2 * p * r / (p + r):.4f}",
        f"`f1_macro` {float(macro(f1)(sums)):.4f}, `f1_macro_of_means` {float(f1_of_means(sums)):.4f}",
        f"two formulas, one name; scikit-learn's is the mean of F1s ({f1_score(gold, predicted, average='macro'):.4f})",
    )


def unpredicted_label() -> Difference:
    gold, predicted = list("aaabbc"), list("aabbbb")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = precision_score(gold, predicted, average="macro")
    ours = float(macro(precision)(label_counts(gold, predicted).totals()))
    return Difference(
        "macro precision of the same, `c` never predicted",
        f"scikit-learn, default: {theirs:.4f}",
        f"`precision_macro` {ours:.4f}",
        "0/0 is undefined and left out here; there it counts as 0 (equal with `zero_division=nan`)",
    )


def mean_of_batches() -> Difference:
    gold, predicted = list("aaabbbab"), list("aaaabbbb")
    batches = [f1_score(gold[at : at + 2], predicted[at : at + 2], average="macro") for at in range(0, 8, 2)]
    first, second = (label_counts(gold[part], predicted[part]) for part in (slice(0, 4), slice(4, 8)))
    merged = first.with_labels(("a", "b")).totals() + second.with_labels(("a", "b")).totals()
    return Difference(
        "macro-F1 of 8 examples, read in batches of 2",
        f"mean over batches: {np.mean(batches):.4f}",
        f"`f1_macro` {float(macro(f1)(merged)):.4f}",
        "a mean of F1s depends on the batches; rows are added up first, in any batches or shards",
    )


def sentence_bleu() -> Difference:
    texts, references = ["a b c d e", "a b x d e f"], ["a b c d e", "a b c d e f"]
    sentences = [
        BLEU(effective_order=True).sentence_score(*pair).score
        for pair in zip(texts, [[one] for one in references], strict=True)
    ]
    metric = bleu("13a")
    return Difference(
        "BLEU of two sentences",
        f"mean of sacreBLEU's sentence scores: {np.mean(sentences):.2f}",
        f"`bleu` {float(metric.value(metric.rows(references, texts))):.2f}",
        "BLEU is a score of a corpus: n-grams are counted over all sentences first, as sacreBLEU's `corpus_score`",
    )


def chinese_rouge() -> Difference:
    text = "北京今天下雨"
    theirs = RougeScorer(["rouge1"]).score(text, text)["rouge1"].fmeasure
    metric = rouge("rouge1")
    return Difference(
        f"ROUGE-1 of `{text}` for itself",
        f"rouge-score: {theirs:.3f}",
        f"`rouge1` {float(metric.value(metric.rows([text], [text]))):.3f}",
        "its tokens are ASCII letters and digits, so nothing of Chinese is left; here Chinese is cut into characters",
    )


def chinese_ter() -> Difference:
    said, wanted = "我们在北京见面", "我们在南京见面"
    metric = ter()
    return Difference(
        f"TER of `{said}` for `{wanted}`",
        f"sacreBLEU, default: {TER().corpus_score([said], [[wanted]]).score:.2f}",
        f"`ter` {float(metric.value(metric.rows([wanted], [said]))):.2f}",
        "cut at white space the sentence is one word, and wrong; `auto` sets characters apart and says so",
    )


def last_bin() -> Difference:
    right, confidence = np.array([1, 1, 0, 0, 1.0]), np.array([1, 1, 1, 1, 0.95])
    theirs = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence >= low) & (confidence < low + 1 / 15)
        if inside.any():
            theirs += abs(right[inside].mean() - confidence[inside].mean()) * inside.mean()
    ours = float(ECE.value(Rows.of(np.stack([right, confidence], axis=1))))
    return Difference(
        "ECE of four answers of confidence 1, two of them wrong, and one of 0.95",
        f"bins closed below, `low <= c < high`: {theirs:.3f}",
        f"`ece` {ours:.3f}",
        "a confidence of exactly 1 falls out of the last bin there; bins are closed above (Guo et al. 2017)",
    )


def ideal_list() -> Difference:
    relevant, ranking = {"x": 1.0, "y": 1.0, "z": 1.0}, ["x", "u", "v"]
    theirs = ndcg_score([[relevant.get(item, 0.0) for item in ranking]], [[3, 2, 1]])
    return Difference(
        "nDCG of a ranking that holds one of three relevant items, first",
        f"scikit-learn on the ranked items: {theirs:.3f}",
        f"`ndcg` {ndcg(relevant, ranking):.3f}",
        "the ideal is over all judged items, as trec_eval; over the returned ones, what was missed costs nothing",
    )


def trapezoids() -> Difference:
    gold, score = [1, 0, 1, 0], [0.8, 0.6, 0.4, 0.2]
    found, recalled, _ = precision_recall_curve(gold, score)
    rows = AVERAGE_PRECISION.rows(
        ["yes" if one else "no" for one in gold], [{"no": 1 - one, "yes": one} for one in score]
    )
    return Difference(
        "area under the precision-recall curve of 0.8+, 0.6-, 0.4+, 0.2-",
        f"scikit-learn `auc` of the curve: {auc(recalled, found):.4f}",
        f"`average_precision` {float(AVERAGE_PRECISION.value(rows)):.4f}",
        "no threshold lies on straight lines between points (Davis and Goadrich 2006); average precision is step-wise",
    )


# ---------------------------------------------------------------------- a test that is sound, and one that is not


def false_positives(simulations: int) -> Difference:
    """Return how often two tests at 5 % find a difference between systems that are exchangeable."""
    rng = np.random.default_rng(0)
    metric, tables = bleu("none"), pool(np.random.default_rng(1))
    found = np.zeros(2)
    for _ in range(simulations):
        chosen = rng.integers(0, POOL, size=SEGMENTS)
        swap = rng.random(SEGMENTS) < 0.5
        first = np.where(swap[:, None], tables[0][chosen], tables[1][chosen])
        second = np.where(swap[:, None], tables[1][chosen], tables[0][chosen])
        found += (bootstrap_p(first, second, rng) < LEVEL, swapping_p(metric, first, second, rng) < LEVEL)
    theirs, ours = (share(count, simulations) for count in found)
    return Difference(
        f"false alarms at 5 %, BLEU of two equally good systems, {SEGMENTS} segments, {simulations:,} simulations",
        f"sacreBLEU `--paired-bs`: {theirs}",
        f"paired randomisation: {ours}",
        "it takes absolute differences before it centres the resamples; swapping whole segments is sound",
    )


def pool(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return BLEU statistics of two systems that err alike: the same share of words of a segment, drawn anew."""
    references, texts = [], ([], [])
    for _ in range(POOL):
        words = rng.integers(0, 5_000, size=rng.integers(8, 40))
        references.append(" ".join(map(str, words)))
        errors = rng.beta(2, 4)
        for side in texts:
            said = np.where(rng.random(len(words)) < errors, rng.integers(0, 5_000, size=len(words)), words)
            side.append(" ".join(map(str, said[: len(said) - rng.integers(0, 3)])))
    first, second = (bleu("none").rows(references, side).dense() for side in texts)
    return first, second


def bootstrap_p(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> float:
    """Return the p-value of sacreBLEU's own function, handed finished statistics."""
    peer: Any = BLEU()
    peer._extract_corpus_statistics = lambda *_: second.tolist()
    score = peer._compute_score_from_stats(first.sum(axis=0).tolist()).score
    known = {"BLEU": (first.tolist(), Result(score))}
    _, found = _paired_bs_test(
        known, "second", [""] * len(second), None, {"BLEU": peer}, RESAMPLES, -1, int(rng.integers(2**31))
    )
    return float(found["BLEU"].p_value)


def swapping_p(metric: Additive, first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> float:
    pairs = Pairs.of(Rows.of(first), Rows.of(second), None)
    (swaps,) = swapped_differences([metric], pairs, RESAMPLES, rng)
    return randomisation_p(float(metric.value(pairs.second) - metric.value(pairs.first)), swaps)


def share(count: float, number: int) -> str:
    """Return a share in per cent with twice its binomial standard error."""
    p = count / number
    return f"{100 * p:.1f} % (± {200 * np.sqrt(p * (1 - p) / number):.1f})"


if __name__ == "__main__":
    main()
