"""A run: answers kept as they come, resumed after a kill, never mixed with another."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eval.dataset import GoldSentence, Question
from eval.run import Record, ask_all, code_of, manifest_of, read_records, sample, writing, written_by
from eval.systems import Bm25Only, GoldContext, NoContext, Pipeline, ShuffledContext, TopPassage, controls
from rag.errors import EvalError, ServerError
from rag.text import sentences
from rag.types import Abstention, Answer


def question(number, kind="fact", **changes):
    row = {
        "id": f"q{number}",
        "type": kind,
        "question": f"What is it about number {number}?",
        "history": [],
        "gold_answer": "",
        "key_facts": [],
        "gold_sources": [],
        "gold_sentences": [],
        "answerable": False,
    }
    return Question.from_dict({**row, **changes})


class Counting:
    """Abstains, remembers what it was asked, and breaks where it is told to."""

    name = "counting"

    def __init__(self, breaks_at="", error=KeyboardInterrupt):
        self.asked, self.breaks_at, self.error = [], breaks_at, error

    def answer(self, asked):
        self.asked.append(asked.id)
        if asked.id == self.breaks_at:
            raise self.error("gone")
        return Answer(asked.question, asked.question, "", abstention=Abstention.NO_HITS, timings={"total": 0.1})


QUESTIONS = [question(n) for n in range(6)]


def run(system, folder, questions=QUESTIONS, **settings):
    return ask_all(questions, system, folder, manifest=manifest_of(questions, system, settings))


def test_a_killed_run_goes_on_without_asking_twice(tmp_path):
    broken = Counting(breaks_at="q3")
    with pytest.raises(KeyboardInterrupt):
        run(broken, tmp_path)
    with (tmp_path / "answers.jsonl").open("a") as out:
        out.write('{"id": "q3", "ans')  # what a kill leaves of a line
    again = Counting()
    records = run(again, tmp_path)
    assert again.asked == ["q3", "q4", "q5"]
    assert [record.id for record in records] == [q.id for q in QUESTIONS]
    assert read_records(tmp_path) == records


def test_who_reads_the_answers_leaves_what_another_is_writing(tmp_path):
    records = run(Counting(), tmp_path)
    with (tmp_path / "answers.jsonl").open("a") as out:
        out.write('{"id": "q6", "ans')  # the rest is on its way
    content = (tmp_path / "answers.jsonl").read_bytes()
    assert read_records(tmp_path) == records
    assert (tmp_path / "answers.jsonl").read_bytes() == content


def test_line_ends_of_unicode_within_an_answer_end_no_line(tmp_path):
    questions = [question(1, question="What is\u2028it\u2029about\x85this?"), question(2)]
    records = run(Counting(), tmp_path, questions=questions)
    assert "\u2028" in (tmp_path / "answers.jsonl").read_text(encoding="utf-8")
    assert read_records(tmp_path) == records


def test_what_ended_in_an_error_is_asked_again(tmp_path):
    run(Counting(breaks_at="q2", error=ServerError), tmp_path)
    again = Counting()
    records = run(again, tmp_path)
    assert again.asked == ["q2"]
    assert all(record.answer for record in records)


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_manifest_that_is_none_is_told(tmp_path, content):
    run(Counting(), tmp_path)
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(EvalError, match="holds no run"):
        run(Counting(), tmp_path)


def test_another_code_makes_another_run(tmp_path, monkeypatch):
    run(Counting(), tmp_path)
    monkeypatch.setattr("eval.run.code_of", lambda: "other")
    with pytest.raises(EvalError, match="other code"):
        run(Counting(), tmp_path)


def test_the_code_of_a_run_is_all_that_answers(monkeypatch):
    read = []
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or b"")
    code_of.__wrapped__()
    assert {"pipeline.py", "systems.py"} < set(read)


def test_an_error_is_a_record_and_the_run_goes_on(tmp_path):
    records = run(Counting(breaks_at="q2", error=ServerError), tmp_path)
    assert records[2] == Record("q2", None, "ServerError: gone")
    assert all(record.answer for record in records if record.id != "q2")


def test_an_error_in_words_that_are_no_text_is_kept(tmp_path):
    run(Counting(breaks_at="q2", error=lambda _: ServerError("it said \ud800")), tmp_path)
    assert read_records(tmp_path)[2] == Record("q2", None, "ServerError: it said ?")


def test_answers_to_nobody_knows_what_are_not_mixed_in(tmp_path):
    run(Counting(), tmp_path)
    (tmp_path / "run.json").unlink()
    with pytest.raises(EvalError, match=r"holds answers, but no run\.json"):
        run(Counting(), tmp_path)


def test_another_run_is_not_mixed_in(tmp_path):
    run(Counting(), tmp_path, llm="a")
    with pytest.raises(EvalError, match="settings"):
        run(Counting(), tmp_path, llm="b")
    with pytest.raises(EvalError, match="questions"):
        run(Counting(), tmp_path, questions=QUESTIONS[:2], llm="a")


WRITER = """
import sys, time
from pathlib import Path
from eval.run import writing
with writing(Path(sys.argv[1])):
    print("writes", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that writes to the folder."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writes\n"
        yield process
        process.kill()


def test_two_processes_do_not_write_to_one_run(tmp_path, other):
    told = rf"another process \(pid {other.pid}\)"
    system = Counting()
    with pytest.raises(EvalError, match=f"is being written by {told}; wait until"):
        run(system, tmp_path)
    assert system.asked == []
    assert written_by(tmp_path) == f"another process (pid {other.pid})"
    assert run(system, tmp_path / "elsewhere")
    other.kill()  # nothing that a killed process leaves is in the way
    other.wait()
    assert written_by(tmp_path) == ""
    assert len(run(system, tmp_path)) == len(QUESTIONS)


def test_who_writes_is_known_and_may_enter_again(tmp_path):
    assert written_by(tmp_path) == ""
    with writing(tmp_path):
        assert written_by(tmp_path) == "this process"
        assert len(run(Counting(), tmp_path)) == len(QUESTIONS)
        assert written_by(tmp_path) == "this process"
    assert written_by(tmp_path) == ""
    assert (tmp_path / ".writing").read_text() == f"{os.getpid()}\n"


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "answers.jsonl").write_text("nonsense\n")
    with pytest.raises(EvalError, match=r"answers\.jsonl is damaged"):
        read_records(tmp_path)


def test_a_sample_keeps_the_types_and_their_order():
    every = [question(n, kind) for n, kind in enumerate(["fact"] * 30 + ["list"] * 10)]
    chosen = sample(every, 8)
    assert chosen == sample(every, 8)
    assert [q.id for q in chosen] == sorted((q.id for q in chosen), key=lambda i: int(i[1:]))
    assert [q.type for q in chosen].count("list") == 2
    assert sample(every, 99) == every


@pytest.fixture
def asked(seeds):
    document = seeds.library.list(0, 1)[0][0]
    sentence = sentences(document.text)[0]
    return question(
        1,
        question=f"What does {document.title} say?",
        gold_answer=sentence,
        key_facts=[sentence],
        gold_sources=[document.source],
        gold_sentences=[{"source": document.source, "text": sentence}],
        answerable=True,
    )


def test_controls_do_what_they_are_called(seeds, asked):
    documents = seeds.library.list(0, 1000)[0]
    (gold,) = asked.gold_sources
    seeds.generator.draft = "It is about nothing in particular."
    top = TopPassage(seeds).answer(asked)
    assert top.claims[0].citations[0].quote == top.hits[0].chunk.text
    bm25 = Bm25Only(seeds).answer(asked)
    assert set(bm25.hits[0].scores) == {"bm25"}
    assert bm25.claims
    assert {hit.source for hit in GoldContext(seeds).answer(asked).hits} == {gold}
    assert gold not in {hit.source for hit in ShuffledContext(seeds, documents).answer(asked).hits}
    alone = NoContext(seeds).answer(asked)
    assert not alone.hits
    assert not any(claim.citations for claim in alone.claims)
    assert len({control.name for control in controls(seeds, documents)}) == 5


def test_controls_read_a_follow_up_in_its_conversation(seeds, asked):
    turn = {"question": asked.question, "answer": asked.gold_answer}
    follow_up = question(2, question="Why is that?", history=[turn])
    assert Bm25Only(seeds).answer(follow_up).hits[0].source == asked.gold_sources[0]
    told = NoContext(seeds).answer(follow_up).standalone_question
    assert told == Pipeline(seeds).answer(follow_up).standalone_question != follow_up.question
    assert told in seeds.generator.prompts[0]


def test_controls_do_not_see_a_hidden_paper(seeds, asked):
    (gold,) = asked.gold_sources
    hidden = question(2, question=asked.question, without=[gold])
    for control in controls(seeds, seeds.library.list(0, 1000)[0]):
        assert gold not in {hit.source for hit in control.answer(hidden).hits}, control.name


def test_a_hidden_paper_is_not_seen(seeds, asked):
    hidden = question(2, question=asked.question, without=list(asked.gold_sources))
    assert asked.gold_sources[0] in {hit.source for hit in Pipeline(seeds).answer(asked).hits}
    assert asked.gold_sources[0] not in {hit.source for hit in Pipeline(seeds).answer(hidden).hits}
    assert json.loads(json.dumps(hidden.to_dict()))["without"] == list(asked.gold_sources)
    assert Question.from_dict(hidden.to_dict()) == hidden
    assert isinstance(asked.gold_sentences[0], GoldSentence)
