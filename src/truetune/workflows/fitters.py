"""How each baseline of a run is fitted: the parts that it reads, by its name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from truetune.backbones.base import Backbone
from truetune.bundle.run_folder import PARTS
from truetune.data.stored import Made
from truetune.text import folded
from truetune.training.baselines import Baseline, Candidate, Part, chosen, majority
from truetune.training.baselines_answers import no_answer, tfidf_sentence
from truetune.training.baselines_choices import chance, position, tfidf_choice
from truetune.training.baselines_frozen import frozen_linear
from truetune.training.baselines_lookup import all_outside, lookup
from truetune.training.baselines_names import asked, class_names
from truetune.training.baselines_numbers import constant, frozen_ridge, overlap_ridge, tfidf_ridge
from truetune.training.baselines_ranking import Pools, bm25, tfidf_ranking
from truetune.training.baselines_text import tfidf_linear
from truetune.training.baselines_window import window_linear
from truetune.training.baselines_writing import copied, lead, nearest
from truetune.types import Floats, Ints
from truetune.workflows.features import FeaturesAt, text_features
from truetune.workflows.fitters_joint import joint_fitters
from truetune.workflows.fitters_tags import frozen_tags
from truetune.workflows.model import predicted_by
from truetune.workflows.parts import gold_field
from truetune.workflows.stage import Stage, score_of


def fitters_of(stage: Stage, backbone: Backbone) -> dict[str, Callable[[], Baseline]]:
    """Return what fits each baseline; nothing is read or computed before it is called."""
    if stage.training.head == "joint":
        return joint_fitters(stage, backbone)
    field = gold_field(stage.data.parts["train"].fields)
    score = score_of(stage.data.task, field, stage.config.evaluate.metric)
    gold = {part: Made(_hashable, stage.data.parts[part].stored(field)) for part in ("train", "validation")}
    texts = {part: stage.data.texts(part) for part in PARTS}
    train, validation = Part(texts["train"], gold["train"]), Part(list(texts["validation"]), list(gold["validation"]))
    tests, say = list(texts["test"]), stage.progress.say
    # What the model reads as other characters these baselines do too.
    fold = stage.config.model.fold
    read = {part: Made(lambda text: folded(text, fold), some) for part, some in texts.items()} if fold else texts
    words, known = Part(read["train"], gold["train"]), Part(list(read["validation"]), validation.gold)
    others = list(read["test"])

    def features(part: str, positions: Ints | None = None) -> Floats:
        columns = stage.data.columns(part)
        chosen = [list(column) if positions is None else column.at(positions) for column in columns]
        return text_features(backbone, stage.training, chosen, f"features of {part}", stage.progress)

    @cache
    def whole(part: str) -> Floats:
        return features(part)

    def named_labels() -> Baseline:
        texts = asked(stage.labels)
        read = sorted({text for several in texts.values() for text in several})
        found = text_features(backbone, stage.training, [read], "features of labels", stage.progress)
        names = {key: found[[read.index(text) for text in several]] for key, several in texts.items()}
        return class_names(Part(whole("validation"), validation.gold), whole("test"), names, stage.labels, score)

    learnt = FeaturesAt(lambda positions: features("train", positions))

    def frozen_labels() -> Baseline:
        if stage.training.head in ("tag", "nested"):
            return frozen_tags(stage, backbone, (train.gold, validation.gold), score)
        first = Part({"mean": learnt}, train.gold)
        second = Part({"mean": whole("validation")}, validation.gold)
        return frozen_linear(first, second, {"mean": whole("test")}, stage.labels, score, say)

    def frozen_numbers() -> Baseline:
        first, second = Part(learnt, train.gold), Part(whole("validation"), validation.gold)
        return frozen_ridge(first, second, whole("test"), score, say)

    def paired() -> tuple[Part, Part, list[Any]]:
        pairs = {part: list(zip(*stage.data.columns(part)[:2], strict=True)) for part in PARTS}
        return Part(pairs["train"], train.gold), Part(pairs["validation"], validation.gold), pairs["test"]

    def choices() -> tuple[Part, Part, list[Any]]:
        rows = {part: list(zip(*stage.data.columns(part), strict=True)) for part in PARTS}
        return Part(rows["train"], train.gold), Part(rows["validation"], validation.gold), rows["test"]

    def pools() -> Pools:
        if "pool" not in stage.data.inputs.names:
            return (), ()
        validation, tests = (list(stage.data.parts[part].stored("pool")) for part in ("validation", "test"))
        return validation, tests

    def untuned() -> Baseline:
        parts = [
            predicted_by(backbone, stage.training, stage.data.columns(part), stage.labels, 0.5, stage.progress)
            for part in ("validation", "test")
        ]
        return chosen("untuned", [Candidate({}, *parts)], validation.gold, score, ())

    return {
        "majority": lambda: majority(train, validation, len(tests), stage.labels, score),
        "tfidf-linear": lambda: tfidf_linear(words, known, others, stage.labels, score, say),
        "frozen-linear": frozen_labels,
        "class-names": named_labels,
        "all-O": lambda: all_outside(validation, len(tests), score),
        "lookup": lambda: lookup(train, validation, tests, score),
        "window-linear": lambda: window_linear(train, validation, tests, score, say),
        "constant": lambda: constant(train, validation, len(tests), score),
        "tfidf-ridge": lambda: tfidf_ridge(words, known, others, score, say),
        "overlap-ridge": lambda: overlap_ridge(*paired(), score, say),
        "frozen-ridge": frozen_numbers,
        "untuned": untuned,
        "tfidf-ranking": lambda: tfidf_ranking(validation, tests, stage.labels.documents, score, say, pools()),
        "bm25": lambda: bm25(validation, tests, stage.labels.documents, score, say, pools()),
        "copy": lambda: copied(validation, tests, score),
        "lead": lambda: lead(validation, tests, score),
        "nearest": lambda: nearest(words, known, others, score, say),
        "chance": lambda: chance(*choices()[1:], score),
        "position": lambda: position(*choices(), score),
        "tfidf-choice": lambda: tfidf_choice(*choices(), score, say),
        "no-answer": lambda: no_answer(validation, len(tests), score),
        "tfidf-sentence": lambda: tfidf_sentence(*paired(), stage.labels.optional, score, say),
    }


def _hashable(gold: Any) -> Any:
    return tuple(gold) if isinstance(gold, list) else gold
