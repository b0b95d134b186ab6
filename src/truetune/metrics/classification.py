"""The metrics of classification, with one label an example (`SINGLE`) or any number (`MULTIPLE`)."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import replace
from itertools import compress

from truetune.metric import Additive, Metric, PerLabel, Pooled, RowsOf
from truetune.metrics import f_measures as f
from truetune.metrics.counts import label_counts, label_set_agreements, label_set_counts
from truetune.rows import Rows
from truetune.types import Floats, Numbers

SHOWN_LABELS = 10

_SOURCE = "as scikit-learn with zero_division=nan"
_MEASURES = (
    ("precision", f.precision, "TP / (TP + FP)"),
    ("recall", f.recall, "TP / (TP + FN)"),
    ("f1", f.f1, "2 TP / (2 TP + FP + FN)"),
)

_Formula = Callable[[Numbers], Floats]


def _averages() -> list[tuple[str, _Formula, str]]:
    """Return name, formula and definition of macro, micro and weighted averages."""
    found: list[tuple[str, _Formula, str]] = []
    for name, formula, text in _MEASURES:
        over = (
            f"of {name} = {text} over the labels that stand in gold or predicted, "
            f"without those where it is 0/0 ({_SOURCE})"
        )
        found += [
            (f"{name}_macro", f.macro(formula), f"unweighted mean {over}"),
            (f"{name}_micro", f.micro(formula), f"{text}, counts summed over all labels first ({_SOURCE})"),
            (f"{name}_weighted", f.weighted(formula), f"mean weighted by gold support {over}"),
        ]
    means = (
        "2 P R / (P + R) for P, R = precision_macro, recall_macro (Opitz and Burst 2019): the F1 of means, "
        "not the mean of F1s, which is f1_macro"
    )
    return [*found, ("f1_macro_of_means", f.f1_of_means, means)]


def _of_each_label(rows: RowsOf, field: str) -> tuple[PerLabel, ...]:
    """Return precision, recall and F1 of each label; an example is one trial of each, so Wilson's fits."""
    precision = PerLabel(
        name="precision",
        rows=rows,
        formula=f.precision,
        gold=field,
        predicted=field,
        definition=f"TP / (TP + FP) of one label ({_SOURCE})",
        unit="example",
        interval="wilson",
        ratio=f.precision_parts,
        undefined="0/0: the label is never predicted",
        limits=(0.0, 1.0),
    )
    recall = replace(
        precision,
        name="recall",
        formula=f.recall,
        definition=f"TP / (TP + FN) of one label ({_SOURCE})",
        ratio=f.recall_parts,
        undefined="0/0: the label does not stand in gold",
    )
    f1 = replace(
        precision,
        name="f1",
        formula=f.f1,
        definition=f"2 TP / (2 TP + FP + FN) of one label ({_SOURCE})",
        interval="bca",
        ratio=None,
        undefined="0/0: the label stands in neither gold nor predicted",
    )
    return precision, recall, f1


_ACCURACY = Additive(
    name="accuracy",
    rows=label_counts,
    formula=f.accuracy,
    gold="label",
    predicted="label",
    definition="examples whose predicted label is the gold one / examples",
    unit="example",
    interval="wilson",
    ratio=f.accuracy_parts,
    undefined="there is no example",
    limits=(0.0, 1.0),
)
_BY_LABEL = replace(_ACCURACY, interval="bca", ratio=None, undefined="0/0 for every label")
_EQUAL_TO_ACCURACY = ("precision_micro", "recall_micro", "f1_micro", "recall_weighted")
"""With one label an example these are proportions of examples."""


def _single() -> tuple[Additive | PerLabel, ...]:
    averages = [
        replace(
            _ACCURACY if name in _EQUAL_TO_ACCURACY else _BY_LABEL,
            name=name,
            formula=formula,
            definition=definition,
        )
        for name, formula, definition in _averages()
    ]
    mcc = replace(
        _BY_LABEL,
        name="mcc",
        formula=f.mcc,
        definition="Matthews' correlation of gold and predicted label, R_K for any number of labels (Gorodkin 2004)",
        undefined="0/0: gold, or predicted, is one label throughout",
        limits=(-1.0, 1.0),
    )
    kappa = replace(
        mcc,
        name="kappa",
        formula=f.kappa,
        definition="(observed - chance) / (1 - chance) agreement of gold and predicted label (Cohen 1960, unweighted)",
        undefined="0/0: gold and predicted are one and the same label throughout",
    )
    return _ACCURACY, *averages, mcc, kappa, *_of_each_label(label_counts, "label")


def _multiple() -> tuple[Metric | PerLabel, ...]:
    by_label = replace(_BY_LABEL, rows=label_set_counts, gold="labels", predicted="labels")
    averages = [
        replace(by_label, name=name, formula=formula, definition=definition)
        for name, formula, definition in _averages()
    ]
    return (
        _share_of_examples("accuracy", 0, "examples whose predicted label set is the gold one / examples"),
        *averages,
        *(
            _share_of_examples(
                f"{name}_samples",
                2 * place,
                f"mean over examples of {name} = {text} of the example's own labels, without the examples "
                f"where it is 0/0 ({_SOURCE})",
            )
            for place, (name, _, text) in enumerate(_MEASURES, start=1)
        ),
        _HAMMING_LOSS,
        *_of_each_label(label_set_counts, "labels"),
    )


def _share_of_examples(name: str, place: int, definition: str) -> Additive:
    """Return a statistic of `label_set_agreements` as a mean over the examples that the next one counts."""

    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        return sums[..., place], sums[..., place + 1]

    return replace(
        _ACCURACY,
        name=name,
        rows=label_set_agreements,
        formula=lambda sums: f.quotient(*parts(sums)),
        gold="labels",
        predicted="labels",
        definition=definition,
        interval="wilson" if name == "accuracy" else "t",
        ratio=parts,
        undefined="there is no example" if name == "accuracy" else "0/0 for every example",
    )


def _hamming_loss(rows: Rows, counts: Numbers) -> Floats:
    sums = rows.totals(counts)
    occurrences = f.golds(sums) + f.predictions(sums)
    wrong = (occurrences - 2 * f.hits(sums)).sum(axis=-1)
    return f.quotient(wrong, (occurrences > 0).sum(axis=-1) * counts.sum(axis=-1))


_HAMMING_LOSS = Pooled(
    name="hamming_loss",
    rows=label_set_counts,
    pooled=_hamming_loss,
    gold="labels",
    predicted="labels",
    definition=(
        "wrong decisions (a label gold or predicted, but not both) / (examples x labels that stand in gold or "
        "predicted)"
    ),
    unit="example",
    better="lower",
    undefined="no example has a label, in gold or predicted",
    limits=(0.0, 1.0),
)

SINGLE = _single()
"""One label an example: fields `label`, `label`."""

MULTIPLE = _multiple()
"""Any number of labels an example: fields `labels`, `labels`."""


def undefined_labels(rows: Rows) -> tuple[str, ...]:
    """Return warnings, one for precision and one for recall, of labels whose 0/0 averages leave out.

    `rows` are those of `label_counts` or `label_set_counts`. F1 needs no warning: it is defined for every
    label that stands in gold or predicted.
    """
    sums = rows.totals()
    gold, predicted = (set(compress(rows.labels, counts > 0)) for counts in (f.golds(sums), f.predictions(sums)))
    return undefined_of(gold, predicted)


def undefined_of(gold: Set[str], predicted: Set[str]) -> tuple[str, ...]:
    """Return the warnings of `undefined_labels` for the labels that stand in gold and in predicted."""
    never_predicted, not_in_gold = _named(gold - predicted), _named(predicted - gold)
    warnings = []
    if never_predicted:
        warnings.append(
            f"never predicted: {never_predicted}; precision is 0/0 there, and precision_macro, "
            "precision_weighted and f1_macro_of_means leave it out (f1 counts it as 0)"
        )
    if not_in_gold:
        warnings.append(
            f"predicted but not in gold: {not_in_gold}; recall is 0/0 there, and recall_macro and "
            "f1_macro_of_means leave it out (f1 counts it as 0)"
        )
    return tuple(warnings)


def _named(labels: Set[str]) -> str:
    names = sorted(labels)
    more = f" and {len(names) - SHOWN_LABELS:,} more" if len(names) > SHOWN_LABELS else ""
    return ", ".join(names[:SHOWN_LABELS]) + more
