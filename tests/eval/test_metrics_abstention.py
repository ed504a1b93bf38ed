"""Rates of answering wrongly and refusing wrongly, and the risk–coverage curve."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.abstention import Point, Response, aurc, false_answer_rate, false_refusal_rate, risk_coverage
from eval.metrics.share import Share

RESPONSES = [
    Response(answerable=True, answered=True),
    Response(answerable=True, answered=False),
    Response(answerable=True, answered=None),
    Response(answerable=False, answered=True, kind="near"),
    Response(answerable=False, answered=False, kind="near"),
    Response(answerable=False, answered=False, kind="far"),
]


def test_rates_by_hand():
    assert false_answer_rate(RESPONSES) == Share(1, 3)
    assert false_answer_rate(RESPONSES, kind="near") == Share(1, 2)
    assert false_answer_rate(RESPONSES, kind="far") == Share(0, 1)
    assert false_refusal_rate(RESPONSES) == Share(1, 2, 1)


def test_an_error_is_neither_an_answer_nor_a_refusal():
    errors = [Response(answerable=answerable, answered=None) for answerable in (True, False)]
    assert false_answer_rate(errors) == Share(0, 0, 1)
    assert false_refusal_rate(errors) == Share(0, 0, 1)


def test_without_such_questions_there_is_no_rate():
    assert false_answer_rate(RESPONSES[:3]).value is None
    assert false_refusal_rate(RESPONSES[3:]).value is None


def test_always_and_never_abstaining():
    silent = [Response(response.answerable, answered=False) for response in RESPONSES]
    talkative = [Response(response.answerable, answered=True) for response in RESPONSES]
    assert (false_answer_rate(silent).value, false_refusal_rate(silent).value) == (0.0, 1.0)
    assert (false_answer_rate(talkative).value, false_refusal_rate(talkative).value) == (1.0, 0.0)


def test_curve_by_hand():
    confidences, losses = [0.9, 0.8, 0.8, 0.1], [0, 1, 0, 1]
    assert risk_coverage(confidences, losses) == [
        Point(0.9, 1 / 4, 0.0),
        Point(0.8, 3 / 4, 1 / 3),
        Point(0.1, 1.0, 1 / 2),
    ]
    # risks 0, (0 + 1/2) / 2, 1/3, 1/2
    assert aurc(confidences, losses) == pytest.approx((0 + 1 / 4 + 1 / 3 + 1 / 2) / 4)


def test_no_questions_no_curve():
    assert risk_coverage([], []) == []
    assert aurc([], []) is None


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=5))
def test_against_a_naive_version(pairs):
    """The area is the mean over all orders that sort by confidence."""
    confidences, losses = zip(*pairs, strict=True)
    areas = []
    for order in permutations(pairs):
        if [confidence for confidence, _ in order] == sorted(confidences, reverse=True):
            risks = [sum(loss for _, loss in order[:n]) / n for n in range(1, len(order) + 1)]
            areas.append(sum(risks) / len(risks))
    assert aurc(confidences, losses) == pytest.approx(sum(areas) / len(areas))
    for point in risk_coverage(confidences, losses):
        answered = [loss for confidence, loss in pairs if confidence >= point.confidence]
        assert point.coverage == pytest.approx(len(answered) / len(pairs))
        assert point.risk == pytest.approx(sum(answered) / len(answered))
    assert len(risk_coverage(confidences, losses)) == len(set(confidences))
