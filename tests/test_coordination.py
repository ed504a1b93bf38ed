"""Questions about several papers in one breath: what each paper is asked."""

import pytest

from rag.coordination import asked_of

FROGS = "Frogs sing. We study FROG-1, which sings at night among its lilies."
TOADS = "Toads dig. We study TOAD-2, which digs by day in the sand."


@pytest.mark.parametrize(
    ("question", "of_frogs", "of_toads"),
    [
        ("How do FROG-1 and TOAD-2 each work?", "How do FROG-1 work?", "How do TOAD-2 work?"),
        ("Compare FROG-1 with TOAD-2 in speed.", "Compare FROG-1 in speed.", "Compare TOAD-2 in speed."),
        (
            "Is singing by night or digging by day safer?",
            "Is singing by night safer?",
            "Is digging by day safer?",
        ),
        ("Do lilies, sand and digging matter?", "Do lilies matter?", "Do sand and digging matter?"),
    ],
)
def test_each_of_the_papers_is_asked_for_its_own(question, of_frogs, of_toads):
    assert asked_of(question, FROGS, [TOADS]) == of_frogs
    assert asked_of(question, TOADS, [FROGS]) == of_toads


@pytest.mark.parametrize(
    "question",
    [
        "Does FROG-1 beat TOAD-2?",  # what one does to another
        "How do singing and lilies go together?",  # both of one paper
        "Is it sand, or is it water?",  # one of neither
        "Is FROG-1, with its lilies, a toad?",  # no list
        "What is FROG-1?",
        "",
    ],
)
def test_any_other_question_stays_whole(question):
    assert asked_of(question, FROGS, [TOADS]) == question
    assert asked_of(question, FROGS, []) == question


def test_of_three_two_are_left_out():
    newts = "Newts swim. We study NEWT-3, which swims in ponds."
    assert asked_of("How do FROG-1, TOAD-2 and NEWT-3 work?", TOADS, [FROGS, newts]) == "How do TOAD-2 work?"
