"""Two models compared at any time: errors when one looks after every label, and power beside the test of a fixed size.

    python benchmarks/live_compare.py [--repetitions 1000] [--labels 2000] [--seed 0]

prints the tables of docs/live.md.
"""

from __future__ import annotations

import argparse
from math import log

import numpy as np

from truetune.stats.binomial import mcnemar_mid_p
from truetune.stats.sequences import discordant_log_e
from truetune.stats.two_arms import TwoArms

LEVEL = 0.05
LOOK = 20
"""Labels between two looks of one who tests again and again with the test of a fixed size."""
PAIRS = {
    "equal, 10 % discordant": (0.05, 0.05),
    "equal, 40 % discordant": (0.2, 0.2),
    "better by 0.02": (0.06, 0.04),
    "better by 0.05": (0.08, 0.03),
    "better by 0.1": (0.13, 0.03),
}
"""Chances that only the second model is right, and only the first."""
ARMS = {
    "equal, 0.9": (0.9, 0.9),
    "equal, 0.6": (0.6, 0.6),
    "better by 0.05": (0.85, 0.9),
    "better by 0.1": (0.8, 0.9),
}
"""Shares of right answers of the first and of the second model, which answers a tenth of the labelled texts."""


def pairs(chances: tuple[float, float], labels: int, rng: np.random.Generator) -> tuple[int | None, bool, bool]:
    """Return after how many labels a difference is shown; whether the fixed test shows it at the end; at any look."""
    drawn = rng.choice(3, size=labels, p=[*chances, 1 - sum(chances)])
    gained, lost = (np.cumsum(drawn == one).tolist() for one in (0, 1))
    shown = next(
        (n + 1 for n in np.flatnonzero(drawn < 2).tolist() if discordant_log_e(gained[n], lost[n]) >= log(1 / LEVEL)),
        None,
    )
    looks = [mcnemar_mid_p(gained[n], lost[n]) <= LEVEL for n in range(LOOK - 1, labels, LOOK)]
    return shown, looks[-1], any(looks)


def arms(shares: tuple[float, float], labels: int, rng: np.random.Generator) -> tuple[int | None, bool, bool]:
    """Return the same of an A/B comparison; the fixed test is the one of two proportions."""
    second = rng.random(labels) < 0.1
    right = rng.random(labels) < np.where(second, shares[1], shares[0])
    hits, trials = (np.cumsum([(~second) & one, second & one], axis=1).T.tolist() for one in (right, right | True))
    shown, looks, both = None, [], TwoArms()
    for n in range(labels):
        (a, b), (at, bt) = hits[n], trials[n]
        if shown is None and both.after(bool(second[n]), bool(right[n])) >= log(1 / LEVEL):
            shown = n + 1
        if (n + 1) % LOOK == 0 and at and bt:
            looks.append(_proportions_differ((a, at), (b, bt)))
    return shown, looks[-1], any(looks)


def _proportions_differ(first: tuple[int, int], second: tuple[int, int]) -> bool:
    share = (first[0] + second[0]) / (first[1] + second[1])
    spread = share * (1 - share) * (1 / first[1] + 1 / second[1])
    return bool(spread > 0 and abs(first[0] / first[1] - second[0] / second[1]) > 1.959964 * spread**0.5)


def table(repetitions: int, labels: int, seed: int, only: str | None = None) -> list[str]:
    """Return the lines of the table, printed as they come."""
    lines = [
        f"| models | shown, looking after every label | median labels | fixed test at {labels:,} | "
        f"fixed test, looked at every {LOOK} |",
        "|---|---|---|---|---|",
    ]
    print(*lines, sep="\n")
    for kind, cells, draw in (("pairs", PAIRS, pairs), ("A/B", ARMS, arms)):
        if only not in (None, kind):
            continue
        for place, (name, chances) in enumerate(cells.items()):
            rng = np.random.default_rng([seed, kind == "pairs", place])
            found = [draw(chances, labels, rng) for _ in range(repetitions)]
            times = sorted(one for one, _, _ in found if one is not None)
            middle = f"{times[len(times) // 2]:,}" if times and len(times) * 2 >= repetitions else "none"
            shares = [np.mean([one[at] for one in found]) for at in (1, 2)]
            ever = len(times) / repetitions
            lines.append(f"| {kind}: {name} | {ever:.3f} | {middle} | {shares[0]:.3f} | {shares[1]:.3f} |")
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Simulate comparisons of two live models.")
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("pairs", "A/B"))
    given = parser.parse_args()
    table(given.repetitions, given.labels, given.seed, given.only)


if __name__ == "__main__":
    main()
