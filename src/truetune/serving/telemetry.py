"""What a server says of itself: Prometheus metrics, and a line of JSON a request without its texts."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Telemetry:
    """Counts and times of one server; of several workers added up where `PROMETHEUS_MULTIPROC_DIR` is set."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._stream = stream or sys.stderr
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "truetune_requests", "Requests by path and status", ["path", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "truetune_request_seconds", "Seconds until a request was answered", buckets=BUCKETS, registry=self._registry
        )
        self._texts = Counter("truetune_texts", "Texts that were answered", registry=self._registry)
        self._batches = Histogram(
            "truetune_batch_texts", "Texts of a batch", buckets=(1, 2, 4, 8, 16, 32, 64, 128), registry=self._registry
        )
        self._waiting = Gauge(
            "truetune_waiting_texts", "Texts that wait", registry=self._registry, multiprocess_mode="livesum"
        )
        self._gauges: dict[str, Gauge] = {}
        self._swaps = Counter("truetune_swaps", "Models that were swapped in", ["outcome"], registry=self._registry)

    def answered(self, request: Mapping[str, Any], known: bool) -> None:
        """Count a request and write its line; `known`: whether its path is one of ours."""
        self._requests.labels(request["path"] if known else "other", str(request["status"])).inc()
        self._seconds.observe(request["seconds"])
        self._texts.inc(request.get("texts", 0))
        self.line("request", request)

    def state(self, waiting: int, sizes: list[int]) -> None:
        """Take in how many texts wait, and the sizes of batches since the last time."""
        self._waiting.set(waiting)
        for size in sizes:
            self._batches.observe(size)

    def gauges(self, values: Mapping[str, float]) -> None:
        """Set gauges by name; one that is new is made."""
        from prometheus_client import Gauge

        for name, value in values.items():
            if name not in self._gauges:
                about = name.removeprefix("truetune_").replace("_", " ").capitalize()
                self._gauges[name] = Gauge(name, about, registry=self._registry)
            self._gauges[name].set(value)

    def swapped(self, outcome: str) -> None:
        """Count an attempt to swap the model."""
        self._swaps.labels(outcome).inc()

    def line(self, event: str, values: Mapping[str, Any]) -> None:
        """Write one line of JSON."""
        told = {"time": round(time.time(), 3), "event": event, **values}
        self._stream.write(json.dumps(told, ensure_ascii=False) + "\n")
        self._stream.flush()

    def page(self) -> bytes:
        """Return the metrics as Prometheus reads them."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return bytes(generate_latest(self._registry))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return bytes(generate_latest(registry))
