"""Counting and cutting, with the copy of the encoding that is installed."""

from hypothesis import given
from hypothesis import strategies as st

from rag.tokens import count, truncate


def test_count():
    assert count("") == 0
    assert count("hello world") == 2
    assert count("<|endoftext|>") > 1


@given(st.text(max_size=100), st.integers(0, 20))
def test_truncate_gives_a_beginning_that_fits(text, most):
    cut = truncate(text, most)
    assert text.startswith(cut)
    assert cut == text if count(text) <= most else len(cut) < len(text)
