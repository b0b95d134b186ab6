"""What a comparison could have shown: detectable differences, tests against a margin, the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from truetune.errors import MetricError
from truetune.stats.adjust import bonferroni, holm
from truetune.stats.plan import Plan
from truetune.stats.quantiles import normal_below, normal_quantile, t_quantile
from truetune.types import Better, Verdict

POWER = 0.8


def detectable(standard_error: float, plan: Plan, degrees: float = float("inf")) -> float:
    """Return the true difference that a two-sided test shows with 80 % power: about 2.8 standard errors."""
    return (t_quantile(plan.tail, degrees) + t_quantile(POWER, degrees)) * standard_error


def least_detectable(trials: float, plan: Plan) -> float:
    """Return the smallest share of changed examples that a test can show with 80 % power, all for the better.

    A difference needs at least as many changed examples as it is large, and their number varies by its
    square root: difference = 2.8 * sqrt(difference / trials).
    """
    return min(1.0, (normal_quantile(plan.tail) + normal_quantile(POWER)) ** 2 / trials)


@dataclass(frozen=True, slots=True)
class MarginTest:
    """One-sided p-values of a difference against a margin."""

    not_worse: float
    """Of being worse by the margin or more: small where the candidate is shown not to be (non-inferiority)."""
    equivalent: float
    """Of differing by the margin or more either way: the larger of the two one-sided p-values (TOST)."""


def margin_test(difference: float, low: float, high: float, *, margin: float, better: Better, plan: Plan) -> MarginTest:
    """Test a difference (candidate less baseline) against `margin`, in the units of the metric.

    `low` and `high` are the interval of the difference at `plan.level`. Its two sides give each side's
    standard error, so that the test has the interval's skew and is never certain of systems that merely
    agree on a few examples. NaN where there is no interval. (Schuirmann 1987 for the two tests.)
    """
    if not (margin > 0 and isfinite(margin)):
        raise MetricError(f"margin is {margin}; expected a positive number in the units of the metric")
    if not (isfinite(low) and isfinite(high) and isfinite(difference)):
        return MarginTest(float("nan"), float("nan"))
    reach = normal_quantile(plan.tail)
    above = normal_below(-_steps(difference + margin, difference - low) * reach)
    below = normal_below(-_steps(margin - difference, high - difference) * reach)
    return MarginTest(above if better == "higher" else below, max(above, below))


def adjusted_margins(tests: Sequence[MarginTest], families: int = 1) -> list[MarginTest]:
    """Return the margin tests of several candidates adjusted by Holm's method, each kind over the candidates.

    With several `families`, of which these tests are one, by Bonferroni's inequality over them too.
    """
    not_worse = bonferroni(holm([test.not_worse for test in tests]), families)
    equivalent = bonferroni(holm([test.equivalent for test in tests]), families)
    return [MarginTest(*both) for both in zip(not_worse, equivalent, strict=True)]


def _steps(distance: float, half: float) -> float:
    """Return how many half-widths of the interval fit into a distance."""
    if half > 0:
        return distance / half
    return 0.0 if distance <= 0 else float("inf")


def verdict(
    difference: float, p_value: float, *, better: Better, plan: Plan, margin: MarginTest | None = None
) -> Verdict:
    """Return the verdict in words, from p-values alone.

    `difference` is candidate less baseline. With a margin the question is another one: `equivalent` and
    `not worse` are shown or `not shown`. An undefined p-value shows nothing.
    """
    if margin is not None:
        if margin.equivalent <= plan.alpha:
            return "equivalent"
        return "not worse" if margin.not_worse <= plan.alpha else "not shown"
    if not p_value <= plan.alpha or difference == 0:
        return "no difference found"
    return "better" if (difference > 0) == (better == "higher") else "worse"
