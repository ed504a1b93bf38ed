"""What a reader changes: it sees question and text together, and its logit moves papers and sentences."""

import numpy as np
import pytest

from rag.pipeline import Footnote
from rag.types import Abstention
from tests.conftest import ScriptedGenerator


class WordReader:
    """Finds that a text answers when it has a certain word."""

    name = "word"

    def __init__(self, word, *, knows_none=False):
        self.word, self.knows_none, self.read_texts = word, knows_none, 0

    def read(self, question, texts):
        self.read_texts += len(texts)
        return np.asarray([9.0 if self.word in text else -9.0 for text in texts], np.float32)


@pytest.fixture
def opened(seed_folder, embedder):
    def opened(reader):
        return Footnote.open(seed_folder, embedder=embedder, generator=ScriptedGenerator(), reader=reader)

    return opened


QUESTION = "Which work is about long context benchmarks?"


def test_a_reader_moves_papers(opened):
    reader = WordReader("perplexity")
    found = opened(reader).search(QUESTION, k=5)
    assert found[0].scores["reranker"] == 9.0
    assert [hit.rank for hit in found] == [1, 2, 3, 4, 5]
    assert reader.read_texts > 20
    plain = opened(None).search(QUESTION, k=5)
    assert "reranker" not in plain[0].scores
    assert [hit.chunk.doc_id for hit in plain] != [hit.chunk.doc_id for hit in found]


def test_a_reader_does_not_change_what_is_searched_through(opened):
    ours = {hit.chunk.doc_id for hit in opened(WordReader("whale")).search(QUESTION, k=41)}
    assert ours == {hit.chunk.doc_id for hit in opened(None).search(QUESTION, k=41)}
    assert len(ours) == 41


def test_a_reader_that_knows_none_is_asked_about_sentences_only(opened):
    reader = WordReader("perplexity", knows_none=True)
    assert [h.chunk.doc_id for h in opened(reader).search(QUESTION)] == [
        h.chunk.doc_id for h in opened(None).search(QUESTION)
    ]
    assert reader.read_texts == 0


def test_a_reader_picks_the_sentence_and_decides_on_abstention(opened):
    question = "How many refusal categories does the taxonomy have?"
    picked = opened(WordReader("IFT", knows_none=True)).ask(question)
    assert "IFT" in picked.claims[0].text
    plain = opened(None).ask(question)
    assert "16 refusal categories" in plain.claims[0].text
    refused = opened(WordReader("no such word", knows_none=True)).ask(question)
    assert refused.abstention is Abstention.WEAK_EVIDENCE
    assert refused.confidence < plain.confidence
