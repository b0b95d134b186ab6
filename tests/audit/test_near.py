"""Nearly equal texts: found with the probability that their similarity says, and never by chance."""

import numpy as np

from truetune.audit.near import near_findings, similarity
from truetune.audit.parts import AuditPart
from truetune.types import Finding


def sentences(number: int, seed: int, length: int = 60) -> list[str]:
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    return ["".join(rng.choice(letters, length)) for _ in range(number)]


def part(name: str, texts: list[str]) -> AuditPart:
    return AuditPart(name, [f"{place}" for place in range(len(texts))], [texts], None, None)


def found(**parts: list[str]) -> dict[str, Finding]:
    return {one.check: one for one in near_findings({name: part(name, texts) for name, texts in parts.items()})}


def test_similarity_by_hand() -> None:
    assert similarity("abcdef", "abcdef", 5) == 1
    assert similarity("abcdef", "abcdeg", 5) == 1 / 3  # abcde of abcde, bcdef, bcdeg
    assert similarity("abcd", "abcd", 5) == 0


def test_texts_in_two_parts_with_a_word_changed() -> None:
    train = ["The quick brown fox jumps over the lazy dog near the river bank.", *sentences(200, 0)]
    test = [*sentences(100, 1), "The quick brown fox jumps over the lazy cat near the river bank!"]
    near = found(train=train, test=test)["nearly equal texts in two parts"]
    assert (near.severity, near.count) == ("warning", 1)
    assert near.examples[0].startswith("train 0 ~ test 100 (")


def test_chinese_texts_are_compared_by_shorter_grams() -> None:
    train, test = "今天下午三点钟我们在学校门口的咖啡店见面吧", "今天下午三点钟我们在学校门口的咖啡馆见面吧"
    assert "nearly equal texts in two parts" in found(train=[train], test=[test])


def test_a_part_that_repeats_itself_with_few_changes() -> None:
    texts = [*sentences(50, 2), "Please send me the invoice for last month's order 12345 by email today"]
    texts.append(texts[-1].replace("12345", "12355"))
    near = found(train=texts)["nearly equal texts"]
    assert (near.severity, near.count) == ("note", 1)


def test_examples_of_several_texts_are_near_only_in_all_of_them() -> None:
    passage = " ".join(sentences(8, 8))
    questions = sentences(10, 9)
    together = AuditPart("train", [str(place) for place in range(10)], [[passage] * 10, questions], None, None)
    assert not list(near_findings({"train": together}))
    asked_again = AuditPart("test", ["0"], [[passage + " the end"], [questions[4][:-3] + "abc"]], None, None)
    (near,) = near_findings({"train": together, "test": asked_again})
    assert near.examples[0].startswith("train 4 ~ test 0 (")


def test_equal_texts_are_left_to_the_check_of_equal_texts() -> None:
    texts = sentences(20, 3)
    assert not found(train=texts, test=[text.upper() for text in texts])
    assert not found(train=texts + texts)


def test_nothing_fires_on_different_or_short_texts() -> None:
    assert not found(train=sentences(500, 4), test=sentences(500, 5))
    assert not found(train=["very good", "bad"], test=["very goods", "bads"])
    assert not found(train=[], test=["a text that stands all alone in its part"])


def test_copies_of_a_text_hide_no_near_one_and_count_as_texts() -> None:
    text = "Please send me the invoice for last month's order 12345 by email today"
    other = text.replace("12345", "12355")
    assert found(train=[text, text, other, other, text])["nearly equal texts"].count == 2
    assert found(train=[text, text], test=[other, other, other])["nearly equal texts in two parts"].count == 3


def test_a_crowd_of_one_template_takes_its_near_ones_from_the_order_of_the_file() -> None:
    template = "Dear customer, your order has been sent and will arrive on {} at your door, kind regards, the shop"
    texts = [template.format(word) for word in sentences(300, 10, 5)]
    assert found(train=texts)["nearly equal texts"].count == 299
