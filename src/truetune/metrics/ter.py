"""Translation Edit Rate (Snover et al. 2006) as sacreBLEU and Tercom compute it: corpus level, 0 to 100 and above.

A row holds the edits of one segment and the mean length of its references in words; the value is edits over
length, never a mean of sentence scores. With several references the one that needs the fewest edits counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from truetune.metric import Additive
from truetune.metrics.references import aligned_references, rows_by_script
from truetune.metrics.shifts import edits
from truetune.metrics.tokenizers import tokenizer_for, tokenizer_named, tokenizer_told
from truetune.rows import Rows
from truetune.text import Script
from truetune.types import Column, Floats, Numbers


def ter_rows(gold: Column, predicted: Column, tokenizer: str = "auto") -> Rows:
    """Return rows `[distinct, 2]`: edits, and the mean number of words of the references.

    Small letters are compared. Words are cut at white space as sacreBLEU's defaults cut them; where the
    references are Chinese, `auto` sets characters apart (`zh`), because a sentence would be one word.
    """
    references = aligned_references(gold, predicted)
    name = tokenizer
    if tokenizer == "auto":
        chinese = tokenizer_for(one for side in references for one in side if one is not None) == "zh"
        name = "zh" if chinese else "none"
    cut = tokenizer_named(name)
    said = cut([text.lower() for text in predicted])
    wanted = [cut([(one or "").lower() for one in side]) for side in references]
    rows = np.zeros((len(said), 2))
    for place, words in enumerate(said):
        rows[place] = _row(
            words, [side[place] for side, texts in zip(wanted, references, strict=True) if texts[place] is not None]
        )
    return Rows.of(rows).noted(f"tokeniser {tokenizer_told(name)}")


def _row(words: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[float, float]:
    fewest = min(edits(words, reference) for reference in references)
    return fewest, sum(map(len, references)) / len(references)


def _rows_of_script(gold: Column, predicted: Column, script: Script | None) -> Rows:
    return ter_rows(gold, predicted, "auto" if script is None else "zh" if script == "zh" else "none")


def ter_formula(sums: Numbers) -> Floats:
    """Return 100 times edits over reference words of sums `[..., 2]`; NaN where no reference has a word."""
    value: Floats = np.where(sums[..., 1] > 0, 100 * sums[..., 0] / sums[..., 1], np.nan)
    return value


def ter(tokenizer: str = "auto", name: str = "ter") -> Additive:
    """Return TER with one tokeniser: `none` (white space), `zh`, `char`, `13a`, `intl`, `ja-mecab`; `auto` chooses."""
    chosen = "tokeniser by the script of the references" if tokenizer == "auto" else f"tokeniser {tokenizer}"
    return Additive(
        name=name,
        rows=rows_by_script(_rows_of_script) if tokenizer == "auto" else partial(ter_rows, tokenizer=tokenizer),
        formula=ter_formula,
        gold="references",
        predicted="text",
        definition="translation edit rate: words added, dropped, replaced and blocks shifted, over the mean reference "
        f"length, corpus level, 0 to 100 and above, small letters, {chosen} (Snover et al. 2006, as sacreBLEU)",
        unit="segment",
        better="lower",
        undefined="no reference has a word",
        limits=(0.0, float("inf")),
    )
