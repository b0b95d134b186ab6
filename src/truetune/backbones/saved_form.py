"""What stands beside the weights of a saved model, whatever framework reads them: how they and the head are used."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from truetune.backbones.base import ModelSettings
from truetune.backbones.form import Form
from truetune.errors import ModelError
from truetune.files import read_json, write_json

NAME = "backbone.json"
"""How weights and head are used; beside it stand Transformers' own files."""
LISTS = ("labels", "tags", "fold")
"""Settings that are several."""
HEAD_FILE = "head.safetensors"
"""Where a head of ours is saved, beside the plain model: `1.weight` `[labels, hidden]` and `1.bias` `[labels]`."""


def settings_values(settings: ModelSettings) -> dict[str, Any]:
    """Return settings as JSON values, equal to what is read back of them."""
    return {**asdict(settings), **{name: list(getattr(settings, name)) for name in LISTS}}


def write_form(folder: Path, settings: ModelSettings, form: Form) -> None:
    """Write how the weights in a folder are used."""
    # Where the pretrained model lay on this machine is nobody's business; LoRA and IA3 are merged.
    stored = {**settings_values(settings), "name": ".", "lora": None, "ia3": False}
    write_json(folder / NAME, {"settings": stored, "form": asdict(form)})


def read_form(folder: Path) -> tuple[ModelSettings, Form]:
    """Return what `write_form` wrote; raises ModelError where it is missing or damaged."""
    file = folder / NAME
    try:
        stored: dict[str, Any] = read_json(file)
        names = {name: tuple(stored["settings"].get(name, ())) for name in LISTS}
        settings = ModelSettings(**{**stored["settings"], **names})
        # What was saved before forms had marks may be of a task that marks by now; it does not read them.
        return settings, Form(**{"marks": True, **stored["form"]})
    except FileNotFoundError:
        raise ModelError(f"{file} is not there, so {folder} is no saved truetune model") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{file}: is damaged ({error}); save the model again") from None
