"""What a bundle from elsewhere may not hold: code, files outside of it, headers and sizes that do not add up.

Nothing of a bundle is loaded before this has been read: only bytes, JSON and the syntax of a chat template.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from truetune.bundle.tensors import tensor_sizes
from truetune.errors import ModelError

ALLOWED = (".json", ".jinja", ".md", ".model", ".onnx", ".safetensors", ".spm", ".txt")
"""Endings of the files of a bundle; none of them is run or unpickled."""
PLAIN = ("licence", "license", "notice", ".gitattributes", ".gitignore")
"""Names of texts without such an ending."""

_CODE = frozenset({"auto_map", "custom_pipelines", "trust_remote_code"})
"""Keys by which Transformers is told of code to fetch and run."""
_FOREIGN = frozenset({"base_model_name_or_path"})
"""Keys by which another model would be loaded beside this one."""
_FILE_KEY = re.compile(r"(?:^|_)(?:file|path|filename)$")
_LAYERS = frozenset({"num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers", "decoder_layers"})
_WIDTHS = frozenset({"hidden_size", "n_embd", "d_model", "dim"})
_LOCATION = b"\x0a\x08location\x12"
"""How ONNX writes the key of a file name outside: field 1 of a pair, eight bytes, then field 2."""
_PACKED = (*(bytes([0x80, protocol]) for protocol in range(2, 6)), b"PK\x03\x04", b"\x1f\x8b")
"""How pickles, archives (in which PyTorch keeps pickles) and compressed files begin, whatever their names end in."""
_LARGEST_JSON = 64 * 2**20


def refuse_unsafe(folder: Path) -> None:
    """Raise `ModelError` that names the file of a bundle that may hold code, leads out of it, or contradicts itself."""
    for file in sorted(folder.rglob("*")):
        if _hidden(file.relative_to(folder)):
            continue
        _refuse_link(file, folder)
        if not file.is_file():
            continue
        if file.suffix.lower() not in ALLOWED and not file.name.lower().startswith(PLAIN):
            raise ModelError(
                f"{file}: may hold code (pickle or a script); a bundle holds only {', '.join(ALLOWED)}. Remove the file"
            )
        with file.open("rb") as opened:
            start = opened.read(4)
        if file.suffix != ".safetensors" and start.startswith(_PACKED):
            raise ModelError(f"{file}: is a pickle or an archive under another name; it may hold code. Remove it")
        if file.suffix == ".json":
            _refuse_json(file)
        if file.suffix == ".onnx":
            _refuse_outside_weights(file)
        if file.suffix == ".jinja":
            _refuse_template(file, file.read_text(encoding="utf-8", errors="replace"))
    _refuse_sizes(folder)


def _hidden(path: Path) -> bool:
    """Return whether a file is of the tool that copied the folder: a cache of the Hub's client, a repository."""
    return path.parts[0] in (".cache", ".git")


def _refuse_link(file: Path, folder: Path) -> None:
    """Raise for a link that leads out of the folder; the Hub's cache keeps what its links lead to beside the folder."""
    if not file.is_symlink():
        return
    target = file.resolve()
    roots = [folder.resolve()]
    if folder.resolve().parent.name == "snapshots":
        roots.append(folder.resolve().parent.parent / "blobs")
    if not any(target.is_relative_to(root) for root in roots):
        raise ModelError(f"{file}: is a link that leads out of the bundle; expected a file. Remove the link")


def _refuse_json(file: Path) -> None:
    if file.stat().st_size > _LARGEST_JSON:
        raise ModelError(f"{file}: is larger than {_LARGEST_JSON:,} bytes, more than any settings; remove the file")
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{file}: is damaged ({error}); export the model again from its run") from None
    if file.name == "tokenizer.json":
        return  # a vocabulary: its strings are pieces of text, and the library that reads it opens no other file
    for key, value in _entries(stored):
        if key in _CODE and value:
            raise ModelError(f"{file}: {key!r} names code to run; truetune runs none from a bundle. Remove the key")
        if key in _FOREIGN and value:
            raise ModelError(f"{file}: {key!r} names another model to load; export the model whole")
        named = _FILE_KEY.search(key) or key == "weight_map"
        for text in _texts(value) if named else ():
            if _leads_out(text):
                raise ModelError(
                    f"{file}: {key!r} names {text!r}, which lies outside of the bundle; expected a file name"
                )
        if key == "chat_template":
            for text in _texts(value):
                _refuse_template(file, text)


def _refuse_outside_weights(file: Path) -> None:
    """Raise for an ONNX file whose weights stand in other files, which it names by paths."""
    with file.open("rb") as opened:
        before = b""
        while part := opened.read(2**24):
            if _LOCATION in before + part:
                raise ModelError(f"{file}: names other files that hold its weights; expected one file. Export it again")
            before = part[-len(_LOCATION) :]


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key with its value, however deep."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            yield from one.items()
            rest.extend(one.values())
        elif isinstance(one, list):
            rest.extend(one)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _leads_out(name: str) -> bool:
    kinds = (PurePosixPath(name), PureWindowsPath(name))
    return "://" in name or any(path.is_absolute() or path.anchor or ".." in path.parts for path in kinds)


def _refuse_template(file: Path, text: str) -> None:
    """Raise for a chat template that reaches for Python's inside, or takes other files in.

    Transformers runs templates in a sandbox; here nothing reaches it that would need one.
    """
    import jinja2
    from jinja2 import nodes

    try:
        tree = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"]).parse(text)  # noqa: S701 - nothing is rendered
    except (jinja2.TemplateError, RecursionError):
        return  # tags of Transformers' own (generation); it is never rendered here
    names = [str(one.attr) for one in tree.find_all(nodes.Getattr)]
    names += [str(one.value) for one in tree.find_all(nodes.Const) if isinstance(one.value, str)]
    reached = [name for name in names if name.startswith("__") and name.endswith("__")]
    taken = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
    if reached or next(tree.find_all(taken), None) is not None:
        what = f"reaches for {reached[0]}" if reached else "takes in other templates"
        raise ModelError(f"{file}: its chat template {what}; a template only puts texts together. Remove it")


def _refuse_sizes(folder: Path) -> None:
    """Raise where `config.json` asks for a larger model than the weights that are there."""
    weights = [tensor_sizes(file) for file in sorted(folder.glob("*.safetensors"))]
    config = folder / "config.json"
    if not weights or not config.is_file():
        return
    tensors, elements = sum(map(len, weights)), sum(sum(one.values()) for one in weights)
    stored = json.loads(config.read_text(encoding="utf-8"))
    widths = [value for key, value in _entries(stored) if key in _WIDTHS and isinstance(value, int)]
    for key, value in _entries(stored):
        if not isinstance(value, int) or isinstance(value, bool):
            continue
        layers = key in _LAYERS and value > tensors
        table = key == "vocab_size" and value * max(widths, default=1) > elements
        if layers or table or (key in _WIDTHS and value > elements):
            raise ModelError(
                f"{config}: {key} {value:,} is more than the {tensors:,} tensors with {elements:,} numbers beside it "
                "can hold; the bundle is damaged or forged. Export the model again from its run"
            )
