"""Chunks: exact offsets, nothing cut by the embedder, nothing lost."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rag.chunk import passages
from rag.types import Document

WORDS = st.lists(
    st.sampled_from(["Alpha", "beta.", "gamma", "We", "see?", "x" * 40, "\n\n", "e.g.", "3.5%"]), max_size=80
)


def count_tokens(texts):
    """A tokenizer that is easy to reason about: a token for every four letters of a word, two around."""
    return [2 + sum((len(word) + 3) // 4 for word in text.split()) for text in texts]


def cut(text, title="", max_tokens=24, window_sentences=3):
    document = Document("d", title, text, "f.txt#1")
    return document, passages(
        document, count_tokens=count_tokens, max_tokens=max_tokens, window_sentences=window_sentences
    )


@given(WORDS, st.sampled_from(["", "A title", "long title " * 30]))
def test_chunks_are_exact_fit_the_embedder_and_lose_nothing(words, title):
    document, found = cut(" ".join(words), title)
    for passage in found:
        assert count_tokens([passage.text])[0] <= 24
        assert passage.text[passage.offset :] == passage.chunk.text
        for chunk in (passage.chunk, *passage.windows):
            assert document.text[chunk.start : chunk.end] == chunk.text
        for window, (start, end) in zip(passage.windows, passage.spans, strict=True):
            assert passage.text[start:end] == window.text
    kept = "".join(passage.chunk.text for passage in found)
    assert "".join(kept.split()) == "".join(document.text.split())
    assert all(a.chunk.end <= b.chunk.start for a, b in itertools.pairwise(found))


def test_windows_are_runs_of_sentences():
    _, (passage,) = cut("One is. Two is. Three is. Four is.", max_tokens=99, window_sentences=2)
    assert [window.text for window in passage.windows] == [
        "One is. Two is.",
        "Two is. Three is.",
        "Three is. Four is.",
    ]


def test_a_short_abstract_is_its_own_window():
    _, (passage,) = cut("Only one sentence.", title="T", max_tokens=99)
    assert passage.windows == (passage.chunk,)
    assert passage.text == "T. Only one sentence."


def test_a_sentence_longer_than_the_embedder_is_cut_at_white_space():
    _, found = cut("word " * 60)
    assert len(found) > 1
    assert all(set(passage.chunk.text.split()) == {"word"} for passage in found)


def test_a_blank_document_has_no_passages():
    assert cut(" \n ")[1] == []
