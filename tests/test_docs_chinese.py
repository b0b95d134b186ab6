"""Every page of the documentation has its Chinese page, and the two say the same, as far as a test can see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHINESE = ".zh-CN.md"
PAGES = sorted(page for page in (ROOT / "docs").rglob("*.md") if not page.name.endswith(CHINESE))
CHINESE_PAGES = [ROOT / f"README{CHINESE}", *sorted((ROOT / "docs").rglob(f"*{CHINESE}"))]

CELL = re.compile(r"(?<!\\)\|")
ITEM = re.compile(r"\s*(?:-|\d+\.) ")
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
NUMBER = re.compile(r"(?<![A-Za-z0-9.])(\d(?:[\d,.]*\d)?(?:e-?\d+)?)(?: (million|万|亿))?")
SCALES = {"million": 10**6, "万": 10**4, "亿": 10**8}
COMMENT = re.compile(r"(?:^|\s+)# .*$")

Block = tuple[str, list[str]]


def twin(page: Path) -> Path:
    return page.with_name(page.stem + CHINESE)


def blocks_of(text: str) -> Iterator[Block]:
    """Yield the parts of a page as (kind, lines): headings by level, paragraphs, items, table rows, code."""
    kind = ""
    lines: list[str] = []
    for line in text.splitlines():
        if kind == "code":
            begins = "code"
        elif line.startswith("```"):
            begins = "new code"
        elif re.match(r"#+ ", line):
            begins = "new heading " + line.split()[0]
        elif line.startswith(("| ", "|-")):
            begins = "new row"
        elif ITEM.match(line):
            begins = "new item"
        elif not line.strip():
            begins = ""
        elif line.startswith("    ") and kind in ("", "indented"):
            begins = "indented"
        else:
            begins = kind if kind in ("paragraph", "item") else "paragraph"
        if begins != kind:
            if kind:
                yield kind, lines
            kind, lines = begins.removeprefix("new "), []
        if kind:
            lines.append(line)
        if kind == "code" and line == "```" and len(lines) > 1:
            yield kind, lines
            kind, lines = "", []
    if kind:
        yield kind, lines


def marks_of(text: str) -> set[str]:
    """Return what translation leaves as it is: code, numbers, and where links lead (to the Chinese page)."""
    marks = {f"`{code}`" for code in CODE.findall(text)}
    plain = CODE.sub("", text)
    marks |= {f"link to {target.replace(CHINESE, '.md')}" for target in LINK.findall(plain)}
    numbers = NUMBER.findall(LINK.sub("]", plain))
    return marks | {f"{int(number) * SCALES[scale]:,}" if scale else number for number, scale in numbers}


def differences_of(left: Block, right: Block) -> list[str]:
    """Return what differs between a block and its translation; cells are compared one by one, comments not."""
    kind = left[0]
    where = f"{left[1][0][:50]!r} beside {right[1][0][:30]!r}"
    if kind == "indented":
        return [] if len(left[1]) == len(right[1]) else [f"more lines in one of the two: {where}"]
    if kind == "code":
        codes = [[COMMENT.sub("", line) for line in lines] for _, lines in (left, right)]
        return [] if codes[0] == codes[1] else [f"code: {left[1][1:]} beside {right[1][1:]}"]
    texts = [" ".join(line.strip() for line in lines) for _, lines in (left, right)]
    cells = [CELL.split(text) if kind == "row" else [text] for text in texts]
    if len(cells[0]) != len(cells[1]):
        return [f"more cells in one of the two: {where}"]
    alone = [sorted(marks_of(one) ^ marks_of(other)) for one, other in zip(*cells, strict=True)]
    return [f"only one of the two has {marks}: {where}" for marks in alone if marks]


def differences(english: str, chinese: str) -> list[str]:
    """Return where two pages are out of step, one line each; nothing where they are in step."""
    first, second = list(blocks_of(english)), list(blocks_of(chinese))
    for left, right in zip(first, second, strict=False):
        if left[0] != right[0]:
            return [f"{left[0]} {left[1][0]!r} stands beside {right[0]} {right[1][0]!r}"]
    if len(first) != len(second):
        longer, shorter = sorted((first, second), key=len, reverse=True)
        return [f"{len(first)} parts beside {len(second)}; the first that stands alone: {longer[len(shorter)][1][0]!r}"]
    return [found for left, right in zip(first, second, strict=True) for found in differences_of(left, right)]


def without_link_to_twin(text: str) -> str:
    """Return a page without the line that leads to the same page in the other language."""
    return re.sub(r"^\[(?:English|中文|中文说明)\]\([^)]+\)\n\n", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT / "docs").as_posix())
def test_the_chinese_page_is_there_and_in_step(page: Path) -> None:
    english, chinese = page.read_text(encoding="utf-8"), twin(page).read_text(encoding="utf-8")
    assert english.splitlines()[2] == f"[中文]({twin(page).name})"
    assert chinese.splitlines()[2] == f"[English]({page.name})"
    assert differences(without_link_to_twin(english), without_link_to_twin(chinese)) == []


@pytest.mark.parametrize("page", CHINESE_PAGES, ids=lambda page: page.stem)
def test_chinese_pages_lead_to_chinese_pages(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target][1:]
    english = [target for target in targets if target.endswith(".md") and not target.endswith(CHINESE)]
    assert [target for target in english if twin(page.parent / target).exists()] == []


ENGLISH_PAGE = """# Title

Scores of 0.5 by `evaluate` ([more](data.md)),
and of 1,000 texts out of 4 million.

| a | b |
|---|---|
| 1 | 2 of 3 |

- one
- two

```python
>>> 1 + 1  # two
2
```
"""
CHINESE_PAGE = """# 标题

用 `evaluate` 在 400 万个文本中的 1,000 个上的得分为 0.5（[详见](data.zh-CN.md)）。

| 甲 | 乙 |
|---|---|
| 1 | 3 个中的 2 个 |

- 一
- 二

```python
>>> 1 + 1  # 二
2
```
"""


def test_the_chinese_readme_is_in_step() -> None:
    """Its examples are in Chinese, so its code is its own."""
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README" + CHINESE))
    assert "](README.zh-CN.md)" in english.splitlines()[4]
    assert "](README.md)" in chinese.splitlines()[4]
    found = differences(without_link_to_twin(english), without_link_to_twin(chinese))
    assert [difference for difference in found if not difference.startswith("code: ")] == []


def test_pages_in_step_have_no_differences() -> None:
    assert differences(ENGLISH_PAGE, CHINESE_PAGE) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("# 标题", "## 标题"),
        ("0.5", "0.6"),
        ("1,000", "10,000"),
        ("400 万", "400 亿"),
        ("`evaluate`", "evaluate"),
        ("data.zh-CN.md", "other.zh-CN.md"),
        ("| 1 | 3 个中的 2 个 |\n", ""),
        ("| 1 | 3 个中的 2 个 |", "| 2 | 3 个中的 1 个 |"),
        ("- 二\n", ""),
        ("```python\n>>> 1 + 1  # 二\n2\n```\n", ""),
        (">>> 1 + 1  # 二", ">>> 2  # 二"),
    ],
)
def test_a_page_out_of_step_is_seen(right: str, wrong: str) -> None:
    assert right in CHINESE_PAGE
    assert differences(ENGLISH_PAGE, CHINESE_PAGE.replace(right, wrong)) != []
