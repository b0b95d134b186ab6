"""Commands of what is done with a finished model."""

from __future__ import annotations

import argparse

from truetune.cli.arguments.shared import add_sureness, added, count, level, margin, number, share


def add_shipping(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add their grammar."""
    predict = added(commands, "predict", "label the texts of a file with a run's model")
    predict.add_argument("run", metavar="RUN")
    predict.add_argument("file", metavar="FILE")
    predict.add_argument("--output", "-o", metavar="FILE", help="JSONL to write (default: standard output)")
    predict.add_argument("--resume", action="store_true", help="go on with an --output that was interrupted")

    extract = added(commands, "extract", "find entities and their relations in the texts of a file, by two runs")
    extract.add_argument("entities", metavar="ENTITIES", help="a run of ner, nested-ner or intent-slots")
    extract.add_argument("relations", metavar="RELATIONS", help="a run of relations")
    extract.add_argument("file", metavar="FILE")
    extract.add_argument("--output", "-o", metavar="FILE", help="JSONL to write (default: standard output)")

    export = added(
        commands, "export", "write a run's model as ONNX or SavedModel, if its answers are shown to be the same"
    )
    export.add_argument("run", metavar="RUN")
    export.add_argument("folder", metavar="DIR", help="folder to write; it is made only where parity is shown")
    export.add_argument(
        "--format", choices=("onnx", "savedmodel"), default="onnx", help="default: onnx; savedmodel: of TensorFlow"
    )
    export.add_argument(
        "--int8",
        nargs="?",
        const="dynamic",
        choices=("dynamic", "static"),
        help="weights as 8-bit integers; activations rounded as they come, or (static) by ranges over training texts",
    )
    export.add_argument(
        "--engine",
        choices=("auto", "onnxruntime", "openvino"),
        default="auto",
        help="what runs it (default: faster)",
    )
    export.add_argument(
        "--vector-size",
        type=count,
        metavar="N",
        help="rankings: only the first N numbers of each vector (default: all)",
    )
    export.add_argument("--metric", metavar="M", help="the metric that decides (default: the run's)")
    export.add_argument("--margin", type=margin, default=0.01, metavar="D", help="what may be lost (default: 0.01)")
    export.add_argument("--data", metavar="FILE", help="labelled examples to compare on (default: the validation part)")
    add_sureness(export)

    serve = added(commands, "serve", "answer over HTTP with a run's model, or an exported one")
    serve.add_argument("path", metavar="PATH", help="a run, its model folder, an exported folder, or a link to one")
    serve.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine only")
    serve.add_argument("--port", type=int, default=8000, help="default: 8000")
    serve.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    serve.add_argument(
        "--scale", choices=("here", "ray"), default="here", help="ray: the workers are replicas of Ray Serve"
    )
    serve.add_argument("--keys", metavar="FILE", help="API keys, one a line; needed beyond this machine")
    serve.add_argument("--rate", type=number, default=0.0, metavar="N", help="requests a client a second")
    serve.add_argument("--largest", type=int, default=1_000_000, metavar="BYTES", help="of a request (default: 10^6)")
    serve.add_argument("--texts", type=int, default=256, metavar="N", help="of a request (default: 256)")
    serve.add_argument("--timeout", type=number, default=30.0, metavar="S", help="seconds for a request (default: 30)")
    serve.add_argument("--tokens", type=int, metavar="N", help="of one batch, about (default: what suits the model)")
    serve.add_argument("--waiting", type=int, default=1024, metavar="N", help="texts that may wait (default: 1,024)")
    serve.add_argument(
        "--target", type=number, default=2.0, metavar="S", help="refuse what would be answered later (default: 2)"
    )
    serve.add_argument("--device", default="auto", help="of a PyTorch model (default: auto)")
    serve.add_argument("--log-texts", action="store_true", help="write texts into the log, too")

    serve.add_argument("--live", metavar="DIR", help="watch drift and, with labels, accuracy; kept in this folder")
    serve.add_argument("--shadow", metavar="PATH", help="another model answers too, never returned, kept in --live")
    serve.add_argument("--ab", metavar="PATH", help="another model answers a --share of clients")
    serve.add_argument("--share", type=share, default=0.1, metavar="S", help="of --ab (default: 0.1)")

    drift = added(commands, "drift", "do texts or predictions differ from those that the model was validated on?")
    drift.add_argument("path", metavar="BUNDLE", help="a run, its model folder, or an exported folder")
    drift.add_argument("file", nargs="?", metavar="FILE", help="inputs, or predictions as `predict` writes them")
    drift.add_argument(
        "--reference", action="store_true", help="make the reference of a run's validation part first (older runs)"
    )
    drift.add_argument(
        "--alpha", type=level, default=0.05, metavar="A", help="chance of any false alarm (default: 0.05)"
    )
    drift.add_argument("--seed", type=int, default=0, metavar="S", help="seed of permutations (default: 0)")
    drift.add_argument("--html", metavar="FILE", help="also write a page")
    drift.add_argument("--language", choices=("en", "zh"), default="en", help="language of the page")

    live = added(commands, "live-compare", "is the second model of a server shown better? to be asked at any time")
    live.add_argument("log", metavar="LOG", help="folder of `serve --live`, or the journal in it")
    live.add_argument(
        "--alpha",
        type=level,
        default=0.05,
        metavar="A",
        help="chance that equally good models are ever told apart (default: 0.05)",
    )
    live.add_argument("--language", choices=("en", "zh"), default="en", help="language of the words")

    push = added(commands, "push", "send a run's model to a repository of the Hugging Face Hub")
    push.add_argument("run", metavar="RUN", help="a run, its model folder, or an exported folder")
    push.add_argument("name", metavar="NAME", help="USER/NAME")
    push.add_argument("--public", action="store_true", help="for everybody to see (default: private)")
    push.add_argument("--endpoint", metavar="URL", help="another Hub (default: HF_ENDPOINT, or huggingface.co)")
