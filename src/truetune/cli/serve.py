"""`truetune serve PATH`: a model over HTTP, until it is told to stop; what was accepted is answered first."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import ipaddress
import json
import os
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from truetune.errors import ConfigError, MissingPackageError

ARGUMENTS = "TRUETUNE_SERVE"
"""Where the workers of a server find what it was told."""
GRACE = 30
"""Seconds after which a stopping server gives up requests that are not answered."""

LOADING = 30
"""Seconds that a worker may be busy with loading, and say nothing, before it is replaced."""


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    for package in ("fastapi", "uvicorn", "prometheus_client"):
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(package, "serving", "serve")
    if args.workers < 1:
        raise ConfigError(f"--workers {args.workers}: expected 1 or more")
    if not _loopback(args.host) and args.keys is None:
        raise ConfigError(
            f"--host {args.host}: others could ask this server without a key; give --keys FILE, or serve 127.0.0.1"
        )
    told = {key: value for key, value in vars(args).items() if key not in ("command", "debug", "json")}
    _refuse_without_folder(args)
    # A bundle that cannot be served is told before a port is taken.
    _checked(told)
    if args.scale == "ray":
        _serve_under_ray(told)
        return 0
    if args.workers == 1:
        _serve(application_of(told), told)
        return 0
    with _told_to_workers({ARGUMENTS: json.dumps(told)}):
        _serve("truetune.cli.serve:worker", told)
    return 0


@contextlib.contextmanager
def _told_to_workers(variables: Mapping[str, str]) -> Iterator[None]:
    """While inside, processes that are started get these variables, and a folder where their metrics are added up."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="truetune-metrics-") as folder:
        os.environ |= {**variables, "PROMETHEUS_MULTIPROC_DIR": folder}
        try:
            yield
        finally:
            os.environ.clear()
            os.environ |= before


def _serve_under_ray(told: dict[str, Any]) -> None:
    from truetune.serving.under_ray import Replicas, serve_under_ray

    told = {
        **told,
        "path": str(Path(told["path"]).absolute()),
        "keys": told["keys"] and str(Path(told["keys"]).absolute()),
    }

    def built() -> Callable[..., Awaitable[None]]:
        return application_of(told)

    with _told_to_workers({}):
        ongoing = max(told["waiting"], 16) + told["texts"]
        serve_under_ray(built, Replicas(told["host"], told["port"], told["workers"], ongoing, GRACE))


def worker() -> Callable[..., Awaitable[None]]:
    """Return the application of one of several worker processes."""
    return application_of(json.loads(os.environ[ARGUMENTS]))


def application_of(told: dict[str, Any]) -> Callable[..., Awaitable[None]]:
    """Return the application that the arguments describe."""
    from truetune.serving.app import Source, application
    from truetune.serving.batcher import Limits
    from truetune.serving.guarded import Guard
    from truetune.serving.limits import read_keys
    from truetune.serving.telemetry import Telemetry
    from truetune.workflows.served import BundlePlace

    place = BundlePlace(Path(told["path"]), told["device"])
    guard = Guard(
        keys=read_keys(told["keys"]),
        rate=told["rate"],
        largest=told["largest"],
        texts=told["texts"],
        seconds=told["timeout"],
        log_texts=told["log_texts"],
    )
    limits = Limits(told["tokens"], told["waiting"], told["target"])
    telemetry = Telemetry()
    return application(Source(place.load, place.changed), limits, guard, telemetry, _live(told, telemetry))


def _live(told: dict[str, Any], telemetry: Any) -> Any:
    """Return what watches the answers; None where nothing is to be watched."""
    if told["live"] is None:
        return None
    from truetune.live.quality import Quality
    from truetune.serving.live import Live, Other
    from truetune.workflows.served import BundlePlace

    path = told["shadow"] or told["ab"]
    other = None
    if path is not None:
        other = Other(BundlePlace(Path(path), told["device"]).load, None if told["shadow"] else told["share"])
    return Live(Quality(Path(told["live"])), telemetry, other)


def _refuse_without_folder(args: argparse.Namespace) -> None:
    """Raise `ConfigError` where what is watched has no place, or several processes would write to it."""
    if args.live is None and (args.shadow or args.ab):
        raise ConfigError("--shadow and --ab keep their answers in a folder; name it: --live DIR")
    if args.shadow and args.ab:
        raise ConfigError("--shadow and --ab exclude each other; expected one second model")
    if args.live is not None and args.workers > 1:
        raise ConfigError(f"--live is kept by one process; expected --workers 1, found {args.workers}")


def _checked(told: dict[str, Any]) -> None:
    from truetune.bundle.format import NAME, read_bundle
    from truetune.serving.limits import read_keys
    from truetune.tasks.table import task_named
    from truetune.workflows.model import training_of

    for folder in (Path(told[name]) for name in ("path", "shadow", "ab") if told[name] is not None):
        training_of(task_named(read_bundle(folder if (folder / NAME).is_file() else folder / "model").task))
    read_keys(told["keys"])


def _serve(app: Any, told: dict[str, Any]) -> None:
    import uvicorn

    # Uvicorn raises the signal that ended it once more when all is answered: then it has done its work.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    workers = told["workers"]
    uvicorn.run(
        app,
        host=told["host"],
        port=told["port"],
        workers=workers,
        factory=isinstance(app, str),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE,
        timeout_worker_healthcheck=LOADING,
    )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
