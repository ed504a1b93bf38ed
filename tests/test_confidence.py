"""Confidence: which way each sign points, and that a reader's word counts."""

from dataclasses import replace

import pytest

from rag.confidence import ANSWERS_FROM, SIMILARITY_FLOOR, Signals, confidence

PLAIN = Signals(words=0.4, match=0.7, least_found=0.5)


@pytest.mark.parametrize("judged", [(None, None), (2.0, None), (2.0, -1.0)])
def test_signs_point_the_right_way(judged):
    base = Signals(0.4, 0.6, 0.4, *judged)
    sure = confidence(base)
    assert confidence(Signals(0.4, 0.8, 0.4, *judged)) > sure, "a better match"
    assert confidence(Signals(0.4, 0.6, 0.6, *judged)) > sure, "every word found"
    assert confidence(Signals(0.8, 0.6, 0.4, *judged)) < sure, "the same match, though more words are shared"
    assert 0 < sure < 1


@pytest.mark.parametrize("entailed", [None, -1.0])
def test_the_reader_can_tip_it_either_way(entailed):
    yes, no = (confidence(Signals(0.4, 0.6, 0.4, reader, entailed)) for reader in (5.0, -6.0))
    assert yes > ANSWERS_FROM > no


def test_so_can_the_entailer():
    yes, no = (confidence(Signals(0.4, 0.6, 0.4, 1.0, entailed)) for entailed in (4.0, -6.0))
    assert yes > ANSWERS_FROM > no


@pytest.mark.parametrize("judged", [(None, None), (9.0, None), (9.0, 2.0)])
def test_below_the_floor_nothing_else_helps(judged):
    far, near = (Signals(0.0, 0.3, 0.9, *judged, similarity=SIMILARITY_FLOOR - 0.3 + step) for step in (-0.01, 0.01))
    assert confidence(far) < ANSWERS_FROM
    assert judged[0] is None or confidence(near) > ANSWERS_FROM


def test_what_no_paper_mentions_is_not_answered_however_well_the_rest_fits():
    signals = Signals(0.4, 0.9, 0.9, 9.0, 4.0)
    assert confidence(signals) > ANSWERS_FROM > confidence(replace(signals, is_unmentioned=True))


def test_a_question_about_nothing_in_the_library_is_not_answered():
    assert confidence(Signals(0.0, 0.3, 0.15)) < ANSWERS_FROM < confidence(PLAIN)


def test_a_denied_premise_is_an_answer_but_not_about_what_no_paper_mentions():
    unsure = Signals(0.4, 0.6, 0.4, -6.0, -6.0)
    assert confidence(unsure) < ANSWERS_FROM < confidence(replace(unsure, denied=0.8))
    assert confidence(replace(unsure, denied=0.8, is_unmentioned=True)) < ANSWERS_FROM
