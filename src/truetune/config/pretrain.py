"""The settings of pretraining."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from truetune.config.group import Fraction, Group


class Pretrain(Group):
    """What `truetune pretrain` learns of unlabelled text; `finetune` does not read it."""

    documents: Literal["lines", "paragraphs"] = Field(default="lines", description="What a document of a text file is")
    mask_share: Fraction = Field(default=0.15, description="Share of the pieces (or words) that are masked")
    whole_words: bool = Field(default=False, description="Mask all pieces of a word; Chinese words by jieba")
    held_out: int = Field(default=1000, gt=0, description="Documents for validation, and for the test part, at most")
    tokenizer: str = Field(
        default="keep",
        description="keep: the model's own; wordpiece, bpe or unigram: trained on the corpus; else a model that has it",
    )
    new_words: int = Field(
        default=0, ge=0, description="Frequent words that become pieces of a pretrained encoder's tokenizer, at most"
    )
    probe: str | None = Field(
        default=None,
        description="A config of fine-tuning, by which the start, each `train.keep_every` and the end are scored",
    )
    vocabulary: int = Field(default=8000, gt=255, description="Pieces of a tokenizer that is trained")
