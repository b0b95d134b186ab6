"""`truetune audit --fix`: the copy has none of what was planted, and every change is in the log."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from truetune import config
from truetune.cli.main import main
from truetune.data.read import read

Said = pytest.CaptureFixture[str]


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def rows(path: Path) -> list[dict[str, Any]]:
    return [dict(record.fields) for record in read(path)]


def audited(capsys: Said, *arguments: str) -> tuple[int, dict[str, Any]]:
    status = main(["audit", *arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def reviews(first: int, number: int) -> list[dict[str, Any]]:
    return [
        {"id": f"r{n}", "text": f"review number {n} of a film", "label": "good" if n % 2 else "bad", "site": "a"}
        for n in range(first, first + number)
    ]


def test_what_was_planted_is_gone_from_the_copy(tmp_path: Path, capsys: Said) -> None:
    train, test = reviews(0, 60), reviews(60, 30)
    train += [{**train[5], "id": "copy", "text": "Review NUMBER 5 of a film!"}]
    train += [{**train[8], "id": "contrary", "label": "good"}]
    train += [{**test[3], "id": "leak"}, {**train[0], "id": "coded", "text": "CafÃ© review"}]
    files = [write(tmp_path / "train.jsonl", train), write(tmp_path / "test.jsonl", test)]
    before = [Path(file).read_bytes() for file in files]
    status, found = audited(capsys, *files, "--fix", str(tmp_path / "clean"))
    planted = {"text in two parts", "repeated texts", "equal texts, different gold", "damaged text"}
    assert status == 1
    assert planted <= {one["check"] for one in found["findings"]}
    assert found["fixed"]["changes"] == {"dropped": 4, "repaired": 1}
    assert [Path(file).read_bytes() for file in files] == before

    status, again = audited(capsys, str(tmp_path / "clean/train.jsonl"), str(tmp_path / "clean/test.jsonl"))
    assert status == 0
    assert not planted & {one["check"] for one in again["findings"]}
    assert rows(tmp_path / "clean/test.jsonl") == test
    kept = rows(tmp_path / "clean/train.jsonl")
    assert kept == [row for row in train[:60] if row["id"] != "r8"] + [{**train[63], "text": "Café review"}]
    log = rows(tmp_path / "clean/changes.jsonl")
    assert {one["id"]: one["why"] for one in log} == {
        "copy": "repeats an earlier text",
        "r8": "equal texts, different gold",
        "contrary": "equal texts, different gold",
        "leak": "stands in test too",
        "coded": "text decoded as UTF-8",
    }
    assert all(one["where"].startswith(f"{files[0]}:") for one in log)
    (coded,) = [one for one in log if one["change"] == "repaired"]
    assert (coded["field"], coded["before"], coded["after"]) == ("text", "CafÃ© review", "Café review")


def test_clean_data_is_copied_as_it_is(tmp_path: Path, capsys: Said) -> None:
    train = write(tmp_path / "train.jsonl", reviews(0, 40))
    status, found = audited(capsys, train, "--fix", str(tmp_path / "clean"))
    assert (status, found["fixed"]["changes"]) == (0, {})
    assert rows(tmp_path / "clean/train.jsonl") == reviews(0, 40)
    assert (tmp_path / "clean/changes.jsonl").read_text(encoding="utf-8") == ""
    assert main(["audit", train, "--fix", str(tmp_path / "clean")]) == 2
    assert "is there already" in capsys.readouterr().err


def test_spans_and_answers_are_put_right_with_their_texts(tmp_path: Path, capsys: Said) -> None:
    texts = [
        {"text": "\u200bAnn lives in  Rome today", "spans": [[1, 5, "PER"], [14, 19, "LOC"]]},
        {"text": "CafÃ© Rome is here", "spans": [[0, 5, "LOC"]]},
        {"text": "Bob is away", "spans": [[0, 3, "PER"]]},
    ]
    source = write(tmp_path / "entities.jsonl", texts)
    _, found = audited(capsys, source, "--task", "ner", "--fix", str(tmp_path / "ner"))
    (made,) = found["fixed"]["files"].values()
    assert rows(tmp_path / "ner" / made) == [
        {"text": "Ann lives in  Rome today", "spans": [[0, 3, "PER"], [14, 18, "LOC"]]},
        {"text": "Café Rome is here", "spans": [[0, 4, "LOC"]]},
        texts[2],
    ]
    asked = [
        {"context": "tea came in 1610", "question": "when?", "answers": ["1610"], "answer_starts": [11]},
        {"context": "tea and tea", "question": "what?", "answers": ["tea"], "answer_starts": [3]},
        {"context": "ÃŸ tea", "question": "what?", "answers": ["tea"], "answer_starts": [3]},
    ]
    source = write(tmp_path / "asked.jsonl", asked)
    _, found = audited(capsys, source, "--task", "qa", "--fix", str(tmp_path / "qa"))
    (made,) = found["fixed"]["files"].values()
    assert [row["answer_starts"] for row in rows(tmp_path / "qa" / made)] == [[12], [3], [2]]
    assert Counter(one["field"] for one in rows(tmp_path / "qa/changes.jsonl")) == {"answer_starts": 2, "context": 1}


def test_tokens_and_tags_move_with_their_text(tmp_path: Path, capsys: Said) -> None:
    """A word of nothing but invisible characters goes with its tag; the copy is read again."""
    words = ["Ann B-PER", "\u200b\u200b O", "lives O", "in O", "CafÃ© B-LOC"]
    (tmp_path / "train.conll").write_text("\n".join(words) + "\n\nBob B-PER\nis O\n", encoding="utf-8")
    _, found = audited(capsys, str(tmp_path / "train.conll"), "--fix", str(tmp_path / "clean"))
    (first, _) = rows(tmp_path / "clean" / found["fixed"]["files"]["train"])
    assert [first["text"][start:end] for start, end in first["tokens"]] == ["Ann", "lives", "in", "Café"]
    assert first["tags"] == ["B-PER", "O", "O", "B-LOC"]
    status, again = audited(capsys, str(tmp_path / "clean/train.jsonl"))
    assert (status, again["parts"]) == (0, {"train": 2})
    assert {one["field"] for one in rows(tmp_path / "clean/changes.jsonl")} >= {"text", "tokens"}


def test_columns_keep_their_names_and_a_config_names_the_new_files(tmp_path: Path, capsys: Said) -> None:
    lines = [
        "review,stars,site",
        *(f"film {n} was fine,{n % 2},b" for n in range(40)),
        "CafÃ©,1,b",
        "film 3 was fine,1,b",
    ]
    (tmp_path / "reviews.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = (
        "task: classification\ndata: {source: reviews.csv, columns: {text: review, label: stars}}\nmodel: {name: m}\n"
    )
    (tmp_path / "a.yaml").write_text(settings, encoding="utf-8")
    assert main(["audit", str(tmp_path / "reviews.csv"), "--fix", str(tmp_path / "plain")]) == 0
    made = rows(tmp_path / "plain/0-reviews.jsonl")
    assert (len(made), made[40]) == (41, {"review": "Café", "stars": "1", "site": "b"})
    capsys.readouterr()


def test_a_text_of_several_columns_is_not_repaired(tmp_path: Path, tiny_bert: Path, capsys: Said) -> None:
    (tmp_path / "news.csv").write_text("title,body,kind\n" + "A,b c,x\nB,d e,y\n", encoding="utf-8")
    columns = "{text: [title, body], label: kind}"
    settings = f"task: classification\ndata: {{source: news.csv, columns: {columns}}}\n"
    (tmp_path / "a.yaml").write_text(f"{settings}model: {{name: {tiny_bert}}}\n", encoding="utf-8")
    assert main(["audit", str(tmp_path / "a.yaml"), "--fix", str(tmp_path / "fixed")]) == 2
    assert "several columns (title, body)" in capsys.readouterr().err
    assert not (tmp_path / "fixed").exists()


def test_the_config_of_a_copy_reads_it(tmp_path: Path, tiny_bert: Path, capsys: Said) -> None:
    write(tmp_path / "films.jsonl", [{"review": f"a lovely film {n // 2}", "stars": "1"} for n in range(40)])
    columns = "{text: review, label: stars}"
    text = f"task: classification\ndata: {{source: films.jsonl, columns: {columns}}}\nmodel: {{name: {tiny_bert}}}\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    main(["audit", str(tmp_path / "a.yaml"), "--fix", str(tmp_path / "clean")])
    loaded = config.load(tmp_path / "clean/config.yaml")
    assert Path(str(loaded.data.source)).read_text(encoding="utf-8").count("\n") == 20
    assert loaded.data.columns == {"text": "review", "label": "stars"}
    capsys.readouterr()


def test_severity_and_page(tmp_path: Path, capsys: Said) -> None:
    hostile = "<script>alert(1)</script> film"
    texts = [
        *reviews(0, 20),
        {"id": "x", "text": hostile, "label": "good"},
        {"id": "y", "text": hostile, "label": "bad"},
    ]
    source, page = write(tmp_path / "train.jsonl", texts), tmp_path / "audit.html"
    assert main(["audit", source, "--html", str(page)]) == 0
    assert main(["audit", source, "--severity", "warning", "--html", str(page)]) == 1
    html = page.read_text(encoding="utf-8")
    assert "Equal texts, different gold: train" in html
    assert "Text classification; examples: train 22" in html
    assert "2 warnings" in html
    assert "error" not in html.partition("<section")[0].rpartition('class="first">')[2], "none is not counted"
    assert "Why it matters" in html
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert main(["audit", source, "--html", str(page), "--language", "zh"]) == 0
    chinese = page.read_text(encoding="utf-8")
    assert "文本相同而标注不同：训练集" in chinese
    assert "文本分类；样本数：训练集 22" in chinese
    assert "为何重要" in chinese
    assert "Answers are counted" not in chinese
    capsys.readouterr()
