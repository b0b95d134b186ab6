"""The settings of what is written where."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from truetune.config.group import Group


class Track(Group):
    """Where the run is written."""

    output: str = Field(default="runs", description="Folder that holds run folders")
    name: str | None = Field(default=None, description="Name of the run folder; the config file's name when absent")
    language: Literal["en", "zh"] = Field(default="en", description="Language of the report")
    to: list[Literal["tensorboard", "wandb", "mlflow"]] = Field(
        default=[], description="Where the run is followed besides its folder"
    )
    project: str = Field(default="truetune", description="What trackers call the project (MLflow: the experiment)")
