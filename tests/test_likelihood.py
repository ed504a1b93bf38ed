"""Questions in other words than the papers: the asker has a say, and only there."""

import numpy as np
import pytest

from rag import choosing
from rag.choosing import Models
from rag.models import QueryLikelihood, load_asker
from rag.retrieve import FEW_WORDS, GUESSED, MOST_OF_A_TOKEN, by_likelihood, in_other_words
from rag.settings import Settings
from rag.types import Chunk, Document, Hit

DOCUMENTS = {f"d{i}": Document(f"d{i}", f"Title {i}", f"Text {i}.", f"{i}.txt") for i in range(GUESSED + 3)}


class Guessing:
    """Finds a question likelier the later its text comes."""

    def __init__(self):
        self.asked = []

    def log_likelihood(self, question, texts):
        self.asked.append((question, list(texts)))
        return np.stack([np.full(3, place / 10 - 5, np.float32) for place in range(len(texts))])


def hits(shares, *, match=0.4):
    found = {"match": match, "dense": 0.2}
    return [
        Hit(Chunk(f"d{i}", 0, 7, f"Text {i}."), 3.0 - i / 10, i + 1, found | ({"bm25_share": share} if share else {}))
        for i, share in enumerate(shares)
    ]


def test_few_shared_words_are_told_from_many():
    assert in_other_words(hits([0.0, FEW_WORDS - 0.01]))
    assert not in_other_words(hits([0.0, FEW_WORDS + 0.01]))
    assert not in_other_words(hits([0.0])), "one paper has no order"
    assert not in_other_words([])
    assert not in_other_words(hits([0.0, 0.1], match=0.1)), "none is like it"


def test_the_likeliest_moves_up_and_the_rest_stays():
    model = Guessing()
    given = hits([0.0] * len(DOCUMENTS))
    found = by_likelihood("Why?", given, DOCUMENTS, model)
    assert isinstance(model, QueryLikelihood)
    assert [hit.rank for hit in found] == list(range(1, len(given) + 1))
    assert found[0].chunk.doc_id == f"d{GUESSED - 1}"
    assert found[0].score == given[GUESSED - 1].score, "only those that fall behind lose"
    assert [hit.chunk.doc_id for hit in found[GUESSED:]] == [hit.chunk.doc_id for hit in given[GUESSED:]]
    assert model.asked == [("Why?", [f"Title {i}. Text {i}." for i in range(GUESSED)])]


def test_only_a_question_in_other_words_is_weighed(seeds):
    seeds.models.given["asker"] = model = Guessing()
    named = seeds.search("How large is the Gemma 2 model with knowledge distillation?")
    assert not model.asked
    assert not any("likelihood" in hit.scores for hit in named)
    vague = seeds.search("Has anyone rebuilt the fake shrink of the sixties inside a modern neural network?")
    assert len(model.asked) == 1
    assert ["likelihood" in hit.scores for hit in vague] == [hit.rank <= GUESSED for hit in vague]
    far = seeds.search("Why is the sky blue?")
    assert len(model.asked) == 1
    assert not any("likelihood" in hit.scores for hit in far)


@pytest.mark.parametrize(("settings", "asked"), [({"reranker": "none"}, 0), ({"llm_url": "http://x"}, 1)])
def test_it_is_asked_beside_our_own_reader_whatever_writes(seeds, settings, asked):
    seeds.models.given["asker"] = model = Guessing()
    seeds.models.settings = seeds.settings.model_copy(update=settings)
    seeds.search("Has anyone rebuilt the fake shrink of the sixties inside a modern neural network?")
    assert len(model.asked) == asked


def test_no_one_word_decides():
    class Certain:
        def log_likelihood(self, question, texts):
            found = np.full((len(texts), 4), -4.0, np.float32)
            found[1, 0] = 0.0  # one word much likelier than after any other
            found[2, 1:] += 1.5  # the others somewhat
            found[3, 0] = -50.0
            return found

    found = by_likelihood("Why not here?", hits([0.0] * 4), DOCUMENTS, Certain())
    likelihood = {hit.chunk.doc_id: hit.scores["likelihood"] for hit in found}
    assert likelihood["d2"] > likelihood["d1"] > likelihood["d0"]
    assert likelihood["d0"] - likelihood["d3"] < MOST_OF_A_TOKEN / 4, "nor does one that it cannot explain"


def test_a_search_fetches_no_asker_and_an_answer_only_what_writes_it(monkeypatch, tmp_path):
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path))
    monkeypatch.setattr(choosing, "load_asker", lambda settings: "loaded")
    assert Models(Settings()).asker() is None
    assert Models(Settings(llm="other/model")).asker(fetch=True) is None
    assert Models(Settings(llm_url="http://x")).asker(fetch=True) is None
    assert Models(Settings()).asker(fetch=True) == "loaded"
    assert not list(tmp_path.iterdir())


def test_the_first_answer_is_ranked_like_the_next(seeds, monkeypatch):
    asked = []
    monkeypatch.setattr(seeds.models, "asker", lambda *, fetch=False: asked.append(fetch))
    vague = "Has anyone rebuilt the fake shrink of the sixties inside a modern neural network?"
    seeds.search(vague)
    for _ in seeds.stream(vague):
        pass
    assert asked == [False, True]


def test_the_asker_knows_other_words_for_things():
    asker = load_asker(Settings())
    texts = ["Whales sing songs that last for hours.", "We measure the price of bread in small towns."]
    sea, shop = asker.log_likelihood("What noise do big sea animals make?", texts).mean(axis=1)
    assert sea > shop
    sea, shop = asker.log_likelihood("How much does a loaf cost out in the country?", texts).mean(axis=1)
    assert shop > sea
