"""Verdicts: who judged, why not, and that a guard cannot be outvoted."""

import pytest

from rag.models.entailer import Entailment
from rag.overlap import OverlapEntailer, keeps_to, recall
from rag.types import Citation, Claim, Document, Verdict
from rag.verify import judge, verify

EVIDENCE = "The frog hides 3 cells in its liver while it sleeps."


class Sure:
    """An entailer that says the same of everything."""

    name = "sure"

    def __init__(self, supported, contradicted=0.0):
        self.answer = Entailment(supported, contradicted, 1 - supported - contradicted)

    def entail(self, pairs):
        return [self.answer for _ in pairs]


def test_a_quotation_is_supported_whatever_the_entailer_says():
    for claim in (EVIDENCE, f"“{EVIDENCE}”"):
        found = judge(claim, [EVIDENCE], entailer=Sure(0.0))
        assert (found.verdict, found.support, found.judge) == (Verdict.SUPPORTED, 1.0, "verbatim")


def test_a_guard_cannot_be_outvoted():
    found = judge("The frog hides 5 cells in its liver.", [EVIDENCE], entailer=Sure(1.0))
    assert found.verdict is Verdict.CONTRADICTED
    assert found.support < 0.5
    assert "'5'" in found.reason


def test_the_entailer_decides_where_no_guard_objects():
    claim = "The sleeping frog hides cells."
    assert judge(claim, [EVIDENCE], entailer=Sure(0.9)).verdict is Verdict.SUPPORTED
    assert judge(claim, [EVIDENCE], entailer=Sure(0.1, 0.8)).verdict is Verdict.CONTRADICTED
    assert judge(claim, [EVIDENCE], entailer=Sure(0.1)).verdict is Verdict.NOT_ENOUGH_INFO
    assert judge(claim, [EVIDENCE], entailer=Sure(0.9)).judge == "guards + sure"


def test_without_evidence_nothing_is_supported():
    assert judge("Frogs sleep.", [], entailer=Sure(1.0)).verdict is Verdict.NOT_ENOUGH_INFO


@pytest.mark.parametrize("claim", ["Yes.", "That is right.", "It does not.", "Yes, exactly: it is!"])
def test_what_says_nothing_is_not_supported(claim):
    judgement = judge(claim, ["The model is 5 times as fast."], entailer=Sure(0.99))
    assert judgement.verdict is Verdict.NOT_ENOUGH_INFO
    assert "says nothing" in judgement.reason


def test_a_claim_is_judged_by_its_own_citation_only():
    document = Document("d", "Frogs", f"{EVIDENCE} Toads sing.", "f#1")
    wrong = Citation(1, "d", 53, 64, "Toads sing.", "f#1", "Frogs")
    right = Citation(1, "d", 0, len(EVIDENCE), EVIDENCE, "f#1", "Frogs")
    claims = [Claim("The frog hides 3 cells in its liver.", 0, 0, (cited,)) for cited in (wrong, right)]
    verdicts = [c.verdict for c in verify(claims, {"d": document}, entailer=OverlapEntailer())]
    assert verdicts[0] is not Verdict.SUPPORTED
    assert verdicts[1] is Verdict.SUPPORTED


def test_recall_counts_stems_once():
    assert recall("The frogs hide cells.", "A frog hides cells.") == 1.0
    assert recall("The of.", "Anything.") == 0.0
    assert recall("frog toad", "frog.") == 0.5


@pytest.mark.parametrize(
    ("claim", "supported"),
    [
        ("Outside-the-box access allows auditors to design more targeted evaluations.", True),
        ("White-box access allows auditors to scrutinize the process and design more targeted evaluations.", False),
        ("Access allows auditors to scrutinize the design and design process.", False),
        ("Targeted evaluations scrutinize auditors.", False),
    ],
)
def test_the_untrained_judge_wants_the_words_in_order(claim, supported):
    evidence = (
        "Meanwhile, outside-the-box access allows for auditors to scrutinize the development process and design "
        "more targeted evaluations."
    )
    assert (judge(claim, [evidence], entailer=OverlapEntailer()).verdict is Verdict.SUPPORTED) is supported


def test_a_quotation_under_its_papers_title_is_one(seeds):
    from rag.cite import said

    answer = seeds.ask("Which papers bring up privacy or data protection law?")
    assert len({c.doc_id for claim in answer.claims for c in claim.citations}) > 1
    for claim in answer.claims:
        (citation,) = claim.citations
        assert claim.text.startswith(citation.title)
        assert said(claim).strip("“”") == " ".join(citation.quote.split())
        assert claim.judge == "verbatim"


@pytest.mark.parametrize(
    ("text", "support", "closely", "verdict"),
    [
        ("The frog hides its red cells in its liver.", 0.6, True, Verdict.SUPPORTED),
        ("Blood is kept out of sight in an organ.", 0.95, True, Verdict.NOT_ENOUGH_INFO),
        ("Blood is kept out of sight in an organ.", 0.95, False, Verdict.SUPPORTED),
        ("Blood is kept out of sight in an organ.", 0.6, False, Verdict.NOT_ENOUGH_INFO),
    ],
)
def test_more_is_asked_of_written_sentences(text, support, closely, verdict):
    evidence = "While it sleeps, the frog hides its red cells in its liver."
    document = Document("d", "Frogs", evidence, "frogs.txt")
    citation = Citation(1, "d", 0, len(evidence), evidence, "frogs.txt", "Frogs")
    claim = Claim(text, 0, len(text), (citation,))
    (found,) = verify([claim], {"d": document}, entailer=Sure(support), closely=closely)
    assert found.verdict is verdict
    assert bool(found.reason) == (verdict is not Verdict.SUPPORTED)


@pytest.mark.parametrize(
    ("text", "keeps"),
    [
        ("The glass frog hides its red cells in its liver.", True),
        ("The glass frog, a small animal, hides its red cells in its liver.", True),
        ("The glass frog hides its cells in its liver while it sleeps.", False),  # in another order
        ("While it sleeps, the glass frog hides its cells in its liver.", True),
        ("The glass frog is its liver.", False),
        ("A GF is a small animal.", True),
    ],
)
def test_a_sentence_is_shortened_by_words_and_clauses_only(text, keeps):
    evidence = "While it sleeps, the glass frog (GF), which is a small animal, hides its red cells in its liver."
    assert keeps_to(text, evidence) is keeps


def test_an_objection_lowers_the_support_but_keeps_the_order():
    claim = "The frog hides 5 cells in its liver."
    low, high = (judge(claim, [EVIDENCE], entailer=Sure(value)).support for value in (0.6, 1.0))
    assert low < high < 0.5


def test_quotation_marks_alone_quote_nothing():
    assert judge("“”", ['"'], entailer=Sure(1.0)).verdict is Verdict.NOT_ENOUGH_INFO


@pytest.mark.parametrize("closely", [True, False])
def test_a_written_sentence_gives_no_name_the_figure_of_another(closely):
    evidence = "At Bo frogs sing for 40% of the night, at Ny for 20% of it."
    document = Document("d", "Frogs", evidence, "frogs.txt")
    citation = Citation(1, "d", 0, len(evidence), evidence, "frogs.txt", "Frogs")
    text = "At Bo and Ny frogs sing for 40% of the night."
    (found,) = verify([Claim(text, 0, len(text), (citation,))], {"d": document}, entailer=Sure(0.99), closely=closely)
    assert found.verdict is not Verdict.SUPPORTED
    assert found.reason
