"""What is kept of an example, by hand."""

from __future__ import annotations

import json

import pytest

from truetune.live.features import CHARACTERS, CONFIDENCE, UNKNOWN, features_of_answer, features_of_text, script_of_text


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("a lovely film", "Latin"),
        ("Ça va, naïve", "Latin"),
        ("中国人民银行 ok", "Chinese"),
        ("これはペンです", "Japanese"),
        ("хороший фильм", "Cyrillic"),
        ("좋은 영화", "Korean"),
        ("12:30 !?", "none"),
        ("", "none"),
    ],
)
def test_scripts(text: str, script: str) -> None:
    assert script_of_text(text) == script


def test_a_bin_holds_its_lower_edge_and_not_its_upper_one() -> None:
    assert CONFIDENCE.bounds(CONFIDENCE.bin(0.5)) == (0.5, 0.55)
    assert CONFIDENCE.bounds(CONFIDENCE.bin(0.549)) == (0.5, 0.55)
    assert CONFIDENCE.bounds(CONFIDENCE.bin(1.0)) == (0.9999, float("inf"))
    assert [UNKNOWN.bin(value) for value in (0.0, 0.005)] == ["0", "1"]
    assert [CHARACTERS.bin(value) for value in (0.0, 1e9)] == ["0", "65"]


def test_no_text_is_kept() -> None:
    found = features_of_text(["a secret word"], 4, 1)
    assert found == {"characters": 13.0, "script": "Latin", "unknown": 0.25, "characters a piece": 3.25}
    assert "secret" not in json.dumps(found)


def test_answers() -> None:
    assert features_of_answer({"label": "a", "scores": {"a": 0.7, "b": 0.3}}) == {"label": "a", "confidence": 0.7}
    assert features_of_answer({"label": "a"}) == {"label": "a"}
    assert features_of_answer({"labels": ["b", "a"]}) == {"label": "a + b"}
    assert features_of_answer({"spans": []}) == {}
