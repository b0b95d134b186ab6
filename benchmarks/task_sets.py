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


def bank_faqs(data: Path) -> Parts:
    answers: dict[str, list[str]] = {}
    for row in _csv(data / "faq/bank_faqs_en/BankFAQs.csv"):
        answers.setdefault(row["Question"].strip(), []).append(row["Answer"].strip())
    return {"train": [{"query": query, "documents": found} for query, found in answers.items()]}


def daily_replies(data: Path) -> Parts:
    """The last turn of each English dialogue, to be found among it and 19 last turns of others of its part."""
    place = data / "dialogue/xdailydialog_en_zh"
    files = {"train": "part1k_dialogues_text_En.txt", "validation": "en_dev_human.txt", "test": "en_test_human.txt"}
    talks = {part: [_turns(line) for line in _lines(place / name)] for part, name in files.items()}
    # Some dialogues of the training part stand in the others too.
    held_out = {tuple(turns) for part in ("validation", "test") for turns in talks[part]}
    talks["train"] = [turns for turns in talks["train"] if tuple(turns) not in held_out]
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
    """Dialogues and texts with two to four choices a question."""

    def part(name: str) -> Records:
        records = []
        for kind in ("d", "m"):
            rows = json.loads((data / f"clue/c3/c3-{kind}-{name}.json").read_text(encoding="utf-8"))
            for texts, questions, _ in rows:
                for one in questions:
                    # A choice that is printed twice is the same choice.
                    choices = list(dict.fromkeys(choice.strip() for choice in one["choice"]))
                    if len(choices) > 1:
                        asked = {"context": "\n".join(texts), "question": one["question"], "choices": choices}
                        records.append({**asked, "answer": one["answer"].strip()})
        return records

    return {"train": part("train"), "validation": part("dev"), "test": part("test")}


def xquad_en(data: Path) -> Parts:
    return {"train": _squad(data / "qa/xquad_en_zh/xquad.en.json")}


def xquad_zh(data: Path) -> Parts:
    return {"train": _squad(data / "qa/xquad_en_zh/xquad.zh.json")}


def cmrc2018(data: Path) -> Parts:
    folder = data / "qa/cmrc2018_zh"
    return {"train": _squad(folder / "cmrc2018_dev.json"), "test": _squad(folder / "cmrc2018_trial.json")}


def _turns(line: str) -> list[str]:
    # Behind the last turn stand topic, acts and emotions.
    return [turn.strip() for turn in line.split("__eou__")[:-1] if turn.strip()]


def _squad(path: Path) -> Records:
    from truetune.data.read import read

    names = ("group", "context", "question", "answers", "answer_starts")
    return [{name: record.fields[name] for name in names} for record in read(str(path))]


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
