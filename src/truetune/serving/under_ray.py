"""The same application under Ray Serve: replicas on this machine, or on the cluster that Ray is connected to."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from truetune.errors import MissingPackageError, ModelError

NAME = "truetune"


@dataclass(frozen=True)
class Replicas:
    """Where replicas are asked, and how many there are."""

    host: str
    port: int
    number: int
    ongoing: int
    """Requests that one of them may have at a time; its own limits decide what waits."""
    grace: float
    """Seconds after which a stopping replica gives up requests that are not answered."""


def serve_under_ray(built: Callable[[], Callable[..., Awaitable[None]]], wanted: Replicas) -> None:
    """Serve the application that `built` returns in each replica until SIGTERM or SIGINT; then answer what is accepted.

    RAY_ADDRESS names a cluster, whose machines must see the bundle under the same path; without it all run on this
    machine. Raises `ModelError` where replicas do not start.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")  # each line of the log is one request
    try:
        import ray
        from ray import serve
    except ImportError as error:
        raise MissingPackageError("ray", "--scale ray", "ray") from error
    try:
        _connected(ray, wanted.number)
    except Exception as error:  # Ray raises a plain one where it does not start
        raise ModelError(
            f"Ray does not start ({str(error).strip().splitlines()[0]}); try again, or leave out --scale"
        ) from error
    stopping = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda number, frame: stopping.set())
    try:
        place = "EveryNode" if os.environ.get("RAY_ADDRESS") else "HeadOnly"
        serve.start(http_options={"host": wanted.host, "port": wanted.port, "location": place})
        replica = serve.deployment(
            name=NAME,
            num_replicas=wanted.number,
            max_ongoing_requests=wanted.ongoing,
            graceful_shutdown_timeout_s=wanted.grace,
            graceful_shutdown_wait_loop_s=0.5,
        )(serve.ingress(built)())
        try:
            serve.run(replica.bind(), name=NAME, route_prefix="/")
        except RuntimeError as error:
            raise ModelError(f"no replica starts under Ray ({str(error).strip().splitlines()[0]})") from None
        stopping.wait()
        serve.delete(NAME)  # waits for what the replicas have accepted
        serve.shutdown()
    finally:
        ray.shutdown()


def _connected(ray: Any, replicas: int) -> None:
    quiet = {"logging_level": logging.ERROR}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
        return
    ray.init(address="local", num_cpus=replicas + 1, include_dashboard=False, **quiet, _node_ip_address="127.0.0.1")
