"""The answerer: its wording, its examples, and a tiny generator trained, killed, packed and loaded."""

import gzip
import json

import pytest

from eval.train import answerer, answerer_data, corpora, ship, training
from eval.train.answerer_wording import focused, shortened
from rag.answer import DECLINES, completed, read
from rag.errors import ModelError
from rag.figures import figures
from rag.library.lexical import terms
from rag.models import TransformerGenerator, adapter, load_generator, weights
from rag.overlap import keeps_to
from rag.settings import Settings
from rag.words import names
from tests.eval.tiny import make

TOPICS = "whales robots grammars proteins glaciers markets violins comets".split()


def write(path, rows):
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.write("\n".join(map(json.dumps, rows)))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Every set that the answerer's training asks for, eight rows each."""
    folder = tmp_path_factory.mktemp("train")
    said = "The {t} of the north weigh 40 tons. Nobody had counted {t} of any kind before. It is cold there in winter."
    passages = [said.format(t=t) for t in TOPICS]
    spans = [
        {"question": f"How heavy are {t}?", "passage": p, "answer": "40 tons", "answer_start": p.index("40")}
        for t, p in zip(TOPICS, passages, strict=True)
    ]
    for name in answerer_data.SPANS:
        write(folder / f"{name}.jsonl.gz", spans)
    expert = [
        {"question": f"What do {t} weigh?", "snippets": [p], "ideal": [f"The {t} weigh 40 tons."]}
        for t, p in zip(TOPICS, passages, strict=True)
    ]
    write(folder / "aux_bioasq_golden.jsonl.gz", expert)
    papers = [
        {
            "title": f"{t.title()}Net: Weighing {t}",
            "abstract": f"{p} We propose {t.title()}Net, a new animal scale, which improves the mean error by 12%. "
            f"Experiments show that it outperforms three {t[:-1]} models.",
        }
        for t, p in zip(TOPICS, passages, strict=True)
    ]
    write(folder / "papers.jsonl.gz", papers)
    return folder


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("We propose a novel scale for whales at sea.", "The authors propose a scale for whales at sea."),
        ("However, we find that whales sing in 7 keys at night.", "Whales sing in 7 keys at night."),
        ("We find two circuits that match the model.", "The authors find two circuits that match the model."),
        ("Our results show WhaleNet exceeds SingNet by 6.22 points.", "WhaleNet exceeds SingNet by 6.22 points."),
        ("We hypothesize that whales may sing.", "The authors hypothesize that whales may sing."),
        ("In this paper, we weigh 40 whales, as we must.", "The authors weigh 40 whales, as they must."),
        ("It halves the error of the scale, highlighting its potential.", "It halves the error of the scale."),
        ("Whales sing.", "Whales sing."),
    ],
)
def test_a_sentence_is_said_shorter_in_the_third_person(sentence, said):
    assert shortened(sentence) == said


def test_a_question_says_which_parts_of_a_sentence_stay():
    sentence = (
        "To weigh whales at sea, the crew lowers a net (of hemp), which takes 40 minutes, while gulls look on in rows."
    )
    asked = frozenset(terms("How long does the net take? 40 minutes"))
    assert focused(sentence, asked) == "The crew lowers a net, which takes 40 minutes."
    assert focused(sentence, frozenset(terms("gulls hemp sea"))) == sentence


def test_an_example_cites_what_its_answer_says(data):
    examples = answerer_data.build(data, data / "papers.jsonl.gz", leave_out=frozenset(), seed=3)
    assert examples == answerer_data.build(data, data / "papers.jsonl.gz", leave_out=frozenset(), seed=3)
    assert {e.kind.partition("/")[0] for e in examples} >= {"expert", "statement", "list", *answerer_data.SPANS}
    answered = [e for e in examples if e.answer != DECLINES]
    assert answered
    assert len(answered) < len(examples)
    for example in answered:
        evidence = [answerer_data._evidence(*shown) for shown in example.evidence]
        draft = read(example.answer, evidence)
        assert draft.claims
        assert not draft.fabricated
        for claim in draft.claims:
            (citation,) = claim.citations
            assert keeps_to(claim.text, citation.quote)
            assert {f.text for f in figures(claim.text)} <= {f.text for f in figures(citation.quote)}
            assert set(names(claim.text)) <= set(names(citation.quote)) | {"The"}
    for example in examples:
        assert example.prompt.endswith(f"Question: {example.question}")
        assert all(f"[{n}] {sentence}" in example.prompt for n, (_, sentence) in enumerate(example.evidence, start=1))


def test_what_is_withheld_is_declined(data):
    examples = answerer_data.build(data, data / "papers.jsonl.gz", leave_out=frozenset())
    declined = [e for e in examples if e.answer == DECLINES and e.kind.startswith("qa_")]
    for example in declined:
        topic = example.question.split()[-1].rstrip("?")
        assert not any(f"{topic} of the north weigh 40" in sentence for _, sentence in example.evidence)


def test_the_seed_papers_are_left_out(data):
    out = frozenset({corpora.title_key("WhalesNet: Weighing whales")})
    made = answerer_data.build(data, data / "papers.jsonl.gz", leave_out=out)
    assert any("RobotsNet" in title for e in made for title, _ in e.evidence)
    assert not any("WhalesNet" in title for e in made for title, _ in e.evidence)


@pytest.fixture(scope="module")
def tiny(data, tmp_path_factory):
    texts = [
        f"{e.prompt} {e.answer}" for e in answerer_data.build(data, data / "papers.jsonl.gz", leave_out=frozenset())
    ]
    return make(texts, tmp_path_factory.mktemp("tiny"))


def test_the_answerer_is_trained_goes_on_after_a_kill_and_is_loaded_without_what_trained_it(
    data, tiny, tmp_path, monkeypatch
):
    import torch

    monkeypatch.setattr(answerer, "HELD_OUT", 3)
    monkeypatch.setattr(training, "SAVE_STEPS", 2)
    monkeypatch.setattr(answerer, "RATE", 1e-2)
    papers = data / "papers.jsonl.gz"
    options = {"leave_out": frozenset(), "start": tiny}
    answerer.train(data, papers, tmp_path, steps=3, **options)  # its last checkpoint is of step 2
    (tmp_path / "checkpoints" / "checkpoint-3").rename(tmp_path / "lost")
    found = answerer.train(data, papers, tmp_path, steps=6, **options)
    state = json.loads((tmp_path / "checkpoints" / "checkpoint-6" / "trainer_state.json").read_text(encoding="utf-8"))
    assert state["global_step"] == 6
    assert found["held_out"] == 3

    card = ship.train("answerer", data, papers, tmp_path, start=tiny)  # goes on to the end of the examples
    assert card["scores_on_held_out_pairs"]["held_out"] == 3
    packed = tmp_path / "answerer.safetensors"
    monkeypatch.setattr(weights, "TRAINED", tmp_path)
    changes = weights.read_packed("answerer")
    assert {key.rpartition(".")[2] for key in changes} == {"A", "B"}
    assert all(".layers.1." in key for key in changes)  # the upper half
    wrapped = answerer.trained(tmp_path / "model", tiny).eval()
    plain = TransformerGenerator(tiny, "tiny", device="cpu")
    merged = TransformerGenerator(tiny, "tiny", adapter=changes, device="cpu")
    ids = torch.tensor([[3, 4, 5, 6]])
    with torch.inference_mode():
        wanted = wrapped(ids).logits.float()
        got = merged._model(ids).logits.float()
        before = plain._model(ids).logits.float()
    assert (got - wanted).abs().max() < 0.25 * (before - wanted).abs().max()

    packed.write_bytes(packed.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="not those of its card"):
        weights.read_packed("answerer")
    with pytest.raises(ModelError, match="does not have"):
        adapter.add(merged._model, {"no.such.A": torch.ones(1, 2), "no.such.B": torch.ones(2, 1)})


def test_an_answerer_without_weights_says_how_to_make_them(tmp_path, monkeypatch):
    (tmp_path / "answerer.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(weights, "TRAINED", tmp_path)
    with pytest.raises(ModelError, match=r"footnote train answerer .*--install"):
        load_generator(Settings(llm=weights.OWN_GENERATOR))
    assert weights.status("generator", weights.OWN_GENERATOR).place == ""


def test_a_copied_sentence_is_given_the_number_that_it_is_from():
    shown = [("A", "Whales of the north weigh 40 tons."), ("B", "Gulls of the south weigh one pound.")]
    evidence = [answerer_data._evidence(*pair) for pair in shown]
    (moved,) = read("Whales of the north weigh 40 tons [2].", evidence).claims
    assert [c.title for c in moved.citations] == ["A"]
    (kept,) = read("Whales are heavier than gulls in the south [2].", evidence).claims
    assert [c.title for c in kept.citations] == ["B"]


def test_written_sentences_name_their_paper_like_quotations():
    shown = [("A", "Whales of the north weigh 40 tons."), ("B", "Gulls of the south weigh one pound.")]
    evidence = [answerer_data._evidence(*pair) for pair in shown]
    claims = read("Whales weigh 40 tons [1].", evidence).claims
    told = completed(claims, evidence, max_words=50, naming=True)
    assert [claim.text for claim in told] == ["A: Whales weigh 40 tons.", "B: “Gulls of the south weigh one pound.”"]
    assert len(completed(claims, evidence, max_words=5)) == 1
    assert len(completed(claims, evidence, max_words=5, sure=evidence)) == 2


def test_scores_of_drafts_against_a_hand_worked_example():
    shown = (("A", "Whales weigh 40 tons."), ("B", "Gulls weigh 1 kg."))
    asked = [answerer_data.Example("q", shown, answer, "k") for answer in ("Whales weigh 40 tons [1].",) * 3]
    asked.append(answerer_data.Example("q", shown, DECLINES, "k"))
    drafts = ["Whales weigh 40 tons [1].", "Gulls weigh 1 kg [2].", DECLINES, "Whales weigh 40 tons [1]."]
    assert answerer.scores(drafts, asked) == {"declined": 0.0, "answered": 2 / 3, "exact": 0.5, "marker": 0.5}
