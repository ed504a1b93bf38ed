"""Confidence: which way each sign points, and that a reader's word counts."""

import pytest

from rag.confidence import ANSWERS_FROM, MATCH_FLOOR, Signals, confidence

PLAIN = Signals(words=0.4, match=0.7, least_found=0.5)


@pytest.mark.parametrize("reader", [None, 2.0])
def test_signs_point_the_right_way(reader):
    base = Signals(0.4, 0.6, 0.4, reader)
    sure = confidence(base)
    assert confidence(Signals(0.4, 0.8, 0.4, reader)) > sure, "a better match"
    assert confidence(Signals(0.4, 0.6, 0.6, reader)) > sure, "every word found"
    assert confidence(Signals(0.8, 0.6, 0.4, reader)) < sure, "the same match, though more words are shared"
    assert 0 < sure < 1


def test_the_reader_can_tip_it_either_way():
    assert confidence(Signals(0.4, 0.6, 0.4, 5.0)) > ANSWERS_FROM > confidence(Signals(0.4, 0.6, 0.4, -6.0))


@pytest.mark.parametrize("reader", [None, 9.0])
def test_below_the_floor_nothing_else_helps(reader):
    far, near = (Signals(0.0, MATCH_FLOOR + step, 0.9, reader) for step in (-0.01, 0.01))
    assert confidence(far) < ANSWERS_FROM
    assert reader is None or confidence(near) > ANSWERS_FROM


def test_a_question_about_nothing_in_the_library_is_not_answered():
    assert confidence(Signals(0.0, 0.3, 0.15)) < ANSWERS_FROM < confidence(PLAIN)
