"""Whether two runs over the same questions differ by more than chance.

Means are compared by flipping signs, rates by McNemar's exact test; several metrics at once need Holm.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

EXACT_UP_TO = 16  # clusters: 65,536 ways to flip them
FLIPS = 20_000  # else: resolves p = .05 to about .0015
SEED = 0
_CHUNK = 2_000  # flips at a time, so that memory stays small


@dataclass(frozen=True, slots=True)
class Comparison:
    """Run B less run A over `n` pairs in `clusters` clusters, with a two-sided p-value."""

    difference: float
    p: float
    n: int
    clusters: int
    exact: bool


def sign_flip(
    before: Sequence[float | None],
    after: Sequence[float | None],
    *,
    clusters: Sequence[Hashable] | None = None,
    flips: int = FLIPS,
    seed: int = SEED,
) -> Comparison | None:
    """Paired permutation test of the difference in means, two-sided; the signs of a cluster flip together.

    p = share of flips whose mean difference is at least as far from 0 as the one seen: of all flips up
    to 16 clusters that differ, else of `flips` random ones with the one seen added. Pairs in which one
    side is `None` are left out; without a pair there is no comparison.

    Source: Fisher, The Design of Experiments, 1935; the added one: Phipson and Smyth, 2010.
    """
    keys: Sequence[Hashable] = clusters if clusters is not None else range(len(before))
    sums: dict[Hashable, float] = {}
    n = 0
    for old, new, key in zip(before, after, keys, strict=True):
        if old is not None and new is not None:
            sums[key] = sums.get(key, 0.0) + (new - old)
            n += 1
    if not n:
        return None
    moved = np.array([total for total in sums.values() if total])
    exact = len(moved) <= EXACT_UP_TO
    p = _exact_p(moved) if exact else _drawn_p(moved, flips, seed)
    return Comparison(sum(sums.values()) / n, p, n, len(sums), exact)


def swap_sides(
    rows: Sequence[tuple[float, float, float, float]],
    *,
    clusters: Sequence[Hashable] | None = None,
    flips: int = FLIPS,
    seed: int = SEED,
) -> float | None:
    """The two-sided p-value of a difference between pooled shares; `None` without rows.

    A row has part and whole before, part and whole after; the sides of a cluster are swapped together, as in
    `sign_flip`, and the difference of sum of parts / sum of wholes is taken anew. Clusters in which nothing
    differs stay as they are. Source: as `sign_flip`.
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
    for start in range(0, 2 ** len(moved) if exact else flips, _CHUNK):
        count = min(_CHUNK, (2 ** len(moved) if exact else flips) - start)
        if exact:
            numbers = np.arange(start, start + count)[:, None]
            swapped = (numbers >> np.arange(len(moved)) & 1).astype(bool)
        else:
            swapped = random.random((count, len(moved))) < 0.5
        found = _pooled_difference(fixed, moved, swapped)
        far += int((np.abs(found) >= abs(seen) - 1e-12).sum())
        drawn += count
    return far / drawn if exact else (far + 1) / (drawn + 1)


def _pooled_difference(fixed: Any, moved: Any, swapped: Any) -> Any:
    """`fixed` (4,) and `moved` (clusters, 4) sums, `swapped` (draws, clusters) → (draws,) after less before."""
    before, after = moved[:, :2], moved[:, 2:]
    one = np.where(swapped[:, :, None], after, before).sum(1) + fixed[:2]
    other = np.where(swapped[:, :, None], before, after).sum(1) + fixed[2:]
    with np.errstate(invalid="ignore", divide="ignore"):
        return other[:, 0] / other[:, 1] - one[:, 0] / one[:, 1]


def mcnemar(before: Sequence[bool | None], after: Sequence[bool | None]) -> Comparison | None:
    """Exact test of the difference in rates, two-sided, from the pairs that changed.

    p = min(1, 2 P(X <= fewer)), X binomial over the changed pairs with probability 1/2; 1 if none
    changed. It takes pairs as independent: where clusters matter, `sign_flip` is the safer one. Pairs
    in which one side is `None` are left out; without a pair there is no comparison.

    Source: McNemar, Psychometrika 12, 1947; the exact form: Edwards, 1948.
    """
    pairs = [(old, new) for old, new in zip(before, after, strict=True) if old is not None and new is not None]
    if not pairs:
        return None
    gained = sum(new and not old for old, new in pairs)
    lost = sum(old and not new for old, new in pairs)
    changed = gained + lost
    tail = sum(math.comb(changed, count) for count in range(min(gained, lost) + 1))
    p = min(1.0, 2 * tail / 2**changed)
    return Comparison((gained - lost) / len(pairs), p, len(pairs), len(pairs), exact=True)


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


Sums = np.ndarray[tuple[int], np.dtype[np.float64]]


def _exact_p(sums: Sums) -> float:
    flipped = np.zeros(1)
    for each in sums:
        flipped = np.concatenate([flipped + each, flipped - each])
    return float(np.mean(_as_far(flipped, sums)))


def _drawn_p(sums: Sums, flips: int, seed: int) -> float:
    random = np.random.default_rng(seed)
    far = 0
    for start in range(0, flips, _CHUNK):
        signs = random.choice((-1.0, 1.0), size=(min(_CHUNK, flips - start), len(sums)))
        far += int(_as_far(signs @ sums, sums).sum())
    return (far + 1) / (flips + 1)


def _as_far(flipped: Sums, sums: Sums) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Sums that are equal but for rounding count as equal."""
    result: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.abs(flipped) >= abs(sums.sum()) - 1e-9 * np.abs(sums).sum()
    return result
