"""The tokenizer of Marian models (`opus-mt`): one SentencePiece model cuts sources, another answers, with shared ids.

Such a folder has no tokenizer.json: `source.spm` and `target.spm` say how texts are cut, and `vocab.json` which id a
piece has. `>>zho<<` at the beginning of a source, where the vocabulary has it, says which language is wanted. A run of
characters that the model of its side lacks is looked up as it is written: so were these models trained.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from truetune.backbones.sentencepiece_file import BYTE, DEFINED, NORMAL, read_sentencepiece
from truetune.backbones.sentencepiece_text import SPACE, SentencePieceReader
from truetune.backbones.tokenizer import FastTokenizer, trimmed
from truetune.errors import ModelError
from truetune.files import write_json
from truetune.text import Fold, folded
from truetune.types import Ints, Pieces

SOURCE, TARGET, VOCABULARY, CONFIG = "source.spm", "target.spm", "vocab.json", "tokenizer_config.json"
END, UNKNOWN, PAD = "</s>", "<unk>", "<pad>"
SHOWN = 50
"""So many languages are named."""
LONGEST = 512
"""What Transformers takes for the longest input where the files do not say."""
_CODE = re.compile(r">>.*?<<")
_CODE_ALONE = re.compile(r"\s*(>>[^<>\s]+<<)\s*")
_BYTE_RUN = re.compile(r"(?:<0x[0-9A-F]{2}>)+")


class MarianTokenizer(FastTokenizer):
    """Cuts sources by the one model and answers by the other."""

    def __init__(self, place: str, config: Any, positions: int | None, fold: tuple[Fold, ...] = ()) -> None:
        """Read a folder or a model of the Hub, `config` being the model's; `positions` as of `FastTokenizer`."""
        self._files = {name: _content(place, name) for name in (SOURCE, TARGET, VOCABULARY)}
        stored = _settings(place)
        self._ids = _vocabulary(place, json.loads(self._files[VOCABULARY]), stored, config)
        self._texts = {number: piece for piece, number in self._ids.items()}
        self._kept = {name: stored[name] for name in ("source_lang", "target_lang") if stored.get(name)}
        longest = int(stored.get("model_max_length") or LONGEST)
        super().__init__(_whole_pieces(self._ids, longest), positions, two_sided=True, fold=fold)
        self._source, self._target = (
            Side(self._files[name], f"{place}: {name}", self._ids) for name in (SOURCE, TARGET)
        )

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Cut sources into pieces with their character offsets.

        Raises ModelError where one is the code of a language alone, as before the source in a prompt, that is unknown.
        """
        for text in texts:
            if (code := _CODE_ALONE.fullmatch(text)) and code.group(1) not in self._ids:
                known = ", ".join(sorted(one for one in self._ids if _CODE.fullmatch(one))[:SHOWN])
                raise ModelError(
                    f"{code.group(1)} is no language of this model; expected "
                    f"{known or 'none, for it writes one language'}; change generate.prompt"
                )
        return self._cut(texts, self._source)

    def answer_pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Cut what is to be written, by the model of the target."""
        return self._cut(texts, self._target)

    def text(self, ids: Ints) -> str:
        """Return the text of pieces, special tokens left out."""
        left_out = {self._ids[name] for name in (END, UNKNOWN, PAD)}
        joined = "".join(self._texts.get(one, "") for one in ids.tolist() if one not in left_out).replace(SPACE, " ")
        return _BYTE_RUN.sub(_characters, joined).strip() if self._target.of_bytes else joined.strip()

    def save(self, folder: Path) -> None:
        """Write the files as they were; Transformers' own tokenizer, which needs SentencePiece, reads them too."""
        for name, content in self._files.items():
            (folder / name).write_bytes(content)
        names = {"eos_token": END, "unk_token": UNKNOWN, "pad_token": PAD}
        longest = int(self.transformers.model_max_length)
        kind = {"tokenizer_class": "MarianTokenizer", "model_max_length": longest, "separate_vocabs": False}
        write_json(folder / CONFIG, {**kind, **self._kept, **names})

    def _cut(self, texts: Sequence[str], side: Side) -> list[Pieces]:
        read = [folded(text, self.fold) for text in texts]
        codes = [code.group() if (code := _CODE.match(text)) and code.group() in self._ids else "" for text in read]
        found = side.pieces([text[len(code) :] for text, code in zip(read, codes, strict=True)])
        return [
            trimmed(text, _behind(code, self._ids, pieces))
            for text, code, pieces in zip(texts, codes, found, strict=True)
        ]


class Side:
    """One SentencePiece model, whose pieces get the ids of the vocabulary."""

    def __init__(self, content: bytes, where: str, vocabulary: Mapping[str, int]) -> None:
        from tokenizers import Tokenizer, models

        model = read_sentencepiece(content, where)
        self._reader = SentencePieceReader(model, where)
        self.of_bytes = model.bytes_for_unknown
        self._vocabulary = vocabulary
        best = max((score for _, score, kind in model.pieces if kind == NORMAL), default=0.0)
        # The unknown piece is a space, which no text has any more: it is never found as a piece.
        pieces = [(" ", 0.0)]
        for piece, score, kind in model.pieces:
            if kind == NORMAL:
                pieces.append((piece, score))
            elif kind == DEFINED:
                pieces.append((piece, len(piece.encode()) * best - 0.1))  # as SentencePiece has them win
        self._cutter = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
        unknown = vocabulary[UNKNOWN]
        self._numbers = np.array([vocabulary.get(piece, unknown) for piece, _ in pieces], dtype=np.int64)
        self._numbers[0] = -1
        names = {piece for piece, _, kind in model.pieces if kind == BYTE}
        self._bytes = [vocabulary.get(name if name in names else "", unknown) for name in _BYTES]

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Return the pieces of texts, with offsets of the texts as they are given."""
        read = [self._reader.read(text) for text in texts]
        found = []
        for one, encoding in zip(read, self._cutter.encode_batch([one.text for one in read]), strict=True):
            bounds = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
            ids = self._numbers[np.array(encoding.ids, dtype=np.int64)]
            if (ids < 0).any():
                ids, bounds = self._looked_up(one.text, ids, bounds)
            found.append(Pieces(ids, one.starts[bounds[:, 0]], one.ends[bounds[:, 1] - 1]))
        return found

    def _looked_up(self, text: str, ids: Ints, bounds: Ints) -> tuple[Ints, Ints]:
        """Return ids and bounds with runs that the model lacks by their own entry in the vocabulary, or as bytes."""
        rows: list[tuple[int, int, int]] = []
        for number, (start, end) in zip(ids.tolist(), bounds.tolist(), strict=True):
            if number >= 0:
                rows.append((number, start, end))
            elif self.of_bytes:
                rows += [(self._bytes[byte], at, at + 1) for at in range(start, end) for byte in text[at].encode()]
            else:
                rows.append((self._vocabulary.get(text[start:end], self._vocabulary[UNKNOWN]), start, end))
        table = np.array(rows, dtype=np.int64).reshape(-1, 3)
        return table[:, 0], table[:, 1:]


_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def _behind(code: str, vocabulary: Mapping[str, int], pieces: Pieces) -> Pieces:
    """Return pieces behind the code of a language, which is one piece."""
    if not code:
        return pieces
    return Pieces(
        np.concatenate([[vocabulary[code]], pieces.ids]),
        np.concatenate([[0], pieces.starts + len(code)]),
        np.concatenate([[len(code)], pieces.ends + len(code)]),
    )


def _characters(run: re.Match[str]) -> str:
    return bytes.fromhex(run.group().replace("<0x", "").replace(">", "")).decode("utf-8", "replace")


def _content(place: str, name: str) -> bytes:
    from transformers.utils.hub import cached_file

    found = cached_file(place, name)
    assert found is not None  # it raises OSError where there is no such file
    return Path(found).read_bytes()


def _settings(place: str) -> dict[str, Any]:
    """Return what the tokenizer's config says; nothing where there is none."""
    from transformers.utils.hub import cached_file

    found = cached_file(place, CONFIG, _raise_exceptions_for_missing_entries=False)
    stored: dict[str, Any] = {} if found is None else json.loads(Path(found).read_text(encoding="utf-8"))
    return stored


def _vocabulary(place: str, ids: dict[str, int], stored: Mapping[str, Any], config: Any) -> dict[str, int]:
    """Return the ids of pieces; raises ModelError where the two sides have ids of their own, or ids do not fit."""
    if stored.get("separate_vocabs") or not config.share_encoder_decoder_embeddings:
        raise ModelError(
            f"{place}: is a Marian model whose source and target have a vocabulary each; expected one of both, as most "
            "of opus-mt have"
        )
    missing = [name for name in (END, UNKNOWN, PAD) if name not in ids]
    if missing:
        raise ModelError(f"{place}: {VOCABULARY} lacks {', '.join(missing)}; fetch the model again")
    if max(ids.values()) >= config.vocab_size or (ids[END], ids[PAD]) != (config.eos_token_id, config.pad_token_id):
        raise ModelError(
            f"{place}: {VOCABULARY} and config.json are of different models: ids up to {max(ids.values()):,}, end "
            f"{ids[END]} and padding {ids[PAD]} in the one, {config.vocab_size:,} ids, {config.eos_token_id} and "
            f"{config.pad_token_id} in the other; fetch the model again"
        )
    return ids


def _whole_pieces(ids: Mapping[str, int], longest: int) -> Any:
    """Return a Transformers tokenizer that knows ids, special tokens and where these stand, and cuts nothing."""
    from tokenizers import Tokenizer, models, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel(dict(ids), unk_token=UNKNOWN))
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, ids[END])])
    names = {"eos_token": END, "unk_token": UNKNOWN, "pad_token": PAD}
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, model_max_length=longest, **names
    )
