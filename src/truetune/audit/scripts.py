"""Languages by their letters: texts of another script than the rest, parts of different scripts, mixed Chinese."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from truetune.audit.parts import SHOWN, AuditPart, Parts, finding, shortened
from truetune.data.stored import values_at
from truetune.text import traditional_only
from truetune.types import Finding

SCRIPTS = {
    "Latin": "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a",
    "Chinese": "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "Japanese": "\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff",
    "Korean": "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3",
    "Cyrillic": "\u0400-\u052f",
    "Greek": "\u0370-\u03ff\u1f00-\u1fff",
    "Arabic": "\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f",
    "Hebrew": "\u05d0-\u05ea",
    "Thai": "\u0e01-\u0e30\u0e40-\u0e46",
    "Devanagari": "\u0904-\u0939\u0958-\u0961",
}
"""Script -> its letters."""
_LETTERS = {name: re.compile(f"[{letters}]") for name, letters in SCRIPTS.items()}


class _ScriptOf(dict[str, str]):
    """The script of a character, found when it is first met; empty for what is no letter of these."""

    def __missing__(self, character: str) -> str:
        self[character] = next((name for name, letters in _LETTERS.items() if letters.match(character)), "")
        return self[character]


_SCRIPT_OF = _ScriptOf()
FEW = 0.05
"""Share of the texts of a part up to which those of another script are told: of more, the part is of two languages."""
ENOUGH, APART = 20, 0.5
"""Texts of a part from which on its scripts are compared with those of train; how far its share may be from theirs."""
WEIGHT = {"Chinese": 2.0, "Japanese": 2.0, "Korean": 2.0, "Thai": 1.0}
"""A character of these says as much as so many letters of the others."""
MOSTLY, SEVERAL = 0.8, "several"
"""Share of the letters of a text that are of its script; what no script reaches is of several."""
MIXED = (0.01, 0.99)
"""Shares of traditional among the Chinese texts between which a part is mixed."""
SURE = 2
"""Characters that are only traditional, from which on a text is so."""


def script_findings(parts: Parts) -> Iterator[Finding]:
    """Yield texts whose letters are of another script than the rest, and parts that differ in their scripts."""
    scripts = {name: [main_script(text) for text in part.whole] for name, part in parts.items()}
    counts = {name: Counter(one for one in found if one) for name, found in scripts.items()}
    for name, part in parts.items():
        yield from _odd(part, scripts[name], counts[name])
        yield from _mixed(part, counts[name])
    # Texts of several scripts in one are left out: they are of neither language.
    alone = {name: Counter({one: n for one, n in found.items() if one != SEVERAL}) for name, found in counts.items()}
    train = alone.get("train")
    for name, found in alone.items():
        if train and name != "train" and min(found.total(), train.total()) >= ENOUGH:
            yield from _apart(name, found, train)


def main_script(text: str) -> str:
    """Return the script of most letters of a text, `several` for none; empty without letters.

    Japanese is what has kana, however many of its characters are Chinese ones.
    """
    if text.isascii():
        return "Latin" if any(map(str.isalpha, text)) else ""
    counts = Counter(map(_SCRIPT_OF.__getitem__, text))
    del counts[""]
    if counts["Japanese"] > 0.1 * counts["Chinese"]:
        counts["Japanese"] += counts.pop("Chinese", 0)
    weights = {name: WEIGHT.get(name, 1.0) * number for name, number in counts.items()}
    if not weights:
        return ""
    best = max(weights, key=lambda name: weights[name])
    return best if weights[best] >= MOSTLY * sum(weights.values()) else SEVERAL


def is_traditional(text: str) -> bool:
    """Return whether at least two characters of a text are written in traditional Chinese only."""
    return not text.isascii() and len(traditional_only(text)) >= SURE


def _odd(part: AuditPart, scripts: list[str], counts: Counter[str]) -> Iterator[Finding]:
    if not counts or counts.most_common(1)[0][0] == SEVERAL:
        return
    usual = counts.most_common(1)[0][0]
    rare = {name for name, number in counts.items() if number <= FEW * counts.total()} - {usual, SEVERAL}
    places = [place for place, name in enumerate(scripts) if name in rare]
    if not places:
        return
    shown = places[:SHOWN]
    rows = zip(shown, values_at(part.ids, shown), values_at(part.whole, shown), strict=True)
    yield finding(
        "texts in another script",
        "note",
        [f"{name}: {scripts[place]}: {shortened(text)}" for place, name, text in rows],
        f"most letters of these texts of {part.name} are not {usual} as those of the rest: another language, of which "
        "a model learns little and a score says little. Take them out, or measure them by themselves",
        len(places),
        parts=(part.name,),
    )


def _apart(name: str, found: Counter[str], train: Counter[str]) -> Iterator[Finding]:
    """Two parts whose scripts are distributed far differently (by total variation)."""
    scripts = sorted({*found, *train})
    shares = {one: (train[one] / train.total(), found[one] / found.total()) for one in scripts}
    if sum(abs(here - there) for here, there in shares.values()) / 2 <= APART:
        return
    yield finding(
        "parts in different scripts",
        "error",
        [f"{one}: {here:.0%} of train, {there:.0%} of {name}" for one, (here, there) in shares.items()],
        f"the letters of {name} are of other scripts than those of train: what is measured there is another language "
        "than what is learnt. Split all data at random, or give the file that was meant",
        found.total(),
        parts=("train", name),
    )


def _mixed(part: AuditPart, counts: Counter[str]) -> Iterator[Finding]:
    chinese = counts["Chinese"]
    if chinese < ENOUGH:
        return
    traditional = [place for place, text in enumerate(part.whole) if is_traditional(text)]
    share = len(traditional) / chinese
    if not MIXED[0] < share < MIXED[1]:
        return
    shown = traditional[:SHOWN]
    pairs = zip(values_at(part.ids, shown), values_at(part.whole, shown), strict=True)
    yield finding(
        "simplified and traditional Chinese",
        "note",
        [f"{name}: {shortened(text)}" for name, text in pairs],
        f"{share:.1%} of the Chinese texts of {part.name} are in traditional characters, the others are not: to a "
        "model they are different words. Read them as one (model.fold: [simplified]), or measure each by itself",
        len(traditional),
        parts=(part.name,),
    )
