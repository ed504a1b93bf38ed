"""What a reader changes: it sees question and text together, and its logit moves papers and sentences."""

import numpy as np
import pytest

from rag.pipeline import Footnote
from tests.conftest import ScriptedGenerator


class WordReader:
    """Finds that a text answers when it has a certain word."""

    name = "word"

    def __init__(self, word):
        self.word, self.read_texts = word, 0

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
    assert found[0].scores["reader"] == 9.0
    assert [hit.rank for hit in found] == [1, 2, 3, 4, 5]
    assert reader.read_texts > 20
    plain = opened(None).search(QUESTION, k=5)
    assert "reader" not in plain[0].scores
    assert [hit.chunk.doc_id for hit in plain] != [hit.chunk.doc_id for hit in found]


def test_a_reader_does_not_change_what_is_searched_through(opened):
    ours = {hit.chunk.doc_id for hit in opened(WordReader("whale")).search(QUESTION, k=41)}
    assert ours == {hit.chunk.doc_id for hit in opened(None).search(QUESTION, k=41)}
    assert len(ours) == 41
