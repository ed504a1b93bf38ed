"""Evidence: as broad as the question, only from the papers that were found, or none at all."""

import pytest

from rag.evidence import _unmentioned, select
from rag.pipeline import Footnote
from rag.types import Abstention, Chunk, Hit


def sources(answer):
    return {citation.source for citation in answer.citations}


def test_a_fact_is_answered_from_the_best_paper(seeds):
    answer = seeds.ask("How many refusal categories does the taxonomy have?")
    assert answer.claims[0].citations[0].source == "001_9de947f1776eb1c7.txt#2"
    assert "16 refusal categories" in answer.claims[0].text


def test_a_comparison_is_answered_from_both_papers(seeds):
    assert sources(seeds.ask("How do Gemma and Gemma 2 differ in size?")) >= {
        "002_dd4b9b65b304c986.txt#2",
        "002_dd4b9b65b304c986.txt#7",
    }


@pytest.mark.parametrize(
    ("question", "papers"),
    [
        ("How do HELMET and ProLong differ in their view of needle-in-a-haystack tests?", {3, 4}),
        ("What do SORRY-Bench and the refusal composition paper each contribute as datasets?", {2, 10}),
    ],
)
def test_each_paper_of_several_is_read_for_what_is_asked_of_it(seeds, question, papers):
    answer = seeds.ask(question)
    assert {int(source.split("#")[1]) for source in sources(answer)} >= papers
    assert answer.confidence >= 0.5


def test_a_list_gets_one_sentence_of_each_paper(seeds):
    answer = seeds.ask("Which papers study unlearning?")
    cited = [claim.citations[0].source for claim in answer.claims]
    assert len(cited) == len(set(cited)) >= 3


@pytest.mark.parametrize(
    "question", ["What is the boiling point of water?", "Which enzymes break down cellulose in termites?"]
)
def test_a_far_question_is_declined_with_the_nearest_papers_and_no_draft(seeds, question):
    answer = seeds.ask(question)
    assert (answer.abstention, answer.text) == (Abstention.WEAK_EVIDENCE, "")
    assert answer.hits
    assert seeds.generator.prompts == []


def test_a_named_paper_that_does_not_speak_of_it_is_declined(seeds):
    assert seeds.ask("What temperature was used for sampling in SuperHF?").abstention is Abstention.WEAK_EVIDENCE


def test_a_paper_with_a_score_below_nothing_is_read_all_the_same(seeds):
    document = seeds.library.resolve("002_dd4b9b65b304c986.txt#5")
    query = seeds.models.sentences.query("What is PERL?", seeds.library.idf)
    hit = Hit(Chunk(document.id, 0, len(document.text), document.text), -0.2, 1)
    assert select(query, [hit], {document.id: document}, seeds.models.sentences).signals.match == 0.0


def test_answers_stay_short(seeds):
    for question in ("What is HELMET?", "How does BASED work?", "What is a sparse feature circuit?"):
        assert len(seeds.ask(question).text.split()) <= 125


def test_what_the_entailer_makes_of_the_question_is_a_sign_where_it_is_our_own(seeds, tmp_path):
    said = seeds.signals("Does PERL need less memory than conventional RLHF?").entailed
    about = seeds.signals("Does PERL need a reward model of its own?").entailed
    assert said > about + 1
    assert seeds.signals("Which papers study unlearning?").entailed is None, "not for lists"
    other = Footnote.open(tmp_path / "library", embedder=seeds.embedder, reader=seeds.reader, entailer="overlap")
    assert other.signals("Does PERL need less memory than conventional RLHF?").entailed is None
    other.library.close()


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What is Zorblax?", "Zorblax"),
        ("How long does PERL take on a CRAY?", "CRAY"),
        ("Does ELM beat FlashNet-4?", "FlashNet-4"),
        ("What does the ODEL do?", "ODEL"),  # letters inside "models" are no version of it
        ("How much memory does PERL need?", ""),
        ("Is it what RLHF-style training does?", ""),
        ("Does Sidahmmed compare RHLF?", "RHLF"),
        ("HOW MUCH MEMORY DOES PERL ALWAYS NEED?", ""),
        ("How large is Gemma-9?", ""),  # a version may be told otherwise
        ("Can Google's models keep up?", ""),  # a usual word too
        ("What did Sidahmed find on LLMs?", ""),  # an author, and an abbreviation
    ],
)
def test_a_name_that_no_paper_mentions_is_found(seeds, question, name):
    papers = seeds.library.documents([hit.chunk.doc_id for hit in seeds.search("PERL, RLHF, Gemma and LLMs", k=10)])
    assert _unmentioned(question, papers) == name
    assert _unmentioned(question, papers[:2]) == ""


def test_an_abstention_tells_the_name_that_no_paper_mentions(seeds):
    answer = seeds.ask("What is Zorblax?")
    assert (answer.abstention, "mentions “Zorblax”" in answer.notice) == (Abstention.WEAK_EVIDENCE, True)
