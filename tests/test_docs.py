"""The examples in the documentation are run: what a page prints is what the code gives."""

from __future__ import annotations

import doctest
import json
import re
import runpy
from fnmatch import fnmatch
from pathlib import Path

import pytest

from truetune.cli.main import main

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def examples(page: Path) -> str:
    """Return the blocks of a page that are sessions (`>>>`), one after the other."""
    return "\n".join(block for block in BLOCK.findall(page.read_text(encoding="utf-8")) if ">>>" in block)


# The code of a Chinese page is that of its English one (`test_docs_chinese.py`), so it is run there.
SESSIONS = [page for page in PAGES if examples(page) and not page.name.endswith(".zh-CN.md")]


@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: page.stem)
def test_examples_print_what_the_page_says(page: Path) -> None:
    session = doctest.DocTestParser().get_doctest(examples(page), {}, page.name, str(page), 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(session, out=report.append)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_page_is_led_to() -> None:
    for index, pages in ((DOCS.parent / "README.md", DOCS), (DOCS / "metrics" / "README.md", DOCS / "metrics")):
        led_to = {(index.parent / target).resolve() for target in LINK.findall(index.read_text(encoding="utf-8"))}
        alone = {page.resolve() for page in pages.glob("*.md") if not page.name.endswith(".zh-CN.md")} - led_to
        assert alone - {index.resolve()} == set()


def test_every_family_has_an_example() -> None:
    pages = [page for page in SESSIONS if page.parent.name == "metrics" and page.name != "README.md"]
    assert len(pages) == 12


def test_every_metric_stands_on_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    """By its name, or by one for several: `recall@k`, `*_weighted`."""
    assert main(["metrics", "--json"]) == 0
    names = {found["metric"] for found in json.loads(capsys.readouterr().out)["metrics"]}
    pages = [page.read_text(encoding="utf-8") for page in (DOCS / "metrics").glob("*.md")]
    told = {name.replace("@k", "@*") for page in pages for name in re.findall(r"`([\w@*+]+)(?:/[A-Z]+)?`", page)}
    assert [name for name in sorted(names) if not any(fnmatch(name, one) for one in told - {"*"})] == []


def test_a_wrong_number_would_be_seen() -> None:
    session = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(session, out=lambda text: None)
    assert runner.failures == 1


def test_the_table_of_differences_is_what_its_script_prints() -> None:
    page = (DOCS / "why-numbers-differ.md").read_text(encoding="utf-8")
    script = DOCS.parent / "benchmarks" / "why_numbers_differ.py"
    printed = [str(difference) for difference in runpy.run_path(str(script))["exact_differences"]()]
    assert len(printed) == 10
    assert [line for line in printed if line not in page] == []
