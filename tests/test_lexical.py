"""BM25: the formula, plain-text questions, and kills."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import LibraryDamagedError
from rag.library.lexical import Lexical, terms
from tests.library_parts import paper


@pytest.fixture
def lexical(tmp_path):
    return Lexical(tmp_path / "lexical", create=True)


TEXTS = [
    "Circuits in models of language",
    "A circuit is a subgraph of a model, and circuits explain a model's behaviour",
    "Giraffes eat leaves",
    "Naïve edge pruning finds circuits; pruned edges are restored",
]


def papers(texts=TEXTS):
    return [paper(n, title="", text=text) for n, text in enumerate(texts)]


def test_scores_are_those_of_the_formula(lexical):
    lexical.write(gone=(), documents=papers())
    bags = [Counter(terms(text)) for text in TEXTS]
    mean = sum(bag.total() for bag in bags) / len(bags)

    def score(word, bag):
        n = sum(word in other for other in bags)
        idf = math.log(1 + (len(bags) - n + 0.5) / (n + 0.5))
        return idf * bag[word] * 2.2 / (bag[word] + 1.2 * (0.25 + 0.75 * bag.total() / mean))

    question = "How do circuits explain models, and circuits prune?"
    expected = {
        f"d{n}": pytest.approx(total, abs=1e-4)
        for n, bag in enumerate(bags)
        if (total := sum(score(word, bag) for word in terms(question)))
    }
    found = lexical.search(question, 10)
    assert dict(found) == expected
    assert [s for _, s in found] == sorted((s for _, s in found), reverse=True)


def test_words_are_stems_without_case_accents_and_function_words():
    assert terms("The Naïve PRUNING of edges isn't 3.5% done") == ["naiv", "prune", "edg", "isn", "3", "5"]
    assert terms("") == terms("what is the") == []


def test_idf_and_bound(lexical):
    lexical.write(gone=(), documents=papers())
    idf = lexical.idf(["giraff", "circuit", "unknown"])
    assert idf["giraff"] == pytest.approx(math.log(1 + 3.5 / 1.5))
    assert idf["circuit"] == pytest.approx(math.log(1 + 1.5 / 3.5))
    assert idf["unknown"] == pytest.approx(math.log(1 + 4.5 / 0.5)), "as the rarest word"
    assert lexical.bound(["giraff", "giraff"]) == pytest.approx(2 * 2.2 * idf["giraff"])
    assert lexical.bound([]) == 0.0


@given(st.lists(st.sampled_from("alpha beta gamma delta the".split()), max_size=9), st.data())
def test_no_score_exceeds_the_bound(tmp_path_factory, words, data):
    texts = data.draw(st.lists(st.lists(st.sampled_from("alpha beta gamma".split()), max_size=30), max_size=4))
    lexical = Lexical(tmp_path_factory.mktemp("l"), create=True)
    lexical.write(gone=(), documents=papers([" ".join(text) for text in texts]))
    question = " ".join(words)
    assert all(score < lexical.bound(terms(question)) for _, score in lexical.search(question, 10))


@pytest.mark.parametrize("question", ["AND (", "title:circuits", '"', "circuits^9 OR *", "+-!{}[]~\\", "a" * 5000])
def test_a_question_is_plain_text(lexical, question):
    lexical.write(gone=(), documents=papers())
    assert {doc_id for doc_id, _ in lexical.search(question, 10)} in ({"d0", "d1", "d3"}, set())


def test_only_allowed_documents_with_unchanged_scores(lexical):
    lexical.write(gone=(), documents=papers())
    everything = dict(lexical.search("circuits models", 10))
    assert dict(lexical.search("circuits models", 10, {"d1", "d2"})) == {"d1": pytest.approx(everything["d1"])}
    assert lexical.search("circuits", 10, set()) == []


def test_a_document_takes_the_place_of_its_older_self(lexical):
    lexical.write(gone=(), documents=papers())
    lexical.write(gone=["d1"], documents=[paper(2, title="", text="Zebras")])
    assert lexical.ids() == ["d0", "d2", "d3"]
    assert [doc_id for doc_id, _ in lexical.search("zebra giraffe", 5)] == ["d2"]


def test_a_list_of_deletions_left_by_a_kill_is_no_hindrance(lexical):
    lexical.write(gone=(), documents=papers())
    lexical.write(gone=["d1"], documents=[])
    (left,) = lexical.folder.glob("*.del")
    segment, stamp, _ = left.name.split(".")
    for later in range(1, 9):
        (lexical.folder / f"{segment}.{int(stamp) + later}.del").write_bytes(b"half")
    lexical.write(gone=["d2"], documents=[])
    assert lexical.ids() == ["d0", "d3"]


def test_a_missing_or_garbled_folder_is_named(lexical, tmp_path):
    with pytest.raises(LibraryDamagedError, match="doctor --repair"):
        Lexical(tmp_path / "nowhere")
    (lexical.folder / "meta.json").write_text("{", encoding="utf-8")
    with pytest.raises(LibraryDamagedError, match="doctor --repair"):
        Lexical(lexical.folder)
