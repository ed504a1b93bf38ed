"""Late interaction: against a naive loop, by words rather than wholes, and for models that show no tokens."""

import numpy as np
import pytest

from rag.models.embedder import Tokens
from rag.sentences import SentenceVectors
from rag.types import Document

PAPER = Document("d", "Frogs", "The frogs sleep in winter. Their livers keep red cells. It is cold.", "frogs.txt")
RARITY = {"frog": 3.0, "liver": 2.0, "sleep": 1.0}


def idf(stems):
    return {stem: RARITY.get(stem, 4.0) for stem in stems}


@pytest.fixture(scope="module")
def vectors(embedder):
    return SentenceVectors(embedder)


def test_a_match_is_the_weighted_mean_of_the_best_similarities(vectors):
    query = vectors.query("Do frogs sleep?", idf)
    (own,) = vectors.of([PAPER])
    for sentence, match in zip(own.tokens, own.matches(query), strict=True):
        best = [max(float(a @ b.astype(np.float32)) for b in sentence) for a in query.tokens]
        assert match == pytest.approx(sum(w * s for w, s in zip(query.weights, best, strict=True)), abs=1e-3)
    assert [chunk.text for chunk in own.chunks] == [
        "The frogs sleep in winter.",
        "Their livers keep red cells.",
        "It is cold.",
    ]
    assert own.matches(query).argmax() == 0


def test_rare_words_weigh_more_and_stop_words_nothing(vectors):
    query = vectors.query("the frogs of the liver, asleep?", idf)
    assert float(query.weights.sum()) == pytest.approx(1)
    assert query.weights[0] == 0, "a stop word"
    assert query.weights[1] / query.weights[4] == pytest.approx(3 / 2)
    assert len(query.weights) == len(query.tokens)


def test_the_pieces_of_a_word_share_its_weight(vectors):
    query = vectors.query("frog glioblastoma", idf)
    assert len(query.tokens) > 2, "the second word is cut into pieces"
    assert float(query.weights[0]) == pytest.approx(3 / 7)
    assert float(query.weights[1:].sum()) == pytest.approx(4 / 7)


@pytest.mark.parametrize("text", ["of the", "?!", "…"])
def test_a_question_without_content_weighs_all_alike(vectors, text):
    query = vectors.query(text, idf)
    assert query.weights.tolist() == pytest.approx([1 / len(query.tokens)] * len(query.tokens))


def test_tokens_come_out_of_the_pass_that_gives_the_vector(embedder):
    (both,) = embedder.encode_tokens(["Frogs sleep."])
    assert np.allclose(both.vector, embedder.encode(["Frogs sleep."])[0], atol=1e-6)
    assert np.allclose(np.linalg.norm(both.tokens, axis=1), 1, atol=1e-5)
    assert ["Frogs sleep."[a:b] for a, b in both.spans] == ["Frogs", "sleep", "."]
    assert embedder.encode_tokens([]) == []


def test_a_model_that_shows_no_tokens_matches_by_whole_sentences(embedder):
    class Blind:
        def encode_tokens(self, texts, *, query=False):
            return [Tokens(v, v[None], ((0, len(t)),)) for v, t in zip(embedder.encode(texts), texts, strict=True)]

    vectors = SentenceVectors(Blind())
    query = vectors.query("Do frogs sleep?", idf)
    (own,) = vectors.of([PAPER])
    cosines = embedder.encode([chunk.text for chunk in own.chunks]) @ query.vector
    assert own.matches(query).tolist() == pytest.approx(cosines.tolist(), abs=1e-3)


def test_a_paper_without_text_has_no_matches(vectors):
    (own,) = vectors.of([Document("e", "Empty", "", "e.txt")])
    assert own.matches(vectors.query("frogs", idf)).shape == (0,)


def test_sentences_are_kept_until_there_are_too_many(embedder, monkeypatch):
    monkeypatch.setattr("rag.sentences.KEPT", 2)
    vectors = SentenceVectors(embedder)
    papers = [Document(str(i), "", f"Frog {i} sleeps.", f"{i}.txt") for i in range(3)]
    (first,) = vectors.of(papers[:1])
    assert vectors.of(papers[:2])[0] is first
    vectors.of(papers[2:])
    assert vectors.of(papers[:1])[0] is not first
