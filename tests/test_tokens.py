"""Counting with the copy of the encoding that is installed."""

from rag.tokens import count


def test_count():
    assert count("") == 0
    assert count("hello world") == 2
    assert count("<|endoftext|>") > 1
