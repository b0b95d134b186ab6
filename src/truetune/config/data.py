"""The settings of where examples come from."""

from __future__ import annotations

from pydantic import Field, model_validator

from truetune.config.group import Fraction, Group


class Data(Group):
    """Where labelled examples come from and how they are split."""

    source: str | None = Field(default=None, description="One file, folder, `hub:NAME` or `builtin:NAME` to be split")
    train: str | None = Field(default=None, description="A training file, where the split is given")
    validation: str | None = Field(default=None, description="A validation file; made from train when absent")
    test: str | None = Field(default=None, description="A test file; made from train when absent")
    documents: str | None = Field(
        default=None, description="Rankings: a file of further documents (or replies) that are ranked too"
    )
    format: str | None = Field(default=None, description="File format; found from name and content when absent")
    encoding: str | None = Field(default=None, description="Text encoding; detected when absent")
    columns: dict[str, str | list[str]] = Field(
        default={}, description="Field of the task -> column of the file, or columns that become one text"
    )
    group: str | None = Field(
        default=None, description="Column whose equal values stay in one part (document, user, dialogue)"
    )
    labels: list[str] | None = Field(default=None, description="The labels that may occur; any other is an error")
    validation_share: Fraction = Field(default=0.1, description="Share of examples for validation, when it is made")
    test_share: Fraction = Field(default=0.2, description="Share of examples for the test part, when it is made")
    split_seed: int = Field(default=0, description="Seed of the split")
    drop_duplicates: bool = Field(default=True, description="Drop texts equal after normalisation, before splitting")
    limit: int | None = Field(
        default=None, gt=0, description="Train and split at most this many examples, drawn by content"
    )

    per_label: int | None = Field(
        default=None, gt=1, description="Train on at most this many examples of each label, drawn by content"
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Data:
        if (self.source is None) == (self.train is None):
            raise ValueError("give either `source` (one file to split) or `train` (with `validation` and `test`)")
        if self.source is not None and (self.validation or self.test):
            raise ValueError("`validation` and `test` go with `train`; with `source` they are made")
        if self.validation_share + self.test_share >= 1:
            raise ValueError("`validation_share` + `test_share` must stay below 1")
        return self
