"""Edit distance near the diagonal only, as Tercom's beam: what a shortest path outside of it would say is unseen."""

from __future__ import annotations

import math
from collections.abc import Sequence

from truetune.metrics.edits import ADD, DROP, KEEP, REPLACE

WIDTH = 25
_UNSEEN = 1 << 53


class Band:
    """The cells that the search sees: for each number of words of the text a range of the reference."""

    def __init__(self, text: int, reference: int) -> None:
        slope = reference / text if text else 1.0
        width = math.ceil(slope / 2 + WIDTH) if slope / 2 > WIDTH else WIDTH
        middles = [math.floor(row * slope) for row in range(text + 1)]
        self.first = [max(0, middle - width) for middle in middles]
        self.last = [min(reference, middle + width - 1) for middle in middles]
        self.first[0] = 0
        self.last[0] = self.last[-1] = reference
        self.whole = reference < WIDTH
        """Whether every cell lies inside."""

    def holds(self, path: Sequence[int]) -> bool:
        """Return whether a path, last operation first, stays inside; then it is also the band's shortest."""
        if self.whole:
            return True
        i, j = len(self.first) - 1, self.last[-1]
        for operation in path:
            if not self.first[i] <= j <= self.last[i]:
                return False
            i -= operation != ADD
            j -= operation != DROP
        return True


def banded_path(text: Sequence[str], reference: Sequence[str], band: Band) -> list[int]:
    """Return the operations of the shortest path inside the band, last first, ties as `edits.path_of`."""
    costs = list(range(len(reference) + 1))
    chosen = [[ADD] * len(costs)]
    for i, word in enumerate(text, start=1):
        above, costs = costs, [_UNSEEN] * len(costs)
        operations = [ADD] * len(costs)
        for j in range(band.first[i], band.last[i] + 1):
            cost, operation = above[j] + 1, DROP
            if j:
                same = word == reference[j - 1]
                if above[j - 1] + (not same) <= cost:
                    cost, operation = above[j - 1] + (not same), KEEP if same else REPLACE
                if costs[j - 1] + 1 < cost:
                    cost, operation = costs[j - 1] + 1, ADD
            costs[j], operations[j] = cost, operation
        chosen.append(operations)
    path = []
    i, j = len(text), len(reference)
    while i or j:
        operation = chosen[i][j]
        path.append(operation)
        i -= operation != ADD
        j -= operation != DROP
    return path
