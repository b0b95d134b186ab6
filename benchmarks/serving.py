"""Requests a second and their latency: `truetune serve` against what people write first, on this machine.

    python benchmarks/serving.py [--task classification|ner] [--seconds 10] [--rounds 3] [--int8] [--json FILE]

Servers, each a process of its own, with the same weights (minilm-en with a head that is drawn, not learnt: that costs
the same time): `truetune serve` of the exported model by either engine and of the PyTorch one; a plain FastAPI
application around a Transformers pipeline; a plain one around ONNX Runtime, called request by request; LitServe around
the same pipeline, in batches of up to 32 that wait 5 ms (`pip install litserve`). Load comes from one more
process over sockets that are kept open: 1, 8 and 32 clients, each of which sends one text of SST-2 or WNUT17 after the
other. The servers take turns; medians over the rounds are printed. Every answer of `truetune serve` is held against
the offline prediction: any difference ends the benchmark. With --int8 both kinds are exported and measured too; of
them the share of answers that are the offline ones is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import platform
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENTS = (1, 8, 32)
FILES = {"classification": "classification/sst_en/stsa.binary.test", "ner": "ner/wnut17_en/wnut17train.conll"}
CLOSE = 1e-3
"""How far a probability may be from the offline one: other company in a batch rounds otherwise."""


@dataclass
class Load:
    """What a load came to."""

    seconds: float
    latencies: list[float]
    wrong: int
    failed: int


def texts_of(task: str, folder: Path) -> list[str]:
    lines = (folder / FILES[task]).read_text(encoding="utf-8").splitlines()
    if task == "classification":
        return [line.partition(" ")[2] for line in lines if line][:1000]
    sentences: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            sentences[-1].append(line.split("\t")[0])
        else:
            sentences.append([])
    return [" ".join(words) for words in sentences if words][:1000]


def made(task: str, folder: Path, int8: bool, calibration: list[str]) -> dict[str, Path]:
    """Write the bundle and its exports; `calibration`: texts for static int8, which are not among those asked."""
    from truetune.backbones.base import ModelSettings, Recipe
    from truetune.backbones.builtin import builtin_folder
    from truetune.backbones.torch import load_backbone, load_tokenizer
    from truetune.bundle.format import Bundle, write_bundle
    from truetune.parity.export import Wanted, write_export

    labels = ("neg", "pos") if task == "classification" else ("O", "B-person", "I-person", "B-location", "I-location")
    place = str(builtin_folder("minilm-en", print))
    # `first` is the vector that the class of Transformers reads, so that a pipeline can have the same model.
    head: Any = "classify" if task == "classification" else "tag"
    settings = ModelSettings(
        place, head, labels, max_length=128, pooling="first" if task == "classification" else "auto"
    )
    tokenizer = load_tokenizer(settings)
    found = {"PyTorch": folder / "model"}
    load_backbone(settings, Recipe(), tokenizer).save(found["PyTorch"])
    write_bundle(found["PyTorch"], Bundle(task, labels, False, 128, "builtin:minilm-en"))
    found["exported"] = folder / "exported"
    found["exported"].mkdir()
    chosen = write_export(found["PyTorch"], found["exported"], Wanted())
    print("export:", chosen, flush=True)
    found[f"exported ({chosen['engine']})"] = exported = found.pop("exported")
    for engine in ("onnxruntime", "openvino"):
        if engine != chosen["engine"] and engine in chosen["milliseconds"]:
            other = found[f"exported ({engine})"] = folder / engine
            shutil.copytree(exported, other)
            told = json.loads((other / "export.json").read_text())
            (other / "export.json").write_text(json.dumps({**told, "engine": engine}))
    kinds: tuple[Any, ...] = ("int8", "int8-static") if int8 else ()
    for precision in kinds:
        place = folder / precision
        place.mkdir()
        shutil.copyfile(exported / "model.onnx", place / "model.onnx")
        chosen = write_export(found["PyTorch"], place, Wanted(precision=precision), [calibration])
        print(f"{precision}:", chosen, flush=True)
        (place / "model.onnx").unlink()
        found[f"{precision} ({chosen['engine']})"] = place
    return found


def plain_pipeline(task: str, folder: str, port: int) -> None:
    """Serve what a tutorial shows: one pipeline, one endpoint, one text a call."""
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel
    from transformers import pipeline

    class Texts(BaseModel):
        texts: list[str]

    name = "text-classification" if task == "classification" else "token-classification"
    answer = pipeline(name, model=folder, tokenizer=folder)
    app = FastAPI()

    def predict(body: Texts) -> Any:
        found = answer(body.texts)
        return json.loads(json.dumps(found, default=float))

    predict.__annotations__["body"] = Texts  # before FastAPI reads it: the class is known here only
    app.post("/v1/predict")(predict)

    @app.get("/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def plain_onnx(folder: str, port: int) -> None:
    """Serve ONNX Runtime as it is called first: a request, a call."""
    import numpy as np
    import onnxruntime
    import uvicorn
    from fastapi import FastAPI, Request
    from starlette.concurrency import run_in_threadpool
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
    app = FastAPI()

    def answered(texts: list[str]) -> list[list[float]]:
        found = tokenizer(texts, padding=True, truncation=True, max_length=128, return_tensors="np")
        ids = found["input_ids"].astype(np.int64)
        feed = {"ids": ids, "mask": found["attention_mask"].astype(np.int64), "segments": np.zeros_like(ids)}
        logits: list[list[float]] = session.run(None, feed)[0].tolist()
        return logits

    async def predict(request: Request) -> Any:
        return await run_in_threadpool(answered, (await request.json())["texts"])

    predict.__annotations__["request"] = Request
    app.post("/v1/predict")(predict)

    @app.get("/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def direct(model: Any, texts: Sequence[str], together: int = 32, repeats: int = 5) -> float:
    """Return texts a second of a loaded model, called in batches without any server: the median over the repeats."""
    rates = []
    for _ in range(repeats + 1):
        some = random.Random(0).sample(list(texts), together)
        begin = time.perf_counter()
        model.predict(some)
        rates.append(together / (time.perf_counter() - begin))
    return statistics.median(rates[1:])


def started(command: Sequence[str], port: int, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, *command], stdout=file, stderr=file, start_new_session=True)
    for _ in range(1200):
        if process.poll() is not None:
            raise SystemExit(log.read_text())
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
                client.sendall(b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if b" 200 " in client.recv(1000):
                    return process
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{command}: never ready\n{log.read_text()}")


def close(answer: Any, offline: Any) -> bool:
    """Return whether an answer is the offline one: equal, but for the rounding of probabilities."""
    if isinstance(offline, float):
        return abs(answer - offline) <= CLOSE
    if isinstance(offline, dict):
        return answer.keys() == offline.keys() and all(close(answer[key], offline[key]) for key in offline)
    return bool(answer == offline)


async def clients(port: int, number: int, seconds: float, texts: list[str], offline: list[Any] | None) -> Load:
    load = Load(0.0, [], 0, 0)
    end = time.perf_counter() + seconds

    async def client(seed: int) -> None:
        rng = random.Random(seed)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            place = rng.randrange(len(texts))
            body = json.dumps({"texts": [texts[place]]}).encode()
            begin = time.perf_counter()
            writer.write(
                b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(body)
                + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            answer = await reader.readexactly(length)
            load.latencies.append(time.perf_counter() - begin)
            if b" 200 " not in head[:20]:
                load.failed += 1
            elif offline is not None and not close(json.loads(answer)["predictions"][0], offline[place]):
                load.wrong += 1
        writer.close()

    begin = time.perf_counter()
    await asyncio.gather(*(client(seed) for seed in range(number)))
    load.seconds = time.perf_counter() - begin
    return load


def loaded(pipe: Any, port: int, number: int, seconds: float, texts: list[str], offline: list[Any] | None) -> None:
    pipe.send(asyncio.run(clients(port, number, seconds, texts, offline)))


def measured(port: int, number: int, seconds: float, texts: list[str], offline: list[Any] | None) -> Load:
    """Put load on a server from a process of its own."""
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=loaded, args=(theirs, port, number, seconds, texts, offline))
    process.start()
    load: Load = mine.recv()
    process.join()
    return load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=tuple(FILES), default="classification")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--data", default=os.environ.get("TRUETUNE_DATA", ""))
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--plain", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.plain:
        kind, folder, port = args.plain
        plain_onnx(folder, int(port)) if kind == "onnx" else plain_pipeline(args.task, folder, int(port))
        return
    multiprocessing.set_start_method("spawn")
    import truetune

    texts = texts_of(args.task, Path(args.data))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The last ones are never asked, so that the ranges of static int8 are of other texts.
        texts, calibration = texts[:-200], texts[-200:]
        places = made(args.task, folder, args.int8, calibration)
        exported = next(place for kind, place in places.items() if kind.startswith("exported"))
        # As an answer over HTTP has it: spans are lists there.
        offline = json.loads(json.dumps(truetune.load(places["PyTorch"]).predict(texts)))
        for kind, place in places.items():
            model = truetune.load(place)
            print(f"{kind}: {direct(model, texts):.0f} texts/s, called in batches of 32 without a server", flush=True)
            if kind.startswith("int8"):
                found = json.loads(json.dumps(model.predict(texts)))
                name = "label" if args.task == "classification" else "spans"
                same = sum(one[name] == other[name] for one, other in zip(found, offline, strict=True))
                print(f"{kind}: {same} of {len(texts)} answers are the offline ones", flush=True)
        lit = str(Path(__file__).resolve().with_name("serving_lit.py"))
        plain = [str(Path(__file__).resolve()), "--task", args.task, "--plain"]
        commands = {
            **{
                f"truetune serve, {kind}": ["-m", "truetune", "serve", str(place), "--target", "60", "--port"]
                for kind, place in places.items()
            },
            "FastAPI + Transformers pipeline": [*plain, "pipeline", str(places["PyTorch"])],
            "FastAPI + ONNX Runtime": [*plain, "onnx", str(exported)],
            "LitServe + Transformers pipeline": [lit, args.task, str(places["PyTorch"])],
        }
        ports, processes = {}, []
        for number, (server, command) in enumerate(commands.items()):
            with socket.create_server(("127.0.0.1", 0)) as free:
                ports[server] = free.getsockname()[1]
            processes.append(started([*command, str(ports[server])], ports[server], folder / f"{number}.log"))
        try:
            found = rounds(args, ports, texts, offline)
        finally:
            for process in processes:
                process.terminate()
                process.wait(60)
                with contextlib.suppress(ProcessLookupError):  # some leave their workers behind
                    os.killpg(process.pid, signal.SIGKILL)
    print_table(found)
    if args.json:
        machine = {"platform": platform.platform(terse=True), "cores": os.cpu_count()}
        Path(args.json).write_text(json.dumps({"task": args.task, **machine, "rows": found}, indent=1) + "\n")


def rounds(
    args: argparse.Namespace, ports: dict[str, int], texts: list[str], offline: list[Any]
) -> list[dict[str, Any]]:
    """Return the medians over the rounds, of every server at every number of clients."""
    loads: dict[tuple[int, str], list[Load]] = {}
    for server, port in ports.items():
        measured(port, 4, 2.0, texts, None)  # warm
        print("warm:", server, flush=True)
    for _ in range(args.rounds):
        for number in CLIENTS:
            for server, port in ports.items():
                exact = server.startswith("truetune") and "int8" not in server
                load = measured(port, number, args.seconds, texts, offline if exact else None)
                if load.wrong or load.failed:
                    raise SystemExit(f"{server}: {load.wrong} wrong answers, {load.failed} failed requests")
                loads.setdefault((number, server), []).append(load)
    rows = []
    for (number, server), several in loads.items():
        row: dict[str, Any] = {"clients": number, "server": server}
        row["requests"] = sum(len(one.latencies) for one in several)
        row["per_second"] = statistics.median(len(one.latencies) / one.seconds for one in several)
        for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99)):
            row[name] = 1000 * statistics.median(
                sorted(one.latencies)[int(share * (len(one.latencies) - 1))] for one in several
            )
        rows.append(row)
    return rows


def print_table(rows: list[dict[str, Any]]) -> None:
    plain = {row["clients"]: row["per_second"] for row in rows if row["server"].startswith("FastAPI + Transformers")}
    print("| clients | server | requests/s | against the pipeline | p50 | p99 |\n|---|---|---|---|---|---|")
    for row in rows:
        ratio = row["per_second"] / plain[row["clients"]]
        print(
            f"| {row['clients']} | {row['server']} | {row['per_second']:.0f} | {ratio:.1f}x "
            f"| {row['p50_ms']:.1f} ms | {row['p99_ms']:.1f} ms |"
        )


if __name__ == "__main__":
    main()
