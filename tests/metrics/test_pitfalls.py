"""The pitfalls of each family, and the test that pins each: none may lose its test unnoticed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from truetune.metrics.ranking import RANKING, ndcg
from truetune.metrics.rouge import ROUGE

TESTS = Path(__file__).parent.parent

PITFALLS = {
    "F1 is 2TP / (2TP + FP + FN), defined where precision is not": (
        "metrics/test_f_measures.py::test_f1_is_defined_as_soon_as_a_label_stands_in_gold_or_predicted"
    ),
    "macro-F1 has two formulas": "metrics/test_f_measures.py::test_macro_f1_has_two_formulas",
    "the label set is stated": "cli/test_main.py::test_the_terminal_says_how_each_number_was_made",
    "undefined is NaN with a reason": (
        "evaluation/test_api.py::test_one_class_is_scored_and_what_is_undefined_says_so"
    ),
    "MCC and kappa of one class": (
        "metrics/test_classification.py::test_one_class_is_undefined_where_the_reference_says_0"
    ),
    "ties of scores, average precision by steps": (
        "metrics/test_areas.py::test_ties_count_half_and_average_precision_is_stepwise"
    ),
    "AUC of one raw logit of two": "metrics/test_areas.py::test_one_raw_logit_of_a_two_way_softmax_is_refused",
    "a confidence of exactly 1": "metrics/test_calibration.py::test_confidence_1_is_in_the_last_bin",
    "binned calibration error is biased upward": (
        "metrics/test_calibration.py::test_a_calibrated_model_is_not_at_0_but_the_debiased_error_nearly_is"
    ),
    "order of arguments of R2 and MAPE": "metrics/test_regression.py::test_the_order_of_arguments_matters",
    "relative errors near 0": "metrics/test_regression.py::test_a_zero_in_gold_makes_relative_errors_undefined",
    "lenient spans are not strict ones": (
        "metrics/test_spans.py::test_the_lenient_reading_is_not_passed_off_as_strict"
    ),
    "tags without a prefix keep their letters": "test_tags.py::test_plain_tags_keep_every_letter_and_hyphen",
    "overlapping and nested spans": (
        "metrics/test_spans.py::test_overlapping_and_nested_spans_are_scored_as_given_and_named"
    ),
    "improper sequences are repaired in a named way": "test_tags.py::test_improper_sequences_are_repaired_as_named",
    "Other is no part of the official macro average": (
        "metrics/test_relations.py::test_macro_f1_is_the_official_score_where_all_predicted_relations_stand_in_gold"
    ),
    "the threshold of no answer": "metrics/test_qa.py::test_the_best_threshold_by_hand",
    "Chinese answers by their common run of characters": (
        "metrics/test_qa.py::test_chinese_f1_is_over_the_common_run_of_characters"
    ),
    "the tokeniser is part of the number": (
        "metrics/test_bleu.py::test_chinese_takes_the_chinese_tokeniser_and_says_so"
    ),
    "Japanese needs its own tokeniser": (
        "tasks/test_tokenized.py::test_japanese_cut_by_its_script_alone_is_told_and_by_name_not"
    ),
    "BLEU is no mean of sentence scores": "metrics/test_bleu.py::test_corpus_bleu_is_no_mean_of_sentence_scores",
    "TER is no mean of sentence scores": ("metrics/test_ter.py::test_the_corpus_is_scored_not_the_mean_of_sentences"),
    "Chinese ROUGE": "metrics/test_rouge.py::test_chinese_is_compared_by_character",
    "ROUGE-Lsum needs sentence breaks": "metrics/test_pitfalls.py::test_rouge_lsum_needs_sentence_breaks",
    "ROUGE is a mean, no median of resamples": "metrics/test_pitfalls.py::test_rouge_is_the_mean_of_texts",
    "perplexity is no mean of perplexities": "metrics/test_language_modeling.py::test_it_is_no_mean_of_perplexities",
    "bytes compare tokenizers": "metrics/test_language_modeling.py::test_bits_per_byte",
    "what a tokenizer loses": "pretraining/test_fertility.py::test_texts_that_do_not_come_back_are_counted",
    "distinct-n over the corpus": "metrics/test_dialogue.py::test_distinct_counts_over_all_replies",
    "ties of a ranking": "metrics/test_ranking.py::test_equal_scores_are_ordered_by_item_descending",
    "exponential or linear gain": "metrics/test_pitfalls.py::test_the_gain_of_ndcg_is_named",
    "the ideal ranking": "metrics/test_ranking.py::test_the_ideal_ranking_is_over_all_judged_items",
    "a query without a relevant item": (
        "metrics/test_ranking.py::test_a_query_without_a_relevant_item_is_left_out_of_the_mean"
    ),
    "the order of games": "metrics/test_preference.py::test_the_order_of_games_does_not_matter_to_bradley_terry",
    "encoder and baseline of similarity": (
        "metrics/test_embedding_similarity.py::test_the_signature_names_encoder_weights_and_baseline"
    ),
}


@pytest.mark.parametrize("pitfall", PITFALLS)
def test_every_pitfall_has_its_test(pitfall: str) -> None:
    file, _, name = PITFALLS[pitfall].partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    (found,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert any(isinstance(node, ast.Assert) or "raises" in ast.unparse(node) for node in ast.walk(found))


def test_rouge_lsum_needs_sentence_breaks() -> None:
    by_name = {metric.name: metric for metric in ROUGE}

    def value(name: str, gold: str, said: str) -> float:
        return float(by_name[name].value(by_name[name].rows([gold], [said])))

    gold, said = "a b c\nd e f", "d e f\na b c"
    assert value("rougeL", gold, said) == pytest.approx(3 / 6), "the longest subsequence is one of the sentences"
    assert value("rougeLsum", gold, said) == 1, "each sentence is found by itself"
    joined = [text.replace("\n", " ") for text in (gold, said)]
    assert value("rougeLsum", *joined) == value("rougeL", *joined) == pytest.approx(3 / 6)


def test_rouge_is_the_mean_of_texts() -> None:
    gold, said = ["a b", "a b c d", "x"], ["a", "a b c d", "y"]
    for metric in ROUGE:
        alone = [float(metric.value(metric.rows([one], [other]))) for one, other in zip(gold, said, strict=True)]
        assert float(metric.value(metric.rows(gold, said))) == pytest.approx(sum(alone) / 3)


def test_the_gain_of_ndcg_is_named() -> None:
    relevant, ranking = {"x": 3.0, "y": 1.0}, ["y", "x"]
    # discounts 1 and 1 / log2(3); gains 1 and 3, or 2^1 - 1 and 2^3 - 1
    second = 1 / 1.584962500721156
    assert ndcg(relevant, ranking) == pytest.approx((1 + 3 * second) / (3 + 1 * second))
    assert ndcg(relevant, ranking, exponential=True) == pytest.approx((1 + 7 * second) / (7 + 1 * second))
    for metric in RANKING:
        if metric.name.startswith("ndcg"):
            assert ("2^" in metric.definition or "exponential gain" in metric.definition) == ("exp" in metric.name)
            assert ("linear gain" in metric.definition) == ("exp" not in metric.name)
