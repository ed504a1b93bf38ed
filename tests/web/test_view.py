"""What the page shows of an answer, and that text stays text in it."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest

from rag.library import Filters
from rag.types import Abstention, Answer, Document, Verdict
from ui.web.questions import examples, question_for
from ui.web.render import html
from ui.web.view import copy_text, cuts, filter_text, shown

PERL = "How does PERL compare with conventional RLHF in speed and memory?"
HOSTILE = [
    '<img src=x onerror="window.pwned=1">',
    '<svg><a href="javascript:window.pwned=1"><text>x</text></a></svg>',
    "{{constructor.constructor('window.pwned=1')()}}",
    "${window.pwned=1}",
    "</script><script>window.pwned=1</script>",
    "' onmouseover='window.pwned=1",
]


def plain(markup):
    return unescape(re.sub(r"<[^>]+>", "", markup))


def elements(markup):
    """The tags of a text as a browser reads it, each with the names of its attributes."""
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, [name for name, _ in attrs]))

    Reader().feed(markup)
    return found


@pytest.fixture
def answered(seeds):
    seeds.generator.draft = "PERL trains faster and uses less memory than RLHF [1]. PERL needs 900 GPUs [1]."
    answer = seeds.ask(PERL)
    ids = [hit.chunk.doc_id for hit in answer.hits]
    return answer, {document.id: document for document in seeds.library.documents(ids)}


def test_every_footnote_points_to_its_quote_in_its_whole_abstract(answered):
    answer, documents = answered
    view = shown(3, answer, documents)
    texts = {}
    for paper in [*view.cited, *view.others]:
        assert "".join(segment.text for segment in paper.segments) == paper.document.text
        texts |= {segment.key: segment for segment in paper.segments}
    keys = list(texts)
    for claim, sentence in zip([*answer.claims, *answer.withdrawn], [*view.sentences, *view.withdrawn], strict=True):
        assert len(sentence.marks) == len(claim.citations)
        for citation, mark in zip(claim.citations, sentence.marks, strict=True):
            place = keys.index(mark.key)
            pointed = [texts[key] for key in keys[place : place + mark.segments]]
            assert "".join(segment.text for segment in pointed) == citation.quote
            assert all(segment.cited for segment in pointed)


def test_papers_stand_in_the_order_of_their_numbers_then_what_was_only_found(answered):
    answer, documents = answered
    view = shown(1, answer, documents)
    assert [paper.number for paper in view.cited] == sorted({c.number for c in answer.citations})
    assert {paper.number for paper in view.others} == {None}
    assert len(view.cited) + len(view.others) == len(answer.hits)


def test_what_was_withdrawn_is_shown_with_its_reason_and_never_as_supported(answered):
    answer, documents = answered
    view = shown(1, answer, documents)
    assert any("900 GPUs" in sentence.text and sentence.reason for sentence in view.withdrawn)
    assert all(sentence.sign.kind != "supported" for sentence in view.withdrawn)
    markup = html("turn", shown=view)
    before, _, after = markup.partition('<details class="withdrawn">')
    assert "900 GPUs" not in before
    assert "900 GPUs" in after.partition("</details>")[0]


def test_the_strip_counts_what_is_shown(answered):
    answer, documents = answered
    told = shown(1, answer, documents).summary
    assert told.startswith(f"{len(answer.claims)} of {len(answer.claims)} sentence")
    made_up = replace(answer, fabricated_markers=2)
    assert "2 made-up footnote numbers dropped" in shown(1, made_up, documents).summary


def test_an_unchecked_sentence_is_called_so(answered):
    answer, documents = answered
    claim = replace(answer.claims[0], verdict=Verdict.UNCHECKED, judge="", support=None)
    view = shown(1, replace(answer, claims=(claim,)), documents)
    assert view.sentences[0].sign.word == "Not checked"
    assert view.summary.startswith("0 of 1 sentence supported")


def test_where_nothing_was_found_the_evidence_says_so():
    nothing = Answer("Why?", "Why?", "", abstention=Abstention.NO_HITS)
    told = plain(html("evidence", shown=shown(1, nothing, {}, Filters(year_from=2031))))
    assert "No paper was found among those that pass the filters" in told
    assert "No paper was found:" in plain(html("evidence", shown=shown(1, nothing, {})))


def test_an_abstention_says_why_and_shows_what_is_nearest(seeds):
    answer = seeds.ask("What is the capital of France?")
    documents = {d.id: d for d in seeds.library.documents([h.chunk.doc_id for h in answer.hits])}
    view = shown(1, answer, documents)
    assert answer.abstention is Abstention.WEAK_EVIDENCE
    assert re.search(r"probability that they answer is 0\.\d\d; answers begin at 0\.50", view.reason)
    markup = html("turn", shown=view)
    assert "The papers don’t say" in markup
    assert "cite" not in markup
    assert "Closest papers, not used (8)" in html("evidence", shown=view)


def test_a_paper_that_has_gone_leaves_a_dead_mark_and_no_error(answered):
    answer, _ = answered
    view = shown(1, answer, {})
    markup = html("turn", shown=view) + html("evidence", shown=view)
    assert "no longer in the library" in markup
    assert "data-ev" not in markup


def test_a_quote_that_is_not_where_it_was_is_marked_nowhere(answered):
    answer, documents = answered
    cited = answer.citations[0].doc_id
    later = replace(documents[cited], text="Another version. " + documents[cited].text)
    view = shown(1, answer, {**documents, cited: later})
    (paper,) = [paper for paper in view.cited if paper.document.id == cited]
    assert not any(segment.cited for segment in paper.segments)
    places = [
        (c.doc_id, mark)
        for claim, own in zip(answer.claims, view.sentences, strict=True)
        for c, mark in zip(claim.citations, own.marks, strict=True)
    ]
    assert {(mark.key, mark.segments) for doc_id, mark in places if doc_id == cited} == {(paper.key, 0)}


def test_the_copied_text_carries_its_sources(answered):
    answer, documents = answered
    text = copy_text(answer, documents)
    assert answer.text in text
    for citation in answer.citations:
        assert f"[{citation.number}]" in text
        assert " ".join(citation.quote.split()) in text
    assert "Sidahmed" in text
    notice = "None of the papers that were found mentions “Zorblax”."
    declined = replace(answer, text="", claims=(), abstention=Abstention.WEAK_EVIDENCE, notice=notice)
    assert copy_text(declined, documents).endswith(notice)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_of_papers_models_and_readers_stays_text(answered, hostile):
    answer, documents = answered
    document = documents[answer.citations[0].doc_id]
    bad = replace(document, title=hostile, metadata={"authors": [hostile], "venue": hostile})
    claims = tuple(
        replace(c, text=f"{c.text} {hostile}", citations=tuple(replace(q, title=hostile) for q in c.citations))
        for c in answer.claims
    )
    worse = replace(
        answer, question=hostile, standalone_question=hostile * 2, claims=claims, notice=hostile, model=hostile
    )
    view = shown(1, worse, {**documents, bad.id: bad}, Filters(venue=hostile))
    for markup in (html("turn", shown=view), html("evidence", shown=view)):
        assert hostile in plain(markup)
        found = elements(markup)
        assert not {tag for tag, _ in found} & {"img", "svg", "script", "a", "text"}
        assert not [name for _, names in found for name in names if name.startswith("on")]


def test_cuts_rejoin_whatever_the_spans():
    text = "One sentence. Two sentences, e.g. this. Three"
    assert "".join(text[a:b] for a, b in cuts(text, [(4, 20), (18, 999), (-3, 2)])) == text
    assert cuts("", []) == []


def test_filters_in_words():
    assert filter_text(None) == ""
    assert filter_text(Filters(2020, 2024, "ACL", "Bau")) == "2020–2024 · ACL · by Bau"
    assert filter_text(Filters(2024, 2024)) == "2024"
    assert filter_text(Filters(year_to=2020)) == "until 2020"


def test_examples_come_from_the_papers_and_are_answered_by_them(seeds):
    papers, _ = seeds.library.list(0, 100)
    asked = examples(papers)
    assert len(asked) == 3
    for question in asked:
        assert not seeds.ask(question).abstained, question
    assert examples([]) == []
    assert examples([Document("1", "", "text", "a#1")]) == []


def test_questions_are_made_of_titles_that_make_one():
    assert question_for("PERL: Parameter Efficient Reinforcement Learning") == "What is PERL?"
    assert question_for("Sparse Feature Circuits: Discovering") == "What are Sparse Feature Circuits?"
    assert question_for("Why Do Models Fail?") == "Why Do Models Fail?"
    assert question_for("Who's asking? User personas") == ""
    assert question_for("x\x00y") == question_for("") == question_for("word " * 60) == ""
