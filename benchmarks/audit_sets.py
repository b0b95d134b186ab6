"""What the audit finds in public data sets: their known defects, and no error where there is none.

    TRUETUNE_DATA=FOLDER python benchmarks/audit_sets.py [NAME...]

Prints a line of a table for each set: examples, seconds, the findings of severity error with their number, how many
warnings and notes there are. Exits with 1 where a set has an error that is not among its known defects, or lacks one.
The folder is laid out as its readers below say; a set that is not there is left out, and said to be.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truetune.audit.parts import AuditPart
from truetune.audit.run import audit
from truetune.data.formats.excel import read_excel
from truetune.types import Span

Columns = tuple[Sequence[Sequence[str]], Sequence[Any] | None, Sequence[Any] | None]
"""Text columns, gold, mentions."""


@dataclass(frozen=True)
class Public:
    """A data set: how it is read, and what is known to be wrong with it."""

    name: str
    read: Callable[[Path], dict[str, Columns]]
    known: tuple[tuple[str, int], ...] = ()
    """(check, number) of each finding of severity error that the set deserves, and of warnings that are its defect."""


def lines(path: Path, encoding: str = "utf-8-sig") -> list[str]:
    return [line for line in path.read_text(encoding=encoding).split("\n") if line.strip()]


def label_first(pattern: str, parts: dict[str, str], encoding: str = "utf-8") -> Callable[[Path], dict[str, Columns]]:
    def read(folder: Path) -> dict[str, Columns]:
        found = {}
        for part, name in parts.items():
            pairs = [line.rstrip("\r").split(" ", 1) for line in lines(folder / pattern.format(name), encoding)]
            found[part] = ([[text for _, text in pairs]], [label for label, _ in pairs], None)
        return found

    return read


def table(
    parts: dict[str, str], texts: Sequence[str], gold: str | None, delimiter: str = ",", encoding: str = "utf-8-sig"
) -> Callable[[Path], dict[str, Columns]]:
    def read(folder: Path) -> dict[str, Columns]:
        found: dict[str, Columns] = {}
        for part, name in parts.items():
            with (folder / name).open(encoding=encoding, newline="") as file:
                quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
                rows = list(csv.DictReader(file, delimiter=delimiter, quoting=quoting))
            found[part] = ([[row[one] for row in rows] for one in texts], gold and [row[gold] for row in rows], None)
        return found

    return read


def tabbed(parts: dict[str, str], text: int, label: int | None) -> Callable[[Path], dict[str, Columns]]:
    def read(folder: Path) -> dict[str, Columns]:
        found: dict[str, Columns] = {}
        for part, name in parts.items():
            rows = [line.split("\t") for line in lines(folder / name)]
            found[part] = ([[row[text] for row in rows]], None if label is None else [row[label] for row in rows], None)
        return found

    return read


def ocnli(folder: Path) -> dict[str, Columns]:
    found: dict[str, Columns] = {}
    for part, name in (("train", "train.3k.json"), ("validation", "dev.json")):
        rows = [json.loads(line) for line in lines(folder / "clue/ocnli_full" / name)]
        rows = [row for row in rows if row["label"] != "-"]
        found[part] = (
            [[row["sentence1"] for row in rows], [row["sentence2"] for row in rows]],
            [row["label"] for row in rows],
            None,
        )
    return found


def wnut(folder: Path) -> dict[str, Columns]:
    found: dict[str, Columns] = {}
    names = {"train": "wnut17train.conll", "validation": "emerging.dev.conll", "test": "emerging.test.annotated"}
    for part, name in names.items():
        texts, gold = [], []
        blocks = (folder / "ner/wnut17_en" / name).read_text(encoding="utf-8").replace("\t\n", "\n").split("\n\n")
        for block in blocks:
            rows = [line.split("\t")[:2] for line in block.splitlines() if "\t" in line]
            if rows:
                text, spans = joined(rows)
                texts.append(text)
                gold.append(spans)
        found[part] = ([texts], gold, None)
    return found


def joined(rows: Iterable[Sequence[str]]) -> tuple[str, list[Span]]:
    """Tokens and tags as a text and its spans."""
    text, spans = "", []
    for token, tag in rows:
        start = len(text) + bool(text)
        text += " " * bool(text) + token
        if tag.startswith("B-") or (tag.startswith("I-") and not spans):
            spans.append(Span(start, len(text), tag[2:]))
        elif tag.startswith("I-"):
            spans[-1] = spans[-1]._replace(end=len(text))
    return text, spans


def cluener(folder: Path) -> dict[str, Columns]:
    found: dict[str, Columns] = {}
    for part, name in (("train", "train.json"), ("validation", "dev.json")):
        rest = (folder / "clue/cluener_full" / name).read_text(encoding="utf-8")
        texts, gold = [], []
        while rest := rest.lstrip():
            one, end = json.JSONDecoder().raw_decode(rest)
            rest = rest[end:]
            texts.append(one["text"])
            gold.append(
                [
                    Span(start, last + 1, kind)
                    for kind, mentions in one["label"].items()
                    for places in mentions.values()
                    for start, last in places
                ]
            )
        found[part] = ([texts], gold, None)
    return found


def squad(parts: dict[str, str]) -> Callable[[Path], dict[str, Columns]]:
    def read(folder: Path) -> dict[str, Columns]:
        found: dict[str, Columns] = {}
        for part, name in parts.items():
            contexts, questions, mentions = [], [], []
            for article in json.loads((folder / name).read_text(encoding="utf-8"))["data"]:
                for paragraph in article["paragraphs"]:
                    for question in paragraph["qas"]:
                        contexts.append(paragraph["context"])
                        questions.append(question["question"])
                        mentions.append([(one["answer_start"], one["text"]) for one in question["answers"]])
            found[part] = ([contexts, questions], None, mentions)
        return found

    return read


def dialogues(folder: Path) -> dict[str, Columns]:
    """Lines are utterances with `__eou__` behind each (of train: between them), then columns of annotation."""
    place = folder / "dialogue/xdailydialog_en_zh"
    names = {"train": "part1k_dialogues_text_En", "validation": "en_dev_human", "test": "en_test_human"}
    found: dict[str, Columns] = {}
    for part, name in names.items():
        told = [line.partition("\t")[0].split("__eou__") for line in lines(place / f"{name}.txt")]
        found[part] = ([["\n".join(one.strip() for one in some if one.strip()) for some in told]], None, None)
    return found


def semeval(folder: Path) -> dict[str, Columns]:
    return tabbed({"train": "train.tsv", "test": "test.tsv"}, 1, 0)(folder / "relation/semeval2010_task8_en")


def finre(folder: Path) -> dict[str, Columns]:
    found: dict[str, Columns] = {}
    for part, name in (("train", "train.txt"), ("validation", "valid.txt"), ("test", "test.txt")):
        rows = [line.split("\t") for line in lines(folder / "relation/finre_zh" / name)]
        found[part] = (
            [[row[3] for row in rows], [f"{row[0]}|{row[1]}" for row in rows]],
            [row[2] for row in rows],
            None,
        )
    return found


def phrasebank(folder: Path) -> dict[str, Columns]:
    rows = [line.rsplit("@", 1) for line in lines(folder / "finance/phrasebank_en/Sentences_AllAgree.txt", "latin-1")]
    return {"train": ([[text for text, _ in rows]], [label.strip() for _, label in rows], None)}


def xueqiu(folder: Path) -> dict[str, Columns]:
    place = folder / "finance/xueqiu_news_sentiment_zh"
    seed = [list(record.fields.values()) for record in read_excel(place / "news_seed.xlsx", None)]
    column = max(range(len(seed[0])), key=lambda one: len(str(seed[0][one])))
    with (place / "test_data.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        "train": ([[str(row[column]) for row in seed]], None, None),
        "test": ([[row["标题"] for row in rows]], None, None),
    }


def scitldr(folder: Path) -> dict[str, Columns]:
    found: dict[str, Columns] = {}
    for part, name in (("train", "train"), ("validation", "dev"), ("test", "test")):
        rows = [json.loads(line) for line in lines(folder / f"summarisation/scitldr_en/{name}.jsonl")]
        found[part] = ([[" ".join(row["source"]) for row in rows]], None, None)
    return found


C, S, P = "classification/", "summarisation/csl_title_zh/", "sentence_pair/mrpc_en/msr_paraphrase_"
SST = {"train": "train", "validation": "dev", "test": "test"}
TREC = {"train": "train", "test": "test"}
BANKING = {"train": C + "banking77_en/train.csv", "test": C + "banking77_en/test.csv"}
THUCNEWS = {"train": C + "thucnews_titles_zh/dev.txt", "test": C + "thucnews_titles_zh/test.txt"}
MRPC = {"train": P + "train.txt", "test": P + "test.txt"}
CSL = {"train": S + "dev.tsv", "test": S + "test.tsv"}
CMRC_KNOWN = (("offsets that miss their text", 7), ("answers that are not in the text", 193))
TATOEBA_KNOWN = (("simplified and traditional Chinese", 8375),)
SETS = (
    Public("SST-2", label_first(C + "sst_en/stsa.binary.{}", SST)),
    Public("TREC", label_first(C + "trec_en/TREC.{}.all", TREC, "latin-1"), (("text in two parts", 11),)),
    Public("Banking77", table(BANKING, ["text"], "category")),
    Public("waimai", table({"train": C + "waimai10k_zh/waimai_10k.csv"}, ["review"], "label")),
    Public("THUCNews titles", tabbed(THUCNEWS, 0, 1)),
    Public("MRPC", table(MRPC, ["#1 String", "#2 String"], "Quality", "\t")),
    Public("OCNLI", ocnli),
    Public("WNUT 17", wnut),
    Public("CLUENER", cluener),
    Public("SemEval-2010 task 8", semeval),
    Public("FinRE", finre),
    Public("XQuAD en", squad({"test": "qa/xquad_en_zh/xquad.en.json"})),
    Public("XQuAD zh", squad({"test": "qa/xquad_en_zh/xquad.zh.json"})),
    Public("CMRC 2018", squad({"validation": "qa/cmrc2018_zh/cmrc2018_dev.json"}), CMRC_KNOWN),
    Public("SciTLDR", scitldr),
    Public("CSL titles", tabbed(CSL, 1, None)),
    Public("Tatoeba zh", tabbed({"train": "translation/tatoeba_cmn_en/cmn.txt"}, 1, None), TATOEBA_KNOWN),
    Public("XDailyDialog", dialogues, (("text in two parts", 46), ("nearly equal texts in two parts", 24))),
    Public("Bank FAQs", table({"train": "faq/bank_faqs_en/BankFAQs.csv"}, ["Question"], "Class")),
    Public("Financial PhraseBank", phrasebank),
    Public("Xueqiu titles", xueqiu, (("text in two parts", 1437),)),
)


def audited(parts: dict[str, Columns]) -> list[Any]:
    built = {}
    for name, (texts, gold, mentions) in parts.items():
        ids = [str(number) for number in range(1, len(texts[0]) + 1)]
        built[name] = AuditPart(name, ids, texts, gold, None, mentions)
    return audit(built)


def main(names: Sequence[str]) -> int:
    folder = Path(os.environ.get("TRUETUNE_DATA", ""))
    faults = 0
    print("| set | examples | seconds | errors found | known | warnings | notes |")
    print("|---|---|---|---|---|---|---|")
    for one in SETS:
        if names and one.name not in names:
            continue
        try:
            parts = one.read(folder)
        except OSError as error:
            print(f"{one.name}: not read ({error})", file=sys.stderr)
            continue
        begin = time.perf_counter()
        findings = audited(parts)
        seconds = time.perf_counter() - begin
        errors: dict[str, int] = {}
        for finding in findings:
            if finding.severity == "error" or finding.check in dict(one.known):
                errors[finding.check] = errors.get(finding.check, 0) + finding.count
        number = "/".join(f"{len(texts[0]):,}" for texts, _, _ in parts.values())
        told = ", ".join(f"{check} {count:,}" for check, count in errors.items()) or "none"
        known = ", ".join(f"{check} {count:,}" for check, count in one.known) or "none"
        counts = [sum(finding.severity == kind for finding in findings) for kind in ("warning", "note")]
        print(f"| {one.name} | {number} | {seconds:.1f} | {told} | {known} | {counts[0]} | {counts[1]} |", flush=True)
        if errors != dict(one.known):
            faults += 1
            for finding in findings:
                if finding.severity == "error":
                    print(f"{one.name}: {finding.check}: {'; '.join(finding.examples[:3])}", file=sys.stderr)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
