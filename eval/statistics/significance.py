"""Whether two runs over the same questions differ by more than chance.

Means and pooled shares are compared by swapping the sides of clusters, rates also by McNemar's exact test;
several metrics at once need Holm.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

EXACT_UP_TO = 16  # clusters: 65,536 ways to swap them
SWAPS = 20_000  # else: resolves p = .05 to about .0015
SEED = 0
_CHUNK = 2_000  # swaps at a time, so that memory stays small


def swap_sides(
    rows: Sequence[tuple[float, float, float, float]],
    *,
    clusters: Sequence[Hashable] | None = None,
    swaps: int = SWAPS,
    seed: int = SEED,
) -> float | None:
    """Paired permutation test of a difference between pooled shares: the two-sided p-value; `None` without rows.

    A row has part and whole before, part and whole after; where the wholes are 1, the shares are means, and swapping
    is flipping the signs of differences. The sides of a cluster are swapped together, and the difference of
    sum of parts / sum of wholes is taken anew. Clusters in which nothing differs stay as they are.
    p = share of swaps whose difference is at least as far from 0 as the one seen: of all swaps up to 16 clusters
    that differ, else of `swaps` random ones with the one seen added.

    Source: Fisher, The Design of Experiments, 1935; the added one: Phipson and Smyth, 2010.
    """
    keys: Sequence[Hashable] = clusters if clusters is not None else range(len(rows))
    sums: dict[Hashable, np.ndarray[Any, np.dtype[np.float64]]] = {}
    for row, key in zip(rows, keys, strict=True):
        sums[key] = sums.get(key, np.zeros(4)) + np.array(row, dtype=np.float64)
    if not sums:
        return None
    own = np.array(list(sums.values()))
    fixed, moved = own[(own[:, :2] == own[:, 2:]).all(1)].sum(0), own[(own[:, :2] != own[:, 2:]).any(1)]
    if not len(moved):
        return 1.0
    exact = len(moved) <= EXACT_UP_TO
    random = np.random.default_rng(seed)
    seen = _pooled_difference(fixed, moved, np.zeros((1, len(moved)), bool))[0]
    far = drawn = 0
    for start in range(0, 2 ** len(moved) if exact else swaps, _CHUNK):
        count = min(_CHUNK, (2 ** len(moved) if exact else swaps) - start)
        if exact:
            numbers = np.arange(start, start + count)[:, None]
            swapped = (numbers >> np.arange(len(moved)) & 1).astype(bool)
        else:
            swapped = random.random((count, len(moved))) < 0.5
        found = _pooled_difference(fixed, moved, swapped)
        far += int((np.abs(found) >= abs(seen) - 1e-12).sum())  # equal but for rounding is equal
        drawn += count
    return far / drawn if exact else (far + 1) / (drawn + 1)


def _pooled_difference(fixed: Any, moved: Any, swapped: Any) -> Any:
    """`fixed` (4,) and `moved` (clusters, 4) sums, `swapped` (draws, clusters) → (draws,) after less before."""
    before, after = moved[:, :2], moved[:, 2:]
    one = np.where(swapped[:, :, None], after, before).sum(1) + fixed[:2]
    other = np.where(swapped[:, :, None], before, after).sum(1) + fixed[2:]
    with np.errstate(invalid="ignore", divide="ignore"):
        return other[:, 0] / other[:, 1] - one[:, 0] / one[:, 1]


def mcnemar(before: Sequence[bool], after: Sequence[bool]) -> float:
    """Exact test of the difference in rates: the two-sided p-value, from the pairs that changed.

    p = min(1, 2 P(X <= fewer)), X binomial over the changed pairs with probability 1/2; 1 if none
    changed. It takes pairs as independent: where clusters matter, `swap_sides` is the safer one.

    Source: McNemar, Psychometrika 12, 1947; the exact form: Edwards, 1948.
    """
    pairs = list(zip(before, after, strict=True))
    gained = sum(new and not old for old, new in pairs)
    lost = sum(old and not new for old, new in pairs)
    changed = gained + lost
    tail = sum(math.comb(changed, count) for count in range(min(gained, lost) + 1))
    return min(1.0, tail / 2 ** (changed - 1)) if changed else 1.0


def holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """p-values adjusted for their number: the i-th smallest of m times m - i + 1, never falling, at most 1.

    A metric that could not be compared (`None`) stays so and does not count.

    Source: Holm, Scandinavian Journal of Statistics 6, 1979.
    """
    ordered = sorted((p, name) for name, p in p_values.items() if p is not None)
    adjusted: dict[str, float | None] = dict.fromkeys(p_values)
    highest = 0.0
    for rank, (p, name) in enumerate(ordered):
        highest = max(highest, min(1.0, p * (len(ordered) - rank)))
        adjusted[name] = highest
    return adjusted
