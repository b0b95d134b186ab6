"""How much embedded data a demonstration uses, and in which language it speaks."""

from __future__ import annotations

import pytest

from truetune.workflows.demo import EXAMPLES, examples_here, language_here


@pytest.mark.parametrize(("speed", "share"), [(1e12, 1.0), (2.6e11, 1.0), (2.1e11, 0.8), (1.4e11, 0.5), (1e10, 0.3)])
def test_a_slow_machine_trains_on_fewer_examples(speed: float, share: float) -> None:
    # 5,000 examples, 70 % of them for training, twice, 55 pieces of 6 * 21.2 million operations: 4.9e13 of them.
    assert examples_here("classification", EXAMPLES["zh"], "e5-small-multi", 2.0, speed) == share * EXAMPLES["zh"]


@pytest.mark.parametrize(
    ("named", "language"), [("zh_CN.UTF-8", "zh"), ("en_US.UTF-8", "en"), ("de_DE", "en"), ("C", "en")]
)
def test_the_locale_chooses_the_language(monkeypatch: pytest.MonkeyPatch, named: str, language: str) -> None:
    monkeypatch.setenv("LC_ALL", named)
    assert language_here() == language
