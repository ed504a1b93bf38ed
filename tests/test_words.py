"""Words and names as people write them."""

import pytest

from rag.words import name_key, names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We propose BASED and DeRa.", ["BASED", "DeRa"]),
        ("Images from Flickr and Wikipedia's pages", ["Flickr", "Wikipedia"]),
        ("However, this fails. Then it works.", []),
        ("GPT-4o beats Llama-3-8B-Instruct", ["GPT-4o", "Llama-3-8B-Instruct"]),
        ("state-of-the-art models", []),
        ("the 2B model", []),
        ("", []),
    ],
)
def test_names(text, expected):
    assert names(text) == expected


def test_names_compare_without_case_hyphen_or_plural():
    assert name_key("LLMs") == name_key("LLM")
    assert name_key("GPT-2") == name_key("gpt2")
    assert name_key("Poincaré") == name_key("Poincare\u0301") == name_key("Poincare")
    assert name_key("Gemma") != name_key("Gemini")
