"""Percentile bootstrap intervals over clusters: whole abstracts are drawn, with all their questions.

A 95 % interval runs from the 2.5th to the 97.5th percentile of what the draws give. One cluster has no
interval. Rows that all agree have one without width, which is not certainty: who shows it says so.

Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; clusters: Davison and
Hinkley, Bootstrap Methods and their Application, 1997, section 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

LEVEL = 0.95
RESAMPLES = 2000  # moves the ends by about a fiftieth of the width from seed to seed
SEED = 0

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the interval around it, over `n` rows in `clusters` clusters.

    Draws that had no value (a draw without a negative has no AUC) are left out.
    """

    value: float
    low: float
    high: float
    n: int
    clusters: int


def clusters_of(sources: Sequence[Sequence[str]]) -> list[str]:
    """The cluster of each question: the first of its sources; a question without one is a cluster by itself."""
    return [named[0] if named else f"alone-{number}" for number, named in enumerate(sources)]


def bootstrap(
    rows: Sequence[Row],
    statistic: Callable[[Sequence[Row]], float | None],
    *,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval | None:
    """The interval of any statistic of rows; without `clusters` each row is its own.

    `None` if the statistic has no value for the rows themselves or for any draw, or with one cluster.
    """
    value = statistic(rows)
    members = _members(clusters if clusters is not None else range(len(rows)), len(rows))
    if value is None or len(members) < 2:
        return None
    draws = _draws(len(members), resamples, seed)
    found = [statistic([rows[row] for cluster in draw for row in members[cluster]]) for draw in draws]
    return _interval(value, found, len(rows), len(members))


def mean_interval(
    values: Sequence[float | None],
    *,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval | None:
    """The interval of a mean; rows of `None` have no part in it. `None` as in `ratio_interval`."""
    parts = [value or 0.0 for value in values]
    wholes = [float(value is not None) for value in values]
    return ratio_interval(parts, wholes, clusters=clusters, resamples=resamples, seed=seed)


def ratio_interval(
    parts: Sequence[float],
    wholes: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval | None:
    """The interval of a pooled share, sum of parts / sum of wholes, a row for each question.

    Rows whose whole is 0 are left out beforehand; `None` if fewer than two clusters are left.
    """
    keys = list(clusters) if clusters is not None else list(range(len(parts)))
    kept = [row for row, (_, whole, _) in enumerate(zip(parts, wholes, keys, strict=True)) if whole]
    members = _members([keys[row] for row in kept], len(kept))
    if len(members) < 2:
        return None
    top = np.array([sum(parts[kept[row]] for row in group) for group in members])
    bottom = np.array([sum(wholes[kept[row]] for row in group) for group in members])
    draws = _draws(len(members), resamples, seed)
    found = (top[draws].sum(axis=1) / bottom[draws].sum(axis=1)).tolist()
    return _interval(float(top.sum() / bottom.sum()), found, len(kept), len(members))


def _members(keys: Sequence[Hashable], rows: int) -> list[list[int]]:
    """The rows of each cluster, in order of appearance."""
    if len(keys) != rows:
        raise ValueError(f"{rows} rows have {len(keys)} clusters")
    members: dict[Hashable, list[int]] = {}
    for row, key in enumerate(keys):
        members.setdefault(key, []).append(row)
    return list(members.values())


def _draws(clusters: int, resamples: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Cluster numbers, (resamples, clusters)."""
    return np.random.default_rng(seed).integers(0, clusters, size=(resamples, clusters))


def _interval(value: float, found: Sequence[float | None], n: int, clusters: int) -> Interval | None:
    defined = [each for each in found if each is not None]
    if not defined:
        return None
    outside = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(defined, [outside, 100 - outside])
    return Interval(value, float(low), float(high), n, clusters)
