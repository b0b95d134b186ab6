"""Public data sets as records of a task, for `tasks.py`: what each part holds, from the files as they are.

Data come from the folder that TRUETUNE_DATA names; nothing of them is part of this repository.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from truetune.data.keys import hashed, linked
from truetune.text import folded, normalised

Records = list[dict[str, Any]]
Parts = dict[str, Records]
"""`train`, and `validation` and `test` where the set has them; what lacks is made from train."""

MARKED = re.compile(r"(<e[12]>.*?</e[12]>)")
MARK = re.compile(r"<e([12])>\s*(.*?)\s*</e[12]>")


def sst2(data: Path) -> Parts:
    return {part: _labelled(data / f"classification/sst_en/stsa.binary.{name}") for part, name in PARTS_OF_SST.items()}


def sst5_numbers(data: Path) -> Parts:
    parts = {part: _labelled(data / f"classification/sst_en/stsa.fine.{name}") for part, name in PARTS_OF_SST.items()}
    return {part: [{"text": row["text"], "value": int(row["label"])} for row in rows] for part, rows in parts.items()}


PARTS_OF_SST = {"train": "train", "validation": "dev", "test": "test"}


def trec(data: Path) -> Parts:
    folder = data / "classification/trec_en"
    parts = {part: _labelled(folder / f"raw_TREC.{part}", "latin-1") for part in ("train", "test")}
    for rows in parts.values():
        for row in rows:
            row["label"] = row["label"].partition(":")[0]
    return parts


def banking77(data: Path) -> Parts:
    folder = data / "classification/banking77_en"
    return {
        part: [{"text": row["text"], "label": row["category"]} for row in _csv(folder / f"{part}.csv")]
        for part in ("train", "test")
    }


def waimai(data: Path) -> Parts:
    rows = _csv(data / "classification/waimai10k_zh/waimai_10k.csv")
    return {"train": [{"text": row["review"], "label": row["label"]} for row in rows]}


def thucnews(data: Path) -> Parts:
    folder = data / "classification/thucnews_titles_zh"
    names = (folder / "class.txt").read_text(encoding="utf-8").split()

    def part(name: str) -> Records:
        rows = (line.rsplit("\t", 1) for line in _lines(folder / name))
        return [{"text": text, "label": names[int(code)]} for text, code in rows]

    return {"train": part("dev.txt"), "test": part("test.txt")}


def smp2019_domain(data: Path) -> Parts:
    rows = json.loads((data / "classification/smp2019_nlu_zh/train.json").read_text(encoding="utf-8"))
    return {"train": [{"text": row["text"], "label": row["domain"]} for row in rows]}


def smp2019_frames(data: Path) -> Parts:
    """Domain and intent as one label; a slot stands where its words stand first (7 of 3,327 stand twice)."""
    rows = json.loads((data / "classification/smp2019_nlu_zh/train.json").read_text(encoding="utf-8"))
    records = []
    for row in rows:
        places = [(row["text"].index(words), words, name) for name, words in row["slots"].items()]
        spans = [[start, start + len(words), name] for start, words, name in sorted(places)]
        records.append({"text": row["text"], "label": f"{row['domain']}.{row['intent']}", "spans": spans})
    return {"train": records}


def mrpc(data: Path) -> Parts:
    def part(name: str) -> Records:
        text = (data / f"sentence_pair/mrpc_en/msr_paraphrase_{name}.txt").read_text(encoding="utf-8-sig")
        rows = [line.split("\t") for line in text.splitlines()[1:] if line]
        labels = {"0": "different", "1": "paraphrase"}
        return [{"first": row[3], "second": row[4], "label": labels[row[0]]} for row in rows]

    return {"train": part("train"), "test": part("test")}


def ocnli(data: Path) -> Parts:
    """Those whose five annotators agreed on a label; hypotheses of one premise stay together."""

    def part(name: str) -> Records:
        rows = [json.loads(line) for line in _lines(data / f"clue/ocnli_full/{name}.json")]
        return [
            {"first": row["sentence1"], "second": row["sentence2"], "label": row["label"], "group": row["sentence1"]}
            for row in rows
            if row["label"] != "-"
        ]

    return {"train": part("train.10k"), "test": part("dev")}


def wnut17(data: Path) -> Parts:
    files = {"train": "wnut17train.conll", "validation": "emerging.dev.conll", "test": "emerging.test.annotated"}
    return {part: list(_sentences(data / "ner/wnut17_en" / name)) for part, name in files.items()}


def cluener(data: Path) -> Parts:
    def part(name: str) -> Records:
        text = (data / f"clue/cluener_full/{name}.json").read_text(encoding="utf-8")
        decoder, place, rows = json.JSONDecoder(), 0, []
        while text[place:].strip():
            place += len(text[place:]) - len(text[place:].lstrip())
            row, place = decoder.raw_decode(text, place)
            spans = [
                [start, end + 1, kind]
                for kind, names in row["label"].items()
                for places in names.values()
                for start, end in places
            ]
            rows.append({"text": row["text"], "spans": sorted(spans)})
        return rows

    return {"train": part("train"), "test": part("dev")}


def semeval2010(data: Path) -> Parts:
    folder = data / "relation/semeval2010_task8_en"
    return {
        part: [relation(*reversed(line.split("\t", 1))) for line in _lines(folder / f"{part}.tsv")]
        for part in ("train", "test")
    }


def relation(text: str, label: str) -> dict[str, Any]:
    """Return the record of a sentence with `<e1>..</e1>` and `<e2>..</e2>` in it."""
    plain, places = "", {}
    for part in MARKED.split(text):
        mark = MARK.fullmatch(part)
        if mark:
            part = mark[2]
            places["head" if mark[1] == "1" else "tail"] = [len(plain), len(plain) + len(part)]
        plain += part
    return {"text": plain, **places, "label": label}


def finre(data: Path) -> Parts:
    """The pairs of which one relation is told (a tenth have two); no sentence stands in two parts."""
    files = {"test": "test", "validation": "valid", "train": "train"}
    parts: Parts = {}
    known: set[str] = set()
    for part, name in files.items():
        rows = [line.split("\t") for line in _lines(data / f"relation/finre_zh/{name}.txt")]
        told: dict[tuple[str, str, str], set[str]] = {}
        for head, tail, label, text in rows:
            told.setdefault((head, tail, text), set()).add(label)
        parts[part] = [
            {"text": text, "head": places[0], "tail": places[1], "label": next(iter(labels)), "group": text}
            for (head, tail, text), labels in told.items()
            if len(labels) == 1 and text not in known and (places := two_places(text, head, tail))
        ]
        known |= {text for _, _, text in told}
    return parts


def two_places(text: str, head: str, tail: str) -> tuple[list[int], list[int]] | None:
    """Return where head and tail stand: first, and apart if they can; None where no two places hold them."""
    pairs = [
        ([one, one + len(head)], [other, other + len(tail)])
        for one in _found(text, head)
        for other in _found(text, tail)
    ]
    apart = [pair for pair in pairs if pair[0][1] <= pair[1][0] or pair[1][1] <= pair[0][0]]
    return next(iter([*apart, *(pair for pair in pairs if pair[0] != pair[1])]), None)


def _found(text: str, words: str) -> list[int]:
    return [place for place in range(len(text)) if text.startswith(words, place)]


def tatoeba_zh_en(data: Path) -> Parts:
    return _tatoeba(data, source=1)


def tatoeba_en_zh(data: Path) -> Parts:
    return _tatoeba(data, source=0)


def _tatoeba(data: Path, source: int) -> Parts:
    """Each sentence with all its translations, Chinese simplified.

    Sentences that share a translation, or a sentence with one that does, are a group: a test sentence is then neither
    source nor answer of training.
    """
    text = (data / "translation/tatoeba_cmn_en/cmn.txt").read_text(encoding="utf-8")
    pairs = [line.split("\t")[:2] for line in folded(text, ("simplified",)).splitlines()]
    plain = [[normalised(one) for one in pair] for pair in pairs]
    groups = linked([one[0] for one in plain], hashed((one[1] for one in plain), len(plain)), 0)
    found: dict[str, dict[str, Any]] = {}
    for pair, same, group in zip(pairs, plain, groups.tolist(), strict=True):
        new = {"source": pair[source], "references": [], "group": group.hex()}
        references = found.setdefault(same[source], new)["references"]
        if pair[1 - source] not in references:
            references.append(pair[1 - source])
    return {"train": list(found.values())}


def scitldr(data: Path) -> Parts:
    """Abstracts of papers with their summaries of one sentence; 50 for validation, 150 for test."""
    parts: Parts = {}
    known: set[str] = set()
    for part, name, number in (("test", "test", 150), ("validation", "dev", 50), ("train", "train", None)):
        rows = [json.loads(line) for line in _lines(data / f"summarisation/scitldr_en/{name}.jsonl")]
        records = [{"source": " ".join(" ".join(row["source"]).split()), "references": row["target"]} for row in rows]
        parts[part] = _some([one for one in records if one["source"] not in known], number)
        known |= {one["source"] for one in records}
    return parts


def csl_titles(data: Path) -> Parts:
    """Abstracts with their titles; the dev file is for training, 50 of it for validation; 150 for test."""

    def part(name: str) -> Records:
        rows = [line.split("\t") for line in _lines(data / f"summarisation/csl_title_zh/{name}.tsv")]
        return [{"source": abstract.strip(), "reference": title.strip()} for _, abstract, title in rows]

    known = _some(part("dev"), None)
    return {"train": known[50:], "validation": known[:50], "test": _some(part("test"), 150)}


def daily_answers_en(data: Path) -> Parts:
    return _answers(data, "en")


def daily_answers_zh(data: Path) -> Parts:
    return _answers(data, "zh")


def _answers(data: Path, language: str) -> Parts:
    """Turns with the three before them: two of each training dialogue, one of 100 and 250 of the others."""
    rng = random.Random(0)
    parts: Parts = {}
    for part, talks in _talks(data, language).items():
        turns_of_each, number = {"train": (2, None), "validation": (1, 100), "test": (1, 250)}[part]
        records = []
        for place, turns in enumerate(talks):
            later = range(1, len(turns))
            for turn in sorted(rng.sample(later, min(turns_of_each, len(later)))):
                before = turns[max(0, turn - 3) : turn]
                records.append({"history": before, "reference": turns[turn], "group": f"{part} {place}"})
        parts[part] = _some(records, number)
    return parts


def _some(records: Records, number: int | None) -> Records:
    """Return so many of them, or all, in an order that is always the same."""
    return random.Random(0).sample(records, len(records) if number is None else min(number, len(records)))


def bank_faqs(data: Path) -> Parts:
    answers: dict[str, list[str]] = {}
    for row in _csv(data / "faq/bank_faqs_en/BankFAQs.csv"):
        answers.setdefault(row["Question"].strip(), []).append(row["Answer"].strip())
    return {"train": [{"query": query, "documents": found} for query, found in answers.items()]}


def daily_replies(data: Path) -> Parts:
    """The last turn of each English dialogue, to be found among it and 19 last turns of others of its part."""
    talks = _talks(data, "en")
    rng = random.Random(0)
    parts: Parts = {}
    for part, several in talks.items():
        replies = sorted({turns[-1] for turns in several if len(turns) > 1})
        parts[part] = []
        for turns in several:
            if len(turns) > 1:
                candidates = [turns[-1], *rng.sample([one for one in replies if one != turns[-1]], 19)]
                rng.shuffle(candidates)
                parts[part].append({"history": turns[-4:-1], "response": turns[-1], "candidates": candidates})
    return parts


def c3(data: Path) -> Parts:
    """Questions on dialogues, with two to four choices each; every second dialogue of the test, every sixth of dev."""

    def part(name: str, step: int = 1) -> Records:
        dialogues = json.loads((data / f"clue/c3/c3-d-{name}.json").read_text(encoding="utf-8"))
        records = []
        for turns, questions, _ in dialogues[::step]:
            context = "\n".join(turns)
            for one in questions:
                # A choice that is printed twice is the same choice.
                choices = list(dict.fromkeys(choice.strip() for choice in one["choice"]))
                if len(choices) > 1:
                    asked = {"context": context, "question": one["question"], "choices": choices}
                    records.append({**asked, "answer": one["answer"].strip(), "group": context})
        return records

    return {"train": part("train"), "validation": part("dev", 6), "test": part("test", 2)}


def xquad_en(data: Path) -> Parts:
    return {"train": _squad(data / "qa/xquad_en_zh/xquad.en.json")}


def xquad_zh(data: Path) -> Parts:
    return {"train": _squad(data / "qa/xquad_en_zh/xquad.zh.json")}


def cmrc2018(data: Path) -> Parts:
    """The dev part to learn from, and the questions on every second text of the trial part."""
    folder = data / "qa/cmrc2018_zh"
    trial = _squad(folder / "cmrc2018_trial.json")
    kept = set(list(dict.fromkeys(row["group"] for row in trial))[::2])
    return {"train": _squad(folder / "cmrc2018_dev.json"), "test": [row for row in trial if row["group"] in kept]}


def _talks(data: Path, language: str) -> dict[str, list[list[str]]]:
    """Return the turns of each dialogue; one that stands in two files is left out of the larger part."""
    place = data / "dialogue/xdailydialog_en_zh"
    files = {
        "test": ("en_test_human.txt", "zh_test_human.txt"),
        "validation": ("en_dev_human.txt", "zh_dev_human.txt"),
        "train": ("part1k_dialogues_text_En.txt", "part1k_dialogues_text_Zh.txt"),
    }
    known: set[str] = set()
    talks = {}
    for part, names in files.items():
        # The same line of both files is the same dialogue; English ones are equal letter by letter, Chinese ones not.
        both = zip(*([_turns(line) for line in _lines(place / name)] for name in names), strict=True)
        keyed = [
            (normalised("\n".join(english)), {"en": english, "zh": chinese}[language]) for english, chinese in both
        ]
        talks[part] = [turns for key, turns in keyed if key not in known]
        known |= {key for key, _ in keyed}
    return dict(reversed(talks.items()))


def _turns(line: str) -> list[str]:
    # Behind a tab stand topic, acts and emotions.
    return [turn.strip() for turn in line.partition("\t")[0].split("__eou__") if turn.strip()]


def _squad(path: Path) -> Records:
    from truetune.data.read import read

    names = ("group", "context", "question", "answers", "answer_starts")
    rows = ({name: record.fields[name] for name in names} for record in read(str(path)))
    # Two questions of CMRC's trial part are empty.
    return [row for row in rows if row["question"].strip()]


def _sentences(path: Path) -> Iterator[dict[str, Any]]:
    for filled, block in groupby(_lines(path, keep_empty=True), key=lambda line: bool(line.strip())):
        if filled:
            rows = [line.split("\t")[:2] for line in block]
            yield {"tokens": [word for word, _ in rows], "tags": [tag.strip() for _, tag in rows]}


def _labelled(path: Path, encoding: str = "utf-8") -> Records:
    rows = (line.split(" ", 1) for line in path.read_text(encoding=encoding).splitlines())
    return [{"text": text, "label": label} for label, text in rows]


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _lines(path: Path, keep_empty: bool = False) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines if keep_empty else [line for line in lines if line.strip()]
