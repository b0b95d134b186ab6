"""Tasks whose answer is a text (translation, summarisation, dialogue) and language modelling; scored here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from truetune.data.parse import Field
from truetune.metric import Seen
from truetune.metrics.bleu import bleu
from truetune.metrics.chrf import CHRF, CHRF_WORDS
from truetune.metrics.dialogue import DIALOGUE as DIALOGUE_METRICS
from truetune.metrics.language_modeling import LANGUAGE_MODELING as LIKELIHOODS
from truetune.metrics.language_modeling import MASKED_LANGUAGE_MODELING as MASKED
from truetune.metrics.language_modeling import REPLACED_TOKEN_DETECTION as DETECTED
from truetune.metrics.ranking import MRR, at_depth
from truetune.metrics.rouge import ROUGE
from truetune.metrics.self_bleu import SELF_BLEU
from truetune.metrics.ter import ter
from truetune.tasks.base import Inputs, Labels, Oddities, Scoring, Task, Training
from truetune.tasks.fields import (
    as_any_text,
    as_count,
    as_list,
    as_number,
    as_text,
    as_texts,
    as_truth,
    is_one_text,
    shown,
)
from truetune.tasks.retrieval import RANKED, as_relevant
from truetune.tasks.text_encoding import decode_texts, source_encoder
from truetune.types import Column


def as_references(value: object) -> tuple[str, ...]:
    """Return one or more references."""
    references = as_texts(value)
    if not references:
        raise ValueError("expected at least one reference, found none")
    return references


def as_one_reference(value: object) -> tuple[str, ...]:
    """Return a text as the only reference."""
    return (as_any_text(value),)


REFERENCES = ((Field("references", as_references, instead=Field("reference", as_one_reference)),),)
"""Each row may have either: a file that begins with one column may go on with the other."""
SAID = ((Field("text", as_any_text), Field("finished", as_truth, required=False)),)


def _unlabelled(gold: Mapping[str, Sequence[Any]]) -> Labels:
    return Labels(())


def _written(inputs: Inputs, keep: Literal["beginning", "end"], *baselines: str) -> Training:
    encode = source_encoder(keep)
    return Training("generate", inputs, _unlabelled, encode, decode_texts, ("nearest", *baselines, "untuned"))


def _empty_references(gold: Mapping[str, Column], predicted: Mapping[str, Column]) -> Seen:
    empty = sum(any(not text.strip() for text in each) for each in gold.get("references", ()))
    return Counter({"empty": empty})


def empty_reference_warnings(seen: Seen) -> tuple[str, ...]:
    """Return what to say of examples one of whose references holds nothing."""
    number = seen["empty"]
    if not number:
        return ()
    plural = "examples have" if number > 1 else "example has"
    return (
        f"{number:,} {plural} an empty reference: nothing that is said can match it. Fill it in, or leave what has "
        "none out",
    )


EMPTY = Oddities(_empty_references, empty_reference_warnings)

SOURCE = Inputs((Field("source", as_text),))


class Turn(str):
    """What somebody said, and who."""

    speaker: str


SPEAKERS, SAYINGS = ("role", "speaker", "from", "name"), ("content", "text", "value", "utterance")
"""What files call who spoke, and what was said."""


def as_turns(value: object) -> tuple[str, ...]:
    """Return what was said so far, the last turn last; a single text is one turn.

    A turn may be a text, or have a speaker: `{"role": "user", "content": "..."}`, `{"speaker": ..., "text": ...}`.
    """
    several = [value] if isinstance(value, Mapping) or is_one_text(value) else as_list(value)
    turns = tuple(map(_turn, several))
    if not any(turn.strip() for turn in turns):
        raise ValueError("expected one or more turns, found none")
    return turns


def _turn(value: object) -> str:
    if not isinstance(value, Mapping):
        return as_any_text(value)
    said = next((value[name] for name in SAYINGS if name in value), None)
    speaker = next((value[name] for name in SPEAKERS if name in value), None)
    if not isinstance(said, str) or not isinstance(speaker, str) or not speaker.strip():
        raise ValueError(f"expected a turn as a text, or with `role` and `content`, found {shown(value)}")
    turn = Turn(said)
    turn.speaker = " ".join(speaker.split())
    return turn


def turns_as_text(row: Mapping[str, Any]) -> str:
    """Return turns as lines, each with its speaker: of nameless ones the last, who is answered, is B, the other A."""
    turns = row["history"]
    named = [getattr(turn, "speaker", "AB"[(len(turns) - place) % 2]) for place, turn in enumerate(turns)]
    return "\n".join(f"{name}: {turn}" for name, turn in zip(named, turns, strict=True))


def _history(history: Sequence[str], source: str) -> str:
    return source


HISTORY = Inputs(
    (Field("history", as_turns), Field("source", derive=turns_as_text)), whole=_history, compared=(_history,)
)

HITS = tuple(
    replace(metric, name=f"hits@{depth}")
    for depth in (1, 5, 10)
    for metric in at_depth(depth)
    if metric.name == f"hit_rate@{depth}"
)
"""ParlAI's hits@k: the right reply stands among the first k candidates."""

TRANSLATION = Task(
    name="translation",
    about="a text in another language",
    about_zh="机器翻译",
    scoring=Scoring(
        gold=REFERENCES,
        predicted=SAID,
        metrics=(bleu(), CHRF, CHRF_WORDS, ter(), *ROUGE),
        primary=("bleu",),
        oddities=EMPTY,
    ),
    training=_written(SOURCE, "beginning", "copy"),
)

SUMMARIZATION = Task(
    name="summarization",
    about="a short text for a long one",
    about_zh="文本摘要",
    scoring=Scoring(
        gold=REFERENCES, predicted=SAID, metrics=(*ROUGE, bleu(), CHRF), primary=("rougeL",), oddities=EMPTY
    ),
    training=_written(SOURCE, "beginning", "lead"),
)

DIALOGUE = Task(
    name="dialogue",
    about="a reply to what was said, or a ranking of candidate replies",
    about_zh="对话：回复生成，或候选回复排序",
    scoring=Scoring(
        gold=(*REFERENCES, (Field("relevant", as_relevant),)),
        predicted=(*SAID, *RANKED),
        metrics=(*DIALOGUE_METRICS, SELF_BLEU, bleu(), CHRF, *ROUGE, *HITS, MRR),
        primary=("unigram_f1", "mrr"),
        oddities=EMPTY,
    ),
    training=_written(HISTORY, "end"),
)

LANGUAGE_MODELING = Task(
    name="language-modeling",
    about="how likely a model finds texts",
    about_zh="语言模型：文本的似然",
    scoring=Scoring(
        gold=(
            (
                Field("tokens", as_count),
                Field("bytes", as_count, required=False),
                Field("characters", as_count, required=False),
            ),
        ),
        predicted=((Field("log_likelihood", as_number),),),
        metrics=LIKELIHOODS,
        primary=("bits_per_byte", "perplexity"),
    ),
)

MASKED_LANGUAGE_MODELING = Task(
    name="masked-language-modeling",
    about="what a model tells of masked pieces of texts",
    about_zh="掩码语言模型：猜出被遮盖的词元",
    scoring=Scoring(
        gold=((Field("tokens", as_count),),),
        predicted=((Field("hits", as_count), Field("log_likelihood", as_number)),),
        metrics=MASKED,
        primary=("masked_accuracy",),
    ),
)

REPLACED_TOKEN_DETECTION = Task(
    name="replaced-token-detection",
    about="which pieces of texts a model finds replaced",
    about_zh="替换词元检测：找出被替换的词元",
    scoring=Scoring(
        gold=((Field("tokens", as_count),),),
        predicted=((Field("hits", as_count), Field("log_likelihood", as_number)),),
        metrics=DETECTED,
        primary=("detection_accuracy",),
    ),
)
