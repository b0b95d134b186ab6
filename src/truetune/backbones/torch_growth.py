"""A pretrained model whose tokenizer knows more words: their vectors begin as the means of those of their old pieces.

The mean keeps what the model made of the word so far near what it makes of it now, and puts no new piece far from all
others [Hewitt 2021]. Texts without the new words are read, and answered, as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from truetune.backbones.pretrained import explained, quiet
from truetune.backbones.tokenizer import FastTokenizer
from truetune.files import whole_folder
from truetune.text import is_cjk
from truetune.types import Ints

BESIDE = {False: ("a a", "a {} a"), True: ("的的", "的{}的")}
"""What stands beside a word when it is looked at how it is cut, without and with the word; with CJK no spaces do."""


def shortened_words(tokenizer: FastTokenizer, words: Sequence[str]) -> list[str]:
    """Add words to a tokenizer, and return those of which it makes one piece now, in their order.

    Only whole words between spaces or signs are found, those of CJK characters wherever these stand in a row.
    Tokenizers that join a word with the space before it gain nothing by that, and get none.
    """
    pieces = _pieces_beside(tokenizer, words)
    shorter = [word for word, number in zip(words, pieces, strict=True) if number > 1]
    probe = FastTokenizer(_copy(tokenizer.transformers))
    _add(probe, shorter)
    return [word for word, number in zip(shorter, _pieces_beside(probe, shorter), strict=True) if number == 1]


def _pieces_beside(tokenizer: FastTokenizer, words: Sequence[str]) -> list[int]:
    """Return how many pieces each word adds to what stands beside it."""
    of_cjk = [is_cjk(word[0]) for word in words]
    (spaced, unspaced) = (len(one.ids) for one in tokenizer.pieces([BESIDE[False][0], BESIDE[True][0]]))
    around = tokenizer.pieces([BESIDE[cjk][1].format(word) for cjk, word in zip(of_cjk, words, strict=True)])
    return [len(one.ids) - (unspaced if cjk else spaced) for cjk, one in zip(of_cjk, around, strict=True)]


def _add(tokenizer: FastTokenizer, words: Sequence[str]) -> None:
    from tokenizers import AddedToken

    tokenizer.transformers.add_tokens(
        [AddedToken(word, single_word=not is_cjk(word[0]), normalized=True) for word in words]
    )


def write_grown_model(place: str, folder: Path, head: str, tokenizer: FastTokenizer, words: Sequence[str]) -> None:
    """Write the model at `place` with these words in its tokenizer, as Transformers loads it; whole or not at all."""
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    kind = AutoModelForMaskedLM if head == "mask" else AutoModelForCausalLM
    old: list[Ints] = [one.ids for one in tokenizer.pieces(list(words))]
    with quiet(), explained(place), torch.random.fork_rng(devices=[]), whole_folder(folder) as temporary:
        torch.manual_seed(0)
        model: Any = kind.from_pretrained(place, dtype=torch.float32)
        begin = tokenizer.size
        _add(tokenizer, words)
        model.resize_token_embeddings(max(tokenizer.size, model.config.vocab_size), mean_resizing=False)
        inputs: Any = model.get_input_embeddings()
        outputs: Any = model.get_output_embeddings()
        with torch.no_grad():
            for number, ids in enumerate(old, start=begin):
                rows = torch.from_numpy(ids)
                inputs.weight[number] = inputs.weight[rows].mean(dim=0)
                if outputs is not None and outputs.weight is not inputs.weight:
                    outputs.weight[number] = outputs.weight[rows].mean(dim=0)
                if outputs is not None and outputs.bias is not None:
                    outputs.bias[number] = outputs.bias[rows].mean()
        model.save_pretrained(temporary)
        tokenizer.save(temporary)


def _copy(tokenizer: Any) -> Any:
    import copy

    return copy.deepcopy(tokenizer)
