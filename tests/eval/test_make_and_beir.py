import gzip
import json

import pytest

from eval import beir
from eval.dataset import faults
from eval.make import make_questions
from rag.errors import EvalError
from rag.pipeline import Footnote
from rag.types import Chunk, Document, Hit
from ui.cli import main


@pytest.fixture
def documents(seeds):
    return list(seeds.library.list(0, 1000)[0])


def test_made_questions_have_no_fault_and_a_third_hides_its_paper(documents):
    made = make_questions(documents, most=45)
    texts = {document.source: document.text for document in documents}
    assert faults([json.dumps(q.to_dict()) for q in made], texts) == []
    assert len(made) == 45
    assert made == make_questions(documents, most=45)
    hidden = [q for q in made if not q.answerable]
    assert len(hidden) == 15
    by_text = {q.question: q for q in made if q.answerable}
    assert all(q.without == by_text[q.question].gold_sources for q in hidden)
    assert {"made_number", "made_name", "made_known_item"} <= {q.type for q in made}


def test_a_third_is_hidden_where_there_is_little_to_ask_about(documents):
    made = make_questions(documents[:2], most=60)
    assert 3 * sum(not question.answerable for question in made) <= len(made) < 60


def test_a_gap_does_not_hold_its_answer(documents):
    for question in make_questions(documents, most=60):
        if question.type in ("made_number", "made_name"):
            (answer,) = question.key_facts
            gapped = question.question.partition(": ")[2]
            assert "____" in gapped
            assert answer in question.gold_sentences[0].text


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        ("The two of them had 2-9B parameters and were trained on the same text for as long.", "had 2-____ parameters"),
        ("They had 88 of them in the first year, and the next year had 88 of them too.", "had ____ of them too"),
        ("There are 140 of them in all, and they are as good as those of before.", None),  # the title says it
    ],
)
def test_a_gap_is_made_of_whole_numbers_wherever_they_stand(sentence, asked):
    document = Document("d", "On 140 things", sentence, "s.txt#1")
    made = [q for seed in range(20) for q in make_questions([document], most=3, seed=seed) if q.type == "made_number"]
    assert bool(made) is bool(asked)
    assert all(asked in question.question for question in made)


def collection(folder, *, trec=False):
    folder.mkdir(parents=True)
    rows = [
        {"_id": "w", "title": "Whales", "text": "Whales sing under water for hours at a time."},
        {"_id": "m", "title": "Mamba", "text": "State space models are linear in the length of the sequence."},
    ]
    with gzip.open(folder / "corpus.jsonl.gz", "wt") as out:
        out.write("\n".join(map(json.dumps, rows)))
    if trec:
        (folder / "queries.tsv").write_text("1\tsongs of whales\n2\tlinear models\n")
        (folder / "qrels.txt").write_text("1 0 w 1\n2 0 m 2\n2 0 w 0\n")
    else:
        queries = [
            {"_id": "1", "text": "songs of whales"},
            {"_id": "2", "text": "linear models"},
            {"_id": "3", "text": "x"},
        ]
        (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
        (folder / "qrels").mkdir()
        (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\tw\t1\n2\tm\t2\n2\tw\t0\n")
    return folder


@pytest.mark.parametrize("trec", [False, True])
def test_a_collection_is_read_searched_and_scored(tmp_path, embedder, trec):
    read = beir.read_collection(collection(tmp_path / "c", trec=trec))
    assert read.queries == {"1": "songs of whales", "2": "linear models"}
    assert read.qrels["2"] == {"m": 2, "w": 0}
    footnote = Footnote.build([read.corpus], tmp_path / "library", embedder=embedder)
    found = beir.search_all(footnote, read)
    names = beir.names_of(footnote)
    assert sorted(names.values()) == ["m", "w"]
    scores = beir.tables({k: [names[h.chunk.doc_id] for h in hits] for k, hits in found.items()}, read.qrels)
    assert scores["ndcg@10"]["value"] == scores["success@1"]["value"] == 1
    beir.write_run(tmp_path / "run.trec", found, names, tag="t")
    assert (tmp_path / "run.trec").read_text().splitlines()[0].split()[:4] == ["1", "Q0", "w", "1"]


def test_what_a_collection_lacks_is_said(tmp_path):
    with pytest.raises(EvalError, match=r"has no corpus\.jsonl"):
        beir.read_collection(tmp_path)
    folder = collection(tmp_path / "c")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1 w\n")
    with pytest.raises(EvalError, match=r"test\.tsv, line 2"):
        beir.read_collection(folder)
    (folder / "qrels" / "test.tsv").write_text("9\tw\t1\n")
    with pytest.raises(EvalError, match="no query"):
        beir.read_collection(folder)


def test_a_bad_line_is_named_where_it_stands(tmp_path):
    folder = collection(tmp_path / "c")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n\n1\tw\t--1\n")
    with pytest.raises(EvalError, match=r"test\.tsv, line 3"):
        beir.read_collection(folder)
    (folder / "qrels" / "test.tsv").write_text("1\tw\t1\n2\tw\t1\n")
    (folder / "queries.jsonl").write_text('\n{"_id": "1", "text": 7}\n')
    with pytest.raises(EvalError, match=r"queries\.jsonl, line 2"):
        beir.read_collection(folder)
    (folder / "queries.jsonl").write_bytes(b'{"_id": "1", "text": "\xe9"}\n')
    with pytest.raises(EvalError, match=r"queries\.jsonl cannot be read"):
        beir.read_collection(folder)
    (folder / "queries.tsv").write_text("1\twhales\n2\t \n")
    with pytest.raises(EvalError, match="without a text: 2"):
        beir.read_collection(folder)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("qrels/test.tsv", f"1\tw\t1\n1\t{'x' * 200_000}\t1\n", r"test\.tsv, line 2: field larger"),
        ("qrels/test.tsv", f"1\tw\t1\n1\tm\t{'9' * 5_000}\n", r"test\.tsv, line 2: not \(query"),
        ("qrels/test.tsv", "1\tw\t1\n1\tw\t0\n", r"test\.tsv, line 2: another grade for query '1' and document 'w'"),
        ("queries.tsv", "1\twhales\n1\tbees\n", "there are two queries '1'"),
        ("queries.jsonl", "[" * 100_000, r"queries\.jsonl, line 1"),
    ],
    ids=["long", "digits", "grades", "queries", "deep"],
)
def test_what_would_be_read_wrongly_is_named(tmp_path, name, content, told):
    folder = collection(tmp_path / "c")
    (folder / name).write_text(content)
    with pytest.raises(EvalError, match=told):
        beir.read_collection(folder)


def test_a_line_that_stands_twice_counts_once(tmp_path):
    folder = collection(tmp_path / "c")
    (folder / "qrels" / "test.tsv").write_text("1\tw\t1\n1\tw\t1\n")
    assert beir.read_collection(folder).qrels == {"1": {"w": 1}}


def test_a_byte_order_mark_loses_no_query(tmp_path):
    folder = collection(tmp_path / "c", trec=True)
    for name in ("queries.tsv", "qrels.txt"):
        (folder / name).write_text((folder / name).read_text(), encoding="utf-8-sig")
    read = beir.read_collection(folder)
    assert list(read.queries) == list(read.qrels) == ["1", "2"]


def test_a_run_for_trec_eval_never_rises(tmp_path):
    hits = [Hit(Chunk(name, 0, 1, "x"), score, rank) for rank, (name, score) in enumerate([("a", 0.5), ("b", 0.9)], 1)]
    beir.write_run(tmp_path / "run.trec", {"1": hits}, {"a": "A", "b": "B"}, tag="t")
    assert (tmp_path / "run.trec").read_text() == "1 Q0 A 1 0.500000 t\n1 Q0 B 2 0.500000 t\n"


def test_another_corpus_is_not_searched_with_the_first(tmp_path, capsys):
    first, second = collection(tmp_path / "c"), collection(tmp_path / "other" / "c")
    with gzip.open(second / "corpus.jsonl.gz", "at") as out:
        out.write('\n{"_id": "b", "title": "Bees", "text": "Bees dance for one another in the dark."}')
    assert main(["eval", "beir", str(first), "--out", str(tmp_path / "out")]) == 0
    assert main(["eval", "beir", str(second), "--out", str(tmp_path / "out")]) == 1
    assert "holds a run with other corpus; give --out another folder" in capsys.readouterr().err


def test_the_command_prints_every_figure(tmp_path, capsys):
    place = collection(tmp_path / "c")
    assert main(["eval", "beir", str(place), "--out", str(tmp_path / "out")]) == 0
    printed = {line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]}
    scores = json.loads((tmp_path / "out" / "scores.json").read_text(encoding="utf-8"))
    assert printed == set(scores["metrics"]) >= {"success@1", "recall@100", "ndcg@10", "mrr"}
