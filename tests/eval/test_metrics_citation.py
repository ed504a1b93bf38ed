"""Citation metrics by hand and against naive versions; what others let through is planted here."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.dataset import GoldSentence
from eval.metrics.citation import (
    Statement,
    misattribution,
    necessity,
    precision,
    recall,
    statements,
    validity_of,
    verbatim,
)
from eval.metrics.evidence import Place, cited_places, marked_places, overlap
from eval.metrics.share import Share
from rag.types import Answer, Citation, Claim


def entails(premise, claim):
    """A judge for statements that are sets of letters: all of them must be in the premise."""
    return set(claim) <= set(premise)


def undecided(premise, claim):
    return None


ALL = (recall, precision, necessity)


def test_by_hand():
    cited = [
        Statement("ab", ("a", "b")),  # entailed by both together; each is needed
        Statement("ab", ("ab", "b")),  # "b" is irrelevant, "ab" entails alone
        Statement("ab", ("ab", "ab")),  # both precise, none needed
        Statement("ab", ("a",)),  # not entailed
        Statement("ab"),  # nothing cited
    ]
    assert recall(cited, entails) == Share(3, 5)
    assert precision(cited, entails) == Share(2 + 1 + 2 + 0, 7)
    assert necessity(cited, entails) == Share(2 + 1 + 0, 6)


def test_nothing_to_count_has_no_value():
    for metric in ALL:
        assert metric([], entails).value is None
    assert precision([Statement("ab")], entails).value is None
    assert recall([Statement("ab")], entails).value == 0.0
    assert validity_of(Answer("?", "?", "No marker.")).value is None
    assert overlap([], []).precision.value is overlap([], []).recall.value is None


def test_a_fabricated_number_stays_in_the_denominator():
    """ALCE's code skips numbers that were not shown, so that making them up costs nothing."""
    assert precision([Statement("a", ("a",))], entails, fabricated=3) == Share(1, 4)
    kept = Claim("a", 0, 1, (citation("a", "doc", 0),))
    answer = Answer("?", "?", "a [1]", claims=(kept,), withdrawn=(kept,), fabricated_markers=2)
    assert validity_of(answer) == Share(2, 4)


def test_what_was_quoted_beside_the_draft_dilutes_no_fabricated_number():
    quoted = Claim("“a”", 0, 1, (citation("a", "doc", 0),))
    assert validity_of(Answer("?", "?", "“a” [1]", claims=(quoted,) * 3, fabricated_markers=1)) == Share(0, 1)
    assert validity_of(Answer("?", "?", "“a” [1]", claims=(quoted,))).value is None


def test_what_cannot_be_judged_is_unscored_and_bounded():
    cited = [Statement("ab", ("a", "b")), Statement("c", ("c",))]
    for metric in (precision, necessity):
        assert metric(cited, undecided) == Share(0, 0, 3)
        assert (metric(cited, undecided).lowest, metric(cited, undecided).highest) == (0.0, 1.0)
    assert recall([*cited, Statement("d")], undecided) == Share(0, 1, 2)

    def unsure_of_c(premise, claim):
        return None if "c" in claim else entails(premise, claim)

    assert recall(cited, unsure_of_c) == Share(1, 1, 1)
    assert recall(cited, unsure_of_c).value == 1.0
    assert recall(cited, unsure_of_c).lowest == 0.5


def test_precision_is_unscored_only_where_the_verdict_hangs_on_it():
    def judge(**said):
        return lambda premise, claim: said[premise.replace(" ", "")]

    cited = [Statement("claim", ("x", "y"))]
    # x alone, y alone, both; each is also what is left without the other
    assert precision(cited, judge(x=True, y=None, xy=True)) == Share(1, 1, 1)  # x does; y is irrelevant if it does not
    assert precision(cited, judge(x=False, y=None, xy=True)) == Share(1, 1, 1)  # y is needed; x if y does not do alone
    assert precision(cited, judge(x=None, y=None, xy=True)) == Share(0, 0, 2)
    assert precision(cited, judge(x=True, y=False, xy=True)) == Share(1, 2)
    assert precision(cited, judge(x=None, y=None, xy=False)) == Share(0, 2)


def test_probabilities_count_from_one_half():
    assert recall([Statement("a", ("a",))], lambda premise, claim: 0.5) == Share(1, 1)
    assert recall([Statement("a", ("a",))], lambda premise, claim: 0.49) == Share(0, 1)


def test_the_right_sentence_of_the_wrong_paper_is_noticed():
    gold = {"A": "abc", "B": "xyz"}
    cited = [
        Statement("ab", ("ab",), ("A",)),  # right
        Statement("ab", ("x",), ("B",)),  # A says so, B is cited
        Statement("ab", ("c",), ("A",)),  # the wrong sentence of the right paper
        Statement("q", ("x",), ("B",)),  # nobody says so
        Statement("ab"),  # cites nothing
    ]
    assert misattribution(cited, gold, entails) == Share(1, 4)
    assert misattribution(cited[:1], gold, undecided) == Share(0, 0, 1)


def citation(quote, doc_id, start, source=""):
    return Citation(1, doc_id, start, start + len(quote), quote, source)


DOCUMENTS = {"frogs": "Frogs sleep. Frogs wake.", "toads": "Toads never sleep."}


def test_quotes_must_stand_where_they_say():
    right = citation("Frogs wake.", "frogs", 13)
    wrong = [
        citation("Frogs wake.", "frogs", 12),  # one off
        citation("Frogs woke.", "frogs", 13),  # one letter
        citation("Frogs wake.", "toads", 13),  # another document
        citation("Frogs wake.", "newts", 13),  # no document
        citation("", "frogs", 3),  # nothing
        Citation(1, "frogs", -11, 24, "Frogs wake."),
    ]
    assert verbatim([right, *wrong], DOCUMENTS) == Share(1, 7)
    assert verbatim([], DOCUMENTS).value is None


def test_claims_become_statements():
    claim = Claim("Frogs wake [1].", 0, 5, (citation("Frogs wake.", "frogs", 13, "f#1"),))
    assert statements([claim]) == [Statement("Frogs wake [1].", ("Frogs wake.",), ("f#1",))]


def test_overlap_by_hand():
    marked = marked_places([GoldSentence("f#1", "Frogs wake.")], {"f#1": DOCUMENTS["frogs"]})
    assert marked == [Place("f#1", 13, 24)]
    cited = cited_places([citation("sleep. Frogs", "frogs", 6, "f#1"), citation("Toads", "toads", 0, "t#1")])
    found = overlap(cited, marked)
    assert (found.precision, found.recall) == (Share(5, 17), Share(5, 11))
    with pytest.raises(ValueError, match="not verbatim"):
        marked_places([GoldSentence("f#1", "Frogs woke.")], {"f#1": DOCUMENTS["frogs"]})


PLACES = st.lists(
    st.builds(lambda s, a, n: Place(s, a, a + n), st.sampled_from("ab"), st.integers(0, 9), st.integers(0, 6))
)


@given(PLACES, PLACES)
def test_overlap_against_a_naive_version(cited, marked):
    def has(places, source, at):
        return any(place.source == source and place.start <= at < place.end for place in places)

    every = [(source, at) for source in "ab" for at in range(20)]
    ours = [spot for spot in every if has(cited, *spot)]
    theirs = [spot for spot in every if has(marked, *spot)]
    common = [spot for spot in ours if spot in theirs]
    assert overlap(cited, marked).precision == Share(len(common), len(ours))
    assert overlap(cited, marked).recall == Share(len(common), len(theirs))


STATEMENTS = st.lists(
    st.builds(
        Statement, st.text("abc", min_size=1, max_size=3), st.lists(st.text("abc", max_size=2), max_size=3).map(tuple)
    )
)


@given(STATEMENTS)
def test_against_a_naive_version(cited):
    """Precision by its definition; necessity by: in every set of passages that entails, there it is."""
    entailed = [s for s in cited if s.passages and set(s.text) <= set("".join(s.passages))]
    precise = needed = 0
    for statement in entailed:
        places = range(len(statement.passages))
        enough = [
            chosen
            for size in (1, len(places) - 1, len(places))
            for chosen in combinations(places, size)
            if chosen and set(statement.text) <= set("".join(statement.passages[i] for i in chosen))
        ]
        for place in places:
            rest = tuple(other for other in places if other != place)
            needed += rest not in enough
            precise += (place,) in enough or rest not in enough
    assert recall(cited, entails) == Share(len(entailed), len(cited))
    assert precision(cited, entails) == Share(precise, sum(len(s.passages) for s in cited))
    assert necessity(cited, entails) == Share(needed, sum(len(s.passages) for s in entailed))
