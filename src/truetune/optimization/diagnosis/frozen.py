"""What a linear model on frozen features says: more labels, wrong labels, and whether fine-tuning is behind it.

Features are those of the pretrained model before any fine-tuning. A logistic regression on them is fitted in moments,
where every point of a learning curve would else be a fine-tuning. What is true of it need not be true of fine-tuning,
so each sentence that rests on it says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from truetune.audit.suspects import suspects
from truetune.backbones.choice import load_backbone
from truetune.data.keys import hashed
from truetune.optimization.diagnosis.cause import FEW, WRONG, Cause, Gain
from truetune.optimization.diagnosis.evidence import Evidence, Predicted
from truetune.optimization.diagnosis.learning_curve import More, gains
from truetune.text import normalised
from truetune.training.baselines_frozen import standardised
from truetune.training.linear_path import DENSE, Path, probabilities
from truetune.types import Floats, Ints
from truetune.workflows.features import text_features
from truetune.workflows.model import model_place, recipe_of, settings_of, training_of
from truetune.workflows.progress import Progress
from truetune.workflows.suspects import FEWEST, out_of_sample

HALVINGS = 4
"""The sizes of the learning curve: all, a half, ... a sixteenth."""
DRAWS = (1, 4, 6, 8, 8)
"""Draws at each size, the whole first, at least."""
DRAWN, MOST_DRAWS = 2000, 40
"""Where fewer are drawn at a size, all its draws together have so many examples; but no more draws than that."""
RESAMPLES = 400
MANY = 1000
MUCH = 5.0
"""How many times what is sought so many labels more must bring, in three of four resamples, to be told as too few."""
SUSPECTED = 0.2
"""Share of suspected labels from which on they are told: of right labels a tenth is suspected too, the hard ones."""
FEW_POINTS = 0.05
"""Frozen features judge labels where they are not shown so much worse than the fine-tuned model."""
FEWEST_JUDGED = 100
"""Examples from which on labels are judged: models of fewer suspect at random."""


@dataclass(frozen=True)
class Frozen:
    """Features `[examples, columns]` of training and validation texts, and the places of their labels."""

    train: Floats
    validation: Floats
    codes: Ints
    names: tuple[str, ...]


def frozen_of(evidence: Evidence, progress: Progress) -> Frozen:
    """Compute the features of the training examples that are looked at, and of validation."""
    from truetune.backbones.pretrained import load_tokenizer

    config, training = evidence.config, training_of(evidence.data.task)
    place = model_place(config.model.name, progress)
    settings = settings_of(config, place, training.head, evidence.labels, training.marks).as_pretrained
    plain = config.model_copy(update={"recipe": type(config.recipe)()})
    recipe = recipe_of(plain, (), evidence.labels, training.head)
    backbone = load_backbone(config.model.framework, settings, recipe, load_tokenizer(settings), None)
    train, validation = (
        text_features(backbone, training, evidence.halves[part].columns, f"features of {part}", progress)
        for part in ("train", "validation")
    )
    return Frozen(train, validation, evidence.codes("train"), evidence.labels.names)


@dataclass(frozen=True)
class LearningCurve:
    """Scores of frozen features with a linear model, at growing numbers of labels."""

    sizes: tuple[int, ...]
    scores: tuple[float, ...]
    """Means over draws."""
    more: tuple[More, ...]
    quartile: float
    """Lower quartile of what `MANY` more examples would bring."""
    whole: Predicted
    """What is said with all examples."""


def learning_curve(evidence: Evidence, frozen: Frozen) -> LearningCurve | None:
    """Return the learning curve over five sizes; None with too few examples for it.

    The strength of the penalty is chosen on validation at each size, in its first draw. Uncertainty comes from
    resampling the draws of each size and the validation examples (or groups), the same ones at all sizes.
    """
    total = len(frozen.codes)
    sizes = [total >> halving for halving in range(HALVINGS + 1)]
    if sizes[-1] < max(2, len(frozen.names) // 4):
        return None
    judge, rng = evidence.judge, np.random.default_rng(0)
    weights = _weights(len(evidence.gold("validation")), judge.groups, rng)
    values: list[Floats] = []
    whole: Predicted = {}
    for size, least in zip(sizes, DRAWS, strict=True):
        path, found = DENSE, []
        for _ in range(1 if size == total else max(least, min(DRAWN // size, MOST_DRAWS))):
            places = rng.permutation(total)[:size]
            said, strength = _best(evidence, frozen, places, path)
            path = replace(DENSE, strengths=(strength,))
            if size == total:
                whole = said
            rows = judge.rows([said])[0]
            counts = np.stack([np.bincount(rows.index, one, len(rows.table)) for one in weights])
            found.append(judge.sign * judge.metric.value(rows, counts))
        values.append(np.stack(found))
    observed = np.array([one[:, 0].mean() for one in values])
    resampled = np.empty((RESAMPLES, len(sizes)))
    for place, one in enumerate(values):
        drawn = rng.integers(0, len(one), (RESAMPLES, len(one)))
        resampled[:, place] = one[drawn, np.arange(1, RESAMPLES + 1)[:, None]].mean(axis=1)
    table = np.nan_to_num(np.vstack([observed, resampled])[:, ::-1])
    rising = sizes[::-1]
    more = sorted({total, MANY})
    most = judge.metric.limits[1] if judge.metric.limits is not None and judge.sign > 0 else np.inf
    scale = _left(evidence, float(observed[0]), most)
    (middle,) = gains(rising, table, [MANY], 0.5, most)
    return LearningCurve(
        tuple(rising),
        tuple(float(judge.sign * one) for one in observed[::-1]),
        tuple(one.times(scale) for one in gains(rising, table, more, evidence.level, most)),
        middle.times(scale).low,
        whole,
    )


def _left(evidence: Evidence, frozen: float, most: float) -> float:
    """Return which part of the frozen features' distance to the best thinkable score the fine-tuned model still has.

    Where more labels take away a share of the errors of one, they are taken to take the same share from the other. 1
    where the fine-tuned model is the worse one, or no best score is known.
    """
    if not np.isfinite(most) or frozen >= most:
        return 1.0
    return min(1.0, (most - evidence.judge.sign * evidence.value("validation")) / (most - frozen))


def _weights(number: int, groups: Ints | None, rng: np.random.Generator) -> list[Floats]:
    """Return how often each validation example counts: once each, then in each resample."""
    units = np.arange(number) if groups is None else np.unique(groups, return_inverse=True)[1]
    size = int(units.max()) + 1
    drawn = rng.multinomial(size, np.full(size, 1 / size), RESAMPLES).astype(np.float64)
    return [np.ones(number), *(one[units] for one in drawn)]


def _best(evidence: Evidence, frozen: Frozen, places: Ints, path: Path) -> tuple[Predicted, float]:
    """Return what the best strength says of validation when fitted on some training examples, and the strength."""
    features, validation = standardised(frozen.train[places], frozen.validation)
    found: list[tuple[float, Predicted, float]] = []
    for strength, (said,) in probabilities(path, features, frozen.codes[places], [validation], len(frozen.names)):
        columns = _columns(said, frozen.names)
        found.append((evidence.judge.sign * evidence.judge.value(columns), columns, strength))
    _, columns, strength = max(found, key=lambda one: (np.nan_to_num(one[0], nan=-np.inf), -one[2]))
    return columns, strength


def _columns(said: Floats, names: Sequence[str]) -> Predicted:
    return {
        "label": [names[place] for place in said.argmax(axis=1).tolist()],
        "scores": [dict(zip(names, row, strict=True)) for row in said.tolist()],
    }


def too_few(evidence: Evidence, curve: LearningCurve | None) -> Iterator[Cause]:
    """Yield too few examples where `MANY` more most likely bring much more than what is sought."""
    total = len(evidence.data.parts["train"])
    if curve is None or total > curve.sizes[-1] or curve.quartile < MUCH * evidence.worth:
        return
    many = next(one for one in curve.more if one.examples == MANY)
    name = evidence.judge.metric.name
    yield Cause(
        FEW,
        tuple(_told(name, one) for one in curve.more),
        Gain(name, many.value, many.low, many.high, _how(many.examples)),
    )


def _tell_nothing(said: Floats, codes: Ints) -> bool:
    """Return whether probabilities say no more of labels than how often each is given.

    By the log-loss of examples that the models had not seen, beyond one standard error: where a third of the labels is
    wrong, features that know them well are hardly more accurate than the most frequent label.
    """
    own, shares = said[np.arange(len(codes)), codes], np.bincount(codes) / len(codes)
    gains = np.log(np.maximum(own, 1e-9)) - np.log(shares[codes])
    return bool(gains.mean() <= gains.std(ddof=1) / sqrt(len(gains)))


def _knows_little(evidence: Evidence, said: Predicted, suspected: Ints) -> bool:
    """Return whether a model that says this of validation is far behind the fine-tuned one, which has no suspicion."""
    ahead = evidence.judge.lead(said, evidence.predicted["validation"])
    given = np.array(evidence.predicted["train"]["label"])[suspected] == np.array(evidence.gold("train"))[suspected]
    return evidence.bounds(ahead)[0] > FEW_POINTS and bool(given.mean() > 0.5)


def _how(number: int) -> str:
    return (
        f"of {number:,} more labels, by a power law through five sizes: the share of errors that a linear model on "
        "frozen features loses, of the errors of the fine-tuned model"
    )


def _told(name: str, more: More) -> str:
    return (
        f"{more.examples:,} more labels would bring {more.low:+.4f} to {more.high:+.4f} in {name} (likeliest "
        f"{more.value:+.4f}), as far as frozen features tell"
    )


def wrong_labels(evidence: Evidence, frozen: Frozen) -> Iterator[Cause]:
    """Yield wrong labels where confident learning suspects many, and what a linear model gains without them.

    Where that model is shown worse without them they are not named: they are hard rather than wrong. Nor where it
    knows too little to judge: no more than how often each label is given, or far behind the fine-tuned model, which
    gives most suspects the label that they have.
    """
    counts = np.bincount(frozen.codes, minlength=len(frozen.names))
    judged = np.flatnonzero(counts >= FEWEST)
    kept = np.flatnonzero(counts[frozen.codes] >= FEWEST)
    if len(judged) < 2 or len(kept) < FEWEST_JUDGED:
        return
    texts = evidence.data.texts("train")
    chosen = evidence.sample[kept]
    keys = hashed((normalised(texts[place]) for place in chosen.tolist()), len(chosen))
    codes = np.searchsorted(judged, frozen.codes[kept])
    unseen = out_of_sample(frozen.train[kept], codes, keys)
    found = suspects(unseen, codes)
    share = float(found.suspected.mean())
    if share < SUSPECTED or _tell_nothing(unseen, codes):
        return
    ids = evidence.data.parts["train"].stored_ids
    shown = ", ".join(str(ids[int(chosen[place])]) for place in found.order[:5].tolist())
    left = np.delete(np.arange(len(frozen.codes)), kept[found.suspected])
    with_all, _ = _best(evidence, frozen, np.arange(len(frozen.codes)), DENSE)
    if _knows_little(evidence, with_all, kept[found.suspected]):
        return
    without, _ = _best(evidence, frozen, left, DENSE)
    lead = evidence.judge.lead(with_all, without)
    low, high = evidence.bounds(lead)
    if high < 0:  # what is suspected taught more than it misled: hard examples, or features that tell little
        return
    yield Cause(
        WRONG,
        (
            f"models that had not seen them give another label to {share:.1%} of {len(kept):,} training examples as "
            f"surely as it is usually given, the most suspicious first: {shown}",
        ),
        Gain(
            evidence.judge.metric.name,
            lead.difference,
            low,
            high,
            "by leaving them out, with a linear model on frozen features; labels of validation as they are",
        ),
    )
