"""A simulated run that finds names in Chinese news."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from truetune.files import write_json
from truetune.metrics import spans

from .made_files import common_files, write_system
from .made_scores import compared, scored, verdict_lines

NER_PARTS = (
    ("1998年1月1日，", None), ("江泽民", "PER"), ("在", None), ("北京", "LOC"), ("会见了", None),
    ("联合国", "ORG"), ("秘书长", None), ("安南", "PER"), ("一行。", None), ("新华社", "ORG"), ("记者", None),
    ("李明", "PER"), ("从", None), ("上海浦东", "LOC"), ("报道：", None), ("中国科学院", "ORG"), ("的专家", None),
)  # fmt: skip


def ner_sentence(rng: np.random.Generator) -> tuple[str, list[tuple[int, int, str]]]:
    text, found = "", []
    start = int(rng.integers(0, len(NER_PARTS) - 4))
    for part, kind in NER_PARTS[start : start + int(rng.integers(4, 12))]:
        if kind:
            found.append((len(text), len(text) + len(part), kind))
        text += part
    return text, found


def noisy_spans(text: str, gold: list[tuple[int, int, str]], error: float, rng: np.random.Generator) -> list[Any]:
    found = []
    for start, end, kind in gold:
        draw = rng.random()
        if draw < error * 0.35:
            continue
        if draw < error * 0.6:
            found.append((start, max(start + 1, end - 1), kind))
        elif draw < error:
            found.append((start, end, str(rng.choice(["PER", "LOC", "ORG"]))))
        else:
            found.append((start, end, kind))
    if rng.random() < error * 0.6 and len(text) > 6:
        found.append((0, 2, "ORG"))
    return sorted(set(found))


def ner_run(folder: Path, language: str = "zh", examples: int = 300) -> Path:
    rng = np.random.default_rng(5)
    sentences = [ner_sentence(rng) for _ in range(examples)]
    long = "".join(ner_sentence(rng)[0] for _ in range(60)) + "结尾处的"
    sentences[0] = (long + "王小波", [(len(long), len(long) + 3, "PER")])
    sentences[1] = ("<b>张三</b>\x00到了👩‍👩‍👧天津", [(3, 5, "PER"), (16, 18, "LOC")])
    gold = [list(found) for _, found in sentences]
    written: dict[str, dict[str, Any]] = {}
    kind = pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64()), ("type", pa.string())]))
    whole: dict[str, np.ndarray] = {}
    for where, (name, error) in {
        "before": ("crf-gazetteer", 0.45),
        "after": ("e5 fine-tuned", 0.2),
        "baselines/longest-match": ("longest match", 0.8),
        "baselines/crf": ("crf-gazetteer", 0.45),
    }.items():
        draw = np.random.default_rng(9)
        predicted = [noisy_spans(text, found, error, draw) for text, found in sentences]
        if where == "after":
            predicted[0], predicted[1] = [(0, 2, "ORG")], [(3, 9, "ORG"), (4, 5, "PER")]
        whole[where] = np.array([set(a) == set(b) for a, b in zip(gold, predicted, strict=True)])
        as_structs = [[dict(zip(("start", "end", "type"), span, strict=True)) for span in row] for row in predicted]
        gold_structs = [[dict(zip(("start", "end", "type"), span, strict=True)) for span in row] for row in gold]
        table = pa.table(
            {
                "id": [str(place) for place in range(examples)],
                "group": [f"doc-{place // 5}" for place in range(examples)],
                "text": [text for text, _ in sentences],
                "gold.spans": pa.array(gold_structs, type=kind),
                "predicted.spans": pa.array(as_structs, type=kind),
            }
        )
        evaluation = {
            "system": name,
            "task": "ner",
            "examples": examples,
            "primary": "span_f1",
            "scores": scored(spans.SPANS, {"spans": gold}, {"spans": predicted}),
            "warnings": ["predicted spans overlap in 1 examples; they are scored as given"] if where == "after" else [],
        }
        write_system(folder / where, table, evaluation)
        written[where] = evaluation
    counts = {name: sum(span[2] == name for row in gold for span in row) for name in ("PER", "LOC", "ORG")}
    common_files(folder, "ner", language, counts, "span_f1")
    flips = int((~whole["before"] & whole["after"]).sum()), int((whole["before"] & ~whole["after"]).sum())
    comparison = compared(written["before"], written["after"], flips)
    write_json(folder / "comparison.json", comparison)
    write_json(folder / "verdict.json", verdict_lines(comparison, [written["before"], written["after"]]))
    return folder
