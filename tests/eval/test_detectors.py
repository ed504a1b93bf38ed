"""Detectors: planted hallucinations and omissions score worse, by every kind of detector."""

import pytest

from eval import detectors
from rag.models import Entailment, load_generator
from rag.overlap import OverlapEntailer
from rag.settings import Settings

EVIDENCE = [
    "The glass frog stores red cells in its liver while it sleeps.",
    "Toads sing at night to attract females.",
    "Honey bees dance to tell their sisters where the flowers are.",
]
SAID = "The glass frog stores red cells in its liver."
MADE_UP = "Submarine cables carry most of the world's internet traffic."


class Unsure:
    """An entailer that supports what it is told to, and remembers what it was asked."""

    name = "unsure"

    def __init__(self):
        self.asked = []

    def entail(self, pairs):
        self.asked += pairs
        return [Entailment(0.25, 0.5, 0.25) for _ in pairs]


@pytest.fixture(scope="module")
def hallucination(embedder):
    generator = load_generator(Settings())
    return [
        detectors.word_overlap(),
        detectors.similarity(embedder),
        *detectors.salience_detectors(generator),
        detectors.classifier(OverlapEntailer()),
    ]


@pytest.fixture(scope="module")
def coverage(embedder):
    return [
        detectors.word_overlap_coverage(),
        detectors.similarity_coverage(embedder),
        detectors.salience_coverage(load_generator(Settings())),
        detectors.classifier_coverage(OverlapEntailer()),
    ]


def test_what_is_made_up_scores_worse_than_what_is_said(hallucination):
    for detector in hallucination:
        assert detector(MADE_UP, EVIDENCE) > detector(SAID, EVIDENCE), detector.name


def test_without_evidence_nothing_is_said(hallucination):
    for detector in hallucination:
        assert detector(SAID, []) > detector(SAID, EVIDENCE), detector.name


def test_what_the_answer_leaves_out_scores_worse_than_what_it_tells(coverage):
    answer = ["Toads sing at night, to attract females."]
    for detector in coverage:
        scores = detector(answer, EVIDENCE)
        assert len(scores) == 3
        assert min(scores) == scores[1] < min(scores[0], scores[2]), detector.name


def test_an_empty_answer_leaves_all_out_alike_and_no_evidence_has_no_scores(coverage):
    for detector in coverage:
        (score,) = set(detector([], EVIDENCE))
        assert score >= max(detector([SAID], EVIDENCE)), detector.name
        assert detector([SAID], []) == []


def test_names_tell_the_detectors_apart(hallucination, coverage):
    for group in (hallucination, coverage):
        assert len({detector.name for detector in group}) == len(group)


def test_word_overlap_by_hand():
    # frog, sleep, loudli: one of three stems is not in the evidence
    assert detectors.word_overlap()("Frogs sleep loudly", ["A frog.", "It sleeps."]) == pytest.approx(1 / 3)
    assert detectors.word_overlap_coverage()(["A frog."], ["Frogs sleep.", "Bees sting."]) == [0.5, 1.0]


def test_a_classifier_reads_evidence_then_claim_and_for_coverage_answer_then_evidence():
    entailer = Unsure()
    assert detectors.classifier(entailer)("claim", ["one", "two"]) == 0.75
    assert detectors.classifier_coverage(entailer)(["claim", "more"], ["one", "two"]) == [0.75, 0.75]
    assert entailer.asked == [("one two", "claim"), ("claim more", "one"), ("claim more", "two")]
