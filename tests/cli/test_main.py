"""The command line: exit statuses, JSON shapes, messages; what programs and gates rely on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from truetune.cli import show
from truetune.cli.main import main
from truetune.data import read as reading
from truetune.tasks.table import PRETRAINED

Said = pytest.CaptureFixture[str]

REPORT = """\
              precision    recall  f1-score   support

           a       1.00      0.50      0.67         2
           b       0.67      1.00      0.80         2

    accuracy                           0.75         4
   macro avg       0.83      0.75      0.73         4
weighted avg       0.83      0.75      0.73         4
"""


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    labels = ["x", "y"] * 100
    worse = [label if place % 3 else "x" for place, label in enumerate(labels)]
    gold = [{"id": f"e{place}", "label": label, "part": "ab"[place % 5 == 0]} for place, label in enumerate(labels)]
    return {
        "gold": write(tmp_path / "gold.jsonl", gold),
        "good": write(tmp_path / "good.jsonl", [{"id": row["id"], "label": row["label"]} for row in gold[::-1]]),
        "worse": write(tmp_path / "worse.jsonl", [{"id": f"e{n}", "label": label} for n, label in enumerate(worse)]),
    }


def run(capsys: Said, *words: str) -> tuple[int, str, str]:
    status = main(words)
    said = capsys.readouterr()
    return status, said.out, said.err


def test_evaluate_reads_each_file_once_whatever_is_asked_of_it(
    files: dict[str, str], capsys: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, read = [], reading.read

    def watched(source: str, *rest: object) -> object:
        opened.append(str(source))
        return read(source, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "read", watched)
    words = ("evaluate", "--task", "classification", "--gold", files["gold"], "--predicted", files["good"], "--json")
    alone = json.loads(run(capsys, *words)[1])
    assert opened == [files["gold"], files["good"]]
    opened.clear()
    asked = ("--claimed", "accuracy=1.000", "--ledger", str(tmp_path / "ledger.jsonl"), "--weak")
    status, out, _ = run(capsys, *words, *asked)
    assert (status, opened) == (0, [files["gold"], files["good"]])
    found = json.loads(out)
    assert found["scores"] == alone["scores"]
    assert "weak" in found


def test_evaluate_prints_the_promised_json(files: dict[str, str], capsys: Said) -> None:
    words = ("evaluate", "--task", "classification", "--gold", files["gold"], "--predicted", files["worse"], "--json")
    status, out, _ = run(capsys, *words)
    found = json.loads(out)
    assert status == 0
    assert (found["task"], found["examples"]) == ("classification", 200)
    score = found["scores"][0]
    assert set(score) == {"metric", "value", "low", "high", "examples", "unit", "signature", "reason"}
    assert score["low"] < score["value"] < score["high"]
    assert {"f1/x", "f1/y"} <= {one["metric"] for one in found["scores"]}
    assert run(capsys, *words)[1] == out, "equal seeds give equal numbers"


def test_the_terminal_says_how_each_number_was_made(files: dict[str, str], capsys: Said) -> None:
    base = ("--task", "classification", "--gold", files["gold"], "--predicted", files["worse"], "--resamples", "200")
    said = " ".join(run(capsys, "evaluate", *base)[1].partition("how each number was made")[2].split())
    assert "accuracy examples whose predicted label is the gold one / examples; labels x, y; unit example; 95%" in said
    assert "interval by BCa bootstrap, 200 resamples, seed 0; truetune" in said
    assert "f1/x (one of 2) 2 TP / (2 TP + FP + FN) of one label" in said
    status, out, _ = run(capsys, "compare", *base[:6], files["good"], *base[6:])
    said = " ".join(out.partition("how each number was made")[2].split())
    assert status == 0
    assert "accuracy exact McNemar test (mid-p); Tango score interval" in said
    assert "; labels x, y; unit example; truetune" in said
    assert "good against worse: better. accuracy +0.1" in said
    assert said.endswith("would be found four times in five. passed")
    assert " not worse by 0.05. " in run(capsys, "compare", *base[:6], files["good"], "--margin", "0.05")[1]


def test_evaluate_slices_and_single_metrics(files: dict[str, str], capsys: Said) -> None:
    words = ["evaluate", "--task", "classification", "--gold", files["gold"], "--predicted", files["good"], "--json"]
    found = json.loads(run(capsys, *words, "--slice", "part", "--metric", "accuracy")[1])
    assert [one["metric"] for one in found["scores"]] == ["accuracy"]
    assert [(one["column"], one["value"]) for one in found["slices"]] == [("part", "a"), ("part", "b")]
    status, _, err = run(capsys, *words, "--metric", "f1_marco")
    assert status == 2
    assert "did you mean 'f1_macro'" in err


def test_compare_is_a_gate(files: dict[str, str], capsys: Said) -> None:
    base = ("compare", "--task", "classification", "--gold", files["gold"], "--predicted")
    status, out, _ = run(capsys, *base, files["worse"], files["good"], "--json")
    found = json.loads(out)
    assert status == 0
    first = found["comparisons"][0]
    assert set(first) >= {
        "metric",
        "baseline",
        "candidate",
        "difference",
        "low",
        "high",
        "p_value",
        "p_adjusted",
        "detectable",
        "gained",
        "lost",
        "verdict",
    }
    assert (first["metric"], first["verdict"], first["lost"]) == ("accuracy", "better", 0)
    assert run(capsys, *base, files["good"], files["worse"])[0] == 1
    assert run(capsys, *base, files["good"], files["good"])[0] == 1
    same = json.loads(run(capsys, *base, files["good"], files["good"], "--json")[1])
    assert {one["p_value"] for one in same["comparisons"]} == {1.0}
    assert run(capsys, *base, files["good"], files["good"], "--margin", "0.05")[0] == 0
    assert run(capsys, *base, files["good"], files["worse"], "--margin", "0.05")[0] == 1
    status, out, _ = run(capsys, *base, files["worse"], files["worse"], files["good"])
    assert status == 0, "one candidate is enough"
    assert out.splitlines()[-1] == f"passed: {files['good']} (3)", "and is named"


def test_pages_are_written(files: dict[str, str], tmp_path: Path, capsys: Said) -> None:
    base = ("--task", "classification", "--gold", files["gold"], "--predicted")
    page = tmp_path / "page.html"
    assert run(capsys, "evaluate", *base, files["good"], "--html", str(page))[0] == 0
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")
    assert run(capsys, "compare", *base, files["worse"], files["good"], "--html", str(page), "--language", "zh")[0] == 0
    assert "差" in page.read_text(encoding="utf-8")


def test_check_report_names_cells(tmp_path: Path, capsys: Said) -> None:
    path = tmp_path / "report.txt"
    path.write_text(REPORT, encoding="utf-8")
    assert run(capsys, "check-report", str(path))[0] == 0
    path.write_text(
        REPORT.replace("0.83      0.75      0.73         4\n", "0.83      0.95      0.73         4\n", 1),
        encoding="utf-8",
    )
    status, out, _ = run(capsys, "check-report", str(path), "--json")
    found = json.loads(out)
    assert (status, found["consistent"]) == (1, False)
    assert {"row", "column", "printed", "possible", "why"} <= set(found["findings"][0])
    assert ("macro avg", "recall") in {(one["row"], one["column"]) for one in found["findings"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("evaluate", "--task", "classification"), "expected either RUN, or --task, --gold and --predicted"),
        (("evaluate", "nowhere"), "is no run folder"),
        (("compare", "nowhere"), "expected the baseline and one or more candidates"),
        (("evaluate", "--task", "clasification", "--gold", "a", "--predicted", "b"), "did you mean 'classification'"),
        (("evaluate", "--task", "ner", "--gold", "absent.jsonl", "--predicted", "b"), "is not there"),
        (("finetune", "absent.yaml"), "cannot be read"),
        (("report", "nowhere"), "is no run folder"),
        (("predict", "nowhere", "file"), "is no truetune model"),
        (("check-report", "absent.txt"), "cannot be read"),
        (("init", "absent.csv"), "is not there"),
    ],
)
def test_errors_are_one_message_and_status_2(
    words: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Said,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *words)
    assert status == 2
    assert message in err
    assert "Traceback" not in err
    assert not out
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_a_place_that_cannot_be_written_is_named(files: dict[str, str], tmp_path: Path, capsys: Said) -> None:
    in_the_way = tmp_path / "a file"
    in_the_way.write_text("kept", encoding="utf-8")
    asked = ["evaluate", "--task", "classification", "--gold", files["gold"], "--predicted", files["good"]]
    status, _, err = run(capsys, *asked, "--html", str(in_the_way / "page.html"))
    assert status == 2
    assert f"{in_the_way}: " in err
    assert "Traceback" not in err
    assert in_the_way.read_text(encoding="utf-8") == "kept"


def test_missing_and_doubled_ids_are_named(files: dict[str, str], tmp_path: Path, capsys: Said) -> None:
    rows = [json.loads(line) for line in Path(files["good"]).read_text(encoding="utf-8").splitlines()]
    base = ("evaluate", "--task", "classification", "--gold", files["gold"], "--predicted")
    missing = write(tmp_path / "missing.jsonl", rows[1:])
    assert "id 'e199' of gold has no prediction" in run(capsys, *base, missing)[2]
    doubled = write(tmp_path / "doubled.jsonl", [*rows, rows[0]])
    assert "id 'e199' stands already at" in run(capsys, *base, doubled)[2]


def test_lists_are_printed(capsys: Said) -> None:
    tasks = {one["task"]: one for one in json.loads(run(capsys, "tasks", "--json")[1])["tasks"]}
    assert {"classification", "ner", "pair"} <= {name for name, one in tasks.items() if one["trains"]}
    assert {name for name, one in tasks.items() if one["pretrains"]} == set(PRETRAINED)
    metrics = json.loads(run(capsys, "metrics", "--json")[1])["metrics"]
    names = {one["metric"] for one in metrics}
    assert {"accuracy", "f1_macro", "span_f1", "bleu", "ndcg@10", "coverage@10", "self_bleu"} <= names
    assert {"krippendorff_alpha", "fleiss_kappa", "cohen_kappa", "bertscore_f1", "bradley_terry", "elo"} <= names
    of_preference = json.loads(run(capsys, "metrics", "--task", "preference", "--json")[1])["metrics"]
    assert {one["metric"] for one in of_preference} == {"win_rate", "bradley_terry", "elo"}
    assert all(one["definition"] and one["unit"] and one["reference"] for one in metrics)
    models = json.loads(run(capsys, "models", "--json")[1])["models"]
    assert "builtin:minilm-en" in {one["model"] for one in models}
    assert "Config" in run(capsys, "schema")[1]


def test_init_writes_a_config_that_loads(tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    from truetune import config

    monkeypatch.chdir(tmp_path)
    rows = [
        {"review": f"很好的电影 {place}", "stars": "12"[place % 2], "user": f"u{place // 2}"} for place in range(40)
    ]
    data = write(tmp_path / "reviews.jsonl", rows)
    status, out, _ = run(capsys, "init", data, "--json")
    assert status == 0
    found = json.loads(out)
    assert found["columns"] == {"text": "review", "label": "stars"}
    assert found["group"] == "user"
    loaded = config.load(tmp_path / "reviews.yaml")
    assert loaded.data.columns == {"text": "review", "label": "stars"}
    assert loaded.model.name == "builtin:e5-small-multi"
    assert run(capsys, "init", data)[0] == 2, "an existing config is not replaced"


def test_audit_reports_leaks(tmp_path: Path, capsys: Said) -> None:
    rows = [{"text": f"text number {place}", "label": "ab"[place % 2]} for place in range(240)]
    train = write(tmp_path / "train.jsonl", rows[:200])
    test = write(tmp_path / "test.jsonl", [*rows[200:], rows[0]])
    status, out, _ = run(capsys, "audit", train, test, "--json")
    assert status == 1
    assert "text in two parts" in {one["check"] for one in json.loads(out)["findings"]}


def test_overrides_may_stand_behind_options(tmp_path: Path, capsys: Said) -> None:
    config = tmp_path / "a.yaml"
    config.write_text("task: classification\ndata: {source: x.csv}\nmodel: {name: m}\n", encoding="utf-8")
    status, _, err = run(capsys, "finetune", str(config), "--json", "train.epoch=1")
    assert status == 2
    assert "unknown key 'train.epoch'; did you mean 'epochs'" in err
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "--surprise"])
    assert stopped.value.code == 2


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "truetune", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("truetune ")


def test_a_misspelt_command_is_answered_with_the_nearest(capsys: Said) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["finetun", "config.yaml"])
    assert "unknown command 'finetun'; did you mean 'finetune'?" in capsys.readouterr().err


def test_debug_shows_where_an_error_arose(tmp_path: Path, capsys: Said) -> None:
    missing = str(tmp_path / "missing.txt")
    _, _, plain = run(capsys, "check-report", missing)
    status, _, traced = run(capsys, "--debug", "check-report", missing)
    assert status == 2
    assert "Traceback" not in plain
    assert "Traceback" in traced
    assert traced.endswith(plain)


def test_a_note_of_the_doctor_is_shown_on_the_terminal(tmp_path: Path, capsys: Said) -> None:
    gold, said = tmp_path / "gold.jsonl", tmp_path / "said.jsonl"
    rows = "".join(json.dumps({"id": str(place), "label": "ab"[place % 2]}) + "\n" for place in range(60))
    gold.write_text(rows, encoding="utf-8")
    said.write_text(rows.replace('"a"', '"b"', 1), encoding="utf-8")
    asked = ["evaluate", "--task", "classification", "--gold", str(gold), "--resamples", "200", "--predicted"]
    assert main([*asked, str(said)]) == 0
    assert "identical to gold" not in capsys.readouterr().err
    other = tmp_path / "other.jsonl"
    other.write_text(rows + "\n", encoding="utf-8")
    assert main([*asked, str(other)]) == 0
    assert "note: identical to gold (60): all 60 predictions are identical to gold" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "said"), [(3e-9, "<0.0001"), (0.0, "<0.0001"), (0.0001, "0.0001"), (0.5, "0.5000"), (float("nan"), "–")]
)
def test_a_p_value_is_never_shown_as_0(value: float, said: str) -> None:
    assert show.p_value(value) == said
