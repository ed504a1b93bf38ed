"""Ranking metrics by hand, against a naive version, and against ir_measures."""

import math

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, R, Success, nDCG

from eval.metrics.retrieval import ndcg, ranking_of, recall, reciprocal_rank, success
from rag.types import Chunk, Hit

IDS = [f"d{number}" for number in range(8)]
RANKINGS = st.lists(st.sampled_from(IDS), unique=True)
GRADES = st.dictionaries(st.sampled_from([*IDS, "d8"]), st.integers(0, 3))
KS = st.integers(1, 10)


def test_by_hand():
    found, grades = ["a", "b", "c", "d"], {"b": 1, "d": 2, "z": 1, "a": 0}
    assert [success(found, grades, k=k) for k in (1, 2)] == [0.0, 1.0]
    assert [recall(found, grades, k=k) for k in (1, 2, 4)] == [0, 1 / 3, 2 / 3]
    assert reciprocal_rank(found, grades) == 1 / 2
    assert reciprocal_rank(found, grades, k=1) == 0.0
    # gains 0 1 0 2 at discounts 1, log2 3, 2, log2 5; best order 2 1 1
    best = 2 / 1 + 1 / math.log2(3) + 1 / 2
    assert ndcg(found, grades, k=4) == pytest.approx((1 / math.log2(3) + 2 / math.log2(5)) / best)


def test_a_question_without_relevant_documents_has_no_value_and_one_without_hits_has_0():
    for measure in (success, recall, ndcg):
        assert measure(["a"], {}, k=3) is None
        assert measure(["a"], {"a": 0}, k=3) is None
        assert measure([], {"a": 1}, k=3) == 0.0
    assert reciprocal_rank(["a"], {"a": 0}) is None
    assert reciprocal_rank([], {"a": 1}) == 0.0


def test_a_document_found_twice_counts_once():
    assert recall(["a", "a", "b"], {"a": 1, "b": 1}, k=2) == 1.0
    assert ndcg(["a", "a"], {"a": 1, "b": 1}, k=2) == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_k_counts_from_1():
    with pytest.raises(ValueError, match="from 1"):
        recall(["a"], {"a": 1}, k=0)


def test_documents_rank_by_their_best_chunk_whatever_the_scores_of_those_behind():
    def hit(doc_id, score, rank):
        return Hit(Chunk(doc_id, 0, 1, "x"), score, rank, source=f"{doc_id}.txt#1")

    hits = [hit("b", 0.9, 2), hit("a", 0.2, 3), hit("a", 0.5, 1)]  # what was not scored again may score more
    assert ranking_of(hits) == ["a", "b"]
    assert ranking_of(hits, by_source=True) == ["a.txt#1", "b.txt#1"]


def naive(found, grades, k):
    """Success, recall, reciprocal rank and nDCG in the most literal way."""
    top = found[:k]
    relevant = [doc_id for doc_id in grades if grades[doc_id] > 0]
    hits = [doc_id for doc_id in top if doc_id in relevant]
    dcg = sum(grades.get(top[i], 0) / math.log2(i + 2) for i in range(len(top)))
    best = sum(grade / math.log2(i + 2) for i, grade in enumerate(sorted(grades.values())[::-1][:k]))
    first = 1 / (1 + min(top.index(doc_id) for doc_id in hits)) if hits else 0
    return float(bool(hits)), len(hits) / len(relevant), first, dcg / best


@given(RANKINGS, GRADES, KS)
def test_against_a_naive_version(found, grades, k):
    ours = (
        success(found, grades, k=k),
        recall(found, grades, k=k),
        reciprocal_rank(found, grades, k=k),
        ndcg(found, grades, k=k),
    )
    if any(grades.values()):
        assert ours == pytest.approx(naive(found, grades, k))
        assert all(0 <= value <= 1 + 1e-12 for value in ours)
    else:
        assert ours == (None,) * 4


@settings(deadline=None)  # the first call loads the library
@given(RANKINGS, GRADES, KS)
def test_against_ir_measures(found, grades, k):
    if not any(grades.values()):
        return  # where nothing is relevant it says 0, and we say nothing
    # Scores fall with the rank, so that its own way with ties (by id, downwards) has no part in it.
    run = {"q": {doc_id: float(-rank) for rank, doc_id in enumerate(found)}}
    theirs = ir_measures.calc_aggregate([Success @ k, R @ k, nDCG @ k, RR], {"q": grades}, run)
    assert success(found, grades, k=k) == theirs[Success @ k]
    assert recall(found, grades, k=k) == pytest.approx(theirs[R @ k])
    assert ndcg(found, grades, k=k) == pytest.approx(theirs[nDCG @ k])
    assert reciprocal_rank(found, grades) == pytest.approx(theirs[RR])
