"""Training end to end on a handful of rows: data, a few steps, packed weights that load and agree."""

import gzip
import json
import random
import shutil
import sys

import numpy as np
import pytest

from eval.train import answerer, aspect_data, corpora, entailer, entailer_data, reader, reader_data, ship, training
from eval.train.reader_data import NONE, Group
from rag.errors import BadInputError, ModelError
from rag.models import cross_encoder, load_entailer, weights
from tests.eval.tiny import make_encoder
from ui.cli import main

TOPICS = "whales robots grammars proteins glaciers markets violins comets".split()


def write(path, rows):
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.write("\n".join(map(json.dumps, rows)))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Every set that training asks for, with eight rows each."""
    folder = tmp_path_factory.mktemp("train")
    passages = [
        f"We study {t} in the field. The {t} weigh 40 tons. Nobody had counted {t} before. It is cold." for t in TOPICS
    ]
    spans = [
        {"question": f"How heavy are {t}?", "passage": p, "answer": "40 tons", "answer_start": p.index("40")}
        for t, p in zip(TOPICS, passages, strict=True)
    ]
    for name in (*reader_data.SPANS, *reader_data.PASSAGES):
        write(folder / f"{name}.jsonl.gz", spans)
    pairs = [
        {"premise": p, "claim": f"The {t} weigh {w} tons.", "label": label}
        for t, p in zip(TOPICS, passages, strict=True)
        for w, label in ((40, "supported"), (70, "contradicted"))
    ]
    for name in entailer_data.SETS:
        write(folder / f"{name}.jsonl.gz", pairs)
    papers = [
        {
            "title": f"Weighing {t}",
            "abstract": f"{p} We propose WeighNet, which improves the accuracy for {t} by 12%, while running fast.",
        }
        for t, p in zip(TOPICS, passages, strict=True)
    ]
    tldr = [
        {**p, "tldr": f"A way of weighing {t} in the field that nobody had counted before."}
        for t, p in zip(TOPICS, papers, strict=True)
    ]
    write(folder / "aux_tldr.jsonl.gz", tldr)
    write(
        folder / "aux_scitldr.jsonl.gz",
        [{"title": p["title"], "abstract": p["abstract"].split(". "), "tldrs": [p["tldr"]]} for p in tldr],
    )
    expert = [
        {"snippets": [p], "ideal": [f"The {t} weigh 40 tons and nobody had counted {t} before."]}
        for t, p in zip(TOPICS, passages, strict=True)
    ]
    write(folder / "aux_bioasq_golden.jsonl.gz", expert)
    write(folder / "papers.jsonl.gz", papers)
    return folder


def test_groups_hold_the_answer_or_say_that_none_does(data):
    groups = reader_data.build(data, data / "papers.jsonl.gz", leave_out=frozenset(), seed=3)
    assert groups == reader_data.build(data, data / "papers.jsonl.gz", leave_out=frozenset(), seed=3)
    spans = [g for g in groups if g.kind == "qa_covid_qa"]
    assert spans
    for group in spans:
        topic = group.question.split()[-1].rstrip("?")
        has = [f"{topic} weigh 40" in text for text in group.texts]
        assert has == [i == group.answer for i in range(len(group.texts))]
    assert any(g.answer == NONE for g in groups)


def test_aspects_are_answered_by_the_sentences_that_have_them_or_by_none():
    rows = [
        {"title": "WeighNet: A Scale", "sentences": ["We have animal weights.", "The training data are whale songs."]},
        {"title": "SingNet: A Choir", "sentences": ["We have animal weights.", "It has a vocal tract model."]},
        {"title": "HumNet: A Duet", "sentences": ["It has a vocal tract model.", "The training data are bees."]},
    ]
    assert aspect_data.name_of(rows[0]["title"]) == "WeighNet"
    assert aspect_data.name_of("On scales: a study") == ""
    assert aspect_data.phrases("We propose a vocal tract model, which sings.") == ["vocal tract model"]
    asked = list(aspect_data.aspects(rows, [[1, 2], [0, 2], [0, 1]], random.Random(0)))
    assert len(asked) == 2 * len(rows)
    for row, question, answering in asked:
        text = " ".join(row["sentences"])
        phrase = next(p for p in ("animal weights", "training data", "vocal tract model") if p in question)
        assert (phrase in text) == (answering is not None)
        assert answering is None or all(phrase in row["sentences"][at] for at in answering)


def test_twins_differ_from_a_faithful_claim_about_the_same_evidence(data):
    examples = entailer_data.build(data, data / "papers.jsonl.gz", leave_out=frozenset())
    faithful = {(e.evidence, e.claim) for e in examples if e.label == 0}
    twins = [e for e in examples if "/" in e.kind]
    assert twins
    assert all((e.evidence, e.claim) not in faithful for e in twins if not e.kind.endswith("neighbour"))
    assert {entailer_data.LABELS[e.label] for e in twins} == {"contradicted", "not_enough_info"}


def test_the_seed_papers_are_left_out(data):
    out = frozenset({corpora.title_key("Weighing whales")})
    kept = corpora.papers(data / "papers.jsonl.gz", most=99, seed=0, leave_out=out)
    assert len(kept) == len(TOPICS) - 1
    for build in (reader_data.build, entailer_data.build):
        made = build(data, data / "papers.jsonl.gz", leave_out=out)
        ours = [e for e in made if e.kind.startswith(("summary", "title", "sentence", "left_out"))]
        assert ours
        assert not any("whales" in getattr(e, "question", getattr(e, "claim", "")) for e in ours)


def test_a_missing_set_is_named(tmp_path):
    with pytest.raises(BadInputError, match=r"no training set .*qa_squadshifts_new_wiki"):
        reader_data.build(tmp_path, tmp_path / "p", leave_out=frozenset())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"title": "A", "abstract": "B."}\n{"half', "cannot be read at line 2"),
        ('{"title": "A", "abstract": "B."}\n[1]', "cannot be read at line 2"),
        ('{"title": "A"}', "line 1, has no 'abstract'"),
        ('\n{"abstract": "A."}', "line 2, has no 'title'"),
        (b"\xff", "cannot be read at line 0"),
    ],
)
def test_bad_data_is_named(tmp_path, content, told):
    path = tmp_path / "papers.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInputError, match=rf"papers\.jsonl,? {told}"):
        corpora.papers(path, most=9, seed=0, leave_out=frozenset())


def test_papers_cut_short_are_named_and_those_without_an_abstract_passed_over(data, tmp_path):
    whole = (data / "papers.jsonl.gz").read_bytes()
    for name, content in (("cut", whole[:-20]), ("none", b"no gzip")):
        (tmp_path / f"{name}.jsonl.gz").write_bytes(content)
        with pytest.raises(BadInputError, match=rf"{name}\.jsonl\.gz cannot be read"):
            list(corpora.lines(tmp_path / f"{name}.jsonl.gz"))
    write(
        tmp_path / "papers.jsonl.gz",
        [{"title": None, "abstract": "It is. We do. They go."}, {"title": "A", "abstract": None}],
    )
    (kept,) = corpora.papers(tmp_path / "papers.jsonl.gz", most=9, seed=0, leave_out=frozenset())
    assert kept == {"title": "", "sentences": ["It is.", "We do.", "They go."]}


def test_a_run_goes_on_from_what_was_saved_to_its_end_and_never_from_another(tmp_path):
    start = tmp_path / "start"
    for folder in (start, *(tmp_path / f"out/checkpoint-{step}" for step in (90, 100, 110))):
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"weights")
    for step in (90, 100):
        (tmp_path / f"out/checkpoint-{step}/trainer_state.json").write_text("{}", encoding="utf-8")
    examples = [([("q", "text")], 0)]

    def last(examples=examples, start=start):
        return training.last_checkpoint(tmp_path / "out", examples, start)

    assert last() == last() == str(tmp_path / "out/checkpoint-100"), "it was killed while it wrote the last"
    with pytest.raises(BadInputError, match="other data, seed or start: name another --out"):
        last(examples=[([("q", "text")], 1)])
    with pytest.raises(BadInputError, match="other data, seed or start"):
        last(start=None)
    (start / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(BadInputError, match="other data, seed or start"):
        last()
    assert training.last_checkpoint(tmp_path / "new", examples, None) is None
    with pytest.raises(BadInputError, match="give more data"):
        training.last_checkpoint(tmp_path / "empty", [], None)


def test_a_start_that_is_no_earlier_round_is_named_and_no_hub_asked_for_it(tmp_path):
    with pytest.raises(BadInputError, match="holds no adapter of an earlier round"):
        training.adapted(3, tmp_path)


@pytest.mark.parametrize("begun", [lambda start: training.base(1, start), answerer.base])
def test_a_start_that_holds_no_whole_model_is_named(begun, tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"cannot be loaded: .*; name the (model )?folder of"):
        begun(tmp_path)


def test_a_text_is_no_neighbour_of_itself():
    texts = ["whale songs at sea", "whales at sea", "grammars of cats"]
    assert list(reader_data.neighbours_of(texts)) == [[1, 2], [0, 2], [1, 0]]
    assert list(reader_data.neighbours_of(texts, 1)) == [[1], [0], [1]]


def test_what_training_needs_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "peft", None)
    assert main(["train", "entailer"]) == 1
    assert "training needs peft; install it with" in capsys.readouterr().err


@pytest.fixture
def encoder(tmp_path, monkeypatch):
    """A tiny encoder under the entailer."""
    folder = make_encoder(tmp_path / "encoder")
    for module in (training, cross_encoder):
        monkeypatch.setattr(module, "encoder_folder", lambda: folder)


@pytest.mark.parametrize(("model", "module"), [("reader", reader), ("entailer", entailer)])
def test_a_model_is_trained_packed_and_loaded(model, module, data, tmp_path, monkeypatch, encoder):
    monkeypatch.setattr(module, "HELD_OUT", 24)
    card = ship.train(model, data, data / "papers.jsonl.gz", tmp_path)
    assert "questions_by" not in card
    assert card["scores_on_held_out_pairs"]["held_out"] == 24
    packed = tmp_path / f"{model}.safetensors"
    assert packed.stat().st_size < 12e6
    shutil.copy(weights.TRAINED / "calibration.json", tmp_path)
    monkeypatch.setattr(weights, "TRAINED", tmp_path)
    pairs = [("How heavy are whales?", "The whales weigh 40 tons."), ("How heavy are whales?", "It is cold.")]
    loaded = cross_encoder.load_trained(model).logits(pairs)
    assert loaded.shape == (2, len(card["labels"]))
    np.testing.assert_allclose(loaded, whole(model, tmp_path / "model").logits(pairs), atol=0.15)
    if model == "entailer":
        (judged,) = load_entailer("footnote-entailer").entail([("Whales weigh 40 tons.", "Whales are heavy.")])
        assert judged.supported + judged.contradicted + judged.not_enough_info == pytest.approx(1)
    packed.write_bytes(packed.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="not those of its card"):
        cross_encoder.load_trained(model)


def whole(model, folder):
    """The classifier that training left in `folder`, before it was packed."""
    if model == "reader":
        return cross_encoder.load(folder, what="model")
    tokenizer, _ = training.adapted(3)
    return cross_encoder.CrossEncoder(training.trained(folder, 3).merge_and_unload(), tokenizer)


def test_a_second_round_of_the_entailer_goes_on_from_the_first(data, tmp_path, monkeypatch, encoder):
    monkeypatch.setattr(entailer, "HELD_OUT", 24)
    monkeypatch.setattr(entailer, "MOST", 64)
    first = entailer.train(data, data / "papers.jsonl.gz", tmp_path / "one", leave_out=frozenset())
    assert first["pairs"] == 64
    monkeypatch.setattr(entailer, "RATE", 0.0)
    entailer.train(
        data, data / "papers.jsonl.gz", tmp_path / "two", leave_out=frozenset(), start=tmp_path / "one/model"
    )
    one, two = (training.trained(tmp_path / name / "model", 3).state_dict() for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert any("lora_B" in key and tensor.abs().max() > 0 for key, tensor in one.items())
    assert all(np.array_equal(one[key].float(), two[key].float()) for key in one if "lora" in key)


def test_the_loss_has_none_as_an_option():
    import torch

    batch = {"sizes": torch.tensor([2, 2]), "targets": torch.tensor([1, NONE])}
    logits = torch.tensor([[0.0], [2.0], [-1.0], [1.0]])
    first = np.log(1 + 1 + np.e**2) - 2
    second = np.log(1 + np.e**-1 + np.e)
    assert float(reader.loss(logits, batch)) == pytest.approx((first + second) / 2, rel=1e-5)


def test_scores_of_a_reader_against_a_hand_worked_example():
    groups = [Group("q", ("a", "b"), 1, "k"), Group("q", ("a", "b"), 0, "k"), Group("q", ("a", "b"), NONE, "k")]
    found = reader.scores([0.0, 1.0, 0.0, 3.0, -1.0, 0.5], groups)
    assert found == {"first": 0.5, "auc": 1.0}


def test_a_temperature_that_fits():
    import torch

    sure_and_half_wrong = torch.tensor([[8.0, 0.0, 0.0]] * 4)
    assert entailer.temperature(sure_and_half_wrong, [0, 0, 1, 2]) > 2


def test_an_unknown_entailer_is_named(tmp_path):
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_entailer(str(tmp_path))
