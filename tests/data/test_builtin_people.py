from __future__ import annotations

from collections import Counter

import pytest

from truetune.data.builtin import available, builtin_records
from truetune.data.builtin_people import entities, read_people_daily

TAGGED = """\
新华社/nt  记者/n  兰/nr  红光/nr
本报/r  香港/ns  １月/t  ２日/t  电/n  江/nr  泽民/nr  今天/t  到/v  北京/ns  。/w  他/r  说/v  “/w  好/a  。/w  ”/w  \
钱/nr  其琛/nr  在场/v
（/w  孙/nr  海涛/nr  胡/nr  跃平/nr  ）/w

图片/n  新闻/n
上海/ns  很/d  好/a  。/w
"""


def named(tagged: str) -> list[str]:
    tokens = [(part.rpartition("/")[0], part.rpartition("/")[2]) for part in tagged.split()]
    text = "".join(word for word, _ in tokens)
    return [f"{text[start:end]}/{kind}" for start, end, kind in entities(tokens)]


@pytest.mark.parametrize(
    ("tagged", "found"),
    [
        ("江/nr 泽民/nr", ["江泽民/PER"]),
        ("孙/nr 海涛/nr 胡/nr 跃平/nr", ["孙海涛/PER", "胡跃平/PER"]),  # two persons, not one
        ("诸葛/nr 仓麟/nr", ["诸葛仓麟/PER"]),
        ("雪村/nr 守仁/nr", ["雪村/PER", "守仁/PER"]),  # no surname begins it
        ("马克思/nr 恩格斯/nr", ["马克思/PER", "恩格斯/PER"]),
        ("陈/nr 方/nr 安生/nr", ["陈方安生/PER"]),
        ("陈/nr 方/nr 安生/nr 李/nr 四/nr", ["陈方/PER", "安生/PER", "李四/PER"]),
        ("江/nr 主席/n", ["江/PER"]),
        ("中国/ns 香港/ns", ["中国/LOC", "香港/LOC"]),
        ("新华社/nt 和/c", ["新华社/ORG"]),
        ("１/２/m 元/q", []),
    ],
)
def test_entities_of_tagged_words(tagged: str, found: list[str]) -> None:
    assert named(tagged) == found


def test_paragraphs_become_sentences_with_spans_in_characters() -> None:
    records = read_people_daily([TAGGED.encode()]).records
    shown = [
        (record["id"], record["group"], record["text"], [record["text"][a:b] + "/" + k for a, b, k in record["spans"]])
        for record in records
    ]
    assert shown == [
        ("1-1", "article-1", "新华社记者兰红光", ["新华社/ORG", "兰红光/PER"]),
        ("2-1", "article-1", "本报香港１月２日电江泽民今天到北京。", ["香港/LOC", "江泽民/PER", "北京/LOC"]),
        ("2-2", "article-1", "他说“好。”", []),
        ("2-3", "article-1", "钱其琛在场", ["钱其琛/PER"]),
        ("3-1", "article-1", "（孙海涛胡跃平）", ["孙海涛/PER", "胡跃平/PER"]),
        ("5-1", "article-2", "图片新闻", []),
        ("6-1", "article-2", "上海很好。", ["上海/LOC"]),
    ]


@pytest.mark.slow
def test_the_real_corpus_keeps_every_place_and_organisation() -> None:
    if "peoples-daily-ner" not in available("zh", "ner"):
        pytest.skip("its package is not here")
    records = list(builtin_records("peoples-daily-ner", lambda line: None))
    assert len(records) == 43_783
    assert Counter(kind for record in records for *_, kind in record["spans"]) == {
        "LOC": 27_807,
        "PER": 19_800,
        "ORG": 3_398,
    }
    for record in records:
        for start, end, _ in record["spans"]:
            assert 0 <= start < end <= len(record["text"])
