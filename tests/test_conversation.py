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
    "question", ["And its larger version?", "How was it trained?", "Why?", "What about memory?", "How many of them?"]
)
def test_a_follow_up_gets_its_topic(question):
    assert leans_on_history(question)
    rewritten = standalone(question, [GEMMA])
    assert rewritten.startswith(question)
    assert "Gemma 2" in rewritten


@pytest.mark.parametrize("question", ["How many queries does BRIGHT contain?", "What does HELMET evaluate?"])
def test_a_question_of_its_own_is_left_alone(question):
    assert standalone(question, [GEMMA]) == question


def test_nothing_is_added_without_history():
    assert standalone(" Why  is it so? ", []) == "Why is it so?"


def test_the_topic_may_lie_two_turns_back():
    turns = [GEMMA, Turn("Is that a lot?", "“It is.”")]
    assert "Gemma" in standalone("How were they trained?", turns)


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
