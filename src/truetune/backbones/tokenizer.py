"""A Transformers tokenizer as tasks need it: pieces with character offsets, nothing cut off, special tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from truetune.errors import ModelError
from truetune.text import CJK, Fold, folded
from truetune.types import Ints, Pieces

_UNBOUNDED = 1_000_000
"""Transformers writes a huge number where a tokenizer knows no limit."""

_WIDE = f"{CJK}\u3000-\u303f\uff00-\uffef"
_BESIDE_WIDE = re.compile(rf"\s+(?=[{_WIDE}])|(?<=[{_WIDE}])\s+")
_HAN = "[\\p{Han}\\p{Hiragana}\\p{Katakana}]"
_PROBE = "中国人民银行 在东京"


class Template(NamedTuple):
    """Special tokens before, between and after the texts."""

    before: Ints
    between: Ints
    after: Ints
    segments: tuple[int, int, int, int, int]
    """Of before, first, between, second, after."""


class FastTokenizer:
    """The `Tokenizer` of tasks over a fast Transformers tokenizer."""

    def __init__(
        self,
        transformers_tokenizer: Any,
        positions: int | None = None,
        two_sided: bool = False,
        fold: tuple[Fold, ...] = (),
    ) -> None:
        """`positions` is the longest input of the model in pieces, where it has such a limit.

        `two_sided`: the model reads with an encoder and writes with a decoder. `fold`: which characters are read as
        others; places in a text stay what they are.
        """
        if not getattr(transformers_tokenizer, "is_fast", False):
            name = getattr(transformers_tokenizer, "name_or_path", "") or type(transformers_tokenizer).__name__
            raise ModelError(
                f"{name}: its tokenizer is a slow one, which does not know where in the text a piece stands; "
                "expected a fast one (a folder with tokenizer.json). Convert it with "
                "transformers.convert_slow_tokenizer, or choose a model that has one"
            )
        self.transformers = transformers_tokenizer
        self._backend = transformers_tokenizer.backend_tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()
        self._positions = positions
        self._answer_positions = _UNBOUNDED if positions is None else positions
        self.two_sided = two_sided
        self.fold = fold

    @property
    def longest_answer(self) -> int:
        """The most pieces, the end included, that a decoder beside an encoder has positions for."""
        return self._answer_positions

    @property
    def max_length(self) -> int:
        """The longest input of the model in pieces, special tokens included."""
        known = (self.transformers.model_max_length, self._positions)
        return min((int(one) for one in known if one is not None and one < _UNBOUNDED), default=_UNBOUNDED)

    def shorten(self, length: int) -> None:
        """Allow inputs of at most `length` pieces; raises ModelError for more than the model takes."""
        if length > self.max_length:
            raise ModelError(
                f"model.max_length: {length:,} is more than the {self.max_length:,} pieces that this model takes; "
                "lower it, or leave it out (longer texts are read in windows)"
            )
        self._positions = length

    @cached_property
    def pad(self) -> int:
        """The id that fills a batch up; it is masked, so where there is no such id any other will do."""
        for name in ("pad_token_id", "eos_token_id", "unk_token_id"):
            if (found := getattr(self.transformers, name, None)) is not None:
                return int(found)
        return 0

    @cached_property
    def unknown(self) -> int | None:
        """The id of what stands in for characters that the vocabulary lacks; None where it lacks none."""
        found = getattr(self.transformers, "unk_token_id", None)
        return None if found is None else int(found)

    @cached_property
    def mask(self) -> int:
        """The id of what stands for a masked piece; raises ModelError where there is none."""
        found = getattr(self.transformers, "mask_token_id", None)
        if found is None:
            raise ModelError(
                "the tokenizer of this model has no mask token, so nothing can be masked for it; choose an encoder "
                "(BERT style), or the task language-modeling"
            )
        return int(found)

    @property
    def size(self) -> int:
        """How many ids there are."""
        return len(self.transformers)

    @cached_property
    def special(self) -> Ints:
        """The ids of special tokens, padding included, sorted."""
        ids = {self.pad, *getattr(self.transformers, "all_special_ids", ())}
        return np.array(sorted(ids), dtype=np.int64)

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Cut texts into pieces with their character offsets; no special tokens, nothing truncated.

        White space at the edges of a piece is not counted as part of it.
        """
        return [
            _pieces(text, encoding.ids, encoding.offsets)
            for text, encoding in zip(
                texts,
                self._backend.encode_batch([folded(text, self.fold) for text in texts], add_special_tokens=False),
                strict=True,
            )
        ]

    def answer_pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Cut texts that are to be written."""
        return self.pieces(texts)

    def wrapped(self, first: Ints, second: Ints | None = None) -> tuple[Ints, Ints, int]:
        """Add special tokens: ids `[length]`, segments `[length]`, and where `first` begins in ids."""
        template = self._single if second is None else self._pair
        parts = (template.before, first, template.between, first[:0] if second is None else second, template.after)
        ids = np.concatenate(parts).astype(np.int64)
        if not len(ids):
            ids, parts = np.array([self._end]), (np.array([self._end]), *parts[1:])
        segments = np.repeat(np.array(template.segments, dtype=np.int64), [len(part) for part in parts])
        return ids, segments, len(template.before)

    def opened(self, ids: Ints) -> Ints:
        """Return what a model that writes is given to read: a decoder's text has no end yet."""
        if self.two_sided:
            return self.wrapped(ids)[0]
        before = self._single.before
        # Chat templates write the beginning themselves.
        return ids if np.array_equal(ids[: len(before)], before) else np.concatenate([before, ids])

    def closed(self, ids: Ints) -> Ints:
        """Return what a model is to write, with its end."""
        return self.wrapped(ids)[0] if self.two_sided else np.append(ids, self.end)

    def template(self, asked: str) -> str:
        """Return a turn of a user and the beginning of an answer, by the chat template; empty where there is none.

        Where a decoder's tokenizer drops ends of lines, as BERT's does, nothing else would part the two: then the
        separator stands behind the turn.
        """
        if getattr(self.transformers, "chat_template", None) is None:
            parts = self.two_sided or len(self.pieces(["\n\n"])[0].ids) > 0
            return "" if parts else asked + str(self.transformers.sep_token or self.transformers.eos_token or "")
        turn = [{"role": "user", "content": asked}]
        found: str = self.transformers.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
        return found

    def text(self, ids: Ints) -> str:
        """Return the text of pieces, special tokens left out, white space at its edges too."""
        found: str = self.transformers.decode(
            ids.tolist(), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return _BESIDE_WIDE.sub("", found).strip() if self._spaces_out else found.strip()

    @cached_property
    def end(self) -> int:
        """The id of the end of a text; raises ModelError where there is none: such a model cannot stop.

        Of models with BERT's tokenizer (most that write Chinese) it is the separator, which ends their texts.
        """
        for name in ("eos_token_id", "sep_token_id"):
            if (found := getattr(self.transformers, name, None)) is not None:
                return int(found)
        raise ModelError("the tokenizer of this model has no end token, so it cannot end a text; choose another")

    def isolate_han(self) -> None:
        """Make every Chinese or Japanese character a piece of its own, so that gold spans of characters can be kept.

        Tokenizers that join such characters (SentencePiece, byte-level BPE) get one more rule; it is saved
        with them. One for which no such rule works stays as it is.
        """
        if _separate(self._backend):
            return
        from tokenizers import Regex, pre_tokenizers

        rule = pre_tokenizers.Split(Regex(_HAN), "isolated")
        own = self._backend.pre_tokenizer
        for rules in ([own, rule], [rule, own]):
            self._backend.pre_tokenizer = pre_tokenizers.Sequence([part for part in rules if part is not None])
            if _separate(self._backend):
                return
        self._backend.pre_tokenizer = own

    def save(self, folder: Path) -> None:
        """Write the files that Transformers loads again."""
        self.transformers.save_pretrained(folder)

    @cached_property
    def _end(self) -> int:
        for name in ("eos_token_id", "sep_token_id", "bos_token_id"):
            if (found := getattr(self.transformers, name, None)) is not None:
                return int(found)
        return self.pad

    @cached_property
    def _spaces_out(self) -> bool:
        """Whether characters that are written together come back apart, as of WordPiece: there each is a word."""
        ids = self._backend.encode("中国", add_special_tokens=False).ids
        found: str = self.transformers.decode(ids, clean_up_tokenization_spaces=False)
        return len(found.split()) > 1

    @cached_property
    def _single(self) -> Template:
        return self._template(self._backend.encode("a"), pair=False)

    @cached_property
    def _pair(self) -> Template:
        return self._template(self._backend.encode("a", "a"), pair=True)

    def _template(self, encoding: Any, pair: bool) -> Template:
        """Read the template off an encoded probe: runs of special tokens around runs of text."""
        special = np.array(encoding.special_tokens_mask, dtype=bool)
        ids, segments = np.array(encoding.ids, dtype=np.int64), encoding.type_ids
        text = np.flatnonzero(~special)
        sequence = np.array([-1 if one is None else one for one in encoding.sequence_ids])
        begin, end = int(text[0]), int(text[-1]) + 1
        inner_end = int(np.flatnonzero(sequence == 0)[-1]) + 1 if pair else end
        inner_begin = int(np.flatnonzero(sequence == 1)[0]) if pair else end
        between = ids[inner_end:inner_begin]
        if pair and not len(between):
            between = np.array([self._end], dtype=np.int64)
        middle = segments[inner_end] if inner_begin > inner_end else 0
        kinds = (
            segments[0],
            segments[begin],
            middle,
            segments[inner_begin] if pair else 0,
            segments[-1],
        )
        return Template(ids[:begin], between, ids[end:], kinds)


def _pieces(text: str, ids: list[int], offsets: list[tuple[int, int]]) -> Pieces:
    bounds = np.array(offsets, dtype=np.int64).reshape(-1, 2)
    return trimmed(text, Pieces(np.array(ids, dtype=np.int64), bounds[:, 0], bounds[:, 1]))


def trimmed(text: str, pieces: Pieces) -> Pieces:
    """Return pieces without the white space at their edges."""
    if text.isalnum():
        return pieces
    starts, ends = pieces.starts.copy(), pieces.ends.copy()
    space = np.array([character.isspace() for character in text] + [False])
    _trim(starts, ends, space)
    return Pieces(pieces.ids, starts, ends)


def _trim(starts: Ints, ends: Ints, space: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    while (edge := (starts < ends) & space[starts]).any():
        starts[edge] += 1
    while (edge := (starts < ends) & space[ends - 1]).any():
        ends[edge] -= 1


def _separate(backend: Any) -> bool:
    offsets = backend.encode(_PROBE, add_special_tokens=False).offsets
    covered = [span for span, _ in groupby(offsets) if span[0] < span[1]]
    return all(len(_PROBE[start:end].strip()) <= 1 for start, end in covered)
