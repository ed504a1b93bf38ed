"""The risk–coverage curve and the area under it."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.abstention import Point, aurc, risk_coverage


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
