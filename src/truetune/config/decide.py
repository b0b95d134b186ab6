"""The settings of what is made of probabilities."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from truetune.config.group import Fraction, Group


class Decide(Group):
    """What is made of the probabilities of labels, fitted on validation and stored with the model."""

    calibrate: Literal["none", "temperature", "platt", "isotonic"] = Field(
        default="none", description="Map probabilities to ones that are right as often as they say"
    )
    threshold: Literal["metric", "f1", "cost", "precision", "recall"] = Field(
        default="metric",
        description="What says a label: metric: the most probable, of several labels a text those above the threshold "
        "with the best validation score; else thresholds by F1, by `costs`, or by a `floor` of precision or recall",
    )
    label: str | None = Field(
        default=None, description="Of one label a text: the label whose threshold is chosen (f1, precision, recall)"
    )
    floor: Fraction | None = Field(default=None, description="Least precision or recall of the label, or of each")
    costs: dict[str, dict[str, Annotated[float, Field(ge=0)]]] = Field(
        default={},
        description="Gold label -> said label -> cost; 0 where right, else 1, where nothing is said. "
        "Of several labels a text: label -> `missed`, `false` -> cost",
    )
    abstain: Literal["none", "coverage", "risk"] = Field(
        default="none", description="Leave unsure texts to people: answer a share of all, or as many as `risk` allows"
    )
    coverage: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="Share of texts that is answered, for `abstain: coverage`"
    )
    risk: Fraction | None = Field(
        default=None, description="Largest share of wrong ones among the answered, for `abstain: risk`"
    )
    sure: Fraction | None = Field(
        default=None,
        description="With which probability `floor` and `risk` hold for new texts; absent: they hold on validation",
    )
    conformal: Literal["none", "lac", "aps", "fnr"] = Field(
        default="none",
        description="Prediction sets that hold the right label as often as `level` says. Of several labels a text: "
        "lac: all of them as often as that, fnr: that share of them on average",
    )
    level: Fraction = Field(default=0.9, description="Promised coverage of the prediction sets")
    each_label: bool = Field(default=False, description="Promise the level of the sets for the texts of each label too")

    @model_validator(mode="after")
    def _together(self) -> Decide:
        needs = {
            "floor": ("threshold", self.threshold in ("precision", "recall"), self.floor is not None),
            "costs": ("threshold", self.threshold == "cost", bool(self.costs)),
            "coverage": ("abstain", self.abstain == "coverage", self.coverage is not None),
            "risk": ("abstain", self.abstain == "risk", self.risk is not None),
        }
        for name, (by, needed, given) in needs.items():
            if needed and not given:
                raise ValueError(f"`{by}: {getattr(self, by)}` needs `{name}`")
            if given and not needed:
                raise ValueError(f"`{name}` is given, but `{by}: {getattr(self, by)}` does not read it")
        if self.sure is not None and self.floor is None and self.risk is None:
            raise ValueError("`sure` goes with `floor` or `risk`")
        if self.each_label and self.conformal not in ("lac", "aps"):
            raise ValueError(f"`each_label` goes with `conformal: lac` or `aps`, not with `{self.conformal}`")
        if self.label is not None and self.threshold not in ("f1", "precision", "recall"):
            raise ValueError(f"`label` is given, but `threshold: {self.threshold}` does not read it")
        return self

    @property
    def nothing(self) -> bool:
        """Whether the model answers as it is."""
        return (self.calibrate, self.threshold, self.abstain, self.conformal) == ("none", "metric", "none", "none")
