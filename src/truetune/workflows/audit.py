"""`truetune audit`: data files or a config's data, examined without a run."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from truetune import config
from truetune.audit.meaning import WHY
from truetune.audit.parts import AuditPart
from truetune.audit.run import SEVERITIES as SEVERITIES
from truetune.audit.run import audit
from truetune.data.dataset import Dataset, read_dataset
from truetune.data.parse import reading
from truetune.data.read import folder_splits, read, split_named
from truetune.data.stored import Made, values_at
from truetune.errors import ConfigError
from truetune.tasks.base import Task
from truetune.tasks.table import TASKS, task_named
from truetune.types import Finding, Floats, Ints
from truetune.workflows.audit_fix import Fixed, fixed_copy
from truetune.workflows.audit_model import frozen_features, model_findings
from truetune.workflows.init import Guess, guessed
from truetune.workflows.parts import audit_part, input_fields, inputs_of, learnt_field
from truetune.workflows.progress import Progress
from truetune.workflows.suspects import Tuned, can_have_suspects, folds_of, label_suspects
from truetune.workflows.suspects_tuned import Cost, Folded, forget_folds, tuned_probabilities

CONFIG_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True)
class Audited:
    """What was looked at, and what was found."""

    name: str
    task: str
    parts: Mapping[str, int]
    """Part -> its examples."""
    findings: Sequence[Finding]
    """The gravest first."""
    fixed: Fixed | None = None
    """The cleaned copy, where one was asked for."""
    cost: Cost | None = None
    """Of the models that were fine-tuned to judge labels, where these were asked for."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        findings = [{**finding.to_dict(), "why": WHY.get(finding.check, "")} for finding in self.findings]
        found: dict[str, Any] = {"task": self.task, "parts": dict(self.parts), "findings": findings}
        if self.fixed is not None:
            found["fixed"] = self.fixed.to_dict()
        if self.cost is not None:
            found["cost"] = asdict(self.cost)
        return found


@dataclass(frozen=True)
class _Asked:
    """What is to be looked at."""

    task: Task
    sources: Mapping[str, str]
    data: Mapping[str, config.Data]
    """How each part is read."""
    settings: config.Config | None
    labelled: bool = True
    """Whether there is gold; else texts are looked at alone."""


def audited(files: Sequence[str], task: str | None = None, *, suspects: bool = False) -> list[Finding]:
    """Return the findings about the data of one config, or about data files, which are parts by their names."""
    return list(examined(files, task, suspects=suspects).findings)


def examined(
    files: Sequence[str],
    task: str | None = None,
    *,
    suspects: bool = False,
    thorough: bool = False,
    folds: int = 0,
    fix: Path | None = None,
) -> Audited:
    """Look at the data of one config, or at data files, which are parts by their names.

    With `suspects`, labels that are probably wrong are looked for too, by words and character sequences; `thorough`,
    also by what the pretrained model of the config makes of the texts, and nearly equal texts however many there are;
    with `folds`, those of the training part also by so many fine-tuned models, none of which has seen what it judges.
    With `fix`, a cleaned copy goes to that folder, which must not be there yet. What is read goes to a temporary folder
    on disk, not to memory.
    """
    if fix is not None and fix.exists():
        raise ConfigError(f"--fix {fix}: is there already; name a folder that is not, so that nothing is replaced")
    asked = _asked(files, task)
    if folds and (asked.settings is None or folds < 2):
        raise ConfigError(
            f"--folds {folds}: models are fine-tuned as a config says, on all folds but one; name a config instead of "
            "data files, and 2 folds or more"
        )
    with tempfile.TemporaryDirectory(prefix="truetune-audit-") as folder:
        read_in = {
            name: _read(asked, name, file, Path(folder) / f"{number}.arrow")
            for number, (name, file) in enumerate(asked.sources.items())
        }
        parts = {name: _part(asked.task, name, found, asked.data[name].group) for name, found in read_in.items()}
        findings = audit(parts, thorough=thorough or None)
        if asked.settings is not None:
            findings.extend(model_findings(asked.settings, asked.task, parts, Progress()))
        judged: list[tuple[Folded, Cost]] = []
        learnt = "train" if "train" in parts else next(iter(parts))
        if folds and not can_have_suspects(parts[learnt]):
            raise ConfigError(
                f"--folds: judges data with one label an example; that of {asked.task.name} here has none"
            )
        for name, part in parts.items() if suspects or thorough or folds else ():
            features = _features(asked, read_in[name], part) if thorough else None
            tuned = _tuned(asked, read_in[name], part, folds, judged) if folds and name == learnt else None
            findings.extend(label_suspects(part, features, tuned))
        ordered = sorted(findings, key=lambda one: SEVERITIES.index(one.severity))
        fixed = None
        if fix is not None:
            fixed = fixed_copy(asked.task, asked.sources, asked.data, read_in, fix, asked.settings)
        sizes = {name: len(found) for name, found in read_in.items()}
        shown = ", ".join(Path(file).name for file in files)
        if asked.settings is not None:
            for kept, _ in judged:
                forget_folds(asked.settings, kept, _folds_folder(asked.settings))
        return Audited(shown, asked.task.name, sizes, ordered, fixed, judged[0][1] if judged else None)


def _features(asked: _Asked, data: Dataset, part: AuditPart) -> Floats | None:
    """Return what the model of a config makes of the texts of a part with labels; None without a config."""
    if asked.settings is None or not can_have_suspects(part):
        return None
    columns = [data.stored(name) for name in inputs_of(asked.task).names]
    return frozen_features(asked.settings, asked.task, columns, Progress())


def _tuned(asked: _Asked, data: Dataset, part: AuditPart, folds: int, judged: list[tuple[Folded, Cost]]) -> Tuned:
    """Return what fine-tunes models of a config on all folds of a part but one.

    What they judged and what that took goes to `judged`: results of folds are kept until the whole audit is done.
    """
    settings = asked.settings
    assert settings is not None

    def tuned(places: Ints, codes: Ints, names: tuple[str, ...]) -> Floats:
        columns = [values_at(data.stored(name), places) for name in inputs_of(asked.task).names]
        chosen = Folded(columns, codes, names, folds_of(part.keys[places], folds))
        found, cost = tuned_probabilities(settings, asked.task, chosen, _folds_folder(settings), Progress())
        judged.append((chosen, cost))
        return found

    return tuned


def _folds_folder(settings: config.Config) -> Path:
    return Path(settings.track.output) / "audit-folds"


def _asked(files: Sequence[str], task: str | None) -> _Asked:
    if len(files) == 1 and files[0].endswith(CONFIG_ENDINGS):
        settings = config.load(files[0], tasks=TASKS)
        data = settings.data
        named = {"train": data.train, "validation": data.validation, "test": data.test}
        sources = _parts([data.source]) if data.source else {name: file for name, file in named.items() if file}
        return _Asked(task_named(settings.task), sources, dict.fromkeys(sources, data), settings)
    sources = _parts(files)
    known = None if task is None else task_named(task)
    if known is not None and known.training is None:
        raise ConfigError(
            f"--task {task}: is only scored, so that it has no training data to look at; name a task that "
            "fine-tunes (`truetune tasks`), or none"
        )
    first = guessed(next(iter(sources.values())), task, gold_needed=task is not None)
    data_of = {}
    for name, file in sources.items():
        data_of[name] = config.Data(source=file, columns={**_columns(file, first)})
    labelled = learnt_field(task_named(first.task)) in first.columns
    if not labelled:
        Progress().say(
            f"no column looks like gold (found {', '.join(first.seen)}): texts are looked at alone; a config with "
            "data.columns names it"
        )
    return _Asked(task_named(first.task), sources, data_of, None, labelled)


def _columns(file: str, first: Guess) -> dict[str, str]:
    """Return field -> column of a file where the two differ: as in the first file, or where it has no such column as is
    guessed.
    """
    own = guessed(file, first.task, gold_needed=False)
    found = {
        field: column if column in own.seen else own.columns.get(field, column)
        for field, column in first.columns.items()
    }
    renamed = {field: column for field, column in found.items() if field != column}
    if renamed:
        read_from = ", ".join(f"`{field}` from `{column}`" for field, column in renamed.items())
        Progress().say(f"{Path(file).name}: guessed {read_from}; a config with data.columns says otherwise")
    return renamed


def _parts(files: Sequence[str]) -> dict[str, str]:
    """Name files as the parts that their names say; a single one, or one that says nothing, is itself."""
    if len(files) == 1 and Path(files[0]).is_dir():
        return _in_order({name: str(file) for name, file in folder_splits(Path(files[0])).items()}) or {
            files[0]: files[0]
        }
    found: dict[str, str] = {}
    for file in files:
        name = split_named(Path(file)) or Path(file).name
        if name in found:
            raise ConfigError(f"both {found[name]} and {file} look like {name}; audit them one by one")
        found[name] = file
    return _in_order(found)


def _in_order(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the training part first and test last, however they are given: what is seen in training is what tests must
    not hold. Files that are no such part stand for training.
    """
    ranks = {"train": 0, "validation": 2, "test": 3}
    return dict(sorted(sources.items(), key=lambda one: ranks.get(one[0], 1)))


def _read(asked: _Asked, name: str, source: str, path: Path) -> Dataset:
    data = asked.data[name]
    records = read(source, format=data.format, encoding=data.encoding)
    fields = input_fields(asked.task) if asked.labelled else [inputs_of(asked.task).fields]
    return read_dataset(reading(records, fields, source, renamed=data.columns), path, grouped=False)


def _part(task: Task, name: str, data: Dataset, group: str | None) -> AuditPart:
    column = group or "group"
    groups = Made(str, data.stored(column)) if group is not None or column in data.others else None
    return audit_part(task, name, data, groups)
