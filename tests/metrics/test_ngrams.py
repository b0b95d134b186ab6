"""n-grams of many lines at once: as one counts them a line at a time."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.metrics import ngrams

LINES = st.lists(st.text("abc", max_size=9), min_size=1, max_size=4)


def of_line(line: str, order: int) -> Counter[str]:
    return Counter(line[start : start + order] for start in range(len(line) - order + 1))


@pytest.mark.parametrize("largest", [ngrams.LARGEST, 20])  # 20: numbers are made dense at every order
@given(data=st.data())
def test_matches_and_totals_are_those_of_each_line(largest: int, data: st.DataObject) -> None:
    said = data.draw(LINES)
    wanted = [data.draw(st.text("abc", max_size=9)) for _ in said]
    codes = ngrams.coded([said, wanted])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "LARGEST", largest)
        for order, sides in enumerate(ngrams.grams(codes, 4), start=1):
            width = ngrams.width_of(sides)
            found, gold = (ngrams.counted(side, width) for side in sides)
            common = [of_line(one, order) & of_line(other, order) for one, other in zip(said, wanted, strict=True)]
            assert ngrams.matches(found, gold, len(said)).tolist() == [one.total() for one in common]
            assert ngrams.totals(sides[0], len(said)).tolist() == [max(0, len(one) - order + 1) for one in said]
