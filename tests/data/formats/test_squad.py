"""SQuAD's articles become one example a question."""

import json
from pathlib import Path

from truetune.data.formats.objects import read_json

ARTICLES = {
    "version": "v2.0",
    "data": [
        {
            "title": "Tea",
            "paragraphs": [
                {
                    "context": "Tea came to Europe in 1610.",
                    "qas": [
                        {
                            "id": "q1",
                            "question": "When did tea come?",
                            "answers": [{"text": "1610", "answer_start": 22}, {"text": "in 1610", "answer_start": 19}],
                        },
                        {
                            "id": "q2",
                            "question": "Who brought it?",
                            "is_impossible": True,
                            "answers": [],
                            "plausible_answers": [{"text": "Europe", "answer_start": 12}],
                        },
                    ],
                },
                {"context": "It is green.", "qas": [{"id": "q3", "question": "?", "answers": ["green"]}]},
            ],
        },
        {"id": "D1", "paragraphs": [{"id": "D1", "context": "茶。", "qas": [{"question": "什么？"}]}]},
    ],
}


def test_questions_of_articles(tmp_path: Path) -> None:
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(ARTICLES), encoding="utf-8")
    first, second, third, fourth = read_json(path, None)
    assert first.fields == {
        "id": "q1",
        "group": "Tea / 1",
        "title": "Tea",
        "context": "Tea came to Europe in 1610.",
        "question": "When did tea come?",
        "answers": ["1610", "in 1610"],
        "answer_starts": [22, 19],
    }
    assert second.fields["answers"] == []
    assert third.where == f"{path}[1] paragraph 2, question 1"
    assert third.problem.startswith("has answers of another form")
    assert fourth.fields["group"] == "D1"
    assert "id" not in fourth.fields
