"""Configs: what is accepted, what is refused, and what the refusal says."""

from __future__ import annotations

from pathlib import Path

import pytest

from truetune import config
from truetune.errors import ConfigError

GOOD = """\
task: classification
data:
  source: reviews.csv
model:
  name: builtin:minilm-en
train:
  learning_rate: 1e-4
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def refusal(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load(path, overrides)
    return str(caught.value)


def test_a_file_becomes_a_config(file: Path) -> None:
    loaded = config.load(file)
    assert loaded.train.learning_rate == 1e-4
    assert loaded.train.epochs == 3
    assert loaded.data.source == "reviews.csv"


def test_data_beside_the_config_is_found(file: Path) -> None:
    (file.parent / "reviews.csv").write_text("text,label\n", encoding="utf-8")
    assert config.load(file).data.source == str(file.parent / "reviews.csv")


def test_overrides_replace_values(file: Path) -> None:
    loaded = config.load(file, ["train.epochs=2", "model.name=bert-base-cased", "data.labels=[no, yes]"])
    assert loaded.train.epochs == 2
    assert loaded.model.name == "bert-base-cased"
    assert loaded.data.labels == ["no", "yes"]


def test_what_is_written_reads_back_the_same(file: Path, tmp_path: Path) -> None:
    loaded = config.load(file)
    copy = tmp_path / "copy.yaml"
    copy.write_text(config.to_yaml(loaded), encoding="utf-8")
    assert config.load(copy) == loaded


def test_a_config_cannot_be_changed(file: Path) -> None:
    loaded = config.load(file)
    with pytest.raises(ValueError, match="frozen"):
        loaded.task = "ner"  # type: ignore[misc]


def test_all_faults_are_listed_with_line_and_nearest_key(file: Path) -> None:
    file.write_text(GOOD.replace("source:", "sorce:") + "  epoch: 2\n  clip: -1\n", encoding="utf-8")
    message = refusal(file)
    assert f"{file}:3: unknown key 'data.sorce'; did you mean 'source'?" in message
    assert f"{file}:8: unknown key 'train.epoch'; did you mean 'epochs'?" in message
    assert f"{file}:9: train.clip: expected greater than 0, found -1" in message


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.epochs=many", "train.epochs: expected a valid number, found 'many'"),
        ("train.epochs", "expected section.key=value"),
        ("model=3", "model: expected a group of keys (name, framework,"),
        ("task.name=x", "'task' is a value, not a group with a key 'name'"),
        ("data.train=a.csv", "give either `source`"),
        ("data.validation_share=0.9", "`validation_share` + `test_share` must stay below 1"),
        ("evaluate.level=1.5", "evaluate.level: expected less than 1, found 1.5"),
        ("decide.threshold=precision", "decide: `threshold: precision` needs `floor`"),
        ("decide.floor=0.9", "decide: `floor` is given, but `threshold: metric` does not read it"),
        ("decide.sure=0.9", "decide: `sure` goes with `floor` or `risk`"),
        ("decide.each_label=true", "decide: `each_label` goes with `conformal: lac` or `aps`, not with `none`"),
        ("decide.label=pos", "decide: `label` is given, but `threshold: metric` does not read it"),
        ("decide.calibrate=warm", "decide.calibrate: expected 'none', 'temperature', 'platt' or 'isotonic'"),
    ],
)
def test_a_bad_override_is_refused(file: Path, override: str, expected: str) -> None:
    assert expected in refusal(file, override)


def test_a_fault_of_an_override_is_not_blamed_on_the_file(file: Path) -> None:
    assert "override train.learning_rate=fast: train.learning_rate" in refusal(file, "train.learning_rate=fast")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected groups such as `task`, `data`, `model`, found NoneType"),
        ("- a\n", "found list"),
        ("task: [\n", "is not YAML"),
        ("task: ner\ntask: ner\n", ":2: key 'task' stands twice"),
        ("task: ner\n", "key 'data' is missing"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    assert expected in refusal(path)


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"task: \xe9\n")
    assert "is not UTF-8" in refusal(tmp_path / "latin.yaml")


def test_words_that_old_yaml_takes_for_booleans_stay_text(file: Path) -> None:
    assert config.load(file, ["data.labels=[no, on, 2024-01-01]"]).data.labels == ["no", "on", "2024-01-01"]


def test_the_schema_describes_every_key() -> None:
    schema = config.schema()
    for group in ("Data", "Model", "Train", "Recipe", "Evaluate", "Decide", "Track"):
        for key, entry in schema["$defs"][group]["properties"].items():
            assert entry.get("description"), f"{group}.{key} has no description"


def test_an_unknown_task_is_named_with_its_line_and_the_nearest_known(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("data: {source: x.csv}\nmodel: {name: m}\ntask: clasification\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"c\.yaml:3: task: unknown task 'clasification'.*'classification'"):
        config.load(file, tasks=("classification", "ner"))
    with pytest.raises(ConfigError, match=r"override task=nr: task: unknown task 'nr'.*'ner'"):
        config.load(file, ["task=nr"], tasks=("classification", "ner"))
