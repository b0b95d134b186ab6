"""`truetune audit`: data files or a config's data, examined without a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from truetune import config
from truetune.audit.parts import AuditPart
from truetune.audit.run import audit
from truetune.data.parse import Columns, parsed
from truetune.data.read import folder_splits, read, split_named
from truetune.errors import ConfigError
from truetune.tasks.base import Task
from truetune.tasks.table import task_named
from truetune.types import Finding
from truetune.workflows.init import guessed
from truetune.workflows.parts import gold_field, input_fields

CONFIG_ENDINGS = (".yaml", ".yml")


def audited(files: Sequence[str], task: str | None = None) -> list[Finding]:
    """Return the findings about the data of one config, or about data files, which are parts by their names."""
    if len(files) == 1 and files[0].endswith(CONFIG_ENDINGS):
        settings = config.load(files[0])
        data = settings.data
        named = {"train": data.train, "validation": data.validation, "test": data.test}
        sources = _parts([data.source]) if data.source else {name: file for name, file in named.items() if file}
        known = task_named(settings.task)
        read_in = {name: _columns(known, file, data) for name, file in sources.items()}
    else:
        sources = _parts(files)
        first = next(iter(sources.values()))
        guess = guessed(first, task)
        known = task_named(guess.task)
        columns = {field: column for field, column in guess.columns.items() if field != column}
        read_in = {
            name: parsed(read(file), input_fields(known), file, renamed=columns) for name, file in sources.items()
        }
    return audit({name: _part(known, name, columns) for name, columns in read_in.items()})


def _parts(files: Sequence[str]) -> dict[str, str]:
    """Name files as the parts that their names say; a single one, or one that says nothing, is itself."""
    if len(files) == 1 and Path(files[0]).is_dir():
        return {name: str(file) for name, file in folder_splits(Path(files[0])).items()} or {files[0]: files[0]}
    found: dict[str, str] = {}
    for file in files:
        name = split_named(Path(file)) or Path(file).name
        if name in found:
            raise ConfigError(f"both {found[name]} and {file} look like {name}; audit them one by one")
        found[name] = file
    return found


def _columns(task: Task, source: str, data: config.Data) -> Columns:
    records = read(source, format=data.format, encoding=data.encoding)
    return parsed(records, input_fields(task), source, renamed=data.columns)


def _part(task: Task, name: str, columns: Columns) -> AuditPart:
    assert task.training is not None
    texts = [columns.fields[field] for field in task.training.inputs]
    groups = [str(value) for value in columns.others.get("group", ())] or None
    return AuditPart(name, columns.ids, texts, columns.fields[gold_field(columns.fields)], groups)
