"""LitServe around a Transformers pipeline, a peer of `serving.py`, which starts it: TASK FOLDER PORT.

A file of its own: LitServe hands its class to processes by name.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import litserve


class Api(litserve.LitAPI):
    """Texts to what the pipeline says of them, in the batches that LitServe makes."""

    def __init__(self, name: str, folder: str) -> None:
        super().__init__(max_batch_size=32, batch_timeout=0.005, api_path="/v1/predict")
        self._name, self._folder = name, folder

    def setup(self, device: str) -> None:
        """Load the pipeline in the process that answers."""
        from transformers import pipeline

        self._answer = pipeline(self._name, model=self._folder, tokenizer=self._folder)

    def decode_request(self, request):  # type: ignore[no-untyped-def]  # a type here would be read as a schema
        """Return the one text of a request."""
        text: str = request["texts"][0]
        return text

    def batch(self, inputs: list[str]) -> list[str]:
        """Return the texts of a batch."""
        return inputs

    def predict(self, texts: list[str]) -> Any:
        """Return what the pipeline says of each text."""
        return self._answer(texts, batch_size=len(texts))

    def unbatch(self, output: Any) -> Any:
        """Return an answer a request."""
        return output

    def encode_response(self, output: Any) -> Any:
        """Return an answer as JSON values."""
        return json.loads(json.dumps(output, default=float))


if __name__ == "__main__":
    task, place, port = sys.argv[1:]
    kind = "text-classification" if task == "classification" else "token-classification"
    server = litserve.LitServer(Api(kind, place), accelerator="cpu", healthcheck_path="/ready", timeout=False)
    server.run(host="127.0.0.1", port=int(port), generate_client_file=False, log_level="warning")
