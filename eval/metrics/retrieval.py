"""How well a ranking finds what is relevant: success, recall, nDCG, reciprocal rank.

A ranking is a list of document ids, best first; a repeated id counts where it stands first. Relevant
are the ids with a grade above 0. A question without a relevant document has no value (`None`); one
whose ranking is empty has 0 and stays in the mean.

Source of the definitions: trec_eval, by way of ir_measures, which the tests compare with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from rag.types import Hit

Grades = Mapping[str, int]
Measure = Callable[[Sequence[str], Grades], float | None]


def ranking_of(hits: Sequence[Hit], *, by_source: bool = False) -> list[str]:
    """Documents by the rank of their best chunk; `by_source` names them as `gold_sources` does.

    Scores do not tell the order: only the first hits are scored again, and may fall below the rest.
    """
    ranked = sorted(hits, key=lambda hit: hit.rank)
    return list(dict.fromkeys(hit.source if by_source else hit.chunk.doc_id for hit in ranked))


def success(found: Sequence[str], grades: Grades, *, k: int) -> float | None:
    """1 if a relevant document is among the first k, else 0; `None` without a relevant document.

    Its mean over questions is success@k, also called hit rate.
    """
    relevant = _relevant(grades)
    return float(any(doc_id in relevant for doc_id in _first(found, k))) if relevant else None


def recall(found: Sequence[str], grades: Grades, *, k: int) -> float | None:
    """Relevant documents among the first k / all relevant documents; `None` without one."""
    relevant = _relevant(grades)
    return len(relevant.intersection(_first(found, k))) / len(relevant) if relevant else None


def reciprocal_rank(found: Sequence[str], grades: Grades, *, k: int | None = None) -> float | None:
    """1 / rank of the first relevant document, 0 if none is found; `None` without a relevant document.

    Its mean over questions is MRR; with `k` only the first k ranks count.

    Source: Voorhees, TREC-8 Question Answering Track Report, 1999.
    """
    relevant = _relevant(grades)
    if not relevant:
        return None
    return next((1 / rank for rank, doc_id in enumerate(_first(found, k), 1) if doc_id in relevant), 0.0)


def ndcg(found: Sequence[str], grades: Grades, *, k: int) -> float | None:
    """DCG of the first k / DCG of the best possible order; `None` without a relevant document.

    DCG = sum of grade / log2(rank + 1): the gain is the grade itself, as in trec_eval, not 2^grade - 1.

    Source: Järvelin and Kekäläinen, ACM TOIS 20(4), 2002.
    """
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)
    if not best:
        return None
    return _dcg([max(0, grades.get(doc_id, 0)) for doc_id in _first(found, k)]) / _dcg(best[:k])


def _first(found: Sequence[str], k: int | None) -> list[str]:
    if k is not None and k < 1:
        raise ValueError(f"k counts ranks from 1, not {k}")
    return list(dict.fromkeys(found))[:k]


def _relevant(grades: Grades) -> set[str]:
    return {doc_id for doc_id, grade in grades.items() if grade > 0}


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
