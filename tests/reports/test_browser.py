"""The page in a real browser: it loads without a word of complaint, asks for nothing, and everything shows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from truetune.reports.page import run_page, write

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

Runs = Callable[[str], Path]
SIZES = "all => all.map(one => { const box = one.getBoundingClientRect(); return [box.width, box.height]; })"
CUT = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.width && (box.left < frame.left - 2 || box.right > frame.right + 2
      || box.top < frame.top - 2 || box.bottom > frame.bottom + 2);
  }).map(text => text.textContent);
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


class Visit:
    """An opened page and all that happened meanwhile."""

    def __init__(self, browser: Any, html: Path, width: int, scheme: str) -> None:
        self.problems: list[str] = []
        self.requests: list[str] = []
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page = context.new_page()
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(html.as_uri(), wait_until="load")

    @property
    def overflow(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize(
    ("name", "language", "width", "scheme"),
    [
        ("two-en", "en", 1400, "light"),
        ("five-zh", "zh", 1200, "dark"),
        ("many-en", "en", 1200, "light"),
        ("ner-zh", "zh", 1200, "light"),
        ("two-zh", "zh", 390, "light"),
        ("no-scores-en", "en", 800, "dark"),
    ],
)
def test_a_report_shows(
    browser: Any, run_folder: Runs, tmp_path: Path, name: str, language: str, width: int, scheme: str
) -> None:
    html = tmp_path / "report.html"
    write(html, run_page(run_folder(name), language))
    visit = Visit(browser, html, width, scheme)
    page = visit.page
    assert visit.problems == []
    assert [url for url in visit.requests if not url.startswith("data:")] == [html.as_uri()]
    assert page.title() == f"{name} · truetune report" if language == "en" else f"{name} · truetune 报告"
    assert visit.overflow <= 0

    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert visit.overflow <= 0
    sizes = page.eval_on_selector_all("figure svg", SIZES)
    assert len(sizes) >= 6
    assert all(wide > 200 and high > 30 for wide, high in sizes)
    assert page.evaluate(CUT) == []
    assert all(wide > 0 and high > 0 for wide, high in page.eval_on_selector_all("table", SIZES))

    said = page.inner_text("body")
    assert ("得分" in said) == (language == "zh")
    if name != "many-en":
        assert any("\u4e00" <= character <= "\u9fff" for character in said)
    assert page.evaluate("document.querySelectorAll('script').length") == 0
    statement = page.locator(".statement .first").bounding_box()
    assert statement["y"] < 400


def test_ink_and_paper_differ_in_both_schemes(browser: Any, run_folder: Runs, tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    write(html, run_page(run_folder("two-en"), "en"))
    colours = {}
    for scheme in ("light", "dark"):
        page = Visit(browser, html, 1200, scheme).page
        read = "() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        colours[scheme] = page.evaluate(read)
        assert colours[scheme][0] != colours[scheme][1]
    assert colours["light"][0] == "rgb(255, 255, 255)"
    assert colours["dark"][0] != colours["light"][0]


def test_a_download_is_the_table(browser: Any, run_folder: Runs, tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    write(html, run_page(run_folder("two-zh"), "zh"))
    page = Visit(browser, html, 1200, "light").page
    with page.expect_download() as waiting:
        page.locator("a[download='scores.json']").click()
    assert '"metric": "accuracy"' in Path(waiting.value.path()).read_text(encoding="utf-8")
