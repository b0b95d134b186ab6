"""Signatures agree as often as texts are similar, whatever stands beside them."""

import numpy as np
import pytest

from truetune.audit.minhash import BANDS, ROWS, agreement, band_of, signatures
from truetune.audit.near import similarity


def random_texts(number: int, seed: int, length: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), length)) for _ in range(number)]


@pytest.mark.parametrize("changed", [4, 8, 16, 32])
def test_values_agree_as_the_similarity_and_bands_as_its_power(changed: int) -> None:
    rng = np.random.default_rng(changed)
    texts = random_texts(400, 6, 100)
    others = []
    for text in texts:
        place = int(rng.integers(0, 100 - changed))
        others.append(text[:place] + "".join(rng.choice(list("0123456789"), changed)) + text[place + changed :])
    shares = np.array([similarity(one, other, 5) for one, other in zip(texts, others, strict=True)])
    first, second = (signatures(some, 400, 5)[0] for some in (texts, others))
    every = np.arange(400)
    agreeing = agreement(first, every, second, every) / (BANDS * ROWS)
    assert agreeing.mean() == pytest.approx(shares.mean(), abs=4 * np.sqrt(0.25 / first.size))
    same = np.stack([band_of(first, band) == band_of(second, band) for band in range(BANDS)])
    assert same.mean() == pytest.approx((shares**ROWS).mean(), abs=4 * np.sqrt(0.25 / same.size))


def test_single_values_are_independent_enough_for_the_promised_candidates() -> None:
    """Of pairs that share 70 %, all but 1.2 % have a band in common: more would be missed if values went together."""
    rng = np.random.default_rng(3)
    texts = random_texts(2000, 7, 100)
    others = [text[:80] + "".join(rng.choice(list("0123456789"), 20)) for text in texts]
    shares = np.array([similarity(one, other, 5) for one, other in zip(texts, others, strict=True)])
    first, second = (signatures(some, 2000, 5)[0] for some in (texts, others))
    met = np.any([band_of(first, band) == band_of(second, band) for band in range(BANDS)], axis=0)
    expected = 1 - (1 - shares**ROWS) ** BANDS
    assert met.mean() == pytest.approx(expected.mean(), abs=4 * np.sqrt(expected.mean() * (1 - expected.mean()) / 2000))


def test_signatures_do_not_depend_on_the_texts_beside() -> None:
    texts = [*random_texts(2000, 7, 60), "short", *random_texts(3, 8, 200_000)]
    together, long = signatures(texts, len(texts), 5)
    for place in (0, 1, 545, 546, 1999, 2000, 2001, 2003):
        alone, is_long = signatures([texts[place]], 1, 5)
        assert (alone[0] == together[place]).all()
        assert is_long[0] == long[place] == (place != 2000)
    assert (together[2000] == 0).all()


def test_a_text_of_one_repeated_gram_and_none_at_all() -> None:
    found, long = signatures(["a" * 20, "a" * 30], 2, 5)
    assert (found[0] == found[1]).all()
    assert long.all()
    nothing, none = signatures([], 0, 5)
    assert nothing.shape == (0, BANDS * ROWS)
    assert not len(none)
    assert not len(agreement(nothing, np.zeros(0, dtype=np.int64), nothing, np.zeros(0, dtype=np.int64)))
