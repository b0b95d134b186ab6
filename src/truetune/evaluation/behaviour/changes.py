"""Changes of a text that leave its meaning as it is, or turn it round; in English and Chinese.

Each returns the changed text, or None where it does not apply, so that a rate counts only texts that were changed.
Invariance and directional expectation tests: Ribeiro et al. (2020), CheckList.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Expected = Literal["same", "less"]
"""What should become of the answer: the same label, or not more of the label that was given."""

NAMES = ("Michael", "Jessica", "Christopher", "Ashley", "Matthew", "Emily", "David", "Maria", "Daniel", "Anna")
NAMES_ZH = ("张伟", "王芳", "李娜", "刘洋", "陈静", "杨勇", "赵敏", "黄磊", "周涛", "吴霞")
PLACES = ("London", "Paris", "Berlin", "Tokyo", "Madrid", "Boston", "Chicago", "Toronto", "Sydney", "Dublin")
PLACES_ZH = ("北京", "上海", "广州", "深圳", "杭州", "成都", "南京", "武汉", "西安", "重庆")
SAID_OTHERWISE = {
    "don't": "do not",
    "doesn't": "does not",
    "didn't": "did not",
    "isn't": "is not",
    "wasn't": "was not",
    "aren't": "are not",
    "weren't": "were not",
    "can't": "cannot",
    "couldn't": "could not",
    "won't": "will not",
    "wouldn't": "would not",
    "i'm": "I am",
    "i've": "I have",
    "they're": "they are",
    "we're": "we are",
    "you're": "you are",
    "movie": "film",
    "movies": "films",
    "film": "movie",
    "films": "movies",
    "very": "really",
    "because": "since",
    "maybe": "perhaps",
    "perhaps": "maybe",
    "almost": "nearly",
    "nearly": "almost",
    "although": "even though",
}
SAID_OTHERWISE_ZH = {
    "非常": "十分",
    "十分": "非常",
    "但是": "不过",
    "因为": "由于",
    "觉得": "认为",
    "电影": "影片",
    "影片": "电影",
    "如果": "假如",
    "马上": "立刻",
    "怎么样": "如何",
    "什么时候": "何时",
}
CONFUSED_ZH = (("的", "地"), ("得", "的"), ("在", "再"), ("做", "作"), ("已", "以"), ("那", "哪"), ("像", "象"))
"""Characters that are often written for each other."""
NEGATED = ("is", "was", "are", "were", "can", "will", "would", "should", "could", "has been")
ALREADY = re.compile(r"\b(?:not|no|never|nothing|neither|nor|cannot|hardly|without|if|or)\b|n['’]t\b|\?", re.IGNORECASE)
NEGATED_ZH = ("喜欢", "推荐", "值得", "满意", "好看", "好吃", "好用", "舒服", "干净", "方便", "清楚", "适合", "建议")
ALREADY_ZH = re.compile(r"[不没无未吗呢?？]|非(?!常)|(?<![特区分])别|要是|如果")


@dataclass(frozen=True)
class Change:
    """One kind of change."""

    name: str
    about: str
    expected: Expected
    apply: Callable[[str, np.random.Generator], str | None]


def _typo(text: str, rng: np.random.Generator) -> str | None:
    """Swap two neighbouring inner letters of a word of five letters or more."""
    places = [
        start + inner
        for start, word in ((match.start(), match.group()) for match in re.finditer(r"[A-Za-z]{5,}", text))
        for inner in range(1, len(word) - 2)
        if word[inner] != word[inner + 1]
    ]
    if not places:
        return None
    place = int(rng.choice(places))
    return f"{text[:place]}{text[place + 1]}{text[place]}{text[place + 2 :]}"


def _typo_zh(text: str, rng: np.random.Generator) -> str | None:
    there = [pair for pair in CONFUSED_ZH if pair[0] in text]
    if not there:
        return None
    right, wrong = there[int(rng.integers(len(there)))]
    places = [match.start() for match in re.finditer(right, text)]
    place = int(rng.choice(places))
    return text[:place] + wrong + text[place + 1 :]


def _end(text: str, rng: np.random.Generator) -> str | None:
    """Take the full stop off, or put one behind a text without a sign at its end."""
    kept = text.rstrip()
    if not kept:
        return None
    if kept[-1] in ".。":
        return kept[:-1].rstrip() or None
    if not kept[-1].isalnum():
        return None
    return kept + (" ." if re.search(r" [.,!?;]( |$)", kept) else "。" if "\u4e00" <= kept[-1] <= "\u9fff" else ".")


def _small(text: str, rng: np.random.Generator) -> str | None:
    return text.lower() if text.lower() != text else None


def _wide(text: str, rng: np.random.Generator) -> str | None:
    """Write full-width signs as half-width ones, as many keyboards do."""
    found = text.translate(str.maketrans("，。！？：；（）", ",.!?:;()"))
    return found if found != text and re.search(r"[\u4e00-\u9fff]", text) else None


def _swapped(words: Sequence[str], latin: bool) -> Callable[[str, np.random.Generator], str | None]:
    """Return what replaces each of some names by another of them, everywhere in the text.

    In a text without any capital they are looked for, and written, without.
    """
    edge = r"\b" if latin else ""

    def apply(text: str, rng: np.random.Generator) -> str | None:
        known = [word.lower() for word in words] if latin and text == text.lower() else list(words)
        pattern = re.compile(edge + "(" + "|".join(known) + ")" + edge)
        there = sorted(set(pattern.findall(text)))
        if not there:
            return None
        free = [word for word in known if word not in there]
        chosen = dict(zip(there, rng.permutation(free).tolist(), strict=False))
        return pattern.sub(lambda match: chosen.get(match.group(), match.group()), text)

    return apply


def _otherwise(table: Mapping[str, str], latin: bool) -> Callable[[str, np.random.Generator], str | None]:
    """Return what says one word of a table in other words."""
    edge = r"\b" if latin else ""
    longest = sorted(table, key=len, reverse=True)
    pattern = re.compile(edge + "(" + "|".join(map(re.escape, longest)) + ")" + edge, re.IGNORECASE)

    def apply(text: str, rng: np.random.Generator) -> str | None:
        found = list(pattern.finditer(text.replace("’", "'")))
        if not found:
            return None
        match = found[int(rng.integers(len(found)))]
        other = table[match.group().lower()]
        if match.group()[0].isupper():
            other = other[0].upper() + other[1:]
        return text[: match.start()] + other + text[match.end() :]

    return apply


def _negation(text: str, rng: np.random.Generator) -> str | None:
    """Put `not` behind the only auxiliary verb of a text that has no negation, question or condition."""
    found = list(re.finditer(r"\b(?:" + "|".join(NEGATED) + r")\b", text, re.IGNORECASE))
    if len(found) != 1 or ALREADY.search(text) or not re.match(r"\s+[A-Za-z]", text[found[0].end() :]):
        return None
    end = found[0].start() + len(found[0].group().split()[0])
    return f"{text[:end]} not{text[end:]}"


def _negation_zh(text: str, rng: np.random.Generator) -> str | None:
    """Put 不 before the only such word of a text without negation or question; 很 and its like give way to it."""
    pattern = re.compile("(?:很|非常|十分|挺|超级|真的?)?(" + "|".join(NEGATED_ZH) + ")")
    found = list(pattern.finditer(text))
    if len(found) != 1 or ALREADY_ZH.search(text):
        return None
    return f"{text[: found[0].start()]}不{found[0].group(1)}{text[found[0].end() :]}"


CHANGES = (
    Change("typo", "two neighbouring letters swapped", "same", _typo),
    Change("typo-zh", "a character that is often written for another", "same", _typo_zh),
    Change("end", "a full stop added or taken away", "same", _end),
    Change("small-letters", "no capitals", "same", _small),
    Change("half-width", "half-width signs in Chinese", "same", _wide),
    Change("person", "another English first name", "same", _swapped(NAMES, latin=True)),
    Change("person-zh", "another Chinese name", "same", _swapped(NAMES_ZH, latin=False)),
    Change("place", "another city", "same", _swapped(PLACES, latin=True)),
    Change("place-zh", "another Chinese city", "same", _swapped(PLACES_ZH, latin=False)),
    Change("paraphrase", "a word said otherwise, a short form written out", "same", _otherwise(SAID_OTHERWISE, True)),
    Change("paraphrase-zh", "a Chinese word said otherwise", "same", _otherwise(SAID_OTHERWISE_ZH, False)),
    Change("negation", "not behind the only auxiliary verb", "less", _negation),
    Change("negation-zh", "不 before the word that judges", "less", _negation_zh),
)
