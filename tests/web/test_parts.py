"""The parts of the page that need no browser: sessions, feedback, files, headers, passwords."""

import asyncio
import gzip
import json
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import pytest

from eval.dataset import faults
from rag.errors import BadInputError, EvalError, LibraryError, SettingsError
from rag.ingest import identity_keys
from rag.library import Filters
from rag.pipeline import Footnote
from rag.types import Answer, Citation, Claim, Document, Verdict
from ui.cli import main
from ui.web import answering, app, downloads, feedback, security, uploads
from ui.web.ask import AskTab
from ui.web.corpus import CorpusTab, Shelf
from ui.web.session import Asked, Session
from ui.web.site import Site, filters_from, number_from, pressed


def test_a_session_keeps_turns_apart_and_asks_again_in_place():
    session = Session()
    assert not session.again(None)
    session.begin(Asked("one"))
    session.live = "<p>one</p>"
    session.keep(Answer("one", "one", "1"))
    session.begin(Asked("two"))
    session.keep(Answer("two", "two", "2"))
    assert (session.past, session.turn) == (["<p>one</p>"], 2)
    assert session.answer(1).text == "1"
    assert session.again(Filters(year_from=2020))
    assert session.asked == Asked("two", Filters(year_from=2020))
    assert [answer.text for answer in session.answers] == ["1"]
    assert session.answer(2) is None
    assert session.turn == 2
    assert session.drop()
    assert not session.drop()


def test_an_answer_that_is_asked_for_again_gives_its_numbers_back():
    def cites(number, paper):
        claim = Claim("It is so.", 0, 9, (Citation(number, paper, 0, 2, "It"),), Verdict.SUPPORTED, 1.0)
        return Answer("q", "q", f"It is so [{number}].", (claim,))

    session = Session()
    for number, paper in ((1, "a"), (2, "b")):
        session.begin(Asked("q"))
        session.keep(cites(number, paper))
    assert session.again(None)
    assert session.numbers == {"a": 1}
    assert session.drop()
    assert session.again(None)  # what was stopped has none to give
    assert session.numbers == {"a": 1}


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


def test_line_ends_of_unicode_within_an_answer_end_no_line_of_feedback(tmp_path):
    feedback.record(tmp_path, Answer("q", "What is\u2028it?", ""), "should_have_abstained")
    made, _ = feedback.questions_of(tmp_path / "feedback.jsonl")
    assert [question.question for question in made] == ["What is\u2028it?"]


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
    assert filters_from("0", "0") is None
    assert number_from("0", "a number") == 0  # for whoever asks for none of it to refuse


def test_what_was_removed_comes_back_when_its_file_is_given_again(tmp_path, embedder):
    file = tmp_path / "new.jsonl"
    lines = [{"title": f"On {name}", "abstract": f"All {name} sleep.", "year": 2021} for name in ("otters", "owls")]
    file.write_text("\n".join(map(json.dumps, [*lines, {"title": "Nothing in it"}])), encoding="utf-8")
    footnote = Footnote.create(tmp_path / "library", embedder=embedder)
    told = []
    with footnote.library:
        for _ in range(3):
            *_, report = uploads.take_in(footnote, [file])
            told.append(uploads.outcome(report))
            if len(told) == 1:
                footnote.remove([footnote.library.resolve("On otters").id])
                assert len(uploads.preview(footnote.library, [file]).new) == 1
        assert footnote.library.count() == 2
    assert told == [f"{what}, 1 record rejected" for what in ("2 papers added", "1 paper added", "No paper is new")]


def test_files_of_one_name_are_told_apart(tmp_path, embedder):
    def file(name, folder, text):
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    paper = '{{"title": "On {0}", "abstract": "All {0} sleep.", "year": 2021}}'
    otters, owls = (file("new.jsonl", name, paper.format(name)) for name in ("otters", "owls"))
    footnote = Footnote.create(tmp_path / "library", embedder=embedder)
    with footnote.library:
        [*_] = uploads.take_in(footnote, [otters])
        found = uploads.preview(footnote.library, [owls, otters])
        assert [document.title for document in found.new] == ["On owls"]
        assert [(item.source, item.into) for item in found.duplicates] == [("new.jsonl#1", "new.jsonl#1")]
        for name in ("bees", "wasps"):
            text = f"All {name} sleep.\n\nThey do so at night, and we measured for how long they do in a hundred nests."
            *_, report = uploads.take_in(footnote, [file("notes.txt.gz", name, text)])
            assert uploads.outcome(report) == "1 paper added", report
        kept = sorted(path.name for path in (tmp_path / "library" / "uploads").iterdir())
        assert kept == ["new.jsonl", "notes-2.txt.gz", "notes.txt.gz"]


def test_papers_that_are_given_while_others_are_taken_in_are_not_lost(seeds, tmp_path):
    import gradio as gr

    file = tmp_path / "new.jsonl"
    file.write_text('{"title": "On otters", "abstract": "All otters sleep.", "year": 2021}', encoding="utf-8")
    with gr.Blocks():
        tab = CorpusTab(Site(seeds, None, tmp_path))
    shelf = Shelf(files=[str(file)])
    steps = tab._take_in([str(file)], shelf)
    next(steps)
    shelf.files = ["other.jsonl"]
    *_, (files, preview, decide, said) = steps
    assert files == preview == decide == gr.skip()
    assert "1 paper added" in said


def test_a_paper_that_somebody_else_removed_is_said_to_be_gone(seeds, tmp_path):
    import gradio as gr

    with gr.Blocks():
        tab = CorpusTab(Site(seeds, None, tmp_path))
    assert "no longer in the library" in tab._open(SimpleNamespace(value="gone"))


def test_a_conversation_that_was_forgotten_is_said_to_be_and_stays_on_the_page(seeds, tmp_path):
    import gradio as gr

    site = Site(seeds, SimpleNamespace(error="", ready=True), tmp_path)
    with gr.Blocks():
        tab = AskTab(site)
        changed = app._papers_changed(site, tab, tab.told)
    left = '<article class="turn answered" data-turn="1">'
    filters, anew = ["", "", "", "", ""], Session()  # as of a server that was started anew
    for listed in (tab._submit("And its memory?", *filters, anew, left), tab._again(*filters, anew, left)):
        changes = dict(zip(tab.page, listed, strict=True))
        assert "press New conversation" in changes.pop("told")
        assert all(change == gr.skip() for change in changes.values())
    assert not anew.turn
    assert changed["fn"](anew, left)[1] == gr.skip()
    assert "Ask your 41 papers" in changed["fn"](anew, site.welcome())[1]
    assert "And its memory?" in tab._submit("And its memory?", *filters, anew, site.welcome())[1]


def test_what_comes_from_a_browser_is_text(seeds, tmp_path):
    half = "otters \ud83d"  # of a surrogate pair: it can be neither kept nor sent back
    assert pressed(SimpleNamespace(value=half), "value") == "otters ?"
    assert filters_from(author=half).author == "otters ?"
    shown = answering.take_up(half, ["", "", "", "", ""], Session())["live"]
    assert "otters ?" in shown


def test_a_server_is_never_called_this_machine(seeds, tmp_path):
    site = Site(seeds, SimpleNamespace(error="", ready=True), tmp_path)
    assert "offline, on this machine" in app.masthead(site)
    seeds.library.store_url = "http://chroma.example"
    assert "on a server you configured" in app.masthead(site)
    assert "except of the server" in app.about(site, mcp=False)


def test_every_kind_of_key_has_its_words():
    known = {"doi": "10.1/x", "arxiv_id": "2401.00001", "pmid": "1", "year": 2024}
    documents = [Document("", "A title of a paper", "Text.", "", known), Document("", "", "Text.", "")]
    kinds = {key.partition(":")[0] for document in documents for key in identity_keys(document)}
    assert kinds == set(uploads.KEYS)


def test_what_gradio_draws_can_be_read():
    theme = app.theme()
    for text, ground in (
        (theme.input_placeholder_color, "#ffffff"),
        (theme.input_placeholder_color_dark, "#27272a"),  # neutral_800
        ("#ffffff", theme.button_primary_background_fill),
        ("#ffffff", theme.button_primary_background_fill_dark),
        ("#ffffff", theme.button_primary_background_fill_hover_dark),
    ):
        assert _contrast(text, ground) >= 4.5, (text, ground)


def _contrast(*colours):
    """From 1 to 21; https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""

    def luminance(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted(map(luminance, colours))
    return (light + 0.05) / (dark + 0.05)


def test_passwords_are_read_and_compared(tmp_path):
    file = tmp_path / "people"
    file.write_text("\ufeffann:a:b\n\nbob:c\n", encoding="utf-8")
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
