"""The parts of the page that need no browser: sessions, feedback, files, headers, passwords."""

import asyncio
import json
import zipfile
from dataclasses import replace

import pytest

from eval.dataset import faults
from rag.errors import BadInputError, EvalError, LibraryError, SettingsError
from rag.types import Answer
from ui.cli import main
from ui.web import downloads, feedback, security
from ui.web.session import Asked, Session
from ui.web.site import filters_from


def test_a_session_keeps_turns_apart_and_asks_again_in_place():
    session = Session()
    assert not session.again()
    session.begin(Asked("one"))
    session.live = "<p>one</p>"
    session.keep(Answer("one", "one", "1"))
    session.begin(Asked("two"))
    session.keep(Answer("two", "two", "2"))
    assert (session.past, session.turn) == (["<p>one</p>"], 2)
    assert session.answer(1).text == "1"
    assert session.again()
    assert [answer.text for answer in session.answers] == ["1"]
    assert session.answer(2) is None
    assert session.turn == 2
    assert session.drop()
    assert not session.drop()


def test_feedback_is_a_line_with_the_whole_answer(tmp_path):
    answer = Answer("q", "q", "")
    for kind in ("helpful", "wrong_evidence"):
        feedback.record(tmp_path, answer, kind, "x" * 2000)
    rows = [json.loads(line) for line in (tmp_path / "feedback.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["kind"] for row in rows] == ["helpful", "wrong_evidence"]
    assert Answer.from_dict(rows[0]["answer"]) == answer
    assert len(rows[0]["comment"]) == feedback.MAX_COMMENT
    with pytest.raises(LibraryError, match="cannot be kept"):
        feedback.record(tmp_path / "gone", answer, "other")


def test_feedback_becomes_questions_that_fit_the_papers(seeds, tmp_path, capsys):
    seeds.generator.draft = "PERL trains faster and with less memory than conventional RLHF [1]."
    answer = seeds.ask("How does PERL compare with conventional RLHF in speed and memory?")
    assert answer.claims
    wrong = replace(answer, question="What else?", standalone_question="What else?")
    needs = replace(answer, question="And then?", standalone_question="And then?")
    said = [(answer, "other"), (answer, "helpful"), (wrong, "should_have_abstained"), (needs, "wrong_answer")]
    for each, kind in said:
        feedback.record(tmp_path, each, kind)
    path = tmp_path / "feedback.jsonl"
    made, by_hand = feedback.questions_of(path)
    assert [question.answerable for question in made] == [True, False]
    assert by_hand == ["And then?"]
    texts = {document.source: document.text for document in seeds.library.list(0, 100)[0]}
    assert faults([json.dumps(question.to_dict()) for question in made], texts) == []
    assert main(["eval", "questions", "feedback", str(path)]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    assert "1 need a person" in printed.err
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(EvalError, match="no feedback that can be read"):
        feedback.questions_of(path)


def test_every_format_can_be_taken_away(seeds, tmp_path):
    answer = seeds.ask("How many refusal categories are there?")
    documents = {d.id: d for d in seeds.library.documents([c.doc_id for c in answer.citations])}
    for label, name in downloads.FORMATS.items():
        path = downloads.write([answer], documents, label, tmp_path)
        assert path.is_relative_to(tmp_path)
        if name.endswith(".tex"):
            with zipfile.ZipFile(path) as archive:
                assert sorted(archive.namelist()) == ["footnote.bib", "footnote.tex"]
                assert b"\\cite{" in archive.read("footnote.tex")
        else:
            assert path.name == name
            assert path.stat().st_size > 100


def test_filters_of_the_form():
    assert filters_from() is filters_from(None, 0, " ", "", "") is None
    assert filters_from(2020, None, " ACL ").venue == "ACL"
    assert filters_from(" 2020", "").year_from == 2020
    for bad in ("twenty", "-5", "2020.5", "٢٠٢٠", "1" * 9):
        with pytest.raises(BadInputError, match="is not a year"):
            filters_from(bad)
    with pytest.raises(BadInputError, match="before they begin"):
        filters_from(2024, 2020)
    assert filters_from(author="x" * 999).author == "x" * 200


def test_passwords_are_read_and_compared(tmp_path):
    file = tmp_path / "people"
    file.write_text("ann:a:b\n\nbob:c\n", encoding="utf-8")
    pairs = security.credentials(["eve:ü", f"@{file}"])
    assert pairs == [("eve", "ü"), ("ann", "a:b"), ("bob", "c")]
    passes = security.gate(pairs)
    assert passes("ann", "a:b")
    assert not passes("ann", "c")
    assert not passes("", "")
    assert security.gate([]) is None
    for bad in ("alone", ":x", "x:", f"@{tmp_path / 'none'}"):
        with pytest.raises(SettingsError):
            security.credentials([bad])


def test_who_listens_to_others_is_warned():
    assert security.warning("127.0.0.1", has_password=False) == security.warning("localhost", has_password=False) == ""
    assert "no --auth" in security.warning("0.0.0.0", has_password=False)
    assert "no --auth" not in security.warning("192.168.1.2", has_password=True)
    assert security.is_local("::1")
    assert not security.is_local("example.org")


def test_every_response_carries_the_policy():
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"x"})

    async def send(message):
        sent.append(message)

    asyncio.run(security.Headers(app)({"type": "http"}, None, send))
    headers = dict(sent[0]["headers"])
    assert headers[b"a"] == b"b"
    assert b"default-src 'self'" in headers[b"content-security-policy"]
    assert b"http" not in headers[b"content-security-policy"]
    assert headers[b"x-content-type-options"] == b"nosniff"
