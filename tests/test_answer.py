"""When a draft is spent, and what is read of one that was stopped."""

import pytest

from rag.answer import is_spent, read
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
