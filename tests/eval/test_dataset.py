"""Questions and claims as data: what is read comes back, and no fault goes unnamed."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.dataset import ClaimRow, GoldSentence, Question, claim_faults, faults, read_claims, read_questions
from rag.errors import EvalError
from rag.ingest import read_file
from rag.types import Document, Turn, Verdict

ROOT = Path(__file__).parents[2]
DATA = ROOT / "eval" / "data"
DOCUMENTS = {"a.txt#1": "Frogs sleep in winter. They wake in spring.", "b.txt#1": "Toads never sleep."}
ROW = {
    "id": "q1",
    "type": "fact",
    "question": "When do frogs sleep?",
    "history": [],
    "gold_answer": "In winter.",
    "key_facts": ["winter"],
    "gold_sources": ["a.txt#1"],
    "gold_sentences": [{"source": "a.txt#1", "text": "Frogs sleep in winter."}],
    "answerable": True,
}
SILENT = {**ROW, "key_facts": [], "gold_sources": [], "gold_sentences": [], "answerable": False}
CLAIM = {
    "id": "c1",
    "type": "negation",
    "claim": "Toads sleep.",
    "source": "b.txt#1",
    "label": "contradicted",
    "gold_sentences": ["Toads never sleep."],
    "note": "never lost",
}


def named(*rows, find=faults):
    """What is wrong with rows, without the lines."""
    return [fault.what for fault in find([json.dumps(row) for row in rows], DOCUMENTS)]


def without(row, key):
    return {name: value for name, value in row.items() if name != key}


def test_rows_without_a_fault():
    assert named(ROW, {**SILENT, "id": "q2", "gold_answer": "", "type": "a type of my own"}) == []
    assert (
        named(CLAIM, {**CLAIM, "id": "c2", "label": "not_enough_info", "gold_sentences": []}, find=claim_faults) == []
    )


def test_the_questions_and_claims_of_the_project_have_no_fault():
    read = (document for path in (ROOT / "seeds").iterdir() for document in read_file(path))
    documents = {document.source: document.text for document in read if isinstance(document, Document)}
    for path in DATA.glob("questions-*.jsonl"):
        assert faults(path, documents) == []
        assert [question.to_dict() for question in read_questions(path)] == rows_of(path)
    for path in DATA.glob("claims-*.jsonl"):
        assert claim_faults(path, documents) == []
        assert [claim.to_dict() for claim in read_claims(path)] == rows_of(path)


@pytest.mark.parametrize("kind", ["questions", "claims"])
def test_what_is_tuned_on_and_what_is_held_out_ask_for_no_sentence_in_common(kind):
    tuned, held = (rows_of(DATA / f"{kind}-{split}.jsonl") for split in ("dev", "test"))
    assert not {row["id"] for row in tuned} & {row["id"] for row in held}
    assert not {gold for row in tuned for gold in _golds(row)} & {gold for row in held for gold in _golds(row)}


def _golds(row):
    """The sentences of a row's evidence, white space aside."""
    texts = [gold["text"] if isinstance(gold, dict) else gold for gold in row["gold_sentences"]]
    return [" ".join(text.split()) for text in texts]


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"question": " \n"}, "'question' is empty"),
        ({"id": ""}, "'id' is empty"),
        ({"id": 7}, "'id' must be text"),
        ({"answerable": 1}, "'answerable' must be true or false"),
        ({"answerable": "yes"}, "'answerable' must be true or false"),
        ({"key_facts": "winter"}, "'key_facts' must be a list of texts"),
        ({"question": "When\ud800?"}, "'question' must be text"),
        ({"without": ["a.txt#1"]}, "answerable, but 'without' hides 'a.txt#1'"),
        ({"key_facts": [3]}, "'key_facts' must be a list of texts"),
        ({"gold_answer": ""}, "answerable, but 'gold_answer' is empty"),
        ({"key_facts": []}, "answerable, but 'key_facts' is empty"),
        ({"key_facts": [" "]}, "a key fact is empty"),
        ({"history": ["When?"]}, """'history' must be a list of {"question": text, "answer": text}"""),
        ({"level": 3}, "unknown key 'level'"),
        ({"gold_sentences": []}, "answerable, but 'gold_sentences' is empty"),
        (
            {"gold_sentences": [{"source": "a.txt#1"}]},
            """'gold_sentences' must be a list of {"source": text, "text": text}""",
        ),
        (
            {"gold_sentences": [{"source": "a.txt#1", "text": "Frogs sleep in  winter."}]},
            "gold sentence not verbatim in 'a.txt#1': 'Frogs sleep in winter.'",
        ),
        ({"gold_sentences": [{"source": "a.txt#1", "text": ""}]}, "a gold sentence is empty"),
        ({"gold_sources": ["a.txt#1", "b.txt#1"]}, "no gold sentence from 'b.txt#1'"),
    ],
)
def test_each_fault_of_a_question_is_named(change, fault):
    assert named({**ROW, **change}) == [fault]


def test_a_missing_key_is_named():
    for key in ROW:
        assert named(without(ROW, key)) == [f"no key {key!r}"]
    for key in CLAIM:
        assert named(without(CLAIM, key), find=claim_faults) == [f"no key {key!r}"]


def test_a_source_that_is_unknown_or_not_declared_is_named():
    elsewhere = {"gold_sources": ["c.txt#1"], "gold_sentences": [{"source": "c.txt#1", "text": "Newts."}]}
    assert named({**ROW, **elsewhere}) == ["unknown source 'c.txt#1'"]
    assert named({**ROW, "gold_sources": ["b.txt#1"]}) == [
        "no gold sentence from 'b.txt#1'",
        "a gold sentence from 'a.txt#1', which is not in 'gold_sources'",
    ]


def test_a_question_without_an_answer_has_no_evidence():
    assert named({**ROW, "answerable": False}) == [
        f"not answerable, but {key!r} is not empty" for key in ("key_facts", "gold_sources", "gold_sentences")
    ]
    assert len(named({**SILENT, "answerable": True})) == 3


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"label": "unchecked"}, "'label' must be one of supported, contradicted, not_enough_info"),
        ({"label": ["supported"]}, "'label' must be one of supported, contradicted, not_enough_info"),
        ({"source": "c.txt#1"}, "unknown source 'c.txt#1'"),
        ({"gold_sentences": []}, "contradicted, but 'gold_sentences' is empty"),
        ({"gold_sentences": ["Toads sleep."]}, "gold sentence not verbatim in 'b.txt#1': 'Toads sleep.'"),
    ],
)
def test_each_fault_of_a_claim_is_named(change, fault):
    assert named({**CLAIM, **change}, find=claim_faults) == [fault]


def test_all_faults_are_named_at_once_with_their_lines(tmp_path):
    path = tmp_path / "questions.jsonl"
    bad = {**ROW, "level": 3, "question": "", "gold_sources": ["c.txt#1"]}
    path.write_text(
        "\n".join([json.dumps(ROW), "", "{", "[1]", json.dumps(bad), json.dumps({**ROW, "id": "q2"}), ""]), "utf-8"
    )
    found = [(fault.line, fault.id) for fault in faults(path, DOCUMENTS)]
    assert found == [(3, ""), (4, ""), *[(5, "q1")] * 6]
    assert str(faults(path, DOCUMENTS)[2]) == "line 5 (q1): the id is that of line 1"
    with pytest.raises(EvalError) as raised:
        read_questions(path)
    assert all(part in str(raised.value) for part in ("5 faults", "line 3: not JSON", "line 4", "unknown key", "id"))


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "latin").write_bytes(b"\xe9")
    for path in (tmp_path / "missing", tmp_path / "latin", tmp_path):
        with pytest.raises(EvalError, match=path.name):
            read_claims(path)
        with pytest.raises(EvalError, match=path.name):
            faults(path, DOCUMENTS)


def test_line_separators_inside_a_text_do_not_end_the_line(tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({**ROW, "question": "When\u2028now?"}, ensure_ascii=False) + "\n", "utf-8")
    assert read_questions(path)[0].question == "When\u2028now?"


TEXT = st.text(max_size=8)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
QUESTIONS = st.builds(
    Question, TEXT, TEXT, TEXT, st.lists(st.builds(Turn, TEXT, TEXT), max_size=2).map(tuple), TEXT, TEXTS, TEXTS,
    st.lists(st.builds(GoldSentence, TEXT, TEXT), max_size=2).map(tuple), st.booleans(),
)  # fmt: skip
VERDICTS = st.sampled_from([verdict for verdict in Verdict if verdict is not Verdict.UNCHECKED])


@given(QUESTIONS, st.builds(ClaimRow, TEXT, TEXT, TEXT, TEXT, VERDICTS, TEXTS, TEXT))
def test_rows_survive_their_file(question, claim):
    assert Question.from_dict(json.loads(json.dumps(question.to_dict()))) == question
    assert ClaimRow.from_dict(json.loads(json.dumps(claim.to_dict()))) == claim


@given(st.dictionaries(st.sampled_from(list(ROW)), st.none() | st.integers() | TEXT | st.lists(TEXT, max_size=2)))
def test_no_row_makes_the_check_fall_over(change):
    for fault in faults([json.dumps({**ROW, **change})], DOCUMENTS):
        assert fault.what
