"""The rows of `tasks.py`: a public data set each, with the task, the model and the settings of its fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import task_sets

ENGLISH, CHINESE, WRITING = "builtin:minilm-en", "builtin:e5-small-multi", "builtin:smollm2-135m"
ASKED = "<|im_start|>user\n{}{{source}}<|im_end|>\n<|im_start|>assistant\n"
"""The chat template of the model that writes, without its system turn of 25 pieces."""


@dataclass(frozen=True)
class Row:
    """A data set with the task and the settings that it is fine-tuned with."""

    name: str
    task: str
    language: str
    about: str
    parts: Callable[[Path], task_sets.Parts]
    train: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    metric: str | None = None
    """What decides; None: the primary metric of the task."""
    also: tuple[str, ...] = ()
    """Other metrics of the fine-tuned model that the table shows."""
    max_length: int | None = None
    frozen: int = 0
    """The lowest layers, embeddings among them, that are not trained: a step takes less time."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    generate: Mapping[str, Any] = field(default_factory=dict)
    """How a model writes; empty for a task of another kind."""

    @property
    def model(self) -> str:
        """The embedded model that is fine-tuned."""
        return WRITING if self.generate else ENGLISH if self.language == "en" else CHINESE


ROWS = (
    Row("sst2", "classification", "en", "SST-2", task_sets.sst2, {"epochs": 3, "learning_rate": 1e-4}),
    Row(
        "sst2-16",
        "classification",
        "en",
        "SST-2, 16 examples a label",
        task_sets.sst2,
        {"epochs": 20, "learning_rate": 1e-4},
        {"per_label": 16},
        recipe={"contrastive": True},
    ),
    Row(
        "banking77-8",
        "classification",
        "en",
        "Banking77, 8 examples a label",
        task_sets.banking77,
        {"epochs": 10, "learning_rate": 2e-4, "tokens_per_batch": 4096},
        {"per_label": 8},
        recipe={"contrastive": True},
    ),
    Row("trec", "classification", "en", "TREC", task_sets.trec, {"epochs": 6, "learning_rate": 1e-4}),
    Row("banking77", "classification", "en", "Banking77", task_sets.banking77, {"epochs": 5, "learning_rate": 2e-4}),
    Row(
        "waimai",
        "classification",
        "zh",
        "waimai10k",
        task_sets.waimai,
        {"epochs": 2, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3},
    ),
    Row(
        "thucnews",
        "classification",
        "zh",
        "THUCNews titles (trained on dev)",
        task_sets.thucnews,
        {"epochs": 2, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3},
    ),
    Row(
        "smp2019",
        "classification",
        "zh",
        "SMP2019 domain",
        task_sets.smp2019_domain,
        {"epochs": 8, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3, "tokens_per_batch": 256},
    ),
    Row(
        "smp2019-frames",
        "intent-slots",
        "zh",
        "SMP2019 domain and intent with slots",
        task_sets.smp2019_frames,
        {"epochs": 12, "learning_rate": 2e-4, "head_learning_rate": 2e-3, "tokens_per_batch": 256},
        also=("accuracy", "span_f1"),
    ),
    Row(
        "mrpc",
        "pair",
        "en",
        "MRPC",
        task_sets.mrpc,
        {"epochs": 4, "learning_rate": 1e-4},
        also=("f1/paraphrase",),
    ),
    Row(
        "ocnli",
        "pair",
        "zh",
        "OCNLI (train.10k, tested on dev)",
        task_sets.ocnli,
        {"epochs": 2, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3},
    ),
    Row("wnut17", "ner", "en", "WNUT17", task_sets.wnut17, {"epochs": 3, "learning_rate": 1e-4}),
    Row(
        "cluener",
        "ner",
        "zh",
        "CLUENER, 6,000 sentences (tested on dev)",
        task_sets.cluener,
        {"epochs": 2, "learning_rate": 3e-4, "head_learning_rate": 2e-3, "tokens_per_batch": 512},
        {"limit": 6000},
    ),
    Row(
        "semeval2010",
        "relations",
        "en",
        "SemEval-2010 task 8",
        task_sets.semeval2010,
        {"epochs": 5, "learning_rate": 1e-4},
        metric="relation_f1_macro",
    ),
    Row(
        "finre",
        "relations",
        "zh",
        "FinRE, pairs with one relation, 5,000 of them",
        task_sets.finre,
        {"epochs": 1, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3, "tokens_per_batch": 512},
        {"limit": 5000},
        also=("relation_f1_macro",),
        frozen=6,
    ),
    Row("sst5", "regression", "en", "SST-5 as a number", task_sets.sst5_numbers, {"epochs": 2, "learning_rate": 1e-4}),
    Row(
        "bank-faqs",
        "retrieval",
        "en",
        "BankFAQs, the answer to a question among all answers",
        task_sets.bank_faqs,
        {"epochs": 5, "learning_rate": 1e-4},
        metric="mrr",
        also=("recall@1", "recall@10", "ndcg@10"),
        max_length=128,
    ),
    Row(
        "bank-faqs-hard",
        "retrieval",
        "en",
        "BankFAQs with hard negatives",
        task_sets.bank_faqs,
        {"epochs": 5, "learning_rate": 1e-4},
        metric="mrr",
        also=("recall@1", "recall@10", "ndcg@10"),
        max_length=128,
        recipe={"hard_negatives": 10},
    ),
    Row(
        "daily-replies",
        "response-ranking",
        "en",
        "XDailyDialog, the reply among 20",
        task_sets.daily_replies,
        {"epochs": 6, "learning_rate": 1e-4},
        also=("mrr",),
        max_length=96,
    ),
    Row(
        "xquad-en",
        "qa",
        "en",
        "XQuAD English",
        task_sets.xquad_en,
        {"epochs": 6, "learning_rate": 2e-4},
        also=("exact_match",),
        max_length=256,
    ),
    Row(
        "xquad-zh",
        "qa",
        "zh",
        "XQuAD Chinese",
        task_sets.xquad_zh,
        {"epochs": 4, "learning_rate": 1.5e-4},
        also=("exact_match",),
        max_length=256,
    ),
    Row(
        "c3",
        "multiple-choice",
        "zh",
        "C3, 1,500 questions on dialogues (tested on every second dialogue)",
        task_sets.c3,
        {"epochs": 1, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3},
        {"limit": 1500},
        max_length=192,
        frozen=6,
    ),
    Row(
        "cmrc2018",
        "qa",
        "zh",
        "CMRC 2018 (trained on 1,000 questions of dev, tested on every second text of trial)",
        task_sets.cmrc2018,
        {"epochs": 1, "learning_rate": 1.5e-4, "head_learning_rate": 1e-3},
        {"limit": 1000},
        also=("exact_match",),
        max_length=256,
        frozen=6,
    ),
    Row(
        "tatoeba-zh-en",
        "translation",
        "zh-en",
        "Tatoeba Chinese to English, 2,150 sentences",
        task_sets.tatoeba_zh_en,
        {"epochs": 1, "learning_rate": 1e-4, "tokens_per_batch": 512},
        {"limit": 2150, "validation_share": 0.047, "test_share": 0.1165},
        metric="chrf",
        also=("bleu",),
        max_length=128,
        generate={"prompt": ASKED.format("Translate into English: ")},
    ),
    Row(
        "tatoeba-en-zh",
        "translation",
        "en-zh",
        "Tatoeba English to Chinese, 2,150 sentences",
        task_sets.tatoeba_en_zh,
        {"epochs": 1, "learning_rate": 1e-4, "tokens_per_batch": 512},
        {"limit": 2150, "validation_share": 0.047, "test_share": 0.1165},
        metric="chrf",
        also=("bleu",),
        max_length=128,
        generate={"prompt": ASKED.format("Translate into Chinese: ")},
    ),
    Row(
        "scitldr",
        "summarization",
        "en",
        "SciTLDR, 400 abstracts, 150 tested",
        task_sets.scitldr,
        {"epochs": 1, "learning_rate": 1e-4},
        {"limit": 400},
        also=("rouge1", "rouge2"),
        max_length=384,
        generate={"prompt": ASKED.format("Summarize in one sentence: "), "max_pieces": 48},
    ),
    Row(
        "csl-titles",
        "summarization",
        "zh",
        "CSL, titles of 400 abstracts, 150 tested",
        task_sets.csl_titles,
        {"epochs": 1, "learning_rate": 1e-4},
        {"limit": 400},
        also=("rouge1", "rouge2"),
        max_length=256,
        generate={"prompt": ASKED.format("Title in Chinese: "), "max_pieces": 64},
    ),
    Row(
        "daily-answers-en",
        "dialogue",
        "en",
        "XDailyDialog, replies to three turns, 1,400 of them, 250 tested",
        task_sets.daily_answers_en,
        {"epochs": 1, "learning_rate": 1e-4},
        {"limit": 1400},
        also=("bleu",),
        max_length=128,
        generate={"prompt": ASKED.format(""), "max_pieces": 40},
    ),
    Row(
        "daily-answers-zh",
        "dialogue",
        "zh",
        "XDailyDialog in Chinese, replies to three turns, 750 of them, 250 tested",
        task_sets.daily_answers_zh,
        {"epochs": 1, "learning_rate": 1e-4},
        {"limit": 750},
        also=("bleu",),
        max_length=192,
        generate={"prompt": ASKED.format(""), "max_pieces": 64},
    ),
)
