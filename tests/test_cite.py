"""Markers of every kind, and numbers that were never shown."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.cite import Evidence, footnote, number_papers, read_draft, without_citations
from rag.types import Chunk, Document


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ("It is fast [1]. It is small [2].", [("It is fast.", (1,)), ("It is small.", (2,))]),
        ("It is fast. [1] It is small. [2]", [("It is fast.", (1,)), ("It is small.", (2,))]),
        ("It is fast.[1][3] It is small.[2]", [("It is fast.", (1, 3)), ("It is small.", (2,))]),
        ("Both [1,2]. All [1-3]. Also [2; 3].", [("Both.", (1, 2)), ("All.", (1, 2, 3)), ("Also.", (2, 3))]),
        ("Odd 【2】. Foot [^1]. Tagged 【3†source】.", [("Odd.", (2,)), ("Foot.", (1,)), ("Tagged.", (3,))]),
        (
            "Linked [1](#ref-9). Raised.<sup>2</sup> So<sup>[1], [3]</sup>.",
            [("Linked.", (1,)), ("Raised.", (2,)), ("So.", (1, 3))],
        ),
        ("It has 10<sup>2</sup> legs.", [("It has 10<sup>2</sup> legs.", ())]),
        ("Twice [2] and again [2].", [("Twice and again.", (2,))]),
        ("[1] It is fast.", [("It is fast.", (1,))]),
        ("[1] It is fast.\n\n[2][3] It is small.", [("It is fast.", (1,)), ("It is small.", (2, 3))]),
        ("It is fast.\n[1]\nIt is small.\n[2]", [("It is fast.", (1,)), ("It is small.", (2,))]),
        ("It is fast.[1]Frogs are small.[2]", [("It is fast.", (1,)), ("Frogs are small.", (2,))]),
        ("It is fast [1]and small [2].", [("It is fast and small.", (1, 2))]),
        ("Wide ［1］. Listed [2，3].", [("Wide.", (1,)), ("Listed.", (2, 3))]),
        (
            "Both [1 and 2]. All [1, 2, and 3]. So [1 & 3]. Too [1 to 3].",
            [("Both.", (1, 2)), ("All.", (1, 2, 3)), ("So.", (1, 3)), ("Too.", (1, 2, 3))],
        ),
        ("Twice [[1]]. Round ([2]). Bold **[3]**.", [("Twice.", (1,)), ("Round.", (2,)), ("Bold.", (3,))]),
        ("In a row [1], [2], and [3]. Or ([1], [2]).", [("In a row.", (1, 2, 3)), ("Or.", (1, 2))]),
        ("Named [Sentence 2]. So [source: 1, 3].", [("Named.", (2,)), ("So.", (1, 3))]),
        ("It calls f() on a[] and (1).", [("It calls f() on a[] and (1).", ())]),
        ("No marker here.", [("No marker here.", ())]),
        ("", []),
        ("[1]", []),
    ],
)
def test_markers(draft, expected):
    assert [(sentence.text, sentence.cited) for sentence in read_draft(draft, shown=3)] == expected


@pytest.mark.parametrize(
    "draft",
    [
        " " * 50_000,
        "[1" + " " * 50_000,
        "【1†" * 17_000,
        "A bc. [1] " * 5_000,
        "[1]," * 10_000,
        "[1](#" * 12_000,
        ".<sup>1" * 9_000,
        "[1 and " * 9_000,
    ],
)
def test_endless_drafts_take_no_endless_time(draft):
    began = time.process_time()
    read_draft(draft, shown=3)
    assert time.process_time() - began < 2


def test_a_number_that_was_not_shown_is_dropped_and_counted():
    (sentence,) = read_draft("It doubles [2][9], they say [0].", shown=3)
    assert sentence.text == "It doubles, they say."
    assert sentence.cited == (2,)
    assert sentence.fabricated == (0, 9)


def test_a_bracket_of_the_evidence_is_a_word():
    (sentence,) = read_draft("LoRA by Hu et al. [202] is used [1].", shown=2, literals=["by Hu et al. [202]."])
    assert sentence.text == "LoRA by Hu et al. [202] is used."
    assert sentence.fabricated == ()


def test_an_interval_of_the_evidence_is_no_citation():
    (sentence,) = read_draft("Scores lie in [0, 1] here [1].", shown=2, literals=["All scores lie in [0, 1]."])
    assert (sentence.text, sentence.cited, sentence.fabricated) == ("Scores lie in [0, 1] here.", (1,), ())


@given(st.text(alphabet=st.sampled_from(list("ab .[]()#【】123,-^†")), max_size=80))
def test_any_text_gives_shown_numbers_only(draft):
    for sentence in read_draft(draft, shown=2):
        assert set(sentence.cited) <= {1, 2}
        assert not {1, 2} & set(sentence.fabricated)


@pytest.mark.parametrize(
    ("claim", "stated"),
    [
        ("PERL is as good as RLHF [1].", "PERL is as good as RLHF."),
        ("There are 16 categories.[^2] They help [3, 4].", "There are 16 categories. They help."),
        ("PERL needs less memory (Sidahmed et al., 2024).", "PERL needs less memory."),
        ("It is fast (see Smith and Jones 2019; Foo, 2020b) and small.", "It is fast and small."),
        ("Sidahmed et al. (2024) found that it is fast.", "Sidahmed et al. found that it is fast."),
        (r"It is fast~\cite{a}, small \citep[p.~3]{a,b}.", "It is fast, small."),
        ("It is fast [@perl; @other].", "It is fast."),
        ("Scores lie in the range [0, 1].", "Scores lie in the range [0, 1]."),
        ("The cohort (Denmark, 2010) was followed (in 2012).", "The cohort (Denmark, 2010) was followed (in 2012)."),
        ("[1]", "[1]"),
    ],
)
def test_a_claim_is_read_without_its_references(claim, stated):
    assert without_citations(claim) == stated


def test_papers_are_numbered_once_in_order_of_first_use():
    def evidence(doc_id, text):
        return Evidence(Document(doc_id, "T", text, "f#1"), Chunk(doc_id, 0, len(text), text), 1.0)

    a, b, c = evidence("a", "One."), evidence("b", "Two."), evidence("c", "Three.")
    numbers = number_papers([e.document.id for e in (b, a, b)], {"c": 4})
    assert numbers == {"c": 4, "b": 5, "a": 6}
    cited = footnote(a, numbers)
    assert (cited.number, cited.quote) == (6, a.document.text[cited.start : cited.end])
    assert number_papers([c.document.id], numbers)["c"] == 4
