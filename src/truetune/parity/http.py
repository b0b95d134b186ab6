"""Answers of a bundle as a client gets them: a server on this machine, asked over a socket."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import io
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from truetune.errors import ModelError
from truetune.tasks.base import Inputs
from truetune.workflows.served import BundlePlace

AT_ONCE = 32
"""Texts of one request."""
PACKAGES = ("fastapi", "uvicorn", "prometheus_client")
STARTING = 60.0
"""Seconds that a server may take to load its model."""


def can_serve() -> bool:
    """Return whether what a server needs is installed."""
    return all(importlib.util.find_spec(package) is not None for package in PACKAGES)


def http_answers(folder: Path, inputs: Inputs, fields: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Return the predicted columns of examples, as a server of the bundle in `folder` answers them."""
    names = [one.name for one in inputs.fields if one.derive is None and (one.required or one.name in fields)]
    rows = zip(*(fields[name] for name in names), strict=True)
    texts = [{name: one for name, one in zip(names, row, strict=True) if one is not None} for row in rows]
    found: list[dict[str, Any]] = []
    with serving_at(folder) as port:
        for start in range(0, len(texts), AT_ONCE):
            found += _asked(port, texts[start : start + AT_ONCE])
    return {name: [one[name] for one in found] for name in found[0]} if found else {}


def _asked(port: int, texts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STARTING)
    try:
        connection.request("POST", "/v1/predict", json.dumps({"texts": texts}).encode())
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise ModelError(f"the server answers with status {answer.status}: {body.get('error')}")
        predictions: list[dict[str, Any]] = body["predictions"]
        return predictions
    finally:
        connection.close()


@contextlib.contextmanager
def serving_at(folder: Path) -> Iterator[int]:
    """Serve the bundle in `folder` from a thread of this process; the value is the port on this machine."""
    import uvicorn

    from truetune.serving.app import Source, application
    from truetune.serving.batcher import Limits
    from truetune.serving.guarded import Guard
    from truetune.serving.telemetry import Telemetry

    guard, limits = Guard(largest=2**30, seconds=600.0), Limits(target=600.0)
    app = application(Source(BundlePlace(folder, "cpu").load), limits, guard, Telemetry(io.StringIO()))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, log_level="critical", access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        end = time.monotonic() + STARTING
        while not server.started:
            if not thread.is_alive() or time.monotonic() > end:
                raise ModelError(f"{folder}: a server of it does not start; run: truetune serve {folder}")
            time.sleep(0.01)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(STARTING)
