"""A bundle to a repository of the Hugging Face Hub, when the user asks for it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from truetune.bundle.format import NAME, read_bundle
from truetune.errors import MissingPackageError, TruetuneError


def pushed(path: Path, name: str, private: bool, endpoint: str | None = None) -> str:
    """Send a bundle's files to a repository, made where it is not there yet, and return the commit's address.

    The bundle is looked through first, as one from elsewhere is: what would be refused there is not sent.
    Raises `TruetuneError` with the Hub's words where it refuses.
    """
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingPackageError("huggingface_hub", "pushing to the Hub", "train")
    folder = path if (path / NAME).is_file() else path / "model"
    read_bundle(folder)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi(endpoint=endpoint)
    try:
        api.create_repo(name, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=name, folder_path=folder, commit_message="A model of truetune", ignore_patterns=["*.partial"]
        )
    except (HfHubHTTPError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise TruetuneError(
            f"{name}: the Hub did not take it ({reason}); expected USER/NAME and a token that may write "
            "(`hf auth login`, or HF_TOKEN)"
        ) from None
    return str(commit.commit_url)
