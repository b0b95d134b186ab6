"""What a journal shows of two models, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.reports import numbers
from truetune.reports.words import Say


def versus_sentences(say: Say, found: Mapping[str, Any]) -> list[str]:
    """Return the verdict first, then what it comes from."""
    verdict = str(found["verdict"])
    lines = [say[f"versus.{verdict}"].format(after=numbers.count(found["after"]))]
    if found["paired"]:
        names = {"texts": found["texts"][0], "labelled": found["labelled"][0]}
        names |= {name: found[name] for name in ("disagreements", "gained", "lost")}
        lines.append(say["versus.paired"].format(**{name: numbers.count(one) for name, one in names.items()}))
    else:
        names = {
            f"{place}{name}": found[name][at]
            for name in ("right", "labelled")
            for at, place in enumerate(("", "second_"))
        }
        lines.append(say["versus.unpaired"].format(**{name: numbers.count(one) for name, one in names.items()}))
    if found["difference"] is not None:
        bounds = {name: numbers.signed(found[name]) for name in ("difference", "low", "high")}
        lines.append(say["versus.difference"].format(level=numbers.share(1 - found["alpha"]), **bounds))
    told = {"evidence": f"{found['evidence']:,.3g}", "limit": f"{1 / found['alpha']:g}"}
    lines.append(say["versus.evidence"].format(**told))
    if found["unlabelled"]:
        lines.append(say["versus.next"].format(ids=", ".join(found["unlabelled"])))
    return lines
