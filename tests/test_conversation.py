"""Turns: follow-ups understood, numbers kept, the chat as a person and a pipe use it."""

import io
import json
import sys

import pytest

from rag.conversation import Conversation
from rag.followup import leans_on_history, standalone
from rag.types import Turn
from ui.cli import main

GEMMA = Turn("What sizes does Gemma 2 come in?", "Gemma 2 ranges from 2 billion to 27 billion parameters.")


@pytest.mark.parametrize(
    "question",
    [
        "And its larger version?",
        "How were they trained?",
        "Why?",
        "What about memory?",
        "How many of them?",
        "How long does it take?",
        "Is that a lot?",
        "What's the third?",
        "Doesn't that make them less faithful?",
        "Why would anybody need two models?",
        "Does the paper release code?",
        "What did the authors conclude from their experiments?",
        "OK, and for vision models?",
        "Same question for Llama",
        "How was the first paper evaluated?",
        "What are the limitations?",
        "How many women took part?",
        "How many patients were in the placebo group?",
        "Back to the training, how long did it last?",
        "How large is the annotated dataset?",
        "How many examples does the adapter need?",
        "Which court heard the lawsuit?",
    ],
)
def test_a_follow_up_gets_its_topic(question):
    assert leans_on_history(question)
    rewritten = standalone(question, [GEMMA])
    assert rewritten.startswith(question)
    assert "Gemma 2" in rewritten


@pytest.mark.parametrize(
    "question",
    [
        "How many queries does BRIGHT contain?",
        "What does HELMET evaluate?",
        "What is unlearning?",
        "How many refusal categories are there?",
        "Why does SuperHF keep PPO for its stability?",
        "What can an auditor do with white-box access that goes beyond querying the model?",
        "How do you get an image generator to forget pictures while what it draws still looks good?",
        "How long does it take to train an adapter on one image pair?",
        "Which papers study unlearning?",
        "What do the authors of sparse attention claim?",
        "What do the authors mean by a user persona?",
        "What is a control group?",
        "Which trials used a placebo group?",
        "What is the melting point of gallium?",
        "How many annotators labelled the refusal dataset?",
    ],
)
def test_a_question_of_its_own_is_left_alone(question):
    assert standalone(question, [GEMMA]) == question


def test_nothing_is_added_without_history():
    assert standalone(" Why  is it so? ", []) == "Why is it so?"


def test_the_topic_may_lie_two_turns_back():
    turns = [GEMMA, Turn("Is that a lot?", "“It is.”")]
    assert "Gemma" in standalone("How were they trained?", turns)


def test_the_topic_is_what_was_named_last_and_brackets_do_not_nest():
    turns = [GEMMA]
    for question in (
        "And its larger version?",
        "What about PERL?",
        "Which data were they trained on?",
        "And the size?",
    ):
        asked = standalone(question, turns)
        assert asked.count("(about: ") == 1
        turns.append(Turn(asked, "“It is.”"))
    assert asked.startswith("And the size? (about: What about PERL")
    assert "Gemma" not in asked


@pytest.mark.parametrize(
    ("last", "topic"),
    [
        ("And in speed?", "What is PERL; How do they compare it with RLHF in memory"),
        ("What are their limitations?", "What is PERL RLHF"),
        ("How large is the dataset?", "What is PERL; How do they compare it with RLHF in memory"),
    ],
)
def test_what_a_follow_up_was_about_is_what_the_next_one_is_about(last, topic):
    turns = [Turn("What is PERL?", "“PERL trains adapters.”")]
    turns.append(Turn(standalone("How do they compare it with RLHF in memory?", turns), "“It needs less.”"))
    assert standalone(last, turns) == f"{last} (about: {topic})"
    turns.append(Turn(standalone("And in speed?", turns), "“It is faster.”"))
    assert "PERL" in standalone(last, turns)


@pytest.mark.parametrize(
    ("asked", "topics"),
    [
        (["How does LoRA work?", "Give me more details", "Summarize", "And slow?"], ["How does LoRA work"] * 3),
        (["How much memory does PERL need?", "And LoRA?", "What about Gemma 2?"], ["How much memory does … need"] * 2),
        (["What is PERL?", "What about HELMET?", "How long is it?"], ["", "What about HELMET"]),
        (["How does LoRA work?", "Is it slow?", "Why?"], ["", "Is LoRA slow"]),
        (["What is PERL?", "How long is HELMET?", "Back to PERL, is it slow?"], ["", ""]),
        (["How large is Gemini 1.5?", "How were they trained?", "Where?"], ["How large is Gemini 1.5"] * 2),
    ],
)
def test_a_topic_is_neither_idle_talk_nor_what_was_put_aside(asked, topics):
    turns = []
    for question in asked:
        turns.append(Turn(standalone(question, turns), "“It is.”"))
    assert [turn.question.partition(" (about: ")[2].removesuffix(")") for turn in turns[1:]] == topics


@pytest.mark.parametrize(
    ("last", "question", "alone"),
    [
        ("What does REMIX mix in?", "Is it better than replay?", "Is REMIX better than replay?"),
        ("How was Gemma 2 trained?", "and what is its context length?", "and what is Gemma 2's context length?"),
        ("What is LLM Comparator for?", "Was it tested, and is it free?", "Was LLM Comparator tested, and is it free?"),
        ("And slow? (about: How does LoRA work)", "Is it better?", "Is LoRA better?"),
        ("What is PERL?", "Does it use LoRA?", "Does PERL use LoRA?"),
        ("What is CharXiv about?", "How many charts are in it?", "How many charts are in CharXiv?"),
        ("What is HYPE?", "What are its properties?", "What are HYPE's properties?"),
        ("What is PERL?", "Does LoRA use it?", "Does LoRA use it? (about: What is PERL)"),
        # what it stands for is not named, or something of it, or the rest lies in the last question
        ("How well do models do on CharXiv?", "Is it hard?", "Is it hard? (about: How well do models do on CharXiv)"),
        ("What is the ELIZA paper?", "Is it old?", "Is it old? (about: What is the ELIZA paper)"),
        ("What did Google release?", "Is it open?", "Is it open? (about: What did Google release)"),
        ("What is PERL's data?", "Is it free?", "Is it free? (about: What is PERL's data)"),
        ("What is PERL?", "Do they say it is slow?", "Do they say it is slow? (about: What is PERL)"),
        ("What is PERL?", "And its speed?", "And its speed? (about: What is PERL)"),
        ("What is PERL?", "How long does it take?", "How long does it take? (about: What is PERL)"),
    ],
)
def test_what_it_stands_for_takes_its_place(last, question, alone):
    assert standalone(question, [Turn(last, "“So it is.”")]) == alone


@pytest.mark.parametrize("typed", [True, False])
def test_the_topic_stays_where_nothing_is_named(typed):
    turns = [Turn("How does sparse fine-tuning work?", "“It trains few weights.”")]
    asked = "Why is it faster?"
    turns.append(Turn(asked if typed else standalone(asked, turns), "“It does less.”"))
    assert standalone("And the memory?", turns) == "And the memory? (about: How does sparse fine-tuning work)"


def test_a_history_as_it_was_typed_is_read_as_one_in_full():
    turns = [GEMMA, Turn("How was it trained?", "“It ran on TPUv4 pods.”")]
    assert "Gemma 2" in standalone("And its cost?", turns)
    assert "(in GB))" in standalone("Why?", [Turn("What sizes are there (in GB)", "“Two.”")])
    assert standalone("Why?", [Turn("What is \udcff?", "")]).encode()


def test_papers_keep_their_numbers(seeds):
    conversation = Conversation(seeds)
    first = conversation.ask("How much memory does PERL need?")
    second = conversation.ask("What is the HELMET benchmark?")
    again = conversation.ask("How does PERL compare with RLHF in speed?")
    numbers = {c.doc_id: c.number for answer in (first, second, again) for c in answer.citations}
    assert numbers == conversation.numbers
    assert sorted(numbers.values()) == list(range(1, len(numbers) + 1))
    assert first.citations[0].number == again.citations[0].number == 1
    assert list(conversation.documents()) == list(numbers)


def test_chat_in_a_pipe(seed_folder, monkeypatch, capsys, tmp_path):
    lines = "How much memory does PERL need?\nAnd how fast is it?\n/sources\n/export talk.md\n/nonsense\n\n/quit\nnever"
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    monkeypatch.chdir(tmp_path)
    assert main(["--library", str(seed_folder), "chat", "--json"]) == 0
    out = capsys.readouterr().out
    answers = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    assert [answer["question"] for answer in answers] == ["How much memory does PERL need?", "And how fast is it?"]
    assert "PERL" in answers[1]["standalone_question"]
    assert "[1] PERL" in out
    assert "/export FILE" in out
    assert "[^1-1]: " in (tmp_path / "talk.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("lines", "code"), [("/help\nx{}\n", 1), ("x{}\nWhat is PERL?\n", 0)])
def test_a_chat_in_a_pipe_in_which_every_question_fails_has_failed(seed_folder, monkeypatch, capsys, lines, code):
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines.format("x" * 3000)))
    assert main(["--library", str(seed_folder), "chat"]) == code
    assert "shorten it" in capsys.readouterr().err


class Interrupted(io.StringIO):
    """Lines, and then Ctrl-C."""

    def readline(self, *_):
        line = super().readline()
        if not line:
            raise KeyboardInterrupt
        return line


def test_ctrl_c_at_the_prompt_leaves_and_the_chat_is_written(seed_folder, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "stdin", Interrupted("How much memory does PERL qu\udcff need?\n"))
    assert main(["--library", str(seed_folder), "chat", "--export", str(tmp_path / "talk.md")]) == 0
    assert "## How much memory does PERL qu? need?" in (tmp_path / "talk.md").read_text(encoding="utf-8")


def test_ctrl_c_ends_a_chat_that_is_read_from_a_pipe(seed_folder, monkeypatch, capsys, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ui.cli.chat.stream_to_terminal", interrupted)
    monkeypatch.setattr(sys, "stdin", lines := io.StringIO("What is PERL?\nAnd what else?\n"))
    assert main(["--library", str(seed_folder), "chat", "--export", str(tmp_path / "talk.md")]) == 130
    assert lines.read() == "And what else?\n"


def test_a_chat_in_which_nothing_was_answered_takes_no_files_place(seed_folder, monkeypatch, capsys, tmp_path):
    (tmp_path / "talk.md").write_text("kept", encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO("/help\n"))
    assert main(["--library", str(seed_folder), "chat", "--export", str(tmp_path / "talk.md")]) == 0
    assert (tmp_path / "talk.md").read_text(encoding="utf-8") == "kept"


def test_the_prompt_is_no_part_of_the_answers(seed_folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", lines := io.StringIO("/sources\n"))
    monkeypatch.setattr(lines, "isatty", lambda: True)
    assert main(["--library", str(seed_folder), "chat"]) == 0
    out, err = capsys.readouterr()
    assert out == "nothing cited yet\n"
    assert err.endswith("\n? ? ")


def test_what_is_not_utf_8_is_no_end_of_a_chat(seed_folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"/sour\xe9\n/export a\0b.md\n"), encoding="utf-8"))
    assert main(["--library", str(seed_folder), "chat"]) == 1  # nothing that was asked for could be had
    out, err = capsys.readouterr()
    assert "/export FILE" in out
    assert "nothing to export" in err


def test_an_export_takes_a_path_as_a_shell_does_and_leaves_nothing_where_nothing_was_asked(
    seed_folder, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    lines = '/export ~/early.md\nHow much memory does PERL need?\n/export "~/my talk.md"\n'
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    assert main(["--library", str(seed_folder), "chat"]) == 0
    assert "nothing to export" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["--library", str(seed_folder), "chat", "--export", str(tmp_path / "none.md")]) == 0
    assert [path.name for path in tmp_path.glob("*.md")] == ["my talk.md"]


def test_a_question_that_fails_is_a_row_too(seed_folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("x" * 3000 + "\n"))
    assert main(["--library", str(seed_folder), "chat", "--json"]) == 1
    assert "shorten it" in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize(("name", "told"), [("talk.docx", "end it in .md"), ("no/talk.md", "cannot write")])
def test_a_file_that_no_chat_can_be_written_to_is_refused_before_the_first_question(
    seed_folder, monkeypatch, capsys, tmp_path, name, told
):
    monkeypatch.setattr(sys, "stdin", io.StringIO("/help\n"))
    assert main(["--library", str(seed_folder), "chat", "--export", str(tmp_path / name)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
