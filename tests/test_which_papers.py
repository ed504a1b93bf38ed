"""Questions for papers: told from others, and what is looked for in their place."""

import pytest

from rag.evidence import select
from rag.followup import standalone
from rag.searching import search, with_papers
from rag.types import Turn
from rag.which_papers import lists, topic


@pytest.mark.parametrize(
    ("question", "sought"),
    [
        ("Which papers discuss forgetting?", "forgetting?"),
        ("In which papers does calibration come up?", "does calibration ?"),
        ("List the abstracts in which attacks on a model are mentioned.", "the in which attacks on a model ."),
        ("What recent studies release a dataset of refusals?", "recent release a dataset of refusals?"),
        ("Which machine unlearning papers are about images?", "machine unlearning images?"),
        ("Which of the works use a sparse autoencoder?", "use a sparse autoencoder?"),
        ("papers on unlearning", "unlearning"),
        ("Which papers study refusals?", "refusals?"),
        ("Which papers that look at forgetting are there?", "forgetting are there?"),
        ("Which papers let agents explore a maze?", "let agents explore a maze?"),
        ("Which papers have something to do with case studies?", "case studies?"),
        ("Which randomized trials studied HIV?", "randomized HIV?"),
        ("Could you recommend recent papers about refusals?", "recent refusals?"),
    ],
)
def test_the_frame_is_taken_off(question, sought):
    assert lists(question)
    assert topic(question) == sought


@pytest.mark.parametrize(
    "question",
    [
        "What LoRA rank works best for reward models?",
        "What made the authors expect that recall sits in certain places?",
        "How does the paper measure recall?",
        "What does calibration cover?",
        "What do the authors recommend for future studies?",
        "Is there a benchmark for papers on frogs?",
        "Do papers on frogs sing?",
        "How many studies did the meta-analysis include?",
        "How many research papers was the model trained on?",
        "How many ablation studies support the claim?",
        "How many trials does each run take?",
    ],
)
def test_other_questions_stay_as_they_are(question):
    assert not lists(question)
    assert topic(question) == question


def test_a_question_of_nothing_else_stays_as_it_is():
    assert lists("Which papers are there?")
    assert topic("Which papers are there?") == "Which papers are there?"


def test_the_topic_of_a_follow_up_stays_behind_it():
    asked = standalone("Which other papers mention it?", [Turn("What is BM25?", "BM25 ranks texts by their words.")])
    assert topic(asked) == asked.replace("Which other papers mention it", "other it")


def test_a_question_after_one_for_papers_is_another():
    asked = standalone("How long do they sing?", [Turn("Which papers are about tree frogs?", "They are about frogs.")])
    assert not lists(asked)
    assert topic(asked) == "How long do they sing? (about: tree frogs)"


def test_a_list_has_every_paper_that_surely_belongs_there(seeds):
    asked = "Which papers introduce Gemma models?"
    query, hits = search(asked, seeds.library, seeds.models, k=10)
    found = select(query, *with_papers(hits, seeds.library), seeds.models.sentences, reader=seeds.reader)
    assert {item.document.source for item in found.sure} == {f"002_dd4b9b65b304c986.txt#{n}" for n in (2, 7)}
    assert seeds.ask(asked).standalone_question == asked


def test_papers_that_have_what_is_asked_for_come_first(seeds):
    hits = seeds.search("List the abstracts in which calibration is mentioned.", k=2)
    assert all("calibrat" in seeds.library.document(hit.chunk.doc_id).text for hit in hits)
