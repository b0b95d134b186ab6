"""The configs in `examples/` go the whole way on their own data, with a tiny model in place of the pretrained one."""

from __future__ import annotations

from pathlib import Path

import pytest

from truetune import config
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("name", ["qa", "regression", "relations", "translation"])
def test_an_example_goes_the_whole_way(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(EXAMPLES)
    writes = name == "translation"
    model = request.getfixturevalue("tiny_gpt2" if writes else "tiny_marking_bert")
    overrides = [
        f"model.name={model}",
        "model.max_length=64",
        f"track.output={tmp_path}",
        "data.limit=80",
        "train.epochs=1",
        "evaluate.resamples=100",
        *(["generate.max_pieces=12"] if writes else []),
    ]
    settings = config.load(f"{name}.yaml", overrides)
    result = finetune(settings, progress=Progress(quiet=True))
    assert result.comparison["primary"] == settings.evaluate.metric
    assert (result.run / "report.html").is_file()
