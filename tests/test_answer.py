"""When a draft is spent, and what is read of one that was stopped."""

import time

import pytest

from rag.answer import is_spent, read, told_once
from rag.cite import Evidence
from rag.types import Chunk, Document

TEXT = "Frogs hide red cells in their liver. They sleep by day and become transparent then. Toads do not."
SENTENCES = ("Frogs hide red cells in their liver.", "They sleep by day and become transparent then.", "Toads do not.")


@pytest.fixture
def evidence():
    document = Document("d", "Frogs", TEXT, "f#1")
    starts = [TEXT.index(sentence) for sentence in SENTENCES]
    return [
        Evidence(document, Chunk("d", start, start + len(text), text), 1.0)
        for start, text in zip(starts, SENTENCES, strict=True)
    ]


@pytest.mark.parametrize(
    ("draft", "small", "large"),
    [
        ("", False, False),
        ("Frogs hide red", False, False),
        ("Frogs hide red cells [1]. They", False, False),
        ("Frogs hide red cells in their liver. They", False, False),  # copied, and so has its evidence
        ("Nothing of the kind was ever seen by anyone. They", True, False),
        ("Here is the answer: frogs hide red cells [1]. They sleep [2]. Toads do not [3]. And", True, False),
        ("It is so [1]. It is SO [1]. It", True, True),
        ("1. [1] It is so.\n2. [2] It is not.\n3. ", False, False),
    ],
)
def test_a_draft_is_spent(evidence, draft, small, large):
    assert is_spent(draft, evidence, closely=True) is small
    assert is_spent(draft, evidence, closely=False) is large


def test_what_an_unfinished_draft_had_begun_is_left_out(evidence):
    draft = read("Frogs hide red cells [1]. They [9]", evidence, is_unfinished=True)
    assert [claim.text for claim in draft.claims] == ["Frogs hide red cells."]
    assert draft.fabricated == 0
    assert len(read("Frogs hide red cells [1]. They [9]", evidence).claims) == 2


@pytest.mark.parametrize("draft", ["\n" * 50_000, "aa bb cc " * 5_000])
def test_endless_drafts_take_no_endless_time(evidence, draft):
    began = time.process_time()
    read(draft, evidence)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("draft", "declined"),
    [
        ("NO ANSWER", True),
        ("No answer.", True),
        ("**NO ANSWER**", True),
        ("The answer is: NO ANSWER", True),
        ("NO ANSWER. The numbered sentences say nothing of the price of tea in China.", True),
        ("Frogs give no answer in time [1].", False),
        ("Frogs hide red cells [1]. Whether toads do, NO ANSWER is given here.", False),
    ],
)
def test_a_draft_declines(evidence, draft, declined):
    assert read(draft, evidence).declined is declined


def test_items_of_a_list_keep_their_own_citations(evidence):
    claims = read("- Frogs hide red cells in their liver [1]\n- They sleep by day [2]\n- Toads do", evidence).claims
    assert [(claim.text, [c.start for c in claim.citations]) for claim in claims] == [
        ("Frogs hide red cells in their liver", [0]),
        ("They sleep by day", [TEXT.index("They")]),
        ("Toads do", []),
    ]


def test_items_that_begin_with_their_markers_keep_their_own_citations(evidence):
    claims = read("1. [1] Frogs hide red cells in their liver.\n2. [2] They sleep by day.", evidence).claims
    assert [[c.start for c in claim.citations] for claim in claims] == [[0], [TEXT.index("They")]]


def test_labels_and_a_refusal_behind_an_answer_are_no_part_of_its_claims(evidence):
    draft = "Paper 1: Frogs hide red cells in their liver.\n2. Paper: They sleep by day [2]. NO ANSWER"
    claims = read(draft, evidence).claims
    assert [claim.text for claim in claims] == ["Frogs hide red cells in their liver.", "They sleep by day."]
    assert [[c.start for c in claim.citations] for claim in claims] == [[0], [TEXT.index("They")]]
    for label in ("Answer: ", "The answer is: ", "1. The final answer is: "):
        (claim,) = read(f"{label}The paper: it is small [1].", evidence).claims
        assert claim.text == "The paper: it is small."


def test_what_says_nothing_more_than_another_claim_is_told_once(evidence):
    draft = "Frogs hide cells [1]. Frogs hide red cells in their liver [1]. They sleep by day [2]. Toads sleep [3]."
    told = ["Frogs hide red cells in their liver.", "They sleep by day.", "Toads sleep."]
    assert [claim.text for claim in told_once(read(draft, evidence).claims)] == told
