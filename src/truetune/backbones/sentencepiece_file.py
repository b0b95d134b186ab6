"""What a SentencePiece model file says, read without that package: pieces, their scores and kinds, how text is written.

The file is a protocol buffer: fields with numbers, of which those are read that decide how a text is cut
(https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from truetune.errors import ModelError

NORMAL, UNKNOWN, CONTROL, DEFINED, UNUSED, BYTE = range(1, 7)
"""Kinds of pieces."""
_UNIGRAM = 1
_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5


@dataclass(frozen=True)
class SentencePieceFile:
    """A Unigram model of SentencePiece."""

    pieces: tuple[tuple[str, float, int], ...]
    """Text, logarithm of its probability, kind."""
    bytes_for_unknown: bool
    """Whether characters that the model lacks are written as the pieces of their bytes."""
    prefix: bool
    """Whether a text begins with a space."""
    one_space: bool
    """Whether several spaces are one, and those at the edges none."""
    character_map: bytes
    """What other text is read for some of a text, as SentencePiece compiles it."""


def read_sentencepiece(content: bytes, where: str) -> SentencePieceFile:
    """Read a file's bytes; raises ModelError where they are no such model, or one that would be cut otherwise here."""
    try:
        return _read(content, where)
    except (LookupError, struct.error, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{where}: is no SentencePiece model, or damaged ({error}); fetch it again") from error


def _read(content: bytes, where: str) -> SentencePieceFile:
    pieces: list[tuple[str, float, int]] = []
    trainer: dict[int, int | bytes] = {}
    writing: dict[int, int | bytes] = {}
    for number, value in _fields(content):
        if number == 1:
            piece = dict(_fields(_bytes(value)))
            score = struct.unpack("<f", _bytes(piece.get(2, bytes(4))))[0]
            pieces.append((_bytes(piece[1]).decode(), score, int(piece.get(3, NORMAL))))
        elif number == 2:
            trainer = dict(_fields(_bytes(value)))
        elif number == 3:
            writing = dict(_fields(_bytes(value)))
    if not any(kind == UNKNOWN for _, _, kind in pieces):
        raise ModelError(f"{where}: is no SentencePiece model, for it has no unknown piece; fetch it again")
    if trainer.get(3, _UNIGRAM) != _UNIGRAM or trainer.get(24, 0) or not writing.get(5, 1):
        raise ModelError(
            f"{where}: is a SentencePiece model of another kind (BPE, words, characters, or spaces behind words); "
            "expected a Unigram model, as those of opus-mt are"
        )
    return SentencePieceFile(
        tuple(pieces),
        bytes_for_unknown=bool(trainer.get(35, 0)),
        prefix=bool(writing.get(3, 1)),
        one_space=bool(writing.get(4, 1)),
        character_map=_bytes(writing.get(2, b"")),
    )


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a text was expected")
    return value


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field of a message; four or eight bytes are left as they are."""
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _varint(content, place)
            yield key >> 3, value
            continue
        if kind == _COUNTED:
            size, place = _varint(content, place)
        elif kind in (_FOUR_BYTES, _EIGHT_BYTES):
            size = 4 if kind == _FOUR_BYTES else 8
        else:
            raise ValueError(f"a field of the unknown kind {kind}")
        if place + size > len(content):
            raise ValueError("it ends within a field")
        yield key >> 3, content[place : place + size]
        place += size


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
