"""The model card of a bundle: `README.md` as the Hugging Face Hub reads it, in English and in Chinese.

Every score comes from the bundle's `scores.json`, every other fact from its `truetune.json`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from truetune.bundle.format import CARD, ONNX, SCORES, Bundle, read_bundle
from truetune.files import read_json, write_text
from truetune.reports import numbers
from truetune.reports.metric_names import metric_name
from truetune.reports.words import Say, say_in
from truetune.tasks.table import PRETRAINED

PIPELINES = {
    "classification": "text-classification",
    "pair": "text-classification",
    "relations": "text-classification",
    "ner": "token-classification",
    "nested-ner": "token-classification",
    "intent-slots": "token-classification",
    "multiple-choice": "multiple-choice",
    "qa": "question-answering",
    "translation": "translation",
    "summarization": "summarization",
    "masked-language-modeling": "fill-mask",
    "language-modeling": "text-generation",
}
"""Task -> what the Hub calls it."""
LICENCES = {
    "apache-2.0": "apache-2.0",
    "mit": "mit",
}
"""Licences by the names of the Hub, found at the beginning of the known ones."""
MOST_LABELS = 50
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")

OWN_HEAD = """import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

tokenizer, body = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path).eval()
head = load_file(f"{path}/head.safetensors")
tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
with torch.inference_mode():
    hidden, mask = body(**inputs).last_hidden_state, inputs["attention_mask"]
    pooled = POOLED
logits = pooled @ head["1.weight"].T + head["1.bias"]"""
VECTORS = """import torch
from transformers import AutoModel, AutoTokenizer

tokenizer, body = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path).eval()
tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
with torch.inference_mode():
    hidden, mask = body(**inputs).last_hidden_state, inputs["attention_mask"]
    pooled = POOLED
vectors = torch.nn.functional.normalize(pooled, dim=-1)"""
POOLED = {
    "mean": "(hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)",
    "first": "hidden[:, 0]",
    "last": "hidden[torch.arange(len(hidden)), mask.shape[1] - 1 - mask.flip(1).argmax(1)]",
    "marked": """torch.cat([  # heads, tails: at which character of its text the sign before an entity stands
        hidden[torch.arange(len(hidden)), ((starts <= at) & (at < ends)).long().argmax(1)]
        for at in (torch.tensor(heads)[:, None], torch.tensor(tails)[:, None])
    ], dim=1)""",
    None: "hidden",
}
OFFSETS = """starts, ends = inputs.pop("offset_mapping").unbind(-1)
"""
OWN_CLASS = """import torch
from transformers import AutoTokenizer, CLASS

tokenizer, model = AutoTokenizer.from_pretrained(path), CLASS.from_pretrained(path).eval()
tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
with torch.inference_mode():
    logits = model(**inputs).logits"""

ENDS = """    found = model(**inputs)
    logits = torch.stack([found.start_logits, found.end_logits], dim=-1)"""
"""In place of the last line, where each piece has two scores."""


def write_card(folder: Path) -> None:
    """Write the card of a bundle, from its own files."""
    write_text(folder / CARD, model_card(folder))


def model_card(folder: Path) -> str:
    """Return the card's text."""
    bundle = read_bundle(folder)
    scores = read_json(folder / SCORES) if (folder / SCORES).is_file() else {"scores": []}
    stored = read_json(folder / "backbone.json") if (folder / "backbone.json").is_file() else None
    cut = bool(stored and stored["form"].get("vector"))
    # Scores of whole vectors are not those of cut ones.
    metadata = yaml.safe_dump(_metadata(bundle, {"scores": []} if cut else scores), allow_unicode=True, sort_keys=False)
    sections = [_section(say_in(language), bundle, scores, stored) for language in ("en", "zh")]
    return "---\n" + metadata + "---\n\n" + "\n".join(sections)


def plain_code(form: Mapping[str, Any]) -> str:
    """Return how Transformers alone gets the logits of `texts` from the folder `path` of such a form."""
    if form.get("embeds"):
        return VECTORS.replace("POOLED", POOLED[form["pooling"]])
    if form["own_head"]:
        code = OWN_HEAD.replace("POOLED", POOLED[form["pooling"]])
        if form.get("chooses"):  # a row a choice; a softmax goes over the rows of a question
            return code.replace("tokenizer(texts,", "tokenizer(contexts, questions_with_choices,")
        if form["pooling"] == "marked":
            code = code.replace("return_tensors", "return_offsets_mapping=True, return_tensors")
            return code.replace("with torch.inf", OFFSETS + "with torch.inf")
        return code.replace("tokenizer(texts,", "tokenizer(questions, texts,") if form.get("ends") else code
    if form.get("ends"):
        code = OWN_CLASS.replace("CLASS", "AutoModelForQuestionAnswering").replace("(texts,", "(questions, texts,")
        return code.replace("    logits = model(**inputs).logits", ENDS)
    if form.get("masks"):
        return OWN_CLASS.replace("CLASS", "AutoModelForMaskedLM")
    name = "AutoModelForTokenClassification" if form["pooling"] is None else "AutoModelForSequenceClassification"
    return OWN_CLASS.replace("CLASS", name)


def _metadata(bundle: Bundle, scores: Mapping[str, Any]) -> dict[str, Any]:
    licence = next((name for start, name in LICENCES.items() if bundle.licence.lower().startswith(start)), "unknown")
    found: dict[str, Any] = {"license": licence, "library_name": "truetune", "tags": ["truetune", bundle.task]}
    if bundle.language:
        found["language"] = [bundle.language]
    if bundle.task in PIPELINES:
        found["pipeline_tag"] = PIPELINES[bundle.task]
    if _HUB_NAME.fullmatch(bundle.base_model):
        found["base_model"] = bundle.base_model
    metrics = [
        {"type": one["metric"], "value": one["value"], "name": metric_name(one["metric"], "en")}
        for one in _overall(scores["scores"])
        if one["value"] is not None
    ]
    if metrics:
        task = {"type": PIPELINES.get(bundle.task, bundle.task)}
        fingerprint = bundle.data.get("test", "unknown")
        dataset = {"name": "test part", "type": f"fingerprint {fingerprint}"}
        result = {"task": task, "dataset": dataset, "metrics": metrics}
        found["model-index"] = [{"name": f"truetune {bundle.task}", "results": [result]}]
    return found


def _section(say: Say, bundle: Bundle, scores: Mapping[str, Any], stored: Mapping[str, Any] | None) -> str:
    task = say.name("task", bundle.task)
    pretrained = bundle.task in PRETRAINED
    facts = {"base": _escaped(bundle.base_model), "version": bundle.truetune, "length": f"{bundle.max_length:,}"}
    lines = [
        f"# {say['card.title'].format(task=task)}",
        "",
        say["card.pretrained" if pretrained else "card.what"].format(**facts),
        "",
    ]
    shown = [_escaped(label) for label in bundle.labels[:MOST_LABELS]]
    more = [f"… ({len(bundle.labels):,})"] if len(bundle.labels) > MOST_LABELS else []
    if shown:
        lines += [say["card.labels"].format(labels=", ".join([*shown, *more])), ""]
    decided = {} if bundle.decision is None else bundle.decision.to_dict()
    if decided:
        steps = [say[f"card.decided.{step}"] for step, value in decided.items() if value not in (None, [], {})]
        lines += [say["card.decided"].format(steps=say["card.between"].join(steps)), ""]
    if bundle.multiple and not decided.get("thresholds"):
        lines += [say["card.threshold"].format(threshold=f"{bundle.threshold:g}"), ""]
    use = _fenced("import truetune\n\ntruetune.load(path).predict(texts)")
    lines += [f"## {say['card.use']}", "", *([say["card.pretrained use"]] if pretrained else use), ""]
    if stored is not None and bundle.framework != ONNX:
        lines += _alone(say, stored)
    vector = stored["form"].get("vector", 0) if stored is not None else 0
    cut = [say["card.cut"].format(number=f"{vector:,}"), ""] if vector else []
    lines += [f"## {say['card.scores']}", "", *cut, *_scores(say, scores), ""]
    if bundle.data:
        rows = [f"- `{part}`: `{fingerprint}`" for part, fingerprint in bundle.data.items()]
        lines += [f"## {say['card.data']}", "", say["card.data.lead"], "", *rows, ""]
    lines += [say["card.licence"].format(licence=_escaped(bundle.licence)), ""]
    return "\n".join(lines)


def _alone(say: Say, stored: Mapping[str, Any]) -> list[str]:
    """Return what Transformers alone makes of the weights, by what `backbone.json` holds."""
    if any(stored["settings"].get(name) for name in ("prompt_pieces", "prefix_pieces")):
        return [say["card.pieces"], ""]
    if stored["form"].get("writes"):
        return []
    folds = [say["card.fold"], ""] if stored["settings"].get("fold") else []
    return [say["card.plain"], "", *_fenced(plain_code(stored["form"])), "", say["card.plain.windows"], "", *folds]


def _scores(say: Say, scores: Mapping[str, Any]) -> list[str]:
    found = _overall(scores["scores"])
    if not found:
        return [say["card.scores.none"]]
    columns = [say["column.metric"], say["column.score"], "", say["column.examples"]]
    lines = [say["card.scores.lead"].format(level=numbers.level(found) or numbers.NONE), ""]
    lines += [f"| {' | '.join(columns)} |", "|---|---|---|---|"]
    for one in found:
        name = f"{_escaped(metric_name(one['metric'], say.language))} `{one['metric']}`"
        bounds = numbers.interval(one["low"], one["high"])
        lines.append(f"| {name} | {numbers.number(one['value'])} | {bounds} | {numbers.count(one['examples'])} |")
    return lines


def _overall(scores: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the scores of all examples; those of single labels stand in the file."""
    return [one for one in scores if "/" not in one["metric"]]


def _fenced(code: str) -> list[str]:
    return ["```python", *code.splitlines(), "```"]


def _escaped(text: str) -> str:
    """Return a name from the data as text that Markdown and HTML leave as it is, on one line."""
    return html.escape(_SPECIAL.sub(r"\\\1", " ".join(text.split())), quote=False)
