"""chrF and chrF++: equal to sacreBLEU on fuzzed text, one value by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import CHRF as Theirs

from truetune.metrics import chrf
from truetune.metrics.chrf import CHRF, CHRF_WORDS

TEXTS = st.lists(
    st.one_of(
        st.text(st.sampled_from("ab c.,!('"), max_size=15),
        st.text(st.sampled_from("我们在北京 2008，。"), max_size=10),
        st.sampled_from(["the cat sat.", "(the) cat", "a", "", " "]),
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize(("metric", "words"), [(CHRF, 0), (CHRF_WORDS, 2)])
@given(data=st.data(), texts=TEXTS)
def test_it_equals_sacrebleu(metric, words: int, data: st.DataObject, texts: list[str]) -> None:
    pick = st.lists(st.one_of(st.sampled_from(texts), TEXTS.map(lambda some: some[0])), min_size=1, max_size=3)
    references = [data.draw(pick) for _ in texts]
    sides = [[one[place] if place < len(one) else None for one in references] for place in range(3)]
    sides = [side for side in sides if any(one is not None for one in side)]
    found = float(metric.value(metric.rows(references, texts)))
    theirs = Theirs(word_order=words).corpus_score(texts, sides).score
    if np.isnan(found):
        assert theirs == 0
    else:
        assert found == pytest.approx(theirs, abs=1e-9)


def test_a_value_worked_by_hand() -> None:
    # characters: said a b c, wanted a b d: order 1: 2/3, order 2: 1/2, order 3: 0/1; both means (2/3 + 1/2) / 3
    mean = (2 / 3 + 1 / 2) / 3
    assert float(CHRF.value(CHRF.rows(["ab d"], ["abc"]))) == pytest.approx(100 * mean)


def test_no_character_at_all_is_undefined() -> None:
    assert np.isnan(CHRF.value(CHRF.rows([" "], [""])))


def test_identical_text_is_100_in_chinese_too() -> None:
    for metric in (CHRF, CHRF_WORDS):
        assert float(metric.value(metric.rows(["我们在北京见面。"], ["我们在北京见面。"]))) == pytest.approx(100)


@given(texts=TEXTS, data=st.data())
def test_its_counts_serve_any_beta(texts: list[str], data: st.DataObject) -> None:
    references = [data.draw(TEXTS)[0] for _ in texts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chrf, "BETA", 3)
        found = float(CHRF.value(CHRF.rows(references, texts)))
    wanted = Theirs(beta=3).corpus_score(texts, [references]).score
    assert found == pytest.approx(wanted, abs=1e-9) or (np.isnan(found) and wanted == 0)
