"""Which records are one paper, and what becomes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.ingest import document_id, identity_keys, merge
from rag.ingest.fields import arxiv_id, doi, pmid, year
from rag.ingest.identity import normalised_title
from rag.ingest.records import clean_line, clean_text, stops_in_mid_sentence
from rag.types import Document

TEXT = "Ferns grow in shade. We asked why, and nobody knew the reason for it."


def document(title="", text=TEXT, source="a.txt#1", **metadata):
    made = Document("", title, text, source, metadata)
    return Document(document_id(identity_keys(made)), title, text, source, metadata)


def test_keys_strongest_first():
    keys = identity_keys(document("Ferns", doi="10.1000/x", arxiv_id="2403.19851v3", pmid="12", year=2024))
    assert keys == ("doi:10.1000/x", "arxiv:2403.19851", "pmid:12", "title:ferns|2024")


def test_arxiv_doi_is_an_arxiv_key():
    assert identity_keys(document(doi="10.48550/arxiv.2403.19851")) == ("arxiv:2403.19851",)


def test_the_subject_class_of_an_old_arxiv_id_is_left_out():
    assert identity_keys(document(arxiv_id="math.GT/0309136v1")) == identity_keys(document(arxiv_id="math/0309136"))


def test_text_is_the_last_resort():
    (key,) = identity_keys(document("?!"))
    assert key.startswith("text:")
    assert identity_keys(document(text=TEXT.replace(" ", "  "))) == (key,)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Slow Growth of Ferns", "slow growth of  ferns."),
        (r"$\textit{Slow} growth$", "Slow growth"),
        ("Café-au-lait: a study", "Cafe au lait — A Study"),
        ("{BERT}ology", "BERTology"),
        ("Machine Unlearning Doesn't Do", "Machine Unlearning Doesn’t Do"),
    ],
)
def test_titles_that_are_the_same(left, right):
    assert normalised_title(left) == normalised_title(right) != ""


def test_titles_that_differ():
    for one, other in (
        ("Gemma", "Gemma 2"),
        ("Learning C", "Learning C++"),
        (r"The $\alpha$ decay", r"The $\beta$ decay"),
        ("Decay of $K^+$", "Decay of $K^-$"),
    ):
        assert normalised_title(one) != normalised_title(other)
    assert identity_keys(document("Ferns", year=2020)) != identity_keys(document("Ferns", year=2021))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2403.19851", "2403.19851"),
        ("arXiv:2403.19851v2", "2403.19851v2"),
        ("https://arxiv.org/abs/hep-th/9901001", "hep-th/9901001"),
        ("http://arxiv.org/pdf/2403.19851v1.pdf", "2403.19851v1"),
        ("arXiv:2403.19851 [cs.CL]", "2403.19851"),
        ("10.48550/arXiv.2403.19851", "2403.19851"),
        ("math.GT/0309136v1", "math.GT/0309136v1"),
        ("train/0309136", ""),
        ("3dv2025-05T81", ""),
        ("2099.12345", ""),
        (7, ""),
    ],
)
def test_arxiv_ids(value, expected):
    assert arxiv_id(value) == expected


def test_other_identifiers_and_years():
    assert doi("https://doi.org/10.1000/ABC.") == doi("doi:10.1000/abc") == "10.1000/abc"
    assert doi("10.1016/S0140(05)") == "10.1016/s0140(05)"
    assert doi("https://doi.org/10.1000%2FA(98)1%3C2::3%3E4") == "10.1000/a(98)1<2::3>4"
    assert pmid("123.0") == "123"
    assert pmid("https://pubmed.ncbi.nlm.nih.gov/123/") == pmid(123) == "123"
    assert [year(value) for value in ("2020-01-02", "20200102", 2020.0, [[2020]], {"year": 2020})] == [2020] * 5
    assert [year(value) for value in (True, "n.d.", 12, None, "123456", "3020")] == [None] * 6


def test_merge_keeps_the_first_and_fills_it_up():
    first = document("Ferns", source="a.bib#1", year=2020, venue="A", file="/a.bib")
    second = document("FERNS", TEXT + " More.", "b.txt#3", year=2020, venue="B", doi="10.1000/x", file="/b.txt")
    merged = merge([first, second])
    assert (merged.title, merged.text, merged.source) == ("Ferns", TEXT, "a.bib#1")
    assert merged.metadata == {"year": 2020, "venue": "A", "doi": "10.1000/x", "file": "/a.bib"}
    assert merged.id == document_id(["doi:10.1000/x"])


@pytest.mark.parametrize(
    "first", [document("", TEXT[:60], truncated=True, file="/a"), document("", TEXT[:20], file="/a")]
)
def test_merge_takes_the_whole_text_with_its_source(first):
    merged = merge([first, document("Ferns", TEXT, "b.txt#3", file="/b")])
    assert (merged.title, merged.text, merged.source) == ("Ferns", TEXT, "b.txt#3")
    assert merged.metadata == {"file": "/b"}


def test_merge_of_truncated_records_stays_truncated():
    merged = merge([document(text=TEXT[:60], truncated=True), document(text=TEXT[:62], truncated=True)])
    assert merged.metadata["truncated"]


DOCUMENTS = st.builds(
    document,
    title=st.sampled_from(["", "Ferns", "Moss"]),
    text=st.sampled_from([TEXT, TEXT[:20], TEXT * 2]),
    source=st.sampled_from(["a#1", "b#2"]),
    doi=st.sampled_from(["10.1000/x", "10.1000/y"]),
)


@given(st.lists(DOCUMENTS, min_size=1, max_size=5))
def test_merge_invariants(documents):
    merged = merge(documents)
    assert (merged.text, merged.source) in {(one.text, one.source) for one in documents}
    assert merge([merged]) == merged
    assert merged.id == document_id(identity_keys(merged))
    assert merge([merged, *documents]).metadata == merged.metadata


@given(st.text())
def test_clean_texts_are_printable_and_stay_so(text):
    cleaned = clean_text(text)
    assert cleaned == clean_text(cleaned) == cleaned.strip()
    assert all(character in "\n\t" or ord(character) > 31 for character in cleaned)
    assert "\n" not in clean_line(text)
    cleaned.encode()


@pytest.mark.parametrize(
    "text",
    [
        "levels (e.g.",
        "and then",
        "we show that",
        "a, b,",
        "To be cont...",
        "See (i.e., Fig. 1 of",
        "and(ABSTRACT TRUNCATED AT 250 WORDS)",
    ],
)
def test_texts_that_stop(text):
    assert stops_in_mid_sentence(f"{TEXT} {text}" if text != "and then" else f"{TEXT} and")


@pytest.mark.parametrize(
    "text",
    ["It ends.", "Code: https://a.org/x", "(all of it)", "Is it art?", "of 3 points", "(open. The end"],
)
def test_texts_that_end(text):
    assert not stops_in_mid_sentence(f"{TEXT} {text}")
