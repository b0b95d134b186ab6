"""What is too little to measure: few groups, rare labels, small slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from truetune.rows import Rows

LOW_SUPPORT = 10
"""Below this many gold examples a label's scores, and macro averages over it, are not to be relied on:
simulated coverage of 95 % intervals falls to about one half (see the documentation of the statistics)."""

FEWEST_GROUPS = 50
"""Below it intervals and tests by group cover, and hold their level, less often than they say."""

SMALL = 30
"""Below so many examples (or groups, where there are some) a slice is too small to measure: the interval of a
share is wider than 0.3 then, and what one slice seems to do better than another is mostly chance."""


def few_groups(number: int) -> tuple[str, ...]:
    """Warn of fewer than 50 groups; 0 says that there are none."""
    if not 0 < number < FEWEST_GROUPS:
        return ()
    return (f"only {number} groups: intervals and tests by group need about {FEWEST_GROUPS} to hold what they promise",)


def low_support(found: Sequence[Rows]) -> list[str]:
    """Warn of labels with too little gold; the second statistic of rows by label is the gold count."""
    low: dict[str, int] = {}
    for rows in found:
        if rows.labels:
            gold = zip(rows.labels, rows.totals()[1], strict=True)
            low.update((label, int(count)) for label, count in gold if count < LOW_SUPPORT)
    if not low:
        return []
    shown = ", ".join(f"{label} ({count or 'not in gold: misspelt?'})" for label, count in sorted(low.items())[:10])
    more = f" and {len(low) - 10} more" if len(low) > 10 else ""
    return [
        f"fewer than {LOW_SUPPORT} gold examples of {shown}{more}: their scores and macro averages are "
        "unreliable, and their intervals cover less often than they say"
    ]


def too_small(examples: int, groups: int | None) -> str:
    """Say that a slice is too small to measure; empty for one that is not."""
    units, kind = (examples, "example") if groups is None else (groups, "group")
    return f"{units} {kind}{'s' * (units != 1)}: too few to measure" if units < SMALL else ""


def small_slices(column: str, warnings: Mapping[str, str]) -> tuple[str, ...]:
    """Return one warning that names the slices that are too small, from what `too_small` says of each."""
    small = [f"{value} ({warning.partition(':')[0]})" for value, warning in warnings.items() if warning]
    if not small:
        return ()
    more = f" and {len(small) - 10} more" if len(small) > 10 else ""
    return (
        f"slices of {column} with fewer than {SMALL} examples or groups: {', '.join(small[:10])}{more}; they are "
        "too small to measure",
    )
