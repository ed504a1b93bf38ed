"""Questions written about papers by a tiny chat model, and what the reader makes of them."""

import gzip
import json
import random

import pytest

from eval.train import asker, questions, reader_data, ship
from eval.train.reader_data import NONE
from rag.errors import BadInputError, ModelError
from rag.library.lexical import terms
from rag.models import Asker, TransformerGenerator, weights
from rag.models.generator import load_causal
from tests.eval.tiny import make
from ui.cli import main

TOPICS = "whales robots grammars proteins glaciers markets violins comets".split()
SAID = (
    "Nobody had looked at {t} before. The {t} of the northern valley weigh forty tons and move slowly over frozen "
    "ground in winter. Is it cold there?"
)


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    path = tmp_path_factory.mktemp("papers") / "papers.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as out:
        for topic in TOPICS:
            out.write(json.dumps({"title": f"Weighing {topic}", "abstract": SAID.format(t=topic)}) + "\n")
    return path


@pytest.fixture(scope="module")
def model(papers, tmp_path_factory):
    """A chat model of noise, in the words of the papers and some others."""
    words = ["how do you say this in another way ?", *questions.SHOWN[0], *(SAID.format(t=t) for t in TOPICS)]
    folder = make(words, tmp_path_factory.mktemp("tiny"))
    made = TransformerGenerator(folder, "tiny", device="cpu")
    made.folder = folder
    with made.undisturbed() as (_, tokenizer):
        tokenizer.chat_template = "{% for message in messages %}{{ message.content }} {% endfor %}"
    return made


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(questions, "BATCH", 4)
    monkeypatch.setattr(questions, "_SAID_OFTEN", 0.5)
    monkeypatch.setattr(questions, "_TELLING", 1)


def test_a_newcomers_question_has_none_of_the_papers_own_words(model, papers, few, tmp_path):
    out = tmp_path / "questions.jsonl"
    assert questions.write(model, papers, out, most=14, leave_out=frozenset({"weighingwhales"})) == 16
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == 16
    assert "Weighing whales" not in {row["title"] for row in rows}
    by_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in questions.KINDS}
    assert [len(own) for own in by_kind.values()] == [8, 8]
    for row in rows:
        assert row["sentence"] in row["sentences"]
    assert any(_own(row) & set(terms(row["question"])) for row in by_kind["plain"])
    assert not any(_own(row) & set(terms(row["question"])) for row in by_kind["other_words"])


def _own(row):
    """The stem of the paper's topic, which no other paper has."""
    return set(terms(row["title"].split()[1]))


def test_a_killed_run_goes_on_after_its_last_whole_batch(model, papers, few, tmp_path):
    out = tmp_path / "questions.jsonl"
    questions.write(model, papers, out, most=12, leave_out=frozenset())
    whole = out.read_text()
    assert len(whole.splitlines()) == 12
    out.write_text("".join(whole.splitlines(keepends=True)[:6]) + '{"half')
    questions.write(model, papers, out, most=12, leave_out=frozenset())
    assert out.read_text() == whole
    other = TransformerGenerator(model.folder, "other", device="cpu")
    with pytest.raises(BadInputError, match="another model wrote"):
        questions.write(other, papers, out, most=24, leave_out=frozenset())
    assert out.read_text() == whole


def test_papers_that_say_nothing_are_told_of(model, papers, tmp_path):
    with pytest.raises(BadInputError, match="no sentence to ask of"):
        questions.write(model, papers, tmp_path / "out", most=12, leave_out=frozenset())


def test_the_asker_is_trained_packed_and_loaded(papers, model, tmp_path, monkeypatch):
    monkeypatch.setattr(asker, "HELD_OUT", 3)
    monkeypatch.setattr(asker, "RATE", 1e-2)
    path = tmp_path / "questions.jsonl"
    rows = [
        {
            "title": f"Weighing {topic}",
            "sentences": SAID.format(t=topic).split(". "),
            "sentence": "",
            "kind": "other_words",
            "writer": "somebody",
            "question": f"how do {number} {topic} of the northern valley move in winter ?",
        }
        for topic in TOPICS
        for number in range(10)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    tiny = model.folder
    card = ship.train("asker", None, None, tmp_path, start=tiny, questions=path)
    scores = card["scores_on_held_out_pairs"]
    assert scores["held_out"] == 3
    assert scores["questions"] in (50, 60, 70), "no paper of the three is trained on"
    assert scores["log_likelihood"] > scores["untrained_log_likelihood"]
    assert card["questions_by"] == ["somebody"]
    monkeypatch.setattr(weights, "TRAINED", tmp_path)
    trained = Asker(*load_causal(tiny, "asker", adapter=weights.read_packed("asker"), device="cpu"))
    untrained = Asker(*load_causal(tiny, "tiny", device="cpu"))
    question, texts = rows[0]["question"], [f"{row['title']}. {' '.join(row['sentences'])}" for row in rows]
    assert trained.log_likelihood(question, texts).mean() > untrained.log_likelihood(question, texts).mean()


def test_only_who_learns_from_questions_says_who_wrote_them(tmp_path, monkeypatch):
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"writer": "somebody"}', encoding="utf-8")
    for name in ("reader", "entailer"):
        monkeypatch.setattr(getattr(ship, name), "train", lambda *_, **__: {})
    monkeypatch.setattr(ship, "pack", lambda *_, **__: None)
    made = [ship.train(name, tmp_path, questions, tmp_path, questions=questions) for name in ("reader", "entailer")]
    assert [card.get("questions_by") for card in made] == [["somebody"], None]


def test_questions_without_any_in_other_words_are_told_of(tmp_path, model):
    path = tmp_path / "questions.jsonl"
    row = {"title": "A", "sentences": ["B."], "kind": "plain", "question": "What is it that this paper is about?"}
    path.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(BadInputError, match="no questions in other words about two papers"):
        asker.train(path, tmp_path, leave_out=frozenset(), start=model.folder)


def test_what_is_no_chat_model_writes_no_questions(model, papers, few, tmp_path):
    plain = TransformerGenerator(model.folder, "tiny", device="cpu")
    with pytest.raises(ModelError, match="has to be a chat model"):
        questions.write(plain, papers, tmp_path / "out", most=4, leave_out=frozenset())


def test_nothing_to_learn_from_is_told_of(tmp_path):
    with pytest.raises(BadInputError, match="nothing to train the asker on"):
        ship.train("asker", None, None, tmp_path)


def test_groups_of_written_questions_hold_the_sentence_that_was_asked_of(tmp_path):
    path = tmp_path / "questions.jsonl"
    rows = [
        {
            "title": f"Weighing {topic}",
            "sentences": SAID.format(t=topic).replace("? ", ".").split(". "),
            "kind": kind,
            "writer": "somebody",
            "question": f"What do {topic} weigh, {kind}?",
        }
        for topic in TOPICS
        for kind in questions.KINDS
    ]
    rows = [{**row, "sentence": row["sentences"][1]} for row in rows] + [{**rows[0], "sentence": "", "question": "No"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    found = list(reader_data._of_questions(path, frozenset({"weighingcomets"}), 4, random.Random(1)))
    assert len(found) == 7 * 3  # a plain question is asked of its paper; one in other words of all papers, too
    answered = [group for group in found if group.answer != NONE]
    assert len(answered) > len(found) / 2
    for group in answered:
        assert "weigh forty tons" in group.texts[group.answer]
        topic = group.question.split()[2]
        assert topic in group.texts[group.answer]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["asker"], "--questions"),
        (["questions"], "--llm and --papers"),
        (["reader"], "--data and --papers"),
    ],
)
def test_the_verb_says_what_it_needs(arguments, told, capsys):
    assert main(["train", *arguments]) == 2
    assert told in capsys.readouterr().err
