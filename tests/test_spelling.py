"""Misspelt words are read as what the papers have; rare, foreign and named ones are left alone."""

import pytest

from rag.spelling import corrected, suspects
from rag.types import Document

PAPER = Document(
    "d", "Mamba", "The retrieval system learns concepts. Gemma is a Transformer of criteria. NNsight has SPIT.", "d.txt"
)


def idf(stems):
    known = {"retriev", "system", "learn", "concept", "gemma", "transform", "criteria"}
    return {stem: 1.0 if stem in known else 5.0 for stem in stems}


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("which retreival systm is it", "which retrieval system is it"),
        ("what is the critera", "what is the criteria"),
        ("How does the Mmaba paper do it?", "How does the Mamba paper do it?"),
        ("wich Trasnformer is Gema", "wich Transformer is Gemma"),
        ("What is it abouut, and how larhe?", "What is it about, and how large?"),
        ("Which systrm has the naames?", "Which system has the names?"),
        ("How large is the qlora adapter?", "How large is the qlora adapter?"),
        ("Is unlearning erasure, or isn't it?", "Is unlearning erasure, or isn't it?"),
        ("Does peft use tokenizers?", "Does peft use tokenizers?"),
        ("How does a stork cope with terns?", "How does a stork cope with terns?"),
        ("Is Gemma3 a Transformer?", "Is Gemma3 a Transformer?"),
        ("Does ALBERT learn?", "Does ALBERT learn?"),
        ("Is GEMMMA what SIPT is?", "Is Gemma what SIPT is?"),
        ("Does NNsigth differ from GEMTA?", "Does NNsight differ from GEMTA?"),
        ("What causes dendrite growth?", "What causes dendrite growth?"),
        ("Which authors measured the systems?", "Which authors measured the systems?"),
    ],
)
def test_what_is_put_right(embedder, asked, read):
    assert corrected(asked, suspects(asked, embedder, idf), [PAPER]) == read


def test_a_backslash_in_a_paper_is_text():
    odd = Document("d", "", r"The \\1concept of it.", "d.txt")
    assert corrected("what concpet", ["concpet"], [odd]) == "what concept"


def test_the_answer_tells_how_the_question_was_read(seeds):
    answer = seeds.ask("how many refusl categores does the taxonmy have")
    assert answer.standalone_question == "how many refusal categories does the taxonomy have"
    assert "16 refusal categories" in answer.claims[0].text
