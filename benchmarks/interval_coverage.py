"""Coverage of the intervals and error rates of the tests, by simulation from populations whose truth is known.

    python benchmarks/interval_coverage.py coverage.md [--repetitions 4000] [--resamples 2000] [--seed 0]
    python benchmarks/interval_coverage.py --paired [--repetitions 4000] [--resamples 2000] [--seed 0] [--only BLEU]

prints the tables and writes them as Markdown; with `--paired` it prints the table of paired tests alone, and
with `--only` of that its rows of one metric. A row is the same whatever rows are printed beside it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from populations import ACCURACY, KINDS, population

from truetune.rows import Rows
from truetune.stats.intervals import intervals
from truetune.stats.paired import paired
from truetune.stats.plan import Plan
from truetune.stats.power import margin_test


@dataclass(frozen=True)
class Cell:
    """One line of a table: what is drawn, and how much of it."""

    kind: str
    units: int
    grouped: bool = False
    ease: float = 0.0
    promised: bool = True
    """Whether the sample is large enough for the promise of the documentation to hold."""

    @property
    def name(self) -> str:
        """The first column of the tables."""
        return f"{self.kind}, {self.units:,} {'groups' if self.grouped else 'examples'}"

    def generator(self, seed: int) -> np.random.Generator:
        """Return a generator of this cell's own."""
        number = list(KINDS).index(self.kind)
        return np.random.default_rng([seed, number, self.units, int(self.grouped), round(100 * self.ease)])


COVERAGE = (
    Cell("macro-F1", 300),
    Cell("macro-F1", 1000),
    Cell("macro-F1", 300, ease=0.8),
    Cell("span F1", 300),
    Cell("span F1", 300, ease=1.5),
    Cell("AUC", 300),
    Cell("AUC", 300, ease=1.5),
    Cell("AUC of label pairs", 300),
    Cell("AUC of label pairs", 300, ease=1.5),
    Cell("average precision", 300),
    Cell("BLEU", 300),
    Cell("nDCG", 300),
    Cell("nDCG", 300, ease=1.0),
    Cell("accuracy", 100, grouped=True),
    Cell("accuracy", 100, grouped=True, ease=0.8),
    Cell("macro-F1", 100, grouped=True),
    Cell("span F1", 100, grouped=True),
    Cell("span F1", 100, grouped=True, ease=1.0),
    Cell("AUC", 100, grouped=True),
    Cell("AUC of label pairs", 100, grouped=True),
    Cell("average precision", 100, grouped=True),
    Cell("BLEU", 100, grouped=True),
    Cell("nDCG", 100, grouped=True),
    Cell("novelty", 300),
    Cell("diversity", 300),
    Cell("diversity", 300, ease=1.0),
    Cell("embedding similarity", 300),
    Cell("embedding similarity", 300, ease=1.0),
    Cell("novelty", 100, grouped=True),
    Cell("diversity", 100, grouped=True),
    Cell("embedding similarity", 100, grouped=True),
    Cell("span F1", 50, grouped=True, promised=False),
    Cell("span F1", 20, grouped=True, promised=False),
    Cell("macro-F1", 50, promised=False),
    Cell("nDCG", 20, promised=False),
    Cell("novelty", 20, promised=False),
    Cell("diversity", 20, promised=False),
    Cell("embedding similarity", 20, promised=False),
    Cell("AUC", 50, promised=False),
    Cell("macro-F1, 1 % class", 100, promised=False),
)
PAIRED = (
    Cell("accuracy", 300, ease=0.15),
    Cell("macro-F1", 300, ease=0.15),
    Cell("span F1", 300, ease=0.15),
    Cell("AUC", 300, ease=0.15),
    Cell("AUC of label pairs", 300, ease=0.15),
    Cell("average precision", 300, ease=0.15),
    Cell("BLEU", 300, ease=0.15),
    Cell("nDCG", 300, ease=0.15),
    Cell("accuracy", 100, grouped=True, ease=0.1),
    Cell("macro-F1", 100, grouped=True, ease=0.1),
    Cell("span F1", 100, grouped=True, ease=0.1),
    Cell("AUC", 100, grouped=True, ease=0.1),
    Cell("average precision", 100, grouped=True, ease=0.1),
    Cell("BLEU", 100, grouped=True, ease=0.1),
    Cell("nDCG", 100, grouped=True, ease=0.1),
)


@dataclass(frozen=True)
class Setup:
    """How much is simulated."""

    repetitions: int = 4000
    resamples: int = 2000
    seed: int = 0

    def band(self, share: float) -> float:
        """Half the width of the 95 % band that a share of the repetitions has by chance."""
        return 1.96 * float(np.sqrt(share * (1 - share) / self.repetitions))


@dataclass(frozen=True)
class Covered:
    """How often intervals contained the truth, and on which side they missed it."""

    truth: float
    inside: float
    below: float
    """Share of intervals that lay wholly below the truth."""
    above: float
    undefined: float
    width: float
    method: str


def covered(cell: Cell, setup: Setup) -> Covered:
    """Draw test sets and count how often their intervals contain the truth."""
    rng = cell.generator(setup.seed)
    source = population(cell.kind, [cell.ease], rng, grouped=cell.grouped)
    (truth,) = source.truths
    found, methods = np.empty((setup.repetitions, 2)), Counter[str]()
    for repetition in range(setup.repetitions):
        (rows,), groups = source.sample(cell.units, rng)
        plan = Plan(resamples=setup.resamples, seed=repetition)
        (interval,) = intervals([source.metric], rows, groups=groups, plan=plan)
        found[repetition] = interval.low, interval.high
        methods[interval.method.partition(",")[0]] += 1
    low, high = found.T
    return Covered(
        truth=truth,
        inside=float(np.mean((low <= truth) & (truth <= high))),
        below=float(np.mean(high < truth)),
        above=float(np.mean(low > truth)),
        undefined=float(np.mean(np.isnan(low))),
        width=float(np.nanmean(high - low)),
        method=methods.most_common(1)[0][0],
    )


@dataclass(frozen=True)
class Tested:
    """How often a paired test rejected: where nothing is true, and where something is."""

    false_positives: float
    power: float
    covered: float
    margin_errors: float
    """How often a system that is worse by exactly the margin was shown not to be."""
    difference: float
    detectable: float
    method: str


def tested(cell: Cell, setup: Setup) -> Tested:
    """Draw pairs of systems under an exchangeable null, and with a true difference."""
    rng = cell.generator(setup.seed + 1)
    source = population(cell.kind, [0.0, cell.ease], rng, grouped=cell.grouped)
    worse, better = source.truths
    truth = better - worse
    found = np.empty((setup.repetitions, 5))
    for repetition in range(setup.repetitions):
        plan = Plan(resamples=setup.resamples, seed=repetition)
        first, second, groups = source.exchangeable(cell.units, rng)
        (null,) = paired([source.metric], first, second, groups=groups, plan=plan)
        (one, other), groups = source.sample(cell.units, rng)
        (real,) = paired([source.metric], one, other, groups=groups, plan=plan)
        against = margin_test(-real.difference, -real.high, -real.low, margin=truth, better="higher", plan=plan)
        inside = real.low <= truth <= real.high
        found[repetition] = null.p_value, real.p_value, inside, against.not_worse, real.detectable
    return Tested(
        false_positives=float(np.mean(found[:, 0] <= 0.05)),
        power=float(np.mean(found[:, 1] <= 0.05)),
        covered=float(np.mean(found[:, 2])),
        margin_errors=float(np.mean(found[:, 3] <= 0.05)),
        difference=truth,
        detectable=float(np.mean(found[:, 4])),
        method=real.method.partition(",")[0].partition(";")[0],
    )


def exact_accuracy_coverage(examples: int, share: float) -> float:
    """Return the exact coverage of the accuracy interval: every number of hits, weighed by its probability."""
    from scipy import stats

    hits = np.arange(examples + 1)
    probable = stats.binom.pmf(hits, examples, share)
    table = np.array([[1, 1], [0, 1]])
    inside = np.zeros(examples + 1)
    for right in hits[probable > 1e-12]:
        rows = Rows(table, (np.arange(examples) >= right).astype(np.int64))
        (interval,) = intervals([ACCURACY], rows)
        inside[right] = interval.low <= share <= interval.high
    return float(probable @ inside)


def wilson_coverage(examples: int, share: float) -> float:
    """Return the exact coverage of Wilson's interval as statsmodels computes it."""
    from scipy import stats
    from statsmodels.stats.proportion import proportion_confint

    hits = np.arange(examples + 1)
    low, high = proportion_confint(hits, examples, method="wilson")
    return float(stats.binom.pmf(hits, examples, share) @ ((low <= share) & (share <= high)))


def accuracy_table() -> list[str]:
    lines = ["| examples | accuracy | coverage | Wilson, exact |", "|---|---|---|---|"]
    for examples in (50, 100, 300, 1000, 5000):
        for share in (0.5, 0.8, 0.9, 0.95, 0.98):
            ours, exact = exact_accuracy_coverage(examples, share), wilson_coverage(examples, share)
            lines.append(f"| {examples:,} | {share:.2f} | {ours:.4f} | {exact:.4f} |")
    return lines


def coverage_table(cells: tuple[Cell, ...], setup: Setup) -> list[str]:
    lines = [
        "| metric and sample | true value | coverage | truth above | truth below | mean width | method |",
        "|---|---|---|---|---|---|---|",
    ]
    for cell in cells:
        found = covered(cell, setup)
        lines.append(
            f"| {cell.name} | {found.truth:.3f} | {found.inside:.3f} | {found.below:.3f} | {found.above:.3f} "
            f"| {found.width:.3f} | {found.method} |"
        )
        print(lines[-1], flush=True)
    return lines


def paired_table(cells: tuple[Cell, ...], setup: Setup) -> list[str]:
    lines = [
        "| metric and sample | false positives | power | true difference | detectable | coverage "
        "| not-worse errors | test |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print(*lines, sep="\n")
    for cell in cells:
        found = tested(cell, setup)
        lines.append(
            f"| {cell.name} | {found.false_positives:.3f} | {found.power:.3f} | {found.difference:.3f} "
            f"| {found.detectable:.3f} | {found.covered:.3f} | {found.margin_errors:.3f} | {found.method} |"
        )
        print(lines[-1], flush=True)
    return lines


def page(setup: Setup) -> str:
    """Return the whole page: what was simulated, and the tables."""
    promised = tuple(cell for cell in COVERAGE if cell.promised)
    small = tuple(cell for cell in COVERAGE if not cell.promised)
    much = f"{setup.repetitions:,} test sets a line, {setup.resamples:,} resamples each, seed {setup.seed}; "
    parts = [
        "# Coverage of the intervals, error rates of the tests",
        f"Written by `benchmarks/interval_coverage.py`. Nominal: 95 % intervals, 5 % tests. {much}by chance alone a "
        f"true share of 95 % shows as 95 % ± {setup.band(0.95):.1%}, one of 5 % as 5 % ± {setup.band(0.05):.1%}.",
        "Test sets are drawn with replacement from populations of 40,000 examples whose value is known "
        "(`benchmarks/populations.py`); groups have 1 to some 30 examples, 10 on average, and share 30 % of the "
        "variance of hardness.",
        "## Accuracy: exact coverage, no simulation",
        "\n".join(accuracy_table()),
        "## Intervals",
        "\n".join(coverage_table(promised, setup)),
        "## Where the sample is too small",
        "Few groups, few examples, or a class of which a test set holds about one example. No method covers the "
        "last; the score carries a warning.",
        "\n".join(coverage_table(small, setup)),
        "## Paired tests",
        "False positives: each example's (or group's) two outputs are swapped by a fair coin, so that the systems are "
        "exchangeable. Power and coverage: with the true difference given. Not-worse errors: the margin is the true "
        "loss, and the test should find `not worse` in at most 5 %.",
        "\n".join(paired_table(PAIRED, setup)),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate coverage and error rates; write them as Markdown.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("output", nargs="?", type=Path)
    what.add_argument("--paired", action="store_true")
    parser.add_argument("--repetitions", type=int, default=4000)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=sorted({cell.kind for cell in PAIRED}), metavar="METRIC")
    given = parser.parse_args()
    setup = Setup(given.repetitions, given.resamples, given.seed)
    if given.paired:
        paired_table(tuple(cell for cell in PAIRED if given.only in (None, cell.kind)), setup)
        return
    if given.only:
        parser.error("--only goes with --paired")
    text = page(setup)
    given.output.write_text(text, encoding="utf-8")
    print(f"written to {given.output}")


if __name__ == "__main__":
    main()
