"""Perplexity and bits: sums over sums, never means of means."""

from __future__ import annotations

import math

import numpy as np
import pytest

from truetune.metrics.language_modeling import LANGUAGE_MODELING

METRICS = {metric.name: metric for metric in LANGUAGE_MODELING}


def value(name: str, units: list[int], likelihoods: list[float]) -> float:
    metric = METRICS[name]
    return float(metric.value(metric.rows(units, likelihoods)))


def test_perplexity_of_a_uniform_model_is_its_number_of_choices() -> None:
    assert value("perplexity", [3, 7], [-3 * math.log(50), -7 * math.log(50)]) == pytest.approx(50)


def test_it_is_no_mean_of_perplexities() -> None:
    whole = value("perplexity", [1, 9], [-5.0, -9.0])
    assert whole == pytest.approx(math.exp(14 / 10))
    assert abs(whole - (math.exp(5) + math.exp(1)) / 2) > 10


def test_bits_per_byte() -> None:
    assert value("bits_per_byte", [4, 4], [-4 * math.log(2), -8 * math.log(2)]) == pytest.approx(1.5)


def test_no_token_is_undefined() -> None:
    assert np.isnan(value("perplexity", [0], [0.0]))
