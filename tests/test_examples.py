"""The configs in `examples/` go the whole way on their own data, with a tiny model in place of the pretrained one."""

from __future__ import annotations

from pathlib import Path

import pytest

from truetune import config
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("name", ["qa", "regression", "relations"])
def test_an_example_goes_the_whole_way(
    tmp_path: Path, tiny_marking_bert: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(EXAMPLES)
    overrides = [
        f"model.name={tiny_marking_bert}",
        "model.max_length=64",
        f"track.output={tmp_path}",
        "data.limit=80",
        "train.epochs=1",
        "evaluate.resamples=100",
    ]
    settings = config.load(f"{name}.yaml", overrides)
    result = finetune(settings, progress=Progress(quiet=True))
    assert result.comparison["primary"] == settings.evaluate.metric
    assert (result.run / "report.html").is_file()
