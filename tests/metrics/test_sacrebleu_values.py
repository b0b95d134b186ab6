"""BLEU, chrF, chrF++ and TER against known numbers, so that they do not move with the installed sacreBLEU.

Inputs and numbers of the tests that say so stand in sacreBLEU's tests (test_bleu.py, test_chrf.py, test_ter.py,
test_tokenizer_ter.py: Post 2018, Apache-2.0); the others were printed by sacreBLEU 2.6.0 with the signature that
stands beside them, which the installed one must still print.
"""

from __future__ import annotations

import pytest
from sacrebleu.metrics import BLEU, TER
from sacrebleu.metrics import CHRF as Theirs

from truetune.metric import Additive
from truetune.metrics import chrf
from truetune.metrics.bleu import bleu
from truetune.metrics.chrf import CHRF, CHRF_WORDS
from truetune.metrics.ter import ter
from truetune.metrics.tokenizers import tokenizer_named

DOG = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]
DOG_REFERENCES = [
    ["The dog bit the man.", "It was not unexpected.", "The man bit him first."],
    ["The dog had bit the man.", "No one was surprised.", "The man had bitten the dog."],
]
RAIN = ["今天下雨了，路很滑。", "我在 2008 年去过北京 (第3次)。", "这本书 “很好” 看，价格是 35.5 元！"]
RAIN_REFERENCES = [
    ["今天下雨，路滑。", "我于 2008 年第3次去北京。", "这本书 “很好看”，价钱 35.5 元！"],
    ["今天下了雨，路很滑。", "2008 年我去过北京（第3次）。", "这本书很好看，价格为 35.5 元。"],
]
TEXTS = {"en": (DOG, DOG_REFERENCES), "zh": (RAIN, RAIN_REFERENCES)}


def value(metric: Additive, texts: list[str], sides: list[list[str]]) -> float:
    return float(metric.value(metric.rows(list(zip(*sides, strict=True)), texts)))


@pytest.mark.parametrize(
    ("texts", "tokenizer", "wanted"),
    [
        (DOG, "13a", 48.530827),
        (DOG, "none", 49.1919566),
        (DOG, "intl", 43.91623493),
        (["", "", ""], "13a", 0.0),
    ],
)
def test_bleu_of_sacrebleus_own_tests(texts: list[str], tokenizer: str, wanted: float) -> None:
    assert value(bleu(tokenizer), texts, DOG_REFERENCES) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("texts", "references", "wanted"),
    [
        (["a"], ["a"], 100.0),
        ([""], ["reference"], 0.0),
        ([""], ["c"], 0.0),
        (["a b c"], ["a b c"], 100.0),
        (["a b c"], ["abc"], 100.0),
        (["a", "b"], ["a", "c"], 50.0),
        (["aa"], ["ab"], 25.0),
        (["abcdefg"], ["hijklmnop"], 0.0),
    ],
)
def test_chrf_of_sacrebleus_own_tests(texts: list[str], references: list[str], wanted: float) -> None:
    """Those with the order that both texts have; precision equals recall in each, so that beta changes nothing."""
    assert value(CHRF, texts, [references]) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "reference", "wanted"),
    [
        (
            " risk assessment must be made of those who are qualified and expertise in the sector - these are the "
            "scientists .",
            "risk assessment has to be undertaken by those who are qualified and expert in that area - that is the "
            "scientists .",
            63.361730,
        ),
        (
            " Die    Beziehung zwischen  Obama und Netanjahu ist nicht gerade  freundlich. ",
            "Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich.",
            64.1302698,
        ),
        ("Niemand hat die Absicht, eine Mauer zu errichten", "Niemand hat die Absicht, eine Mauer zu errichten", 100.0),
    ],
)
def test_chrf_of_long_texts_in_sacrebleus_own_tests(
    text: str, reference: str, wanted: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made with a beta of 3; those that only chrF++.py's smoothing gives (`eps_smoothing`) are no chrF of ours."""
    monkeypatch.setattr(chrf, "BETA", 3)
    assert value(CHRF, [text], [[reference]]) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "reference", "wanted"),
    [
        ("aaaa bbbb cccc dddd", "aaaa bbbb cccc dddd", 0),
        ("dddd eeee ffff", "aaaa bbbb cccc", 1),
        ("", "a", 1),
        ("d e f g h a b c", "a b c d e f g h", 1 / 8),
    ],
)
def test_ter_of_sacrebleus_own_tests(text: str, reference: str, wanted: float) -> None:
    assert value(ter("none"), [text], [[reference]]) == pytest.approx(100 * wanted, abs=1e-3)


MENUS = [
    (
        'wählen Sie " Bild neu berechnen , " um beim Ändern der Bildgröße Pixel hinzuzufügen oder zu entfernen , damit '
        "das Bild ungefähr dieselbe Größe aufweist wie die andere Größe .",
        'wählen Sie " Bild neu berechnen , " um beim Ändern der Bildgröße Pixel hinzuzufügen oder zu entfernen , damit '
        "die Darstellung des Bildes in einer anderen Größe beibehalten wird .",
    ),
    (
        "wenn Sie alle Aufgaben im aktuellen Dokument aktualisieren möchten , wählen Sie im Menü des "
        'Aufgabenbedienfelds die Option " Alle Aufgaben aktualisieren . "',
    )
    * 2,
    (
        'klicken Sie auf der Registerkarte " Optionen " auf die Schaltfläche " Benutzerdefiniert " und geben Sie Werte '
        'für " Fehlerkorrektur-Level " und " Y / X-Verhältnis " ein .',
        'klicken Sie auf der Registerkarte " Optionen " auf die Schaltfläche " Benutzerdefiniert " und geben Sie für " '
        'Fehlerkorrektur-Level " und " Y / X-Verhältnis " niedrigere Werte ein .',
    ),
    (
        "Sie können beispielsweise ein Dokument erstellen , das ein Auto über die Bühne enthält .",
        "Sie können beispielsweise ein Dokument erstellen , das ein Auto enthalt , das sich über die Bühne bewegt .",
    ),
    ('wählen Sie im Dialogfeld " Neu aus Vorlage " eine Vorlage aus und klicken Sie auf " Neu . "',) * 2,
]


def test_ter_of_the_realistic_example_in_sacrebleus_own_tests() -> None:
    texts, references = (list(side) for side in zip(*MENUS, strict=True))
    assert value(ter("none"), texts, [references]) == pytest.approx(13.6, abs=1e-3)


@pytest.mark.parametrize(("line", "wanted"), [("a b c d", "a b c d"), ("", ""), ("A B C D.", "a b c d.")])
def test_words_of_ter_in_sacrebleus_own_tests(line: str, wanted: str) -> None:
    assert " ".join(*tokenizer_named("none")([line.lower()])) == wanted


SIGNED = [
    ("zh", "zh", 2, 51.34447363734524),
    ("zh", "zh", 1, 33.18864890119707),
    ("en", "zh", 1, 45.06750632106114),
    ("zh", "char", 2, 59.139670080909674),
    ("zh", "char", 1, 44.83506444163536),
    ("en", "char", 2, 72.61064153440596),
    ("zh", "intl", 2, 17.580744521337778),
    ("en", "intl", 1, 38.45246642636116),
    ("zh", "13a", 2, 9.46120284397968),
    ("en", "13a", 1, 45.06750632106114),
    ("zh", "none", 2, 14.772199911861211),
    ("en", "none", 1, 44.428088917702794),
]


@pytest.mark.parametrize(("language", "tokenizer", "number", "wanted"), SIGNED)
def test_bleu_of_each_tokeniser_with_its_signature(language: str, tokenizer: str, number: int, wanted: float) -> None:
    texts, sides = TEXTS[language][0], TEXTS[language][1][:number]
    metric = bleu(tokenizer)
    assert value(metric, texts, sides) == pytest.approx(wanted, abs=1e-9)
    assert metric.rows(list(zip(*sides, strict=True)), texts).note == f"tokeniser {tokenizer}"
    theirs = BLEU(tokenize=tokenizer)
    assert theirs.corpus_score(texts, sides).score == pytest.approx(wanted, abs=1e-9)
    assert str(theirs.get_signature()).startswith(
        f"nrefs:{number}|case:mixed|eff:no|tok:{tokenizer}|smooth:exp|version:"
    )


@pytest.mark.parametrize(
    ("words", "language", "number", "wanted"),
    [
        (0, "zh", 2, 43.796581216182936),
        (0, "en", 2, 59.72751782684763),
        (0, "en", 1, 50.043063606582294),
        (0, "zh", 1, 41.555852078122676),
        (2, "zh", 2, 42.157944189796744),
        (2, "en", 2, 59.15310444399262),
        (2, "en", 1, 51.7309698503746),
        (2, "zh", 1, 39.26552604639313),
    ],
)
def test_chrf_with_its_signature(words: int, language: str, number: int, wanted: float) -> None:
    texts, sides = TEXTS[language][0], TEXTS[language][1][:number]
    assert value(CHRF_WORDS if words else CHRF, texts, sides) == pytest.approx(wanted, abs=1e-9)
    theirs = Theirs(word_order=words)
    assert theirs.corpus_score(texts, sides).score == pytest.approx(wanted, abs=1e-9)
    signature = f"nrefs:{number}|case:mixed|eff:yes|nc:6|nw:{words}|space:no|version:"
    assert str(theirs.get_signature()).startswith(signature)


@pytest.mark.parametrize(
    ("language", "number", "wanted"), [("en", 2, 40.0), ("en", 1, 50.0), ("zh", 2, 85.71428571428571)]
)
def test_ter_with_its_signature(language: str, number: int, wanted: float) -> None:
    texts, sides = TEXTS[language][0], TEXTS[language][1][:number]
    assert value(ter("none"), texts, sides) == pytest.approx(wanted, abs=1e-9)
    theirs = TER()
    assert theirs.corpus_score(texts, sides).score == pytest.approx(wanted, abs=1e-9)
    signature = f"nrefs:{number}|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:"
    assert str(theirs.get_signature()).startswith(signature)
