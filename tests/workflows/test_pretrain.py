"""Whole runs of pretraining: a toy corpus is learnt, a killed run ends as an unbroken one, the result is fine-tuned."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from truetune import config as configs
from truetune.bundle.run_folder import RunFolder
from truetune.cli.main import main
from truetune.data.dataset import Dataset
from truetune.files import read_json
from truetune.workflows.corpus import prepared_corpus
from truetune.workflows.finetune import finetune
from truetune.workflows.pretrain import pretrain

from .toy_corpus import QUIET, settings, toy


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("learnt")
    return RunFolder(pretrain(settings(folder), progress=QUIET).run)


def value(run: RunFolder, system: str, metric: str) -> float:
    return float(next(one["value"] for one in read_json(run.scores(system))["scores"] if one["metric"] == metric))


def test_a_toy_corpus_is_learnt(learnt: RunFolder) -> None:
    # Half of the words are certain; one that knows how often each stands says "the".
    assert value(learnt, "after", "masked_accuracy") > value(learnt, "before", "masked_accuracy") + 0.2
    assert value(learnt, "after", "pseudo_perplexity") < value(learnt, "baselines/unigram", "pseudo_perplexity")
    # A model that learnt nothing is about as sure as one that draws: its perplexity is that of the vocabulary.
    assert value(learnt, "baselines/untuned", "pseudo_perplexity") > 150
    assert read_json(learnt.verdict)["verdict"] == "better"
    assert "after pretraining" in read_json(learnt.verdict)["lines"]["en"][0]
    assert "预训练后" in read_json(learnt.verdict)["lines"]["zh"][0]


def test_the_run_leaves_page_card_and_weights(learnt: RunFolder) -> None:
    page = learnt.report.read_text(encoding="utf-8")
    assert "Pretraining report · Masked language modelling" in page
    assert "ine-tuning report" not in page
    assert "fine-tuned model" not in page
    # No answer of a document is right or wrong, so nothing is said of such answers.
    assert 'id="learning"' in page
    assert not [part for part in ("changes", "errors", "confusion", "curves", "reliability") if f'id="{part}"' in page]
    card = (learnt.model / "README.md").read_text(encoding="utf-8")
    assert "AutoModelForMaskedLM" in card
    assert "model.name" in card
    assert "truetune.load" not in card
    names = {path.name for path in learnt.model.iterdir()}
    assert {"model.safetensors", "tokenizer.json", "config.json", "truetune.json", "README.md"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]


def test_the_run_says_how_its_tokenizer_cuts_words(learnt: RunFolder) -> None:
    found = read_json(learnt.reading)
    (words,) = found["tokenizer"]["fertility"]
    # Twenty words and a number a document; the words are frequent enough to be pieces of their own.
    assert (words["kind"], words["units"]) == ("words", 24 * 21)
    assert 20 / 21 <= words["whole"] <= 1
    assert words["low"] < words["pieces"] < words["high"]
    assert 0 < found["tokenizer"]["used"] <= 1
    assert found["samples"] == []
    assert "How it reads and writes" in learnt.report.read_text(encoding="utf-8")


def test_the_saved_model_is_the_one_that_was_scored(learnt: RunFolder) -> None:
    from transformers import pipeline

    fill = pipeline("fill-mask", model=str(learnt.model), device="cpu")
    (found, *_) = fill("the cat in the [MASK] the bird in the tree")
    assert found["token_str"] in ("house", "river", "tree", "field")


@pytest.mark.parametrize("command", ["export RUN OUT", "evaluate RUN --data FILE", "predict RUN FILE", "serve RUN"])
def test_what_was_not_fine_tuned_yet_is_told_to_answer_nothing(
    command: str, learnt: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "asked.jsonl").write_text('{"text": "the cat in the house"}\n', encoding="utf-8")
    places = {"RUN": learnt.path, "OUT": tmp_path / "out", "FILE": tmp_path / "asked.jsonl"}
    assert main([str(places.get(part, part)) for part in command.split()]) == 2
    assert "by `truetune pretrain`; what came of it answers nothing yet: fine-tune it" in capsys.readouterr().err


def test_finetune_takes_the_model_by_its_path(learnt: RunFolder, tmp_path: Path) -> None:
    rows = [
        f'{{"text": "the {animal} in the {place} {n}", "label": "{label}"}}'
        for n in range(30)
        for animal, place, label in (("cat", "house", "home"), ("bird", "tree", "outside"))
    ]
    (tmp_path / "labelled.jsonl").write_text("\n".join(rows), encoding="utf-8")
    result = finetune(
        {
            "task": "classification",
            "data": {"source": str(tmp_path / "labelled.jsonl")},
            "model": {"name": str(learnt.model)},
            "train": {"epochs": 1},
            "evaluate": {"resamples": 100, "baselines": ["majority"]},
            "track": {"output": str(tmp_path / "runs"), "name": "tuned"},
        },
        progress=QUIET,
    )
    assert (result.run / "report.html").is_file()


def test_a_decoder_learns_too_with_several_documents_in_a_row(tmp_path: Path) -> None:
    changes = {"task": "language-modeling", "train": {"packing": True, "epochs": 4}}
    run = RunFolder(pretrain(settings(tmp_path, "new:gpt-tiny", **changes), progress=QUIET).run)
    for metric in ("bits_per_byte", "bits_per_character", "perplexity"):
        assert value(run, "after", metric) < value(run, "before", metric) < value(run, "baselines/untuned", metric)
    told = read_json(run.reading)["samples"]
    documents = (tmp_path / "toy.txt").read_text(encoding="utf-8").splitlines()
    assert [one["beginning"] + one["document"] in documents for one in told] == [True] * 5
    # What it writes is made of words that it learnt.
    assert {"the", "in"} & set(" ".join(one["written"] for one in told).split())
    assert read_json(run.scores("after"))["warnings"] == []
    # Bytes and characters are as many in this corpus.
    assert value(run, "after", "bits_per_byte") == pytest.approx(value(run, "after", "bits_per_character"))


def test_bits_of_texts_that_a_tokenizer_does_not_hold_are_told_to_be_so(tmp_path: Path) -> None:
    asked = settings(tmp_path, "new:gpt-tiny", task="language-modeling", train={"epochs": 0.2})
    asked["pretrain"] |= {"tokenizer": "wordpiece", "held_out": 8}
    # What is written behind beginnings stays within what so short a model takes.
    asked["model"]["max_length"] = 16
    text = (tmp_path / "toy.txt").read_text(encoding="utf-8")
    (tmp_path / "toy.txt").write_text(text.replace("the cat", "The cat"), encoding="utf-8")
    run = RunFolder(pretrain(asked, progress=QUIET).run)
    held_out = [line for line in Dataset.open(run.data("test")).column("text") if "The" in line]
    (told,) = read_json(run.scores("after"))["warnings"]
    assert told.startswith(f"{len(held_out)} of 8 held-out documents do not come back")
    assert "do not come back from their pieces" in run.report.read_text(encoding="utf-8")


def test_replaced_pieces_are_found_and_the_model_is_fine_tuned(tmp_path: Path) -> None:
    rng = random.Random(0)
    names = ["anna", "bob", "carl", "dora", "emil", "fritz", "gina", "hugo"]
    deeds = ["sees", "hears", "likes", "calls", "meets", "helps", "pays", "asks"]
    lines = [" ".join(f"{rng.choice(names)} {rng.choice(deeds)}" for _ in range(8)) for _ in range(300)]
    asked = settings(tmp_path, task="replaced-token-detection", train={"epochs": 4, "learning_rate": 1e-3})
    (tmp_path / "toy.txt").write_text("\n".join(lines), encoding="utf-8")
    asked["pretrain"]["mask_share"] = 0.3
    run = RunFolder(pretrain(asked, progress=QUIET).run)
    # Of 16 draws one is the piece itself, 7 are another of its kind, which nobody can tell, 8 are of the other kind.
    before, after = (value(run, system, "detection_accuracy") for system in ("before", "after"))
    assert before == pytest.approx(1 - 0.3 * 15 / 16, abs=0.03)
    assert before + 0.03 < after < 1 - 0.3 * 7 / 16 + 0.03
    assert value(run, "after", "bits_per_piece") < value(run, "before", "bits_per_piece")
    assert read_json(run.verdict)["verdict"] == "better"
    assert "Pretraining report · Replaced-token detection" in run.report.read_text(encoding="utf-8")
    rows = [{"text": f"{name} {rng.choice(deeds)}", "label": name} for name in names[:2] for _ in range(20)]
    (tmp_path / "labelled.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    tuned = settings(tmp_path, task="classification", name=str(run.model), train={"epochs": 1})
    tuned["data"] = {"source": str(tmp_path / "labelled.jsonl"), "drop_duplicates": False}
    tuned["evaluate"]["baselines"] = ["majority"]
    assert (finetune(tuned, progress=QUIET).run / "report.html").is_file()


def test_checkpoints_are_fine_tuned_and_scored(tmp_path: Path) -> None:
    rows = [
        {"text": f"the {animal} in the {place} {n}", "label": "home" if place == "house" else "outside"}
        for n in range(30)
        for animal, place in (("cat", "house"), ("bird", "tree"), ("fish", "river"))
    ]
    (tmp_path / "labelled.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    probe = {
        "task": "classification",
        "data": {"source": "labelled.jsonl", "test_share": 0.3},
        "model": {"name": "whatever"},
        "train": {"epochs": 2, "learning_rate": 1e-3},
        "evaluate": {"resamples": 100},
    }
    (tmp_path / "probe.yaml").write_text(json.dumps(probe), encoding="utf-8")
    asked = settings(tmp_path, train={"epochs": 2, "keep_every": 3})
    asked["pretrain"]["probe"] = str(tmp_path / "probe.yaml")
    run = RunFolder(pretrain(asked, progress=QUIET).run)
    found = read_json(run.probes)
    steps = [one["step"] for one in found["probes"]]
    assert steps[:3] == [0, 3, 6]
    assert [one["shipped"] for one in found["probes"]].count(True) == 1
    assert found["probes"][0]["against_start"] is None
    for one in found["probes"]:
        probed = RunFolder(run.probes_folder / f"step-{one['step']:08d}")
        assert [folder.name for folder in (probed.path / "baselines").iterdir()] == ["majority"]
        assert value(probed, "after", found["metric"]) == one["score"]["value"]
        if one["step"]:
            change = one["score"]["value"] - found["probes"][0]["score"]["value"]
            assert one["against_start"]["difference"] == pytest.approx(change)
    # Each began at other weights: that of step 3 has learnt what the start has not.
    weights = [(run.probes_folder / f"step-{step:08d}/model/model.safetensors").read_bytes() for step in (0, 3, 6)]
    assert len(set(weights)) == 3
    assert not list(run.probes_folder.glob("*-model"))
    assert "Probes" in run.report.read_text(encoding="utf-8")


def test_a_pretrained_encoder_is_gone_on_with(tiny_bert: Path, tmp_path: Path) -> None:
    changed = settings(tmp_path, str(tiny_bert), train={"epochs": 3, "learning_rate": 5e-3})
    run = RunFolder(pretrain(changed, progress=QUIET).run)
    assert value(run, "after", "pseudo_perplexity") < value(run, "baselines/untuned", "pseudo_perplexity")
    assert not (run.path / "start").exists()


@pytest.mark.parametrize(("task", "family"), [("masked-language-modeling", "bert"), ("language-modeling", "gpt2")])
def test_lora_goes_on_with_a_model_and_is_merged(
    task: str, family: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    pytest.importorskip("peft")
    place = request.getfixturevalue(f"tiny_{family}")
    changes = {"task": task, "train": {"epochs": 6, "learning_rate": 1e-2}, "recipe": {"lora_rank": 4}}
    run = RunFolder(pretrain(settings(tmp_path, str(place), **changes), progress=QUIET).run)
    metric = {"bert": "pseudo_perplexity", "gpt2": "bits_per_byte"}[family]
    assert value(run, "after", metric) < value(run, "baselines/untuned", metric)
    from safetensors.numpy import load_file

    before, after = (load_file(folder / "model.safetensors") for folder in (place, run.model))
    found = {name: [other for key, other in after.items() if key.endswith(name)] for name in before}
    same = {name: bool((before[name] == others[0]).all()) for name, others in found.items() if others}
    # Matrices of layers are moved, word embeddings are not, and nothing of LoRA is left.
    assert [name for name in same if "wte" in name or "word_embeddings" in name]
    assert all(kept for name, kept in same.items() if "wte" in name or "word_embeddings" in name)
    assert not all(same.values())
    assert not [name for name in after if "lora" in name]


SCRIPT = """
import sys
from truetune import config
from truetune.workflows.pretrain import pretrain
from truetune.workflows.progress import Progress
pretrain(config.load(sys.argv[1]), resume="--resume" in sys.argv, progress=Progress(quiet=True))
"""


def test_a_killed_run_ends_bit_for_bit_as_an_unbroken_one(tiny_bert: Path, tmp_path: Path) -> None:
    train = {"epochs": 6, "checkpoint_seconds": 0, "evaluations_per_epoch": 2}
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = RunFolder(pretrain(settings(tmp_path / "whole", str(tiny_bert), train=train), progress=QUIET).run)
    from truetune import config

    same = config.from_settings(settings(tmp_path / "killed", str(tiny_bert), train=train))
    (tmp_path / "toy.yaml").write_text(config.to_yaml(same), encoding="utf-8")
    run = RunFolder(tmp_path / "killed" / "runs" / "toy")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "toy.yaml")]
    process = subprocess.Popen(command, env=dict(os.environ))
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if run.events.is_file() and run.events.read_text(encoding="utf-8").count('"step"') > 12:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (run.model / "truetune.json").is_file()
    assert (run.checkpoints / "last.safetensors").is_file()
    pretrain(same, resume=True, progress=QUIET)
    assert (run.model / "model.safetensors").read_bytes() == (whole.model / "model.safetensors").read_bytes()
    assert read_json(run.scores("after"))["scores"] == read_json(whole.scores("after"))["scores"]


def test_a_folder_of_splits_gives_the_parts(tmp_path: Path) -> None:
    lines = toy(tmp_path).read_text(encoding="utf-8").splitlines()
    (tmp_path / "splits").mkdir()
    given = {"train": lines[:40], "dev": lines[40:50], "test": lines[50:60]}
    for name, some in given.items():
        (tmp_path / "splits" / f"{name}.txt").write_text("\n".join(some), encoding="utf-8")
    asked = settings(tmp_path)
    asked["data"] = {"source": str(tmp_path / "splits")}
    run = RunFolder(tmp_path / "run")
    parts = prepared_corpus(configs.from_settings(asked), run, QUIET)
    found = {name: part.column("text") for name, part in parts.items()}
    assert (found["validation"], found["test"]) == (given["dev"], given["test"])
    # Those that are nearly equal to held-out ones are taken out.
    assert 0 < len(found["train"]) <= 40
    assert set(found["train"]) <= set(given["train"])


def test_words_of_the_corpus_become_pieces_of_a_pretrained_encoder(tiny_bert: Path, tmp_path: Path) -> None:
    changed = settings(tmp_path, str(tiny_bert), train={"epochs": 1})
    changed["pretrain"]["new_words"] = 3
    run = RunFolder(pretrain(changed, progress=QUIET).run)
    from transformers import AutoTokenizer

    old, new = (AutoTokenizer.from_pretrained(place) for place in (tiny_bert, run.model))
    assert len(new) == len(old) + 3
    added = sorted(set(new.get_vocab()) - set(old.get_vocab()))
    assert all(len(new.tokenize(f"the {word} in")) < len(old.tokenize(f"the {word} in")) for word in added)
