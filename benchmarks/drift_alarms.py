"""False alarms and power of drift tests against a reference: of a file, once.

    python benchmarks/drift_alarms.py file [--repetitions 1000] [--seed 0]

prints the tables of docs/live.md.
"""

from __future__ import annotations

import argparse

import numpy as np

from truetune.live.drift import drift
from truetune.live.features import Observed
from truetune.live.reference import counted, reference_of
from truetune.types import Floats

LEVEL = 0.05
LABELS = np.array([f"label {place}" for place in range(6)])
CHANGES: dict[str, dict[str, float]] = {
    "none": {},
    "labels: every fourth example another's": {"label": 0.25},
    "texts a third longer": {"characters": 0.3},
    "one text in ten of another language": {"foreign": 0.1},
    "all texts of another language": {"foreign": 1.0},
}
"""What changes -> how much of it."""


def world(number: int, rng: np.random.Generator, change: dict[str, float]) -> list[Observed]:
    """Return examples whose features depend on each other as those of texts do.

    Labels are as unequal as usual, long texts are surer, foreign texts fall into unknown and short pieces.
    """
    shares = np.array([0.45, 0.25, 0.15, 0.1, 0.04, 0.01])
    other = rng.random(number) < change.get("label", 0.0)
    labels = np.where(other, 4, rng.choice(6, size=number, p=shares))
    foreign = rng.random(number) < change.get("foreign", 0.0)
    characters = np.maximum(1, np.exp(rng.normal(4.5 + change.get("characters", 0.0), 0.7, number)).round())
    sure = _sigmoid(rng.normal(2.2 + 0.2 * (np.log(characters) - 4.5) - 1.5 * foreign, 1.5))
    unknown = np.where(
        foreign, rng.beta(5, 5, number), np.where(rng.random(number) < 0.9, 0.0, rng.beta(1, 40, number))
    )
    density = np.where(foreign, rng.normal(1.2, 0.1, number), rng.normal(4.2, 0.4, number))
    return [
        {
            "label": str(LABELS[labels[place]]),
            "confidence": float(sure[place]),
            "characters": float(characters[place]),
            "unknown": float(unknown[place]),
            "characters a piece": float(density[place]),
            "script": "Chinese" if foreign[place] else "Latin",
        }
        for place in range(number)
    ]


def _sigmoid(values: Floats) -> Floats:
    shares: Floats = 1 / (1 + np.exp(-values))
    return shares


def alarms(change: dict[str, float], sizes: tuple[int, int], repetitions: int, rng: np.random.Generator) -> float:
    """Return the share of repetitions in which a file's drift is shown; `sizes` of reference and file."""
    shown = 0
    for _ in range(repetitions):
        reference = reference_of(world(sizes[0], rng, {}), None)
        seen = world(sizes[1], rng, change)
        shown += drift(reference, counted(seen), sizes[1], LEVEL, rng).shown
    return shown / repetitions


def file_table(repetitions: int, seed: int) -> list[str]:
    """Return the lines of the table of a file's test, printed as they come."""
    sizes = ((200, 100), (500, 500), (2000, 200))
    lines = [f"| change | {' | '.join(f'{one:,} and {other:,}' for one, other in sizes)} |", "|---|---|---|---|"]
    print(*lines, sep="\n")
    for name, change in CHANGES.items():
        times = repetitions if not change else max(repetitions // 5, 1)
        rng = np.random.default_rng([seed, list(CHANGES).index(name)])
        found = [f"{alarms(change, one, times, rng):.3f}" for one in sizes]
        lines.append(f"| {name} | {' | '.join(found)} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Simulate false alarms and power of drift tests.")
    parser.add_argument("test", choices=("file",))
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    file_table(given.repetitions, given.seed)


if __name__ == "__main__":
    main()
