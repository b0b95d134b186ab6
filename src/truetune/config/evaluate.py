"""The settings of evaluation."""

from __future__ import annotations

from pydantic import Field

from truetune.config.group import Fraction, Group


class Evaluate(Group):
    """How sure the numbers say they are."""

    metric: str | None = Field(default=None, description="What decides the verdict; default: the primary metric")
    baselines: list[str] | None = Field(default=None, description="Which baselines to fit; default: all of the task")
    level: Fraction = Field(default=0.95, description="Confidence level of intervals")
    resamples: int = Field(default=10_000, ge=100, description="Resamples of bootstrap and randomisation")
    seed: int = Field(default=0, description="Seed of resampling")
