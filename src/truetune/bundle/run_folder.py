"""The run: a folder from which everything that a report says can be computed again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from truetune.errors import RunError

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class RunFolder:
    """Where everything of a run stands."""

    path: Path

    @property
    def config(self) -> Path:
        """The settings as resolved."""
        return self.path / "config.yaml"

    @property
    def manifest(self) -> Path:
        """Versions, seed, hardware, data hashes, commit, command; written last, so it says the run is whole."""
        return self.path / "manifest.json"

    @property
    def events(self) -> Path:
        """Steps and evaluations of training."""
        return self.path / "events.jsonl"

    @property
    def audit(self) -> Path:
        """Findings about the data."""
        return self.path / "audit.json"

    @property
    def facts(self) -> Path:
        """Sizes, labels and lengths of the parts, and how they were made."""
        return self.path / "data.json"

    @property
    def split(self) -> Path:
        """The ids of each part."""
        return self.path / "split.json"

    @property
    def comparison(self) -> Path:
        """The paired comparisons with the fine-tuned model."""
        return self.path / "comparison.json"

    @property
    def verdict(self) -> Path:
        """The verdict in words."""
        return self.path / "verdict.json"

    @property
    def diagnosis(self) -> Path:
        """What holds the score back, where `truetune diagnose` looked for it."""
        return self.path / "diagnosis.json"

    @property
    def reading(self) -> Path:
        """How the tokenizer of a pretrained model cuts texts, and what the model writes."""
        return self.path / "reading.json"

    @property
    def probes(self) -> Path:
        """What checkpoints of a pretraining score when they are fine-tuned, where that was asked."""
        return self.path / "probes.json"

    @property
    def probes_folder(self) -> Path:
        """The runs of these."""
        return self.path / "probes"

    @property
    def behaviour(self) -> Path:
        """How the model takes small changes of texts, where `truetune check` asked."""
        return self.path / "behaviour.json"

    @property
    def report(self) -> Path:
        """The page."""
        return self.path / "report.html"

    @property
    def model(self) -> Path:
        """The bundle that is shipped."""
        return self.path / "model"

    @property
    def checkpoints(self) -> Path:
        """What `--resume` goes on from."""
        return self.path / "checkpoints"

    @property
    def timings(self) -> Path:
        """Seconds of the stages that are done."""
        return self.path / "timings.json"

    @property
    def decisions(self) -> Path:
        """How what is made of probabilities was fitted on validation; there only where it was asked for."""
        return self.path / "decisions.json"

    @property
    def entities(self) -> Path:
        """Recall of entities of the test part by how often training has them."""
        return self.path / "after" / "entities.json"

    @property
    def weak(self) -> Path:
        """Where the fine-tuned model is worst on the test part."""
        return self.path / "after" / "weak.json"

    @property
    def decided(self) -> Path:
        """What that is worth on the test part."""
        return self.path / "after" / "decisions.json"

    def data(self, part: str) -> Path:
        """The examples of one part."""
        return self.path / "data" / f"{part}.arrow"

    def system(self, name: str) -> Path:
        """The folder of a scored system: `before`, `after` or `baselines/NAME`."""
        return self.path / name

    def predictions(self, name: str) -> Path:
        """The predictions table of a system on the test part."""
        return self.system(name) / "predictions.parquet"

    def scores(self, name: str) -> Path:
        """The scores of a system on the test part."""
        return self.system(name) / "scores.json"

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return self.manifest.is_file()


def finished_run(path: Path) -> RunFolder:
    """Return a run that came to its end; raises `RunError` for any other folder, with what to do."""
    run = RunFolder(path)
    if not run.config.is_file():
        raise RunError(f"{path}: is no run folder (no config.yaml in it); `truetune finetune` makes one")
    if not run.finished:
        raise RunError(f"{path}: the run is not finished; go on with: truetune finetune CONFIG --resume")
    return run


def new_run(output: Path, name: str) -> RunFolder:
    """Return a run folder that does not exist yet: NAME, NAME-2, NAME-3..."""
    path, number = output / name, 1
    while path.exists():
        number += 1
        path = output / f"{name}-{number}"
    return RunFolder(path)


def latest_run(output: Path, name: str) -> RunFolder:
    """Return the run of a name to go on with: the newest unfinished one, else the newest.

    Going on with a finished run does nothing again. Raises `RunError` where there is no run of that name.
    """
    numbered = [path for path in output.glob(f"{name}-*") if path.name.removeprefix(f"{name}-").isdecimal()]
    places = [output / name, *sorted(numbered, key=lambda path: int(path.name.rpartition("-")[2]))]
    runs = [RunFolder(path) for path in places if RunFolder(path).config.is_file()]
    if not runs:
        raise RunError(f"{output}: holds no run {name!r} to go on with; leave out --resume to start one")
    return next((run for run in reversed(runs) if not run.finished), runs[-1])
