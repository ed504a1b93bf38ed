"""Questions that ask for several things: what each asks, and what their answers come to together."""

import pytest

from rag.cite import Evidence
from rag.confidence import Signals, confidence
from rag.evidence import Selection
from rag.parts import joined, parts
from rag.types import Chunk, Document, Turn


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("What is FROG-1, and who made it?", ["What is FROG-1?", "Who made it?"]),
        (
            "How fast is FROG-1 and on which data was it trained?",
            ["How fast is FROG-1?", "On which data was it trained?"],
        ),
        ("What is FROG-1? How does it sing?", ["What is FROG-1?", "How does it sing?"]),
        ("Is FROG-1 fast, and if so, how much does it eat?", ["Is FROG-1 fast?", "How much does it eat?"]),
        ("In the pond paper, what sings and is it loud?", ["In the pond paper, what sings?", "Is it loud?"]),
        ("How do frogs sing and does Ada Reed agree?", ["How do frogs sing?", "Does Ada Reed agree?"]),
        (
            "What is FROG-1; which GPUs trained it; and where was it shown?",
            ["What is FROG-1?", "Which GPUs trained it?", "Where was it shown?"],
        ),
    ],
)
def test_a_question_is_cut_where_another_begins(question, asked):
    assert [part.question for part in parts(question, [])] == asked


@pytest.mark.parametrize(
    "question",
    [
        "What is FROG-1?",
        "How do frogs sing and dig?",
        "What is the relation between what frogs say and what is heard?",
        "Does the paper explain what frogs sing and how they do it?",
        "Do frogs plan what they sing and do what they plan?",
        "Is FROG-1 faster, and by how much?",
        "Which papers study frogs and what do they propose?",
        "One paper is about frogs; what does it find?",
        "",
    ],
)
def test_one_question_is_no_two(question):
    assert parts(question, []) == []


def test_later_parts_are_follow_ups_to_those_before():
    first, second, third = parts("What is FROG-1, and who made it, and what data was used?", [])
    assert (first.standalone, first.leans) == ("What is FROG-1?", False)
    assert second.leans
    assert "FROG-1" in second.standalone
    assert third.leans
    assert "FROG-1" in third.standalone
    _, other = parts("What is FROG-1, and how does TOAD-2 dig?", [])
    assert (other.standalone, other.leans) == ("How does TOAD-2 dig?", False)
    again, _ = parts("How does it sing, and is it loud?", [Turn("What is FROG-1?", "")])
    assert "FROG-1" in again.standalone
    assert not again.leans, "on nothing that is asked here"


SURE, UNSURE = Signals(0.4, 0.9, 0.9, 9.0, 4.0), Signals(0.0, 0.3, 0.1, -9.0, -6.0)


def selected(signals, *texts, paper="frogs"):
    document = Document(paper, paper, " ".join(texts), paper)
    starts = [document.text.index(text) for text in texts]
    chunks = [Chunk(paper, start, start + len(text), text) for start, text in zip(starts, texts, strict=True)]
    return Selection(tuple(Evidence(document, chunk, 1.0) for chunk in chunks), signals)


def texts(selection):
    return [item.text for item in selection.evidence]


def test_evidence_of_the_parts_takes_turns_and_the_untold_part_is_named():
    asked = parts("What is FROG-1, and who made it, and how does TOAD-2 dig?", [])
    whole = selected(UNSURE, "Whole.")
    frogs, toads = selected(SURE, "A.", "B.", "C.", "D."), selected(SURE, "T.", "B.", paper="toads")
    selection, untold = joined(whole, asked, [frogs, selected(UNSURE, "M."), toads])
    assert texts(selection) == ["A.", "T.", "B.", "B.", "C."], "the same words of two papers are two sentences"
    assert selection.names_papers
    assert [part.question for part in untold] == ["Who made it?"]
    selection, untold = joined(whole, asked[:2], [frogs, selected(SURE, "B.", "A.")])
    assert not selection.names_papers
    assert untold == []


def test_a_sentence_for_both_parts_is_told_once():
    asked = parts("What is FROG-1, and who made it?", [])
    both = selected(SURE, "A.", "B.")
    assert texts(joined(both, asked, [both, both])[0]) == ["A.", "B."]


@pytest.mark.parametrize("whole", [SURE, UNSURE])
def test_what_leans_on_nothing_that_was_answered_has_no_answer_of_its_own(whole):
    asked = parts("What did FROG-1 cost, and who paid for it?", [])
    selection, untold = joined(selected(whole, "Whole."), asked, [selected(UNSURE, "A."), selected(SURE, "B.")])
    assert (texts(selection), untold) == (["Whole."], [])
    assert confidence(selection.signals) == confidence(whole)


def test_what_stands_alone_is_answered_whatever_came_before():
    asked = parts("What did FROG-1 cost, and how does TOAD-2 dig?", [])
    selection, untold = joined(selected(UNSURE, "W."), asked, [selected(UNSURE, "A."), selected(SURE, "B.")])
    assert texts(selection) == ["B."]
    assert [part.question for part in untold] == ["What did FROG-1 cost?"]
