"""`truetune init`: look at a data file, guess what it holds, write a commented config to start from."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truetune.data.read import folder_splits, read
from truetune.errors import DataError
from truetune.metrics.spans import overlaps
from truetune.tasks.span_fields import as_spans
from truetune.tasks.table import task_named
from truetune.text import script
from truetune.workflows.parts import learnt_field

NOT_TEXT = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
"""Words that YAML takes for something else than text."""
PARTS = 3
"""Train, validation and test."""
LOOKED_AT = 1000
"""Records that are read to guess from."""

TEXT_NAMES = (
    "text",
    "sentence",
    "review",
    "content",
    "title",
    "question",
    "query",
    "utterance",
    "文本",
    "内容",
    "评论",
    "正文",
    "标题",
)
LABEL_NAMES = (
    "label",
    "labels",
    "category",
    "class",
    "intent",
    "意图",
    "sentiment",
    "polarity",
    "target",
    "topic",
    "标签",
    "类别",
    "情感",
    "正负面",
    "正/负面",
)
INTENT_NAMES = ("intent", "意图")
"""Of labels that stand beside spans."""
INPUT_NAMES = {
    "text": TEXT_NAMES,
    "first": ("first", "sentence1", "premise", "text_a", "text1", "question1", "#1 string", "query"),
    "second": ("second", "sentence2", "hypothesis", "text_b", "text2", "question2", "#2 string"),
    "head": ("head", "subject", "e1", "entity1"),
    "choices": ("choices", "choice", "options"),
    "context": ("context", "passage", "article", "text"),
    "tail": ("tail", "object", "e2", "entity2"),
}
"""Field of a task -> names under which files have it."""
GOLD_NAMES = {
    "label": LABEL_NAMES,
    "spans": ("spans", "entities", "label", "labels"),
    "answers": ("answers", "answer"),
    "answer": ("answer", "label"),
    "response": ("response", "reply"),
    "references": ("reference", "references", "target", "translation", "summary", "reply", "response"),
    "documents": ("documents", "document", "answer", "passage", "positive", "text"),
    "value": ("value", "score", "rating", "stars", "similarity", "label", "评分", "分数"),
}
GROUP_NAMES = ("group", "document", "doc_id", "document_id", "user", "user_id", "dialogue", "dialogue_id", "source")


@dataclass(frozen=True)
class Guess:
    """What a data file seems to hold: the task, and the column of each of its fields."""

    task: str
    columns: Mapping[str, str]
    group: str | None
    chinese: bool
    seen: Sequence[str]
    """The columns of the file."""

    @property
    def writes(self) -> bool:
        """Whether what is learnt is to write texts."""
        training = task_named(self.task).training
        return training is not None and training.head == "generate"


def guessed(source: str, task: str | None = None, *, gold_needed: bool = True) -> Guess:
    """Look at the first records of `source` (of a folder of splits, those to train on); `task` settles what is open.

    Raises `DataError` where no record can be read, and where no text column or no gold column can be found, naming
    the columns seen. Where gold is not needed, `columns` lacks its field instead.
    """
    records = _first_records(source)
    columns = list(dict.fromkeys(name for fields in records for name in fields))
    values = {name: [fields.get(name) for fields in records] for name in columns}
    found = task_named(task).name if task else _task_of(values)
    training = task_named(found).training
    fields = ("text",) if training is None else training.inputs.given
    wanted = {field: _named(columns, INPUT_NAMES.get(field, (field,))) for field in fields}
    if "text" in fields:
        wanted["text"] = wanted["text"] or _longest_text(values)
    text = wanted[fields[0]]
    gold = {"multiple-choice": "answer", "response-ranking": "response"}.get(found) or learnt_field(task_named(found))
    wanted[gold] = _named(columns, GOLD_NAMES[gold])
    if gold == "label":
        wanted[gold] = wanted[gold] or _few_values(values, without=text)
    if wanted[gold] is None and not gold_needed:
        del wanted[gold]
    for field, column in wanted.items():
        if column is None:
            raise DataError(
                f"{source}: no column looks like `{field}` of the task {found}; found {', '.join(columns)}. "
                "Name it in the config under data.columns, or give --task"
            )
    group = _named([name for name in columns if name not in wanted.values()], GROUP_NAMES)
    if group is not None and len(records) < LOOKED_AT and len({str(value) for value in values[group]}) < PARTS:
        group = None  # the whole file has too few groups for a part each
    texts = [
        one
        for value in values[str(text)]
        for one in (value if isinstance(value, list) else [value])
        if isinstance(one, str)
    ]
    return Guess(found, {field: str(column) for field, column in wanted.items()}, group, script(texts) == "zh", columns)


def _first_records(source: str) -> list[Mapping[str, Any]]:
    """Return the fields of the first records that can be read."""
    splits = folder_splits(Path(source)) if Path(source).is_dir() else {}
    found = list(itertools.islice(read(splits.get("train", source)), LOOKED_AT))
    if not found:
        raise DataError(f"{source}: holds no example; expected texts with labels or spans")
    readable = [record.fields for record in found if not record.problem]
    if not readable:
        raise DataError(f"{source}: no example can be read", [f"{one.where}: {one.problem}" for one in found])
    return readable


def config_text(source: str, guess: Guess) -> str:
    """Return a commented YAML config for a data file."""
    model, rate, length = "builtin:minilm-en", "1e-4", "128"
    known, pieces = "a Hub name, a local folder, or builtin:NAME (`truetune models`)", "pieces"
    if guess.writes:
        model, length, pieces = "builtin:smollm2-135m", "256", "pieces of prompt, source and answer together"
        known = "it reads and writes mainly English; else a Hub name or a local folder of a model that writes"
    elif guess.chinese:
        model, rate = "builtin:e5-small-multi", "5e-5"
    renamed = {field: column for field, column in guess.columns.items() if field != column}
    columns = "{" + ", ".join(f"{field}: {_quoted(column)}" for field, column in renamed.items()) + "}"
    group = _quoted(guess.group) if guess.group else "null"
    seen = " ".join(", ".join(guess.seen).split())
    return f"""\
# A truetune config. Run it with: truetune finetune THIS_FILE
# Any key can be replaced on the command line, for example train.epochs=2.
# `truetune schema` prints every key with its meaning, for editors.

task: {guess.task}                # `truetune tasks` lists them

data:
  source: {_quoted(source)}       # one file to split; or give train, validation and test
  columns: {columns}              # field of the task -> column of the file (seen: {seen})
  group: {group}                  # column whose equal values stay in one part: document, user, dialogue
  validation_share: 0.1           # chooses: checkpoint, thresholds, baselines
  test_share: 0.2                 # measures, once, at the end
  drop_duplicates: true           # texts equal after normalisation would stand in train and test

model:
  name: {model}                   # {known}
  max_length: {length}                 # {pieces}; what is longer is counted and said, never cut in silence

train:
  epochs: 3
  learning_rate: {rate}
  tokens_per_batch: 1024          # padded pieces a step
  patience: 2                     # stop after this many evaluations without a better score
  seed: 0                         # one run says nothing about another seed: try several

evaluate:
  level: 0.95                     # of the intervals
  resamples: 10000

track:
  output: runs                    # the run folder appears here
  language: {"zh" if guess.chinese else "en"}                    # of the report
"""


def _task_of(columns: Mapping[str, Sequence[Any]]) -> str:
    """Return the task of a file with these columns, by their names and, of spans, by whether they overlap."""
    if "spans" in columns and _named(list(columns), INTENT_NAMES):
        return "intent-slots"
    if "spans" in columns:
        return "nested-ner" if _overlapping(columns["spans"]) else "ner"
    if {"history", "response"} <= set(columns):
        return "response-ranking"
    references = _named(list(columns), ("reference", "references"))
    if references and "history" in columns:
        return "dialogue"
    if references and "source" in columns:
        return "summarization" if _shorter(columns["source"], columns[references]) else "translation"
    if "query" in columns and _named(list(columns), ("document", "documents")):
        return "retrieval"
    if {"question", "choices"} <= set(columns):
        return "multiple-choice"
    if {"context", "question", "answers"} <= set(columns):
        return "qa"
    if "value" in columns:
        return "similarity" if {"first", "second"} <= set(columns) else "regression"
    if {"text", "head", "tail"} <= set(columns):
        return "relations"
    both = [_named(list(columns), INPUT_NAMES[field]) for field in ("first", "second")]
    return "pair" if all(both) and _named(list(columns), ("text",)) is None else "classification"


def _shorter(sources: Sequence[Any], references: Sequence[Any]) -> bool:
    """Return whether references are written as their sources are, with at most half of the characters."""
    sides = [
        "".join(str(one[0] if isinstance(one, list) and one else one or "") for one in side)
        for side in (sources, references)
    ]
    return script(sides[:1]) == script(sides[1:]) and 2 * len(sides[1]) <= len(sides[0])


def _overlapping(column: Sequence[Any]) -> bool:
    """Return whether spans lie in each other; those that cannot be read do not."""
    try:
        return bool(overlaps([as_spans(value) for value in column if value is not None]))
    except ValueError:
        return False


def _named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    lowered = {column.strip().lower(): column for column in columns}
    return next((lowered[name] for name in names if name in lowered), None)


def _longest_text(values: Mapping[str, Sequence[Any]]) -> str | None:
    lengths = {
        name: sum(len(value) for value in column if isinstance(value, str)) / len(column)
        for name, column in values.items()
        if any(isinstance(value, str) for value in column)
    }
    return max(lengths, key=lambda name: lengths[name]) if lengths else None


def _few_values(values: Mapping[str, Sequence[Any]], without: str | None) -> str | None:
    """Return the column with the fewest distinct values of at least two, each seen at least twice on average."""
    distinct = {
        name: len({str(value) for value in column})
        for name, column in values.items()
        if name != without and all(isinstance(value, str | int) for value in column)
    }
    fitting = {name: number for name, number in distinct.items() if 2 <= number <= len(values[name]) / 2}
    return min(fitting, key=lambda name: fitting[name]) if fitting else None


def _quoted(value: str) -> str:
    """Return a YAML scalar that is read back as this very text."""
    import json

    plain = value.replace("_", "").replace("-", "").replace(".", "").replace("/", "")
    word = plain.isalnum() and value[0].isalpha() and value.lower() not in NOT_TEXT
    return value if word else json.dumps(value, ensure_ascii=False)
