"""A run in Weights & Biases: without an account and a network it is written offline, for `wandb sync` later."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from truetune.tracking.trackers import Begin, Outcome, final_numbers, numbers_of


class WeightsAndBiases:
    """The `Tracker` of W&B; nothing is collected of machine, user, code or console."""

    def __init__(self, begin: Begin) -> None:
        import wandb

        begin.folder.mkdir(parents=True, exist_ok=True)
        settings = wandb.Settings(
            mode=mode(os.environ),
            silent=True,
            host="",
            console="off",
            disable_code=True,
            disable_git=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_disable_machine_info=True,
        )
        self._name = begin.name
        self._run = wandb.init(
            project=begin.project,
            name=begin.name,
            dir=str(begin.folder),
            config=dict(begin.config),
            settings=settings,
            reinit="create_new",
        )

    def event(self, event: Mapping[str, Any]) -> None:
        """Log the points of an event."""
        self._run.log(numbers_of(event), step=int(event["step"]))

    def finish(self, outcome: Outcome | None) -> None:
        """Log scores (summary and table), the report as a page, and the files as one artefact."""
        import wandb

        if outcome is not None:
            self._run.summary.update(final_numbers(outcome))
            keys = ("metric", "value", "low", "high", "examples", "signature")
            rows = [
                [system, *(score[key] for key in keys)] for system, scores in outcome.scores.items() for score in scores
            ]
            page = outcome.report.read_text(encoding="utf-8")
            columns: list[str | int] = ["system", *keys]
            table = wandb.Table(columns=columns, data=rows, allow_mixed_types=True)
            self._run.log({"scores": table, "report": wandb.Html(page, inject=False)})
            artefact = wandb.Artifact(f"run-{_plain(self._name)}", type="run")
            for file in (outcome.report, *outcome.files):
                artefact.add_file(str(file), name="/".join(file.parts[-2:]))
            self._run.log_artifact(artefact)
        self._run.finish(exit_code=0 if outcome is not None else 1)


def mode(environment: Mapping[str, str]) -> Any:
    """Return `WANDB_MODE`; without one online where there is a key, else offline."""
    return environment.get("WANDB_MODE") or ("online" if environment.get("WANDB_API_KEY") else "offline")


def _plain(name: str) -> str:
    """Return a name with what W&B takes in names of artefacts only."""
    return "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "-" for one in name)
