"""The command as people and programs use it: exit codes, streams, JSON, bad input of every kind."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys

import click
import pytest

from rag.models import weights
from rag.models.weights import TRAINED
from rag.pipeline import Footnote
from rag.types import Abstention, Answer, Citation, Claim
from tests.library_parts import paper
from ui.cli import VERBS, cli, main, terminal
from ui.cli.options import years
from ui.web.feedback import record

PERL = "002_dd4b9b65b304c986.txt#5"


@pytest.fixture
def run(seed_folder, capsys, monkeypatch, tmp_path):
    """Run a command on the seed library (read-only by agreement) in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, stdin=None, library=seed_folder):
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        capsys.readouterr()
        code = main(["--library", str(library), *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb):
    command = cli.get_command(click.Context(cli), verb)
    assert command.help
    assert f"footnote {verb}" in command.epilog


def test_search_finds_and_prints_the_json_that_others_rely_on(run):
    code, out, _ = run("search", "How much memory does PERL need?", "-k", "3", "--json")
    found = json.loads(out)
    assert code == 0
    assert set(found) == {"id", "question", "hits"}
    assert len(found["hits"]) == 3
    assert set(found["hits"][0]) == {"rank", "score", "scores", "doc_id", "source", "title", "start", "end", "text"}
    assert (found["hits"][0]["rank"], found["hits"][0]["source"]) == (1, PERL)


def test_a_search_tells_of_papers_that_wait_for_their_vectors(run, tmp_path):
    with Footnote.create(tmp_path / "waiting").library as library:
        library.stage("a.txt", "digest", [paper(1), paper(2)])
    code, out, err = run("search", "circuits", library=tmp_path / "waiting")
    assert (code, out) == (0, "no paper to search: the library holds none, or none that passes the filters\n")
    assert "cannot be found yet: 2" in err


def test_a_batch_answers_in_order_and_tells_failing_lines(run):
    lines = [
        '\ufeff{"id": "a", "question": "What is HELMET?"}',
        "no json",
        "[1]",
        '{"id": "b"}',
        "",
        '{"id": "c", "question": "And its aim?", "history": [{"question": "What is PERL?", "answer": "PERL is RL."}]}',
        '{"id": "d", "question": "x", "history": "none"}',
    ]
    code, out, err = run("search", "--batch", "-", stdin="\n".join(lines))
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [row["id"] for row in rows] == ["a", None, None, "b", "c", "d"]
    assert ["error" in row for row in rows] == [False, True, True, True, False, True]
    assert "line 2" in rows[1]["error"]
    assert rows[4]["hits"][0]["source"] == PERL
    assert "4 of 6 lines failed" in err


@pytest.mark.parametrize(
    ("verb", "lines"),
    [
        ("search", ['{"id": 1, "question": "x", "n": ' + "9" * 5000 + "}"]),
        ("search", ["[" * 100_000]),
        ("search", [json.dumps({"question": "x", "history": turns}) for turns in (0, {}, [1], [{"q": "x"}])]),
        ("search", ['{"question": "x", "history": [{"question": ["x"]}]}']),
        ("check", [json.dumps({"claim": "x", **row}) for row in ({"source": 5}, {"evidence": 7}, {"evidence": ["a"]})]),
    ],
)
def test_no_line_of_a_batch_ends_it(run, verb, lines):
    good = '{"id": "last", "question": "What is PERL?", "claim": "PERL is fast.", "evidence": "PERL is fast."}'
    code, out, _ = run(verb, "--batch", "-", stdin="\n".join([*lines, good]))
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert ["error" in row for row in rows] == [True] * len(lines) + [False]


def test_what_a_line_of_a_batch_lacks_or_is_no_json_is_told_and_an_empty_one_is_none(run):
    lines = ["\ufeff", '{"id": NaN, "claim": "x"}', '{"id": 1e999, "claim": "x"}', " ", '{"id": [0], "claim": 5}', "{}"]
    code, out, err = run("check", "--batch", "-", stdin="\n".join([*lines, '{\0"\0']))
    rows = [json.loads(line, parse_constant=pytest.fail) for line in out.splitlines()]
    assert [row["id"] for row in rows] == [None, None, [0], None, None]
    assert [row["error"].split(":")[0] for row in rows[-2:]] == ["line 6", "line 7"]
    assert "UTF-8" in rows[-1]["error"]
    assert (code, "5 of 5 lines failed" in err) == (1, True)


def test_what_is_no_character_is_asked_as_a_question_mark(run):
    row = r'{"id": "\ud83d", "question": "What is PERL\ud83d?", "history": [{"question": "\ud83d", "answer": null}]}'
    code, out, _ = run("search", "--batch", "-", "-k", "1", stdin=row)
    assert (code, json.loads(out)["question"]) == (0, "What is PERL??")
    code, out, _ = run("search", "What is PERL\udcff?", "--json")
    assert (code, json.loads(out)["question"]) == (0, "What is PERL??")
    code, _, err = run("search", "What is PERL?", "--source", "\udcff")
    assert (code, "utf-8" in err) == (1, True)


def test_a_question_of_half_a_surrogate_pair_can_be_searched(seeds):
    assert seeds.search("What is PERL\ud83d?")[0].source == PERL


def test_check_prints_verdict_and_evidence(run):
    code, out, _ = run("check", "PERL needs more memory than conventional RLHF.", "--source", PERL, "--json")
    found = json.loads(out)
    assert code == 0
    assert {"id", "verdict", "support", "evidence"} <= set(found)
    assert found["verdict"] == "contradicted"
    assert set(found["evidence"][0]) >= {"doc_id", "source", "start", "end", "quote"}
    _, text, _ = run("check", "PERL needs more memory than conventional RLHF.", "--source", PERL)
    assert "✕ contradicted" in text


def test_show_list_and_doctor(run):
    assert "Parameter Efficient" in run("show", "2403.10704")[1]
    code, out, err = run("list", "--year", "2019")
    assert (code, len(out.splitlines()), "1 of 1" in err) == (0, 1, True)
    assert run("doctor")[:2] == (0, "the library is in order\n")
    assert json.loads(run("show", PERL, "--json")[1])["source"] == PERL


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["search", " "], 1, "empty"),
        (["search", "x" * 3000], 1, "shorten"),
        (["search"], 2, "QUESTION or --batch"),
        (["search", "q", "--batch", "-"], 2, "not both"),
        (["search", "q", "-k", "0"], 2, "-k"),
        (["search", "q", "--year", "20x4"], 1, "2020-2024"),
        (["search", "q", "--year", "2024-2020"], 1, "ends before"),
        (["search", "q", "--year", "²"], 1, "2020-2024"),
        (["search", "q", "--year", "99999999999999999999"], 1, "2020-2024"),
        (["search", "--batch", "missing.jsonl"], 2, "missing.jsonl"),
        (["check", "--batch", "-", "--source", PERL], 2, "leave out the option"),
        (["list", "--limit", "9" * 20], 2, "--limit"),
        (["list", "--offset", "9" * 20], 2, "--offset"),
        (["check", "c", "--source", "nowhere.txt#1"], 1, "nowhere.txt#1"),
        (["show", "nothing like this"], 1, "did you mean"),
        (["ingest", "missing-folder"], 1, "missing-folder"),
        (["export", "missing.json"], 2, "missing.json"),
        (["search", "q", "--embedder", "not/there"], 1, "--rebuild"),
        (["nonsense"], 2, "nonsense"),
        (["list", "--library", "x"], 2, "--library goes before the verb: footnote --library"),
        (["search", "q", "--store", "ftp://x"], 1, "ftp://x"),
        (["ask", "q", "--llm-url", "notaurl"], 1, "'notaurl' is no URL"),
        (["ask", "q", "--llm-url", "http://"], 1, "'http://' is no URL"),
        (["ask", "q", "--llm", "./nofile.gguf"], 1, "no such file: nofile.gguf"),
        (["ask", "q", "--llm", "."], 1, "no such file: config.json"),
        (["chat", "--llm", "/nowhere/model"], 1, "no such folder: /nowhere/model"),
    ],
)
def test_bad_input_gives_a_clear_error_and_code(run, arguments, code, message):
    got, out, err = run(*arguments)
    assert (got, out) == (code, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"%PDF-1.7 \x00", b'{"a": ', b"\xff\xfe"])
def test_files_that_hold_no_paper_are_reported(run, tmp_path, content):
    (tmp_path / "bad.jsonl").write_bytes(content)
    code, _, err = run("ingest", str(tmp_path / "bad.jsonl"), library=tmp_path / "new")
    assert code == 1
    assert "bad.jsonl" in err
    assert "Traceback" not in err


def test_a_missing_library_names_the_command_that_makes_one(run, tmp_path):
    code, _, err = run("list", library=tmp_path / "nowhere")
    assert code == 1
    assert f"footnote --library {tmp_path / 'nowhere'} ingest PATH" in err


def test_a_rebuild_reads_what_the_library_was_made_from_and_a_wrong_path_leaves_it_as_it_is(run, tmp_path, monkeypatch):
    paper, own = tmp_path / "paper.txt", tmp_path / "own"
    paper.write_text("Glimmerfish migrate at night, in shoals of forty, along the coast.", encoding="utf-8")
    assert run("ingest", str(paper), library=own)[0] == 0
    code, _, err = run("ingest", "--rebuild", str(tmp_path / "paper.text"), library=own)
    assert (code, "no such file" in err) == (1, True)
    assert "Glimmerfish" in run("search", "glimmerfish", library=own)[1]
    monkeypatch.chdir(TRAINED.parents[2])  # where there are seeds/, which are not in this library
    assert run("ingest", "--rebuild", library=own)[1].startswith("1 paper in the library: 0 new")
    paper.unlink()
    assert run("ingest", "--rebuild", library=own)[1].startswith("1 paper in the library: 0 new")
    assert "Glimmerfish" in run("search", "glimmerfish", library=own)[1]
    code, out, _ = run("doctor", library=own)
    assert (code, "paper.txt is gone" in out, f"ingest --prune {tmp_path}" in out) == (1, True, True)
    monkeypatch.chdir(tmp_path)
    assert run("ingest", library=own)[0] == 0
    assert run("ingest", "--prune", str(tmp_path), library=own)[1].startswith("0 papers in the library: 0 new, 0 c")


def test_no_name_is_the_default_library_not_the_folder_one_is_in(run):
    code, _, err = run("list", library="")
    assert (code, "no library in .footnote" in err) == (1, True)


def test_what_needs_no_model_goes_with_any_library(run, seed_folder, tmp_path, monkeypatch):
    shutil.copytree(seed_folder, tmp_path / "copy")
    monkeypatch.setenv("FOOTNOTE_EMBEDDER", "another/one")
    assert run("search", "x")[0] == 1
    assert run("remove", "PERL: Parameter", library=tmp_path / "copy")[0] == 1  # none by the beginning of its title
    for arguments in (["list"], ["show", PERL], ["remove", PERL, "2403.10704"]):
        code, out, _ = run(*arguments, library=tmp_path / "copy")
        assert (code, out.count(PERL)) == (0, 1)
    assert run("show", PERL, library=tmp_path / "copy")[0] == 1


def test_an_unknown_setting_is_an_error(run, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_EMBEDER", "x")
    code, _, err = run("list")
    assert code == 1
    assert "FOOTNOTE_EMBEDER" in err


def test_export_of_an_answer(run, seeds, tmp_path):
    answer = seeds.ask("How much memory does PERL need?")
    (tmp_path / "a.json").write_text(json.dumps(answer.to_dict()), encoding="utf-8")
    code, out, _ = run("export", "a.json", "--format", "bibtex")
    assert code == 0
    assert "sidahmed2024perl" in out
    assert run("export", "a.json", "-o", "a.tex")[0] == 0
    assert "\\cite{sidahmed2024perl" in (tmp_path / "a.tex").read_text(encoding="utf-8")
    assert run("export", "a.json", "-o", "b.md", "--format", "latex")[0] == 2
    assert not (tmp_path / "b.md").exists()
    (tmp_path / "b.json").write_text('{"no": "answer"}', encoding="utf-8")
    assert run("export", "b.json")[0] == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_export_reads_what_windows_shells_write(run, seeds, tmp_path, encoding):
    row = json.dumps(
        {**seeds.ask("How much memory does PERL need?").to_dict(), "notice": "a\u2028b"}, ensure_ascii=False
    )
    (tmp_path / "a.jsonl").write_text(f'{row}\r\n{row}\r\n{{"id": 1, "error": "x"}}\r\n', encoding=encoding)
    code, out, _ = run("export", "a.jsonl")
    assert (code, out.count("## How much memory")) == (0, 2)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b'"error"', b'{"error": "x"}', b"[]", b"7", b"\xff\xff\xff", b"[" * 100_000]
)
def test_a_file_without_an_answer_is_not_exported(run, tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    code, out, err = run("export", "a.json")
    assert (code, out) == (1, "")
    assert "a.json: " in err


@pytest.mark.parametrize("wrong", ["question", "text", "doc_id", "title", "quote", "source"])
@pytest.mark.parametrize("value", [5, None, ["x"]])
def test_what_is_no_answer_is_told_as_that(run, tmp_path, wrong, value):
    cited = Citation(1, "d", 0, 1, "q", "f#1", "T")
    row = Answer("Why?", "Why?", "It is.", (Claim("It is.", 0, 6, (cited,)),)).to_dict()
    place = row if wrong in row and wrong != "text" else row["claims"][0]
    place = place if wrong in place else place["citations"][0]
    place[wrong] = value
    (tmp_path / "a.json").write_text(json.dumps(row), encoding="utf-8")
    code, out, err = run("export", "a.json")
    assert (code, out) == (1, "")
    assert "a.json: not an answer" in err


def test_half_a_surrogate_pair_in_an_answer_is_exported_as_a_question_mark(run, tmp_path):
    row = Answer("Why\ud83d?", "Why?", "", abstention=Abstention.NO_HITS).to_dict()
    (tmp_path / "a.json").write_text(json.dumps(row), encoding="utf-8")
    assert run("export", "a.json", "-o", "a.md")[0] == 0
    assert (tmp_path / "a.md").read_text(encoding="utf-8").startswith("## Why??")


def test_what_stdout_cannot_encode_is_spelt_as_in_json(run, monkeypatch, tmp_path):
    cited = Citation(1, "d", 0, 1, "q", "f#1", "é ✓ 😀")
    row = Answer("Why?", "Why?", "It is.", (Claim("It is.", 0, 6, (cited,)),)).to_dict()
    (tmp_path / "a.json").write_text(json.dumps(row), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out := io.BytesIO(), encoding="latin-1"))
    assert run("export", "a.json", "--format", "csl-json")[0] == 0
    assert json.loads(out.getvalue().decode("latin-1"))[0]["title"] == "é ✓ 😀"


@pytest.mark.parametrize(("streams", "code", "told"), [(">/dev/full", 1, "No space left"), (">&-", 0, "41 of 41")])
def test_output_that_cannot_be_written_ends_without_a_traceback(seed_folder, streams, code, told):
    command = f'"{sys.executable}" -m ui.cli --library "{seed_folder}" list {streams}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_text_of_the_corpus_cannot_steer_the_terminal():
    assert terminal.clean("a\x1b[31mred\x07\u202eevil\x9b2J") == "a[31mredevil2J"


def test_neither_a_files_name_nor_a_readers_question_steers_the_terminal(run, tmp_path):
    def broken():
        yield paper(1)
        raise OSError("it ended")

    with Footnote.create(tmp_path / "broken").library as library, contextlib.suppress(OSError):
        library.stage("a\x1b[2J.txt", "digest", broken())
    assert "a[2J.txt is gone" in run("doctor", library=tmp_path / "broken")[1]
    file = record(tmp_path, Answer("Why\x1b[2J?", "Why\x1b[2J?", "", abstention=Abstention.NO_HITS), "wrong_answer")
    assert run("eval", "questions", "feedback", str(file))[2].endswith("  Why[2J?\n")


def test_a_narrow_terminal_is_not_overrun(monkeypatch, seeds):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    answer = seeds.ask("How much memory does PERL need?")
    documents = {d.id: d for d in seeds.library.documents([c.doc_id for c in answer.citations])}
    text = terminal.answer_text(answer, documents)
    assert max(len(line) for line in text.splitlines()) <= 40
    assert "\x1b" not in text


def test_what_the_papers_deny_is_told_before_the_answer(seeds):
    answer = seeds.ask("Why does SuperHF keep PPO for its stability?")
    text = terminal.answer_text(answer, {})
    assert text.index("The papers say otherwise") < text.index(answer.text[:20])


def test_an_abstention_names_the_nearest_papers_with_who_wrote_them(run):
    code, told, _ = run("ask", "Who wrote the HELMET paper?")
    assert code == 0
    assert "The papers don't say" in told
    assert "- HELMET: How to Evaluate" in told
    assert "Yen, et al. · 2024" in told


@pytest.mark.parametrize(("value", "expected"), [("", "\x1b[1ma\x1b[0m"), ("1", "a")])
def test_an_empty_no_color_is_none(monkeypatch, value, expected):
    monkeypatch.setenv("NO_COLOR", value)
    assert terminal.style("a", bold=True) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2024", (2024, 2024)), ("2020-2024", (2020, 2024)), ("2020-", (2020, None)), ("-2024", (None, 2024))],
)
def test_years(text, expected):
    assert years(text) == expected


OFFLINE = """
import socket, sys
def refuse(*a, **k):
    raise AssertionError(f"called out: {a}")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from ui.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_the_models_are_those_of_the_library_and_what_needs_no_weights_is_nowhere(run, tmp_path):
    Footnote.create(tmp_path / "other", embedder="e").library.close()
    code, out, _ = run(
        "models", "--json", "--reranker", "none", "--entailer", "overlap", "--llm", "a/b", library=tmp_path / "other"
    )
    places = {row["role"]: (row["name"], row["place"]) for row in map(json.loads, out.splitlines())}
    assert code == 0
    assert places["embedder"] == ("e", "model hub or its cache")
    assert places["reader"] == places["asker"] == ("none", "needs no weights")
    assert places["entailer"] == ("overlap", "needs no weights")


def test_damaged_weights_are_shown_with_what_mends_them(run, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "TRAINED", tmp_path)
    for file in TRAINED.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes() if file.suffix == ".json" else b"cut off" * 100_000)
    code, out, _ = run("models", "--reranker", "footnote-reader", "--entailer", "overlap", "--llm", "a/b")
    assert code == 1
    assert "hash differs\n           mend it: reinstall footnote, or footnote train reader --install\n" in out


def test_a_fresh_checkout_answers_with_the_real_models_and_calls_nobody(tmp_path):
    """The first answer from nothing but the seeds; what is fetched may be so before sockets are shut."""
    environment = {name: value for name, value in os.environ.items() if name != "FOOTNOTE_LIBRARY"}

    def footnote(*arguments, start=("-m", "ui.cli")):
        command = [sys.executable, *start, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    fetched = footnote("models", "--fetch", "--json")
    assert fetched.returncode == 0, fetched.stderr
    assert [json.loads(line)["checked"] for line in fetched.stdout.splitlines()] == ["hash as published"] * 6
    asked = footnote("ask", "How many refusal categories are there?", "--json", start=("-c", OFFLINE))
    assert asked.returncode == 0, asked.stderr
    assert "41 papers" in asked.stderr
    answer = Answer.from_dict(json.loads(asked.stdout))
    assert answer.model == "SmolLM2-135M-Instruct"
    assert any("16 refusal categories" in citation.quote for citation in answer.citations)
