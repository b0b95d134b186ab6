from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np

from truetune.reports.plots.confusion import Matrix, heat_map, row_shares

SVG = "{http://www.w3.org/2000/svg}"


def test_each_cell_shows_its_count_and_share() -> None:
    counts = np.array([[8, 2], [0, 0]])
    matrix = Matrix(("a", "b"), ("a", "b"), counts, row_shares(counts), frozenset({(0, 0), (1, 1)}))
    root = ET.fromstring(str(heat_map(matrix, ("Gold", "Predicted"), ("t", "d"))))
    titles = [one.findtext(f"{SVG}title") for one in root.iter(f"{SVG}g")]
    assert titles == ["a → a: 8 (80.0%)", "a → b: 2 (20.0%)", "b → a: 0 (0.0%)", "b → b: 0 (0.0%)"]
    looks = [one.get("class") for one in root.iter(f"{SVG}rect") if "heat" in (one.get("class") or "")]
    assert looks == ["heat hit", "heat miss", "heat miss", "heat hit"]


def test_cells_that_cannot_be_filled_stay_blank() -> None:
    counts = np.array([[1, 0], [0, 0]])
    shares = np.array([[1.0, 0.0], [0.0, np.nan]])
    matrix = Matrix(("a", "rest"), ("a", "rest"), counts, shares, frozenset({(0, 0)}))
    root = ET.fromstring(str(heat_map(matrix, ("Gold", "Predicted"), ("t", "d"))))
    assert len(list(root.iter(f"{SVG}g"))) == 3
