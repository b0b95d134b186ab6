"""`truetune serve` as a process of its own: every answer is the offline one, it can be swapped, stopped and killed."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.torch import load_backbone, load_tokenizer
from truetune.bundle.format import Bundle, write_bundle
from truetune.cli.main import main
from truetune.parity.export import Wanted, write_export
from truetune.workflows.served import BundlePlace, identity_of

WORDS = ["lovely", "dull", "film", "story", "Paris", "Berlin", "plot", "中国", "银行", "2024", "unbelievable"]


def bundle(folder: Path, base: Path, task: str, seed: int = 0) -> Path:
    head: Any = "tag" if task == "ner" else "classify"
    labels = ("O", "B-PER", "I-PER") if task == "ner" else ("neg", "pos", "mixed")
    settings = ModelSettings(str(base), head, labels, max_length=24, seed=seed)
    tokenizer = load_tokenizer(settings)
    load_backbone(settings, Recipe(), tokenizer).save(folder)
    write_bundle(folder, Bundle(task, labels, False, 24, "tiny"))
    return folder


def texts(number: int, seed: int = 0) -> list[str]:
    """Return texts of which some are longer than the model reads at once."""
    rng = random.Random(seed)
    return [f"{place} " + " ".join(rng.choices(WORDS, k=rng.randint(1, 40))) for place in range(number)]


class Server:
    """A server process on a free port."""

    def __init__(self, path: Path, *words: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "truetune", "serve", str(path), "--port", str(self.port), *words]
        self.log = path.parent / f"serve-{self.port}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log, start_new_session=True)
        try:
            self.wait_for("ready")
        except AssertionError:
            self.close()
            raise

    def wait_for(self, event: str) -> dict[str, Any]:
        for _ in range(3600):
            for line in self.log.read_text(encoding="utf-8").splitlines():
                if line.startswith("{") and json.loads(line)["event"] == event:
                    return dict(json.loads(line))
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            time.sleep(0.05)
        raise AssertionError(f"no {event}: {self.log.read_text(encoding='utf-8')[-2000:]}")

    def ask(self, some: list[str]) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/v1/predict", json.dumps({"texts": some}).encode())
            found = connection.getresponse()
            assert found.status == 200, found.read()
            return dict(json.loads(found.read()))
        finally:
            connection.close()

    def stop(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(60)

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def place(tmp_path: Path, tiny_bert: Path, request: pytest.FixtureRequest) -> Path:
    """A link to a bundle, as a deployment has it; or, where a test asks for it, to what was exported of it."""
    folder = bundle(tmp_path / "one", tiny_bert, "classification")
    if getattr(request, "param", "") == "exported":
        (tmp_path / "exported").mkdir()
        write_export(folder, tmp_path / "exported", Wanted(engine="onnxruntime"))
        folder = tmp_path / "exported"
    (tmp_path / "current").symlink_to(folder)
    return tmp_path / "current"


@pytest.fixture
def server(place: Path) -> Iterator[Server]:
    found = Server(place, "--largest", "100000", "--target", "60")
    yield found
    found.close()


def same(answers: list[dict[str, Any]], offline: list[dict[str, Any]]) -> None:
    for one, other in zip(answers, offline, strict=True):
        assert one["label"] == other["label"]
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-4)


@pytest.mark.parametrize("place", ["PyTorch", "exported"], indirect=True)
def test_many_clients_get_the_offline_answers_over_a_swap_and_a_stop(
    server: Server, place: Path, tmp_path: Path, tiny_bert: Path
) -> None:
    asked = texts(60)
    offline = {identity_of(place): truetune.load(place).predict(asked)}
    found: list[tuple[int, dict[str, Any]]] = []

    def client(first: int) -> None:
        for number in range(first, len(asked), 6):
            found.append((number, server.ask([asked[number]])))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    other = bundle(tmp_path / "two", tiny_bert, "classification", seed=1)
    offline[identity_of(other)] = truetune.load(other).predict(asked)
    for thread in threads:
        thread.join()
    (tmp_path / "next").symlink_to(other)
    (tmp_path / "next").replace(place)
    swapped = server.wait_for("swapped")
    assert [swapped["before"], swapped["model"]] == list(offline)
    found += [(number, server.ask([asked[number]])) for number in range(10)]
    assert {answer["model"] for _, answer in found} == set(offline)
    for number, answer in found:
        same(answer["predictions"], [offline[answer["model"]][number]])
    crowd = Crowd(server, offline[identity_of(other)], asked)
    crowd.run(160)
    assert set(crowd.outcomes) <= {"right answer", "refused", "gone"}, crowd.outcomes
    assert crowd.outcomes["right answer"] > 50
    assert server.stop() == 0
    server_log = server.log.read_text(encoding="utf-8")
    assert '"event": "stopped"' in server_log
    assert not [word for word in WORDS[:3] if word in server_log], "no text stands in the log"


LOAD = int(os.environ.get("TRUETUNE_LOAD", "20000"))
"""Requests of the long load test."""


class Crowd:
    """Clients of which some send what no server should trip over; what comes of each is counted."""

    def __init__(self, server: Server, offline: list[dict[str, Any]], asked: list[str]) -> None:
        self.server, self.offline, self.asked = server, offline, asked
        self.outcomes: Counter[str] = Counter()
        self.lock = threading.Lock()

    def run(self, number: int, clients: int = 8) -> None:
        threads = [
            threading.Thread(target=self.client, args=(seed, number // clients), daemon=True) for seed in range(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def client(self, seed: int, number: int) -> None:
        rng = random.Random(seed)
        kinds = [self.good] * 16 + [self.malformed, self.oversized, self.aborted, self.broken_off]
        for _ in range(number):
            outcome = rng.choice(kinds)(rng)
            with self.lock:
                self.outcomes[outcome] += 1

    def good(self, rng: random.Random) -> str:
        places = [rng.randrange(len(self.asked)) for _ in range(rng.randint(1, 3))]
        try:
            status, body = self.posted(json.dumps({"texts": [self.asked[place] for place in places]}).encode())
        except (OSError, http.client.HTTPException):
            return "connection lost"
        if status != 200:
            return f"good answered with {status}"
        for place, answer in zip(places, json.loads(body)["predictions"], strict=True):
            one = self.offline[place]
            if answer["label"] != one["label"] or answer["scores"] != pytest.approx(one["scores"], abs=1e-4):
                return "wrong answer"
        return "right answer"

    def malformed(self, rng: random.Random) -> str:
        bodies = [
            b"",
            b"{",
            b"[]",
            b"\xff",
            b"[" * 100_000,
            b'{"texts": [1]}',
            b'{"texts": ["\\udfff"]}',
            b'{"texts": 1e999}',
        ]
        return self.refused(rng.choice(bodies), 422)

    def oversized(self, rng: random.Random) -> str:
        return self.refused(b'{"texts": ["' + b"x" * 150_000 + b'"]}', 413)

    def refused(self, body: bytes, expected: int) -> str:
        try:
            status, _ = self.posted(body)
        except (OSError, http.client.HTTPException):
            return "connection lost" if expected != 413 else "refused"  # it may close before all of it is sent
        return "refused" if status == expected else f"bad answered with {status}, not {expected}"

    def aborted(self, rng: random.Random) -> str:
        """Ask, and go away before the answer."""
        body = json.dumps({"texts": [rng.choice(self.asked)]}).encode()
        return self.sent(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def broken_off(self, rng: random.Random) -> str:
        """Send half of a request, slowly, and go away."""
        return self.sent(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{", 0.02)

    def sent(self, content: bytes, seconds: float = 0.0) -> str:
        try:
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as client:
                client.sendall(content)
                time.sleep(seconds)
        except OSError:
            return "connection lost"
        return "gone"

    def posted(self, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request("POST", "/v1/predict", body)
            found = connection.getresponse()
            return found.status, found.read()
        finally:
            connection.close()


def memory(pid: int) -> int:
    """Return the resident bytes of a process."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.parametrize("place", ["PyTorch", "exported"], indirect=True)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_long_load_of_good_and_bad_requests(place: Path) -> None:
    asked = texts(300)
    server = Server(place, "--largest", "100000", "--target", "60", "--timeout", "60")
    try:
        crowd = Crowd(server, truetune.load(place).predict(asked), asked)
        crowd.run(LOAD // 5)
        before = memory(server.process.pid)
        crowd.run(LOAD - LOAD // 5)
        grown = memory(server.process.pid) - before
        assert set(crowd.outcomes) == {"right answer", "refused", "gone"}, crowd.outcomes
        assert grown < 30 * 2**20, f"{grown:,} bytes more after {LOAD:,} requests"
        assert server.stop() == 0
    finally:
        server.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="children are read from /proc")
def test_a_killed_worker_gives_no_wrong_answer_and_is_replaced(place: Path) -> None:
    asked = texts(100)
    server = Server(place, "--workers", "2", "--target", "60", "--largest", "100000")
    try:
        crowd = Crowd(server, truetune.load(place).predict(asked), asked)
        load = threading.Thread(target=crowd.run, args=(2000,))
        load.start()
        time.sleep(1)
        children = workers_of(server.process.pid)
        os.kill(children[0], signal.SIGKILL)
        load.join()
        assert set(crowd.outcomes) <= {"right answer", "refused", "gone", "connection lost"}, crowd.outcomes
        assert crowd.outcomes["right answer"] > 500
        for _ in range(600):
            if len(set(workers_of(server.process.pid)) - {children[0]}) == len(children):
                break
            time.sleep(0.1)
        assert len(set(workers_of(server.process.pid)) - {children[0]}) == len(children)
        assert crowd.good(random.Random(0)) == "right answer"
    finally:
        server.close()


def workers_of(pid: int) -> list[int]:
    """Return the processes that a server started and that serve: its own helper of multiprocessing does not."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return [one for one in children if b"resource_tracker" not in Path(f"/proc/{one}/cmdline").read_bytes()]


def test_a_run_that_is_no_bundle_is_told_before_a_port_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", str(tmp_path)]) == 2
    assert "is no truetune model" in capsys.readouterr().err


def test_beyond_this_machine_a_key_is_needed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(place), "--host", "0.0.0.0"]) == 2
    assert "give --keys FILE" in capsys.readouterr().err


def test_a_bundle_is_known_by_its_files(tmp_path: Path, tiny_bert: Path) -> None:
    one = bundle(tmp_path / "one", tiny_bert, "ner")
    served = BundlePlace(one)
    first = served.load()
    assert first.identity == identity_of(one)
    assert not served.changed()
    assert first.about["inputs"] == ["text"]
    said = first.answers(first.rows(["Anna visited Paris"]))
    assert said == truetune.load(one).predict(["Anna visited Paris"])
    again = bundle(tmp_path / "again", tiny_bert, "ner")
    assert identity_of(again) == first.identity, "the same files, the same identity"
    bundle(one, tiny_bert, "ner", seed=1)
    assert served.changed()
    assert served.load().identity != first.identity
