"""Run folders made by code: simulated systems on real-looking texts, scored with the real metrics.

Predictions are drawn, every number in `scores.json` is computed from them; nothing is typed in.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from truetune.files import write_json
from truetune.metric import Metric, PerLabel
from truetune.metrics import areas, calibration, classification, probability, spans
from truetune.metrics.label_scores import label_scores
from truetune.reports.metric_names import LOWER
from truetune.rows import Rows

NASTY = (
    "</script><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">",
    "emoji 👩‍👩‍👧‍👦 🇨🇳 and a heart ❤️, combining e\u0301, zero\u200bwidth",
    "مرحبا، هذا نص عربي من اليمين إلى اليسار (with English) 123",
    "controls: null \x00 bell \x07 escape \x1b[31m, bidi override \u202etxet desrever\u202c end",
    "a" * 400,
    "{{ 7 * 7 }} {% raw %} ${x} <!-- comment ]]> &amp; &lt;b&gt;",
    "多行文本\n第二行\t制表符",
    "word " * 900,
)

PHRASES = {
    "en": (
        ("The plot", "The acting", "Every scene", "This film", "The whole story", "Her performance"),
        ("is moving and well told", "never finds its rhythm", "lingers long after the end", "feels like a long advert"),
        ("thanks to a sharp script", "despite a large budget", "and the cast knows it", "though the middle drags"),
    ),
    "zh": (
        ("送餐很快", "味道一般", "包装很好", "等了两个小时", "份量足", "这家店", "骑手态度好"),
        ("菜还是热的", "汤洒了一半", "下次还会再点", "不会再来了", "和图片差太多", "性价比很高"),
        ("给个好评。", "希望能改进。", "有点失望！", "推荐给大家。", "客服也没有回复……"),
    ),
}

METHOD = "BCa bootstrap, 60 resamples, seed 0"
TEST = "exact McNemar test (mid-p)"
FEW = (
    "fewer than 10 gold examples of a (9), b (not in gold: misspelt?) and 3 more: their scores and macro averages are "
    "unreliable, and their intervals cover less often than they say"
)


@dataclass(frozen=True)
class Setting:
    """What to simulate."""

    labels: tuple[str, ...]
    language: str = "en"
    examples: int = 400
    skill: tuple[float, float] = (1.6, 3.0)
    """How far gold's logit stands out, before and after."""
    scores: bool = True
    nasty: bool = True
    seed: int = 0


MANY = Setting(
    tuple(f"{verb}_{noun}" for verb in ("card", "cash", "top_up", "transfer", "exchange", "refund", "pin") for noun in (
        "not_working", "declined", "fee_charged", "pending", "arrival", "limit", "delivery_estimate",
        "lost_or_stolen", "about_to_expire", "unrecognised_charge_on_statement", "swallowed",
    )),
    examples=400, skill=(3.4, 5.0), seed=3,
)  # fmt: skip


def texts(language: str, number: int, rng: np.random.Generator) -> list[str]:
    parts = PHRASES[language]
    joint = " " if language == "en" else "，"
    return [joint.join(str(rng.choice(part)) for part in parts) for _ in range(number)]


def drawn_scores(gold: np.ndarray, labels: int, skill: float, rng: np.random.Generator) -> np.ndarray:
    near = rng.normal(size=(labels, labels)) * 0.7
    logits = rng.normal(size=(len(gold), labels)) * 1.4 + near[gold]
    logits[np.arange(len(gold)), gold] += skill
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def metrics_of(labels: Sequence[str], with_scores: bool) -> list[Metric | PerLabel]:
    found: list[Metric | PerLabel] = list(classification.SINGLE)
    if with_scores:
        found += [*areas.area_metrics(labels), *probability.METRICS, *calibration.METRICS]
    return found


def named_values(family: Metric | PerLabel, rows: Rows, counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return name -> values `[resamples]` of a metric, or of each label of a metric by label."""
    if not isinstance(family, PerLabel):
        return {family.name: np.atleast_1d(family.value(rows, counts))}
    with np.errstate(divide="ignore", invalid="ignore"):
        values = family.formula(rows.totals(counts))
    return {f"{family.name}/{label}": values[:, place] for place, label in enumerate(rows.labels)}


def scored(metrics: Sequence[Metric | PerLabel], gold: Mapping[str, Any], predicted: Mapping[str, Any]) -> list[Any]:
    """Return the scores of the evaluate JSON; intervals by a plain percentile bootstrap."""
    found = []
    for family in metrics:
        rows = family.rows(gold[family.gold], predicted[family.predicted])
        draws = np.random.default_rng(0).multinomial(len(rows), rows.counts / len(rows), size=60)
        values = named_values(family, rows, rows.counts[None, :])
        for name, resampled in named_values(family, rows, draws).items():
            value = float(values[name][0])
            resampled = resampled[np.isfinite(resampled)]
            known = len(resampled) > 12 and family.interval != "none" and math.isfinite(value)
            low, high = np.quantile(resampled, (0.025, 0.975)).tolist() if known else (None, None)
            reason = None if known else f"no interval of {name} is known to cover"
            found.append(
                {
                    "metric": name,
                    "value": value if math.isfinite(value) else None,
                    "low": low,
                    "high": high,
                    "examples": len(rows),
                    "unit": family.unit,
                    "signature": f"{family.definition}; unit {family.unit}; 95% interval by {METHOD}",
                    "reason": reason if math.isfinite(value) else family.undefined,
                }
            )
    return found


def compared(before: Mapping[str, Any], after: Mapping[str, Any], flips: tuple[int, int]) -> dict[str, Any]:
    """Return the compare JSON; standard errors by the normal approximation from both intervals."""
    earlier = {score["metric"]: score for score in before["scores"]}
    ones = []
    for score in after["scores"]:
        old = earlier.get(score["metric"])
        if "/" in score["metric"] or not old or None in (old["low"], old["value"], score["low"], score["value"]):
            continue
        difference = score["value"] - old["value"]
        lower = score["metric"] in LOWER
        error = math.hypot(score["high"] - score["low"], old["high"] - old["low"]) / 3.92 * 0.8 or 1e-9
        p = max(math.erfc(abs(difference) / error / math.sqrt(2)), 1e-7)
        ones.append(
            {
                "metric": score["metric"],
                "baseline": before["system"],
                "candidate": after["system"],
                "difference": difference,
                "low": difference - 1.96 * error,
                "high": difference + 1.96 * error,
                "p_value": p,
                "p_adjusted": p if score["metric"] == after["primary"] else min(1.0, 3 * p),
                "detectable": 2.8 * error,
                "gained": flips[0],
                "lost": flips[1],
                "verdict": "no difference found" if p > 0.05 else ("better" if (difference > 0) != lower else "worse"),
                "signature": f"{TEST}; Tango score interval; truetune 0.1.0",
                "reason": None,
            }
        )
    ones.sort(key=lambda one: one["metric"] != after["primary"])
    systems = [before["system"], after["system"]]
    return {"systems": systems, "primary": after["primary"], "comparisons": ones, "warnings": []}


def shown_p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.4f}"


def verdict_lines(comparison: Mapping[str, Any], scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    one = comparison["comparisons"][0]
    first, last = (next(s for s in part["scores"] if s["metric"] == one["metric"]) for part in scores)
    bounds = f"{one['low']:+.3f} to {one['high']:+.3f}"
    zh = {"better": "更好", "worse": "更差"}.get(one["verdict"], "未发现差异")
    return {
        "metric": one["metric"],
        "verdict": one["verdict"],
        "lines": {
            "en": [
                f"{one['verdict'].capitalize()}: {one['metric']} {first['value']:.3f} before ({one['baseline']}), "
                f"{last['value']:.3f} after fine-tuning, on {last['examples']:,} test examples.",
                f"Difference {one['difference']:+.3f}, 95% interval {bounds}.",
                f"p {shown_p(one['p_value'])} ({TEST}); a difference of {one['detectable']:.3f} would be "
                "found four times in five. This is one training run: another seed may score differently.",
            ],
            "zh": [
                f"{zh}：在 {last['examples']:,} 个测试样本上，{one['metric']} 微调前 {first['value']:.3f}"
                f"（{one['baseline']}），微调后 {last['value']:.3f}。",
                f"差值 {one['difference']:+.3f}，95% 区间 {one['low']:+.3f} 至 {one['high']:+.3f}。",
                f"p {shown_p(one['p_value'])}（{TEST}）；{one['detectable']:.3f} 的差异五次中能发现四次。"
                "这只是一次训练：换一个随机种子，得分可能不同。",
            ],
        },
    }


def common_files(folder: Path, task: str, language: str, labels: Mapping[str, int], metric: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(
        f"task: {task}\ndata:\n  source: builtin:reviews\nmodel:\n  name: builtin:minilm\ntrain:\n  epochs: 3\n",
        encoding="utf-8",
    )
    write_json(
        folder / "manifest.json",
        {
            "truetune": "0.1.0",
            "python": "3.11.7",
            "versions": {"numpy": "2.4.0", "torch": "2.13.0", "transformers": "5.1.0"},
            "platform": "Linux-6.1-x86_64",
            "processor": "x86_64",
            "cores": 2,
            "device": "cpu",
            "dtype": "bfloat16",
            "seed": 0,
            "commit": "93cae73",
            "command": f"truetune finetune {task}.yaml train.epochs=3",
            "started": "2025-06-01T09:30:00Z",
            "finished": "2025-06-01T09:33:20Z",
            "seconds": {"audit": 1.2, "baselines": 8.4, "train": 134.7, "evaluate": 3.9},
            "peak_memory_bytes": 1_503_238_553,
            "data": {"source": "builtin:reviews", "fingerprint": "sha256:9f2c5f7a11d0"},
            "model": {"name": "builtin:minilm", "parameters": 22_713_216, "sha256": "4d1a1f0e7f1b"},
            "task": task,
            "language": language,
        },
    )
    parts = {"train": 7.0, "validation": 0.5, "test": 1.0}
    write_json(
        folder / "data.json",
        {
            "splits": {
                name: {
                    "examples": int(sum(labels.values()) * share),
                    "groups": int(sum(labels.values()) * share * 0.8),
                    "labels": {label: int(count * share) for label, count in labels.items()},
                    "characters": {"median": 84, "p95": 231, "max": 4_500},
                }
                for name, share in parts.items()
            },
            "made": "80% train, 10% validation, 10% test; stratified, seed 0; by group",
            "removed": {"repeated texts dropped": 311, "texts with contrary gold dropped": 0},
            "test_looks": 1,
        },
    )
    write_json(
        folder / "audit.json",
        {
            "findings": [
                {
                    "check": "labels that look alike",
                    "severity": "note",
                    "count": 2,
                    "examples": ["a text with two labels"],
                    "advice": "each pair may be one label in two spellings; join them in the data if so",
                },
                {
                    "check": "repeated texts",
                    "severity": "warning",
                    "count": 311,
                    "examples": ["送餐很快，味道不错", "<b>bold</b>"],
                    "advice": "train holds texts more than once (equal after normalisation); each copy weighs again. "
                    "data.drop_duplicates keeps one",
                },
            ]
        },
    )
    write_events(folder, metric)


def write_events(folder: Path, metric: str) -> None:
    rng = np.random.default_rng(7)
    lines = []
    steps, epochs = 360, 3
    for step in range(1, steps + 1):
        loss = 0.25 + 0.6 * math.exp(-step / 90) + float(abs(rng.normal())) * 0.06
        done = step / steps
        event: dict[str, Any] = {
            "event": "step",
            "step": step,
            "epoch": epochs * done,
            "loss": loss,
            "learning_rate": 1e-4 * (1 - done),
            "tokens": 1024,
            "seconds": 0.37,
        }
        lines.append(event)
        if step % 60 == 0:
            score = 0.93 - 0.25 * math.exp(-step / 110) - (0.01 if step > 280 else 0)
            lines.append(
                {
                    "event": "evaluation",
                    "step": step,
                    "epoch": epochs * done,
                    "scores": {metric: score, "log_loss": 0.3 + 0.1 * math.exp(-step / 90)},
                    "best": step <= 240,
                }
            )
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def write_system(folder: Path, table: pa.Table, evaluation: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "predictions.parquet")
    write_json(folder / "scores.json", evaluation)


def classification_run(folder: Path, setting: Setting) -> Path:
    rng = np.random.default_rng(setting.seed)
    labels = setting.labels
    number = setting.examples
    weights = 1 / np.arange(1, len(labels) + 1) ** 0.3
    gold = rng.choice(len(labels), size=number, p=weights / weights.sum())
    inputs = texts(setting.language, number, rng)
    if setting.nasty:
        for place, text in enumerate(NASTY):
            inputs[place] = text
    gold_labels = [labels[place] for place in gold]
    systems = {"before": ("tfidf-linear", setting.skill[0]), "after": ("minilm fine-tuned", setting.skill[1])}
    systems |= {
        "baselines/majority": ("majority", -1.0),
        "baselines/frozen": ("frozen-linear", setting.skill[0] * 0.8),
        "baselines/tfidf": systems["before"],
    }
    written: dict[str, dict[str, Any]] = {}
    right: dict[str, np.ndarray] = {}
    for where, (name, skill) in systems.items():
        drawn = drawn_scores(gold, len(labels), skill, np.random.default_rng(setting.seed + 1))
        if setting.nasty and where == "after":  # the nasty texts are the hardest errors
            for place in range(len(NASTY)):
                wrong = (gold[place] + 1) % len(labels)
                drawn[place] = 0.001 / (len(labels) - 1)
                drawn[place, wrong] = 0.999 - place * 1e-4
                drawn[place] /= drawn[place].sum()
        predicted = [labels[place] for place in drawn.argmax(axis=1)]
        right[where] = drawn.argmax(axis=1) == gold
        columns: dict[str, Any] = {
            "id": [f"test-{place}" for place in range(number)],
            "group": [f"user-{place // 2}" if place % 3 else None for place in range(number)],
            "text": inputs,
            "gold.label": gold_labels,
            "predicted.label": predicted,
        }
        fields: dict[str, Any] = {"label": predicted}
        if setting.scores:
            mappings = [dict(zip(labels, row, strict=True)) for row in drawn.tolist()]
            columns["predicted.scores"] = pa.array(
                mappings, type=pa.struct([(label, pa.float64()) for label in labels])
            )
            fields["scores"] = label_scores(mappings)
        metrics = metrics_of(labels, setting.scores)
        if where.startswith("baselines"):
            metrics = [metric for metric in metrics if not isinstance(metric, PerLabel) and "/" not in metric.name]
        evaluation = {
            "system": name,
            "task": "classification",
            "examples": number,
            "primary": "accuracy",
            "scores": scored(metrics, {"label": gold_labels}, fields),
            "warnings": [FEW] if where == "after" and len(labels) > 50 else [],
        }
        write_system(folder / where, pa.table(columns), evaluation)
        written[where] = evaluation
    counts = {label: gold_labels.count(label) for label in labels}
    common_files(folder, "classification", setting.language, counts, "accuracy")
    flips = int((~right["before"] & right["after"]).sum()), int((right["before"] & ~right["after"]).sum())
    comparison = compared(written["before"], written["after"], flips)
    write_json(folder / "comparison.json", comparison)
    write_json(folder / "verdict.json", verdict_lines(comparison, [written["before"], written["after"]]))
    return folder


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


def label_sets_run(folder: Path) -> Path:
    """A run that is done but for its baselines: pairs of texts, each with any number of labels."""
    rng = np.random.default_rng(4)
    labels, number = ("angry", "glad", "ironic"), 120
    scores = rng.random((number, 3))
    truth = rng.random((number, 3)) < scores
    gold = [sorted(label for label, here in zip(labels, row, strict=True) if here) for row in truth]
    predicted = [sorted(label for label, here in zip(labels, row > 0.5, strict=True) if here) for row in scores]
    mappings = [dict(zip(labels, row, strict=True)) for row in scores.tolist()]
    kind = pa.map_(pa.string(), pa.float64())
    table = pa.table(
        {
            "id": [str(place) for place in range(number)],
            "first": texts("en", number, rng),
            "second": texts("zh", number, rng),
            "gold.labels": pa.array(gold, type=pa.list_(pa.string())),
            "predicted.labels": pa.array(predicted, type=pa.list_(pa.string())),
            "predicted.scores": pa.array([list(row.items()) for row in mappings], type=kind),
        }
    )
    metrics = [*classification.MULTIPLE, *areas.area_metrics(labels, multiple=True)]
    fields = {"labels": predicted, "scores": label_scores(mappings)}
    evaluation = {
        "system": "multi",
        "task": "pair",
        "examples": number,
        "primary": "f1_macro",
        "scores": scored(metrics, {"labels": gold}, fields),
        "warnings": [],
    }
    write_system(folder / "after", table, evaluation)
    common_files(folder, "pair", "en", {label: sum(label in row for row in gold) for label in labels}, "f1_macro")
    return folder


RUNS: dict[str, Callable[[Path], Path]] = {
    "two-en": lambda folder: classification_run(folder, Setting(("negative", "positive"))),
    "two-zh": lambda folder: classification_run(folder, Setting(("差评", "好评"), language="zh", seed=1)),
    "five-zh": lambda folder: classification_run(
        folder, Setting(("体育新闻", "财经", "科技与互联网", "娱乐", "国际时政要闻"), language="zh", seed=2)
    ),
    "many-en": lambda folder: classification_run(folder, MANY),
    "no-scores-en": lambda folder: classification_run(
        folder, Setting(("negative", "positive"), scores=False, skill=(2.0, 1.9))
    ),
    "ner-zh": lambda folder: ner_run(folder, "zh"),
    "label-sets-en": label_sets_run,
}


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the function that makes a simulated run folder by name, each once."""
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in made:
            made[name] = RUNS[name](tmp_path_factory.mktemp("runs") / name)
        return made[name]

    return folder
