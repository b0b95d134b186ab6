"""How a run begins, whatever it trains: its settings, its folder, its model; on resume the folder that is there."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from truetune import config as configs
from truetune.bundle.run_folder import RunFolder, latest_run, new_run
from truetune.config import Config
from truetune.errors import ConfigError, TruetuneError
from truetune.files import whole_folder, write_json, write_text
from truetune.tasks.table import TASKS
from truetune.workflows.manifest import now
from truetune.workflows.model import model_place
from truetune.workflows.progress import Progress

CHOSEN, STARTED = "machine.json", "started.json"
"""What was chosen for this machine, kept on resume; when the run began."""


@contextlib.contextmanager
def nothing_left_of(run: RunFolder) -> Iterator[None]:
    """Remove the run's folder where its data or its model cannot be used: there is nothing in it to go on from."""
    prepared_before = run.facts.is_file()
    try:
        yield
    except TruetuneError:
        if not prepared_before:
            shutil.rmtree(run.path, ignore_errors=True)
        raise


def settings_from(config: Config | Mapping[str, Any] | str | Path) -> Config:
    """Return the settings that a file, nested values or a `Config` hold."""
    if isinstance(config, Config):
        return config
    return configs.from_settings(config) if isinstance(config, Mapping) else configs.load(config, tasks=TASKS)


def started(settings: Config, name: str, resume: bool) -> RunFolder:
    """Return the folder of a new run, with its settings in it, or, to `resume`, that of the interrupted one.

    Raises `ConfigError` where that one has other settings.
    """
    output = Path(settings.track.output)
    if not resume:
        run = new_run(output, name)
        # The folder appears with its config in it, so that a run that was killed at once can be found and resumed.
        with whole_folder(run.path) as folder:
            write_json(folder / STARTED, {"at": now()})
            write_text(RunFolder(folder).config, configs.to_yaml(settings))
        return run
    run = latest_run(output, name)
    before_kill = configs.load(run.config)
    if before_kill != settings:
        raise ConfigError(
            f"{run.config}: the interrupted run has other settings ({_differing(before_kill, settings)}); resume with "
            "those, or start a new run without --resume"
        )
    return run


def _differing(first: Config, second: Config) -> str:
    one, other = first.model_dump(), second.model_dump()
    keys = [
        f"{group}.{key}" if isinstance(one[group], dict) else group
        for group in one
        for key in (one[group] if isinstance(one[group], dict) else [""])
        if (one[group][key] != other[group][key] if key else one[group] != other[group])
    ]
    return ", ".join(keys)


def found_model(settings: Config, progress: Progress) -> str:
    """Return where the model is loaded from; a misspelt name is told before any data is read."""
    from truetune.backbones.pretrained import ensure_found

    place = model_place(settings.model.name, progress)
    ensure_found(place)
    return place


def base_name(name: str) -> str:
    """Return what the pretrained model is called: of a folder its own name, not where it lay."""
    return Path(name).resolve().name if Path(name).is_dir() else name
