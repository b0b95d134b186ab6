"""What a model's tokenizer makes of texts: a tokenizer of characters shows every number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from truetune.audit.model_pieces import Reader, piece_findings
from truetune.audit.parts import AuditPart
from truetune.types import Finding, Ints, Pieces, Span


class Characters:
    """A piece a character that is no space; `z` and all beyond ASCII are unknown (0). Two or three special pieces."""

    max_length = 10
    pad = 1
    two_sided = False

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        return [self._cut(text) for text in texts]

    def _cut(self, text: str) -> Pieces:
        places = np.array([n for n, one in enumerate(text) if one != " "], dtype=np.int64)
        ids = [0 if text[n] == "z" or not text[n].isascii() else ord(text[n]) for n in places.tolist()]
        return Pieces(np.array(ids, dtype=np.int64), places, places + 1)

    def wrapped(self, first: Ints, second: Ints | None = None) -> tuple[Ints, Ints, int]:
        more = () if second is None else (np.array([1]), second)
        ids = np.concatenate([np.array([1]), first, *more, np.array([1])])
        return ids, ids, 1

    def opened(self, ids: Ints) -> Ints:
        return ids

    def template(self, asked: str) -> str:
        return ""

    def closed(self, ids: Ints) -> Ints:
        return ids


READER = Reader(Characters(), 0, windows=False)


def part(texts: list[str], gold: list[object] | None = None, *more: list[str]) -> AuditPart:
    return AuditPart("train", [f"t{n}" for n in range(len(texts))], [texts, *more], gold, None)


def checks(one: AuditPart, reader: Reader = READER) -> dict[str, Finding]:
    return {found.check: found for found in piece_findings(one, reader)}


def test_what_fits_is_passed() -> None:
    assert not checks(part(["abcdefgh", "ab cd ef gh", ""]))
    assert not checks(part(["abc"], None, ["defg"]))


def test_what_is_cut_is_counted_with_its_gold() -> None:
    gold = [[Span(0, 3, "A"), Span(8, 12, "A")], [Span(0, 8, "A")]]
    (found,) = checks(part(["abcdefghijkl", "abcdefgh"], gold)).values()
    assert (found.check, found.severity, found.count, found.examples) == (
        "texts that are cut",
        "warning",
        1,
        ("t0 (12)",),
    )
    # 4 of 20 pieces; of 3 spans the one that ends behind piece 8; 12 pieces and 2 special ones hold all.
    assert "50.0% of the texts of train have more than the 8 pieces of one input: 20.0% of all pieces" in found.advice
    assert "33.3% of gold (1 spans) are never read" in found.advice
    assert "14 pieces hold 99% of the texts whole" in found.advice
    (read,) = checks(part(["abcdefghijkl", "abcdefgh"], gold), replace(READER, windows=True)).values()
    assert (read.check, read.severity) == ("texts longer than one input", "note")
    assert "Who cuts them loses 20.0% of all pieces and 33.3% of gold (1 spans)" in read.advice


def test_texts_of_a_pair_share_the_room() -> None:
    (found,) = checks(part(["abcd"], None, ["efgh"])).values()
    assert "more than the 7 pieces of one input: 12.5% of all pieces are never read" in found.advice


def test_answers_are_gold_too() -> None:
    one = AuditPart("train", ["1"], [["abcdefghij"], ["q"]], None, None, [[(8, "ij")]])
    assert "100.0% of gold (1 spans)" in checks(one)["texts that are cut"].advice


def test_a_question_takes_room_from_its_passage() -> None:
    """Of 7 pieces the question takes 3: an answer that ends at piece 6 of the passage is cut off, one at 4 is not."""
    one = AuditPart("train", ["1"], [["abcdefghij"], ["qrs"]], None, None, [[(4, "ef"), (0, "abcd")]])
    assert "50.0% of gold (1 spans)" in checks(one)["texts that are cut"].advice


def test_unknown_pieces_are_told_by_their_share() -> None:
    few = part([*["abcdefgh"] * 24, "abcdefgz"])
    assert checks(few)["pieces unknown to the model"].severity == "note"
    assert "0.50% of the pieces of train, in 4.0% of the texts" in checks(few)["pieces unknown to the model"].advice
    more = part([*["abcdefgh"] * 5, "zzaé"])
    assert checks(more)["pieces unknown to the model"].severity == "warning"
    assert checks(more)["pieces unknown to the model"].examples == ("'z' (2)", "'é' (1)")
    other = part(["中文句子", "abcd"])
    assert checks(other)["model of another language"].severity == "error"
    assert not checks(part(["zzz"]), replace(READER, unknown=None))


def test_gold_that_cannot_be_read_is_a_warning_however_rare() -> None:
    gold = [[] for _ in range(99)] + [[Span(0, 2, "A"), Span(1, 3, "B")]]
    found = checks(part([*["abcdefgh"] * 99, "zéa"], gold))["pieces unknown to the model"]
    assert found.severity == "warning"
    assert "; 1 gold spans have nothing else in them" in found.advice
