"""Why each finding matters for a score, by check."""

from __future__ import annotations

_BECAUSE: dict[str, tuple[str, ...]] = {
    "What was seen in training is answered from memory: the score says more than the model can do with new texts.": (
        "text in two parts",
        "one of the texts in two parts",
        "nearly equal texts in two parts",
        "group in two parts",
    ),
    "Copies are no new evidence: what they hold weighs again in training and score, and the interval is too narrow.": (
        "repeated texts",
        "nearly equal texts",
        "few groups",
    ),
    "So few examples leave a score to chance: its interval is wide, and a small gain cannot be told from luck.": (
        "support too low to measure",
        "part too small to measure",
    ),
    "Answers are counted against gold: where it is wrong, right answers count as mistakes, and mistakes are learnt.": (
        "equal texts, different gold",
        "equal texts, other references",
        "placeholder labels",
        "labels that may say nothing",
        "labels that look alike",
        "labels that are probably wrong",
        "spans outside their text",
        "spans with white space at their border",
        "spans that cut a word",
        "spans given twice",
        "overlapping spans",
        "offsets that miss their text",
        "answers that are not in the text",
    ),
    "A label that is hardly learnt can only be missed: it pulls macro averages down, whatever the model.": (
        "one label only",
        "labels that training never sees",
        "rare labels",
        "imbalance",
    ),
    "A model that reads this scores high here, and fails where it is missing: the score is of this data alone.": (
        "labels told by the length",
        "labels told by one word",
        "labels named in their text",
        "labels told by a column",
        "labels told by one text of several",
    ),
    "To a model these are other pieces, of which it has learnt nothing: errors there are those of the data.": (
        "empty texts",
        "damaged text",
        "invisible characters",
        "characters not composed",
        "escapes written out",
        "markup",
        "pieces unknown to the model",
        "model of another language",
        "model not looked at",
    ),
    "What is not read cannot be answered: gold there is missed, or, where it was cut away too, recall looks better.": (
        "very long texts",
        "texts longer than one input",
        "texts that are cut",
    ),
    "One score over several languages hides that one of them is hardly learnt.": (
        "texts in another script",
        "parts in different scripts",
        "simplified and traditional Chinese",
    ),
    "It changes no score; it is what a model must not learn by heart and give away.": (
        "e-mail addresses",
        "telephone numbers",
        "identity numbers",
        "bank card numbers",
    ),
}
WHY: dict[str, str] = {check: why for why, checks in _BECAUSE.items() for check in checks}
"""Check -> why what it finds matters for a score."""
