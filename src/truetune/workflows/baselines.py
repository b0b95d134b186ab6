"""The stage before fine-tuning: the honest baselines, tuned on validation, scored on the test part.

The strongest of them, chosen on validation, stands as `before`.
"""

from __future__ import annotations

import shutil
from typing import Any

from truetune.backbones.base import Backbone
from truetune.errors import ConfigError, nearest
from truetune.files import read_json, whole_folder, write_json
from truetune.training.baselines import Baseline
from truetune.workflows.fitters import fitters_of
from truetune.workflows.stage import Stage
from truetune.workflows.systems import write_system

FIT = "fit.json"
"""What was chosen on validation, beside the scores of a baseline."""


def before(stage: Stage, backbone: Backbone) -> str:
    """Fit, score and save the baselines unless the run has them; return the name of the one that is `before`.

    A baseline that is done is not fitted again when a run is resumed.
    """
    names = _wanted(stage)
    fitters = fitters_of(stage, backbone)
    for name in names:
        if not stage.run.scores(f"baselines/{name}").is_file():
            stage.progress.say(f"baseline {name}")
            fitted = fitters[name]()
            write_json(stage.run.system(f"baselines/{name}") / FIT, _fit(fitted))
            write_system(stage.run, f"baselines/{name}", name, stage.data, fitted.predicted, stage.config.evaluate)
    if not stage.run.scores("before").is_file():
        fits = {name: read_json(stage.run.system(f"baselines/{name}") / FIT) for name in names}
        values = {name: fit["validation"] for name, fit in fits.items() if fit["validation"] is not None}
        best = max(values, key=lambda name: values[name]) if values else names[-1]
        with whole_folder(stage.run.system("before")) as folder:
            shutil.copytree(stage.run.system(f"baselines/{best}"), folder, dirs_exist_ok=True)
    return str(read_json(stage.run.scores("before"))["system"])


def _wanted(stage: Stage) -> list[str]:
    known = stage.training.baselines
    asked = stage.config.evaluate.baselines
    if asked is None:
        return list(known)
    for name in asked:
        if name not in known:
            raise ConfigError(f"evaluate.baselines: unknown baseline {name!r}; {nearest(name, known)}")
    if not asked:
        raise ConfigError(f"evaluate.baselines: is empty; `before` needs one of {', '.join(known)}")
    return [name for name in known if name in asked]


def _fit(fitted: Baseline) -> dict[str, Any]:
    known = fitted.validation == fitted.validation
    return {
        "name": fitted.name,
        "validation": fitted.validation if known else None,
        "settings": dict(fitted.settings),
        "notes": list(fitted.notes),
    }
