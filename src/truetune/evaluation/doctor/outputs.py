"""Texts that a system wrote: empty, cut off, copied from the source, with marks of the model, in another script."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from truetune.evaluation.doctor.case import ENOUGH, Case, finding, listed
from truetune.metrics.tokenizers import tokenizer_for
from truetune.text import normalised, script, words
from truetune.types import Finding

ENDS = frozenset(".!?。！？…\"'”’」』)）]】~～；;:：")
MARKS = re.compile(r"</?s>|<pad>|<unk>|<\|\w+\|>|\[(?:SEP|CLS|PAD|UNK|MASK)\]|(?<!\S)##\w|<eos>|<bos>")
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Thai, Lao, Burmese, Khmer: written without spaces between words, and not split by any tokeniser here."""
KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]{2}")
"""Hiragana or katakana, two in a row: Chinese has none but for の."""
SOURCES = ("source", "document", "article", "context", "prompt", "input", "question")
TOLD_BY = 200
"""From so many texts a script is known."""


def output_findings(case: Case) -> Iterator[Finding]:
    """Yield what is odd about generated texts, against their references and, where a column has it, their source."""
    if "references" not in case.gold or "text" not in case.predicted:
        return
    gold, said = listed(case.gold["references"]), listed(case.predicted["text"])
    empty = [place for place, text in enumerate(said) if not text.strip() and any(map(str.strip, gold[place]))]
    if empty:
        yield finding(
            "empty outputs",
            "error" if len(empty) > len(said) / 2 else "warning",
            len(empty),
            [case.ids[place] for place in empty],
            "nothing was written where the references hold something: generation failed, or its end was cut away "
            "with the prompt. They count as wrong",
        )
    yield from _marks(case, gold, said)
    yield from _cut(case, gold, said)
    yield from _copies(case, gold, said)
    yield from _scripts(gold, said)
    if not case.tokenizer:
        yield from _tokenizers(case, [each[0] for each in gold if each])


def _marks(case: Case, gold: Sequence[Sequence[str]], said: Sequence[str]) -> Iterator[Finding]:
    found = [place for place, text in enumerate(said) if MARKS.search(text)]
    found = [place for place in found if not any(map(MARKS.search, gold[place]))]
    if found:
        yield finding(
            "marks of the model in outputs",
            "warning",
            len(found),
            [case.shown(place, said[place]) for place in found],
            "special tokens or pieces of words stand in the texts and count as words: decode with "
            "skip_special_tokens, and join pieces",
        )


def _cut(case: Case, gold: Sequence[Sequence[str]], said: Sequence[str]) -> Iterator[Finding]:
    """Yield texts without a sentence end, short of references that have one: most of them, or many of one length."""
    ended = [place for place in range(len(said)) if gold[place] and _ends(gold[place][0]) and said[place].strip()]
    cut = [place for place in ended if not _ends(said[place]) and len(said[place]) < len(gold[place][0])]
    if len(cut) < ENOUGH // 2 or len(cut) < 0.1 * len(ended):
        return
    lengths = Counter(len(words(said[place])) for place in cut)
    length, number = lengths.most_common(1)[0]
    if number >= max(ENOUGH // 2, len(cut) / 2):
        told = f"{number:,} of them are {length} words or characters long"
    elif len(cut) > 0.5 * len(ended):
        told = f"that is {len(cut) / len(ended):.0%} of those whose reference ends with a sentence"
    else:
        return
    yield finding(
        "outputs are cut off",
        "error",
        len(cut),
        [case.shown(place, "…" + said[place][-60:]) for place in cut],
        f"texts stop before a sentence ends, short of their references; {told}: generation stopped at a limit (20 "
        "tokens is a common default). Raise max_new_tokens",
    )


def _ends(text: str) -> bool:
    return text.rstrip()[-1:] in ENDS and bool(text.strip())


def _copies(case: Case, gold: Sequence[Sequence[str]], said: Sequence[str]) -> Iterator[Finding]:
    for name in SOURCES:
        column: Sequence[Any] = case.others.get(name, ())
        if not column or not all(isinstance(value, str) for value in column):
            continue
        begun = [place for place, text in enumerate(said) if text.strip() and text[:8] == column[place][:8]]
        alike = [place for place in begun if normalised(said[place]) == normalised(column[place])]
        copied = [place for place in alike if said[place] not in gold[place]]
        echoed = [place for place in begun if place not in set(alike) and said[place].startswith(column[place])]
        for check, places in (("copies of the source", copied), ("outputs repeat the prompt", echoed)):
            if len(places) >= max(3, 0.05 * len(said)):
                yield finding(
                    check,
                    "warning",
                    len(places),
                    [case.shown(place, said[place]) for place in places],
                    f"the text is, or begins with, `{name}`, and the references do not: the system copied, or the "
                    "prompt was not cut from its output",
                )


def _scripts(gold: Sequence[Sequence[str]], said: Sequence[str]) -> Iterator[Finding]:
    references = [each[0] for each in gold if each]
    languages = script(references[:TOLD_BY]), script(said[:TOLD_BY])
    if languages[0] != languages[1] and any(map(str.strip, said)):
        yield finding(
            "outputs in another script",
            "error",
            len(said),
            [],
            f"references are {languages[0]}, outputs {languages[1]} by their letters: another language or file",
        )


def _tokenizers(case: Case, references: Sequence[str]) -> Iterator[Finding]:
    """Yield that the tokeniser which the script of the references chooses does not split some of them into words."""
    if tokenizer_for(references) != "13a":
        kana = [text for text in references if KANA.search(text)]
        if len(kana) > len(references) / 2:
            yield finding(
                "Japanese cut as Chinese",
                "warning",
                len(kana),
                kana,
                "the references are Japanese, and BLEU and TER take the tokeniser zh, which sets Chinese characters "
                "apart and leaves kana joined: a row of kana counts as one word. Name ja-mecab or char (--tokenizer)",
            )
        return
    unsplit = [text for text in references if UNSPACED.search(text) or (not text.isascii() and script([text]) == "zh")]
    if unsplit:
        yield finding(
            "wrong tokeniser for some references",
            "warning",
            len(unsplit),
            unsplit,
            "BLEU takes the tokeniser that fits most references, 13a, which does not split these: a sentence counts as "
            "a word or two. Score each language by itself",
        )
