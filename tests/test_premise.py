"""What questions take for granted: read from their wording, and held against the paper they are about."""

import pytest

from rag.choosing import Models
from rag.pipeline import DENIED, Footnote
from rag.premise import premise


@pytest.mark.parametrize(
    ("question", "stated"),
    [
        ("Why does FROG-1 need a pond?", "FROG-1 need a pond."),
        ("But why did FROG-1 need a pond?", "FROG-1 need a pond."),
        ("How is FROG-1 trained on toads?", "FROG-1 trained on toads."),
        ("By how much is FROG-1 slower?", "FROG-1 slower."),
        ("How come FROG-1 sings at noon?", "FROG-1 sings at noon."),
        ("What makes FROG-1 slower than TOAD-2?", "FROG-1 slower than TOAD-2."),
        ("What is the reason that FROG-1 sleeps?", "FROG-1 sleeps."),
        ("Why is FROG-1 slow, as Reed showed?", "FROG-1 slow."),
        ("Since frogs sing at noon, when do they sleep?", "Frogs sing at noon."),
        ("Given that FROG-1 is small, what makes it slow?", "FROG-1 is small."),
        ("FROG-1 being closed, how can it be audited?", "FROG-1 is closed."),
    ],
)
def test_what_a_question_takes_for_granted_is_a_claim(question, stated):
    assert premise(question) == stated


@pytest.mark.parametrize(
    "question",
    [
        "What is FROG-1?",
        "Does FROG-1 need a pond?",
        "Why doesn't FROG-1 need a pond?",
        "Why is FROG-1 not trained?",
        "Since nobody knows, and never will, what is known?",
        "How do I train FROG-1?",
        "Why do we need ponds?",
        "If FROG-1 had a pond, what would it sing?",
        "If FROG-1 is removed, how does the pond do?",
        "How does FROG-1 sing if the pond is removed?",
        "How is FROG-1, the frog of frogs, trained?",
        "Why is it?",
        "Why sing",
        "",
    ],
)
def test_of_others_nothing_is_told(question):
    assert premise(question) == ""


@pytest.mark.parametrize(
    ("question", "denial"),
    [
        ("Why does SuperHF keep PPO for its stability?", "replaces PPO"),
        ("Since NNsight is proprietary, how can researchers use it?", "open-source"),
        ("Why does PERL perform worse than conventional RLHF, and which datasets are released?", "on par with"),
    ],
)
def test_what_the_papers_deny_is_told_and_quoted(seeds, question, denial):
    answer = seeds.ask(question)
    assert DENIED in answer.notice
    assert any(denial in claim.text for claim in answer.claims)
    assert answer.confidence >= 0.5


@pytest.mark.parametrize(
    "question",
    [
        "Why does SuperHF replace PPO?",
        "How does PERL reduce the memory needed for RLHF?",
        "Why does PERL reduce memory for TOAD-2?",
        "How does Gemma 2 come in practical sizes?",
        "If the reward model is removed, what does SuperHF optimize?",
    ],
)
def test_what_they_do_not_deny_is_answered_as_asked(seeds, question):
    signals = seeds.signals(question)
    assert signals.denied == 0
    assert DENIED not in seeds.ask(question).notice


def test_without_its_own_entailer_nothing_is_denied(seeds):
    bare = Footnote(seeds.library, Models.choose({"entailer": "overlap", "embedder": seeds.models.embedder}))
    assert bare.signals("Why does SuperHF keep PPO for its stability?").denied == 0
