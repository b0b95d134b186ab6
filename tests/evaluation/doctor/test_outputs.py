"""Generated texts and answers: empty, cut off, copied, marked, in another script, outside their context."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .planted import found

SUBJECTS = ("The council", "A farmer", "Our team", "The bank", "Her brother", "The court", "A small museum")
VERBS = ("approved", "sold", "won", "closed", "found", "rejected", "opened")
OBJECTS = (
    "the new budget",
    "forty cows",
    "a difficult match",
    "three branches",
    "an old coin",
    "the appeal",
    "its doors",
)
CHINESE = ("市议会", "农民", "球队", "银行", "法院", "博物馆")
ACTS = ("批准了新预算", "卖了四十头牛", "赢得了比赛", "关闭了分行", "驳回了上诉", "重新开放了")


def written(seed: int, number: int = 80) -> tuple[list[dict[str, Any]], list[str]]:
    """Summaries, with a system that changes a word of most; sources are longer texts that hold them."""
    rng = np.random.default_rng(seed)
    gold, said = [], []
    for _ in range(number):
        subject, verb, thing, other = (str(rng.choice(part)) for part in (SUBJECTS, VERBS, OBJECTS, VERBS))
        place = int(rng.integers(1000))
        text = f"{subject} {verb} {thing} in district {place}, officials said on Monday."
        gold.append({"reference": text, "source": f"Monday, district {place}. {text} More is to follow."})
        said.append(text.replace(verb, other) if rng.random() < 0.9 else f"{subject} {verb}.")
    return gold, said


@pytest.mark.parametrize("seed", range(20))
def test_fair_outputs_are_clean(seed: int) -> None:
    gold, said = written(seed)
    assert not found("summarization", gold, said)
    titles = [{"reference": one["reference"].rstrip(".")} for one in gold]
    assert not found("summarization", titles, [text.rstrip(".") for text in said]), "titles have no sentence end"


def test_empty_outputs_are_found() -> None:
    gold, said = written(1)
    assert found("translation", gold, ["", " ", *said[2:]])["empty outputs"].count == 2
    assert found("translation", gold, ["", *[" "] * 78, said[-1]])["empty outputs"].severity == "error"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_outputs_that_stop_at_a_limit_are_found(language: str) -> None:
    gold, said = written(2)
    if language == "en":
        short = [" ".join(text.split()[:7]) for text in said]
    else:
        gold = [{"reference": one + act + f"，共{place}项。"} for place in range(3) for one in CHINESE for act in ACTS]
        said = [one["reference"].replace("共", "计") for one in gold]
        assert not found("translation", gold, said)
        short = [text[:9] for text in said]
    finding = found("translation", gold, short)["outputs are cut off"]
    assert finding.count > 0.8 * len(gold)
    assert "long" in finding.advice or "%" in finding.advice


def test_copies_and_echoes_of_the_source_are_found() -> None:
    gold, said = written(3)
    copies = [gold[place]["source"] if place % 5 == 0 else text for place, text in enumerate(said)]
    assert found("summarization", gold, copies)["copies of the source"].count == 16
    echoes = [f"{one['source']} {text}" for one, text in zip(gold, said, strict=True)]
    assert found("summarization", gold, echoes)["outputs repeat the prompt"].count == 80


def test_marks_of_the_model_are_found() -> None:
    gold, said = written(4)
    assert (
        found("translation", gold, [f"{text}</s><pad>" for text in said[:9]] + said[9:])[
            "marks of the model in outputs"
        ].count
        == 9
    )


def test_another_script_and_references_that_13a_does_not_split_are_found() -> None:
    gold, said = written(5)
    chinese = [one + act + "。" for one in CHINESE for act in ACTS]
    finding = found("translation", gold[:36], chinese)["outputs in another script"]
    assert finding.severity == "error"
    mixed = [*gold[:70], *({"reference": text} for text in chinese[:10])]
    findings = found("translation", mixed, [*said[:70], *chinese[1:11]])
    assert findings["wrong tokeniser for some references"].count == 10
    assert not found("translation", [{"reference": text} for text in chinese], [text + "了" for text in chinese])


def test_answers_outside_their_context_are_found() -> None:
    gold, _ = written(6)
    asked = [{"answers": [" ".join(one["reference"].split()[:3])], "context": one["source"]} for one in gold]
    said = [one["answers"][0].lower() if place % 4 else one["context"][:6] for place, one in enumerate(asked)]
    assert not found("qa", asked, said)
    strange = found("qa", asked, ["the mayor of Oslo", *said[1:]])
    assert {name: one.severity for name, one in strange.items()} == {"answers outside their context": "warning"}
    assert (
        found("qa", asked, ["the mayor of Oslo"] * 40 + said[40:])["answers outside their context"].severity == "error"
    )
    free = [{**one, "answers": [f"free answer {place}"]} for place, one in enumerate(asked)]
    assert not found("qa", free, [f"mayor number {place}" for place in range(80)]), "free answers need not stand there"
    assert found("qa", asked, [""] * 40 + said[40:])["empty outputs"].count == 40
