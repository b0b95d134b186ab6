"""False alarms, power and delay of the tests of live quality: of a file, of a stream, of labels that arrive.

    python benchmarks/drift_alarms.py file [--repetitions 400] [--seed 0]
    python benchmarks/drift_alarms.py stream [--repetitions 200]
    python benchmarks/drift_alarms.py labels [--repetitions 400]

prints the tables of docs/live.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from truetune.live.drift import drift
from truetune.live.features import Observed
from truetune.live.reference import counted, reference_of
from truetune.live.watch import DriftWatch, LabelWatch
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


REFERENCE, QUIET, CHANGED = 500, 2000, 3000
"""Examples of the reference; texts of a stream before something changes, and from then on."""


def stream_delay(change: dict[str, float], rng: np.random.Generator) -> tuple[bool, int | None]:
    """Return whether a stream raised an alarm before its change, and after how many texts behind it one was raised."""
    watch = DriftWatch(reference_of(world(REFERENCE, rng, {}), None))
    for one in world(QUIET, rng, {}):
        watch.seen(one)
    if watch.sequence.alarm is not None:
        return True, None
    for number, one in enumerate(world(CHANGED, rng, change), start=1):
        if watch.seen(one) and watch.sequence.alarm is not None:
            return False, number
    return False, None


def answers(number: int, rng: np.random.Generator, change: dict[str, float]) -> list[tuple[float, bool]]:
    """Return confidences and whether right: less often than said by `loss`; surer texts come more often by `shift`."""
    sure = _sigmoid(rng.normal(1.8 + change.get("shift", 0.0), 1.2, number))
    confidence = 0.5 + sure / 2
    right = rng.random(number) < confidence - change.get("loss", 0.0)
    return list(zip(confidence.tolist(), right.tolist(), strict=True))


LOSSES: dict[str, dict[str, float]] = {
    "none": {},
    "easier texts": {"shift": 1.0},
    "right less often by 0.05": {"loss": 0.05},
    "right less often by 0.1": {"loss": 0.1},
    "right less often by 0.2": {"loss": 0.2},
}


def label_delay(change: dict[str, float], rng: np.random.Generator) -> tuple[bool, int | None]:
    """Return the same of labels: whether there was an alarm before the change, and after how many labels behind it."""
    known = answers(REFERENCE, rng, {})
    reference = reference_of([{"confidence": one} for one, _ in known], [right for _, right in known])
    watch = LabelWatch(reference)
    for confidence, right in answers(QUIET, rng, {}):
        watch.seen(confidence, right)
    if watch.sequence.alarm is not None:
        return True, None
    for number, (confidence, right) in enumerate(answers(CHANGED, rng, change), start=1):
        if watch.seen(confidence, right) and watch.sequence.alarm is not None:
            return False, number
    return False, None


Delay = Callable[[dict[str, float], np.random.Generator], tuple[bool, int | None]]


def delay_table(changes: dict[str, dict[str, float]], delay: Delay, repetitions: int, seed: int) -> list[str]:
    """Return the lines of the table of delays, printed as they come."""
    lines = [
        "| change | streams | alarm before it | alarm after it | median delay | 90 % within |",
        "|---|---|---|---|---|---|",
    ]
    print(*lines, sep="\n")
    for name, change in changes.items():
        times = repetitions if not change or "shift" in change else max(repetitions // 5, 1)
        rng = np.random.default_rng([seed, list(changes).index(name)])
        found = [delay(change, rng) for _ in range(times)]
        before = sum(early for early, _ in found)
        delays = sorted(float("inf") if late is None else late for early, late in found if not early)
        after = sum(late < float("inf") for late in delays)
        middle, most = (delays[min(int(share * len(delays)), len(delays) - 1)] for share in (0.5, 0.9))
        told = [f"{one:,.0f}" if one < float("inf") else "none" for one in (middle, most)]
        lines.append(f"| {name} | {times} | {before} | {after} | {told[0]} | {told[1]} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Simulate false alarms and power of drift tests.")
    parser.add_argument("test", choices=("file", "stream", "labels"))
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.test == "file":
        file_table(given.repetitions, given.seed)
    else:
        changes, delay = (CHANGES, stream_delay) if given.test == "stream" else (LOSSES, label_delay)
        delay_table(changes, delay, given.repetitions, given.seed)


if __name__ == "__main__":
    main()
