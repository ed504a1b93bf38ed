"""Sentence spans and quote location."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text import fold, locate, sentence_spans, sentences

ABSTRACTISH = st.text(alphabet=st.sampled_from(list("abcXYZ019 .?!\n\"')(,$\\é世。\u00a0")), max_size=200)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It fails (e.g. H3, Mamba). We fix it.", ["It fails (e.g. H3, Mamba).", "We fix it."]),
        ("How much art? We ask.", ["How much art?", "We ask."]),
        ('We ask: "What is art?" To answer, we paint.', ['We ask: "What is art?"', "To answer, we paint."]),
        ('The concept of "Spiderman." Both fail.', ['The concept of "Spiderman."', "Both fail."]),
        ("Gains of 6.22 points. Models up to 1.3b.", ["Gains of 6.22 points.", "Models up to 1.3b."]),
        ("InternVL Chat V1.5), which lags.", ["InternVL Chat V1.5), which lags."]),
        ("Smith et al., 2020 say so. J. Doe agrees.", ["Smith et al., 2020 say so.", "J. Doe agrees."]),
        ("As shown by Smith et al. We extend it.", ["As shown by Smith et al.", "We extend it."]),
        ("Steps: 1) read. 2) write.", ["Steps: 1) read.", "2) write."]),
        ("Code: https://a.org/x.y. Data too.", ["Code: https://a.org/x.y.", "Data too."]),
        ("Page: https://a.github.io/", ["Page: https://a.github.io/"]),
        (
            "It was trained on networks.However, it failed.",
            ["It was trained on networks.", "However, it failed."],
        ),
        ("It needs support.Adaptation to it helps.", ["It needs support.", "Adaptation to it helps."]),
        ("At ClinicalTrials.Gov is the DiaBiz.Kom corpus.", ["At ClinicalTrials.Gov is the DiaBiz.Kom corpus."]),
        ("levels of glucose . they rose .", ["levels of glucose .", "they rose ."]),
        ("See Node.js and U.S. law. Done.", ["See Node.js and U.S. law.", "Done."]),
        ("Cells grew. mRNA levels fell. p53 rose.", ["Cells grew.", "mRNA levels fell.", "p53 rose."]),
        ("It works.[1] Then it stopped.[2, 3] It ended.", ["It works.[1]", "Then it stopped.[2, 3]", "It ended."]),
        ("From Jan. 2015 to Dec. 2020 it rose (Tbl. II).", ["From Jan. 2015 to Dec. 2020 it rose (Tbl. II)."]),
        ("The answer is no. Benefits were small, see no. 5.", ["The answer is no.", "Benefits were small, see no. 5."]),
        ("Heading\n\nBody text.", ["Heading", "Body text."]),
        (f"One ends.{' ' * 80}Two starts.", ["One ends.", "Two starts."]),
        ("Heading\r\n\r\nbody text.", ["Heading", "body text."]),
        ("这是。那是。", ["这是。", "那是。"]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_sentences(text, expected):
    assert sentences(text) == expected


@pytest.mark.parametrize("text", [f"{'.' * 50_000}x", f"{'?' * 50_000}x", '."' * 25_000 + "x"])
def test_endless_text_takes_no_endless_time(text):
    began = time.process_time()
    assert sentences(text) == [text]
    assert time.process_time() - began < 2


@given(ABSTRACTISH)
def test_spans_are_ordered_disjoint_and_cover_all_but_white_space(text):
    spans = sentence_spans(text)
    covered = "".join(text[start:end] for start, end in spans)
    assert "".join(covered.split()) == "".join(text.split())
    assert all(start < end for start, end in spans)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)


@given(ABSTRACTISH, st.data())
def test_locate_finds_every_quote_of_the_text(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    quote = text[start:end]
    span = locate(quote, text)
    if not quote.split():
        assert span is None
    else:
        assert span is not None
        assert fold(text[span[0] : span[1]]) == fold(quote)


def test_locate_allows_other_white_space_and_quotation_marks():
    assert locate('the  "big" idea', "So the\n“big”\u00a0idea won.") == (3, 17)


@pytest.mark.parametrize("quote", ["the Big idea", "the big ideas", "big the idea", "  "])
def test_locate_refuses_what_is_not_there(quote):
    assert locate(quote, "So the big idea won.") is None
