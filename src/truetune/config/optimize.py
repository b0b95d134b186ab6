"""The settings of the search."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from truetune.config.group import Group


class Optimize(Group):
    """How `truetune optimize` searches; `finetune` does not read it."""

    trials: int = Field(default=50, gt=0, description="At most so many trials, the config itself among them")
    minutes: Annotated[float, Field(gt=0)] = Field(default=30.0, description="Of training, confirmation included")
    sampler: Literal["tpe", "cma-es", "random"] = Field(default="tpe", description="What proposes trials")
    space: dict[str, Any] = Field(
        default={}, description="Setting -> list of values, or low, high and log; default: what recipes vary"
    )
    diagnosis: str | None = Field(
        default=None,
        description="A run with a diagnosis whose moves are tried first; default: that of this config, if any",
    )
    margin: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="A trial must be able to lead the best by more than this, or it is stopped"
    )
    risk: Annotated[float, Field(ge=0, lt=0.5)] = Field(
        default=0.1, description="A trial is stopped where its chance of that is below this; 0: no trial is stopped"
    )
    storage: str | None = Field(
        default=None,
        description="A database that many processes share (postgresql://HOST/DATABASE); default: the search's folder",
    )
    objectives: list[Literal["score", "latency", "size"]] = Field(
        default=["score"],
        description="What counts: the score, and what is to be small beside it, the most important first",
    )
    give: Annotated[float, Field(ge=0)] = Field(
        default=0.01, description="How much of the score may be given for less latency or size, in units of the metric"
    )
    finalists: int = Field(default=3, gt=0, description="How many trials are trained again to confirm them")
    seeds: int = Field(default=3, ge=2, description="With how many seeds")

    @field_validator("storage")
    @classmethod
    def _without_password(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"\w+(\+\w+)?://", value):
            raise ValueError(f"expected the address of a database, such as postgresql://HOST/DATABASE, found {value!r}")
        if value is not None and re.match(r"[^/]+://[^/@]*:[^/@]*@", value):
            raise ValueError(
                "the address has a password in it, and configs are written into runs and logs; leave it out and set "
                "PGPASSWORD, or put it into ~/.pgpass"
            )
        return value

    @field_validator("objectives")
    @classmethod
    def _score_among_them(cls, value: list[str]) -> list[str]:
        if "score" not in value or len(set(value)) < len(value):
            raise ValueError(f"expected score, and latency and size at most once each, found {', '.join(value)}")
        return value
