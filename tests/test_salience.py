"""Salience from a claim to its evidence: exact places, a second implementation, and the real generator."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import BadInputError, ModelError
from rag.models import ServerGenerator, TransformerGenerator, load_generator
from rag.models.salience import log_likelihoods, trace
from rag.pipeline import Footnote
from rag.salience import SYSTEM, salience, word_spans
from rag.settings import Settings
from tests.conftest import ScriptedGenerator

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"the frog sleeps hides its cells in liver a b c . ? , [ ] 1 2 3".split()]
EVIDENCE = ["The glass frog stores red cells in its liver.", "Toads sing at night.", "Bees dance to tell of flowers."]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A random one-layer model whose tokenizer puts special tokens around a text."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    raw = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=96,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(folder)
    return TransformerGenerator(folder, "tiny", device="cpu")


@pytest.fixture(scope="module")
def real():
    return load_generator(Settings())


def test_a_trace_is_what_a_second_implementation_makes_of_it(tiny):
    import torch

    target = "its liver sleeps ."
    traced = trace(tiny, "the frog", "a b c", target)
    assert traced.text[traced.target_start :] == target
    with tiny.undisturbed() as (model, tokenizer):
        ids = torch.tensor([tokenizer(traced.text)["input_ids"][:-1]])  # without [SEP] behind the target
        embeddings = model.get_input_embeddings()(ids).detach().requires_grad_()
        shares = model(inputs_embeds=embeddings).logits.float().log_softmax(-1)[0]
        own = [shares[place - 1, ids[0, place]] for place in range(ids.shape[1] - 4, ids.shape[1])]
        (gradient,) = torch.autograd.grad(sum(own), [embeddings])
    assert traced.log_likelihoods == pytest.approx([value.item() for value in own], abs=0.02)
    norms = [row.norm().item() for row in gradient[0].float()][1:]  # [CLS] has no place in the text
    assert [token.score for token in traced.tokens] == pytest.approx(norms, rel=0.05, abs=1e-3)
    assert log_likelihoods(tiny, "the frog", "a b c", target) == pytest.approx(traced.log_likelihoods, abs=0.02)
    with tiny.undisturbed() as (model, _):
        assert all(weight.grad is None for weight in model.parameters())


def test_words_sum_to_sentences_and_sentences_to_one(tiny):
    evidence = ["the frog hides its cells .", " ", "b\n a, (liver)? "]
    found = salience(tiny, "the frog sleeps .", evidence, question="a b ?")
    assert sum(found.sentences) == pytest.approx(1)
    assert found.sentences[1] == 0
    for sentence, score, words in zip(evidence, found.sentences, found.words, strict=True):
        assert [word.text for word in words] == sentence.split()
        assert all(sentence[word.start : word.end] == word.text and word.score >= 0 for word in words)
        assert sum(word.score for word in words) == pytest.approx(score)
    assert 0 < found.evidence_share < 1
    assert salience(tiny, "the frog sleeps .", evidence, question="a b ?") == found


def test_an_open_library_explains_with_its_generator(tiny, embedder, tmp_path):
    footnote = Footnote.create(tmp_path / "library", embedder=embedder, generator=tiny)
    assert footnote.explain("the frog .", ["a frog ."]) == salience(tiny, "the frog .", ["a frog ."])
    footnote.library.close()


def test_gain_is_the_mean_log_likelihood_with_the_evidence_less_without(tiny):
    claim = "the frog hides ."
    found = salience(tiny, claim, ["its liver"])
    with_it = log_likelihoods(tiny, SYSTEM, "[1] its liver", claim)
    without = log_likelihoods(tiny, SYSTEM, "", claim)
    assert found.log_likelihood == pytest.approx(sum(with_it) / 4, abs=0.02)
    assert found.gain == pytest.approx((sum(with_it) - sum(without)) / 4, abs=0.02)
    assert found.helped == sum(told > untold for told, untold in zip(with_it, without, strict=True)) / 4


def test_without_evidence_there_is_nothing_to_gain(tiny):
    found = salience(tiny, "the frog hides .", [])
    assert (found.sentences, found.words, found.evidence_share) == ((), (), 0.0)
    assert found.gain == pytest.approx(0, abs=0.02)


def test_what_cannot_be_explained_is_said(tiny):
    with pytest.raises(BadInputError, match="empty"):
        salience(tiny, " ", ["the frog"])
    with pytest.raises(BadInputError, match="fewer sentences"):
        salience(tiny, "the frog", ["the frog sleeps " * 40])
    for generator in (ServerGenerator("http://localhost:9", "remote"), ScriptedGenerator("x")):
        with pytest.raises(ModelError, match="gives no gradients"):
            salience(generator, "the frog", ["the frog sleeps"])


@given(st.text(max_size=60))
def test_word_spans_cover_all_that_is_not_white_space(text):
    spans = word_spans(text)
    assert [text[start:end] for start, end in spans] == re.findall(r"\S+", text)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    outside = set(range(len(text))) - {i for start, end in spans for i in range(start, end)}
    assert all(text[i].isspace() for i in outside)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=25), max_size=3))
def test_every_word_of_any_evidence_has_its_exact_place(tiny, evidence):
    found = salience(tiny, "the frog sleeps .", evidence)
    for sentence, words in zip(evidence, found.words, strict=True):
        assert [word.text for word in words] == sentence.split()
        assert all(sentence[word.start : word.end] == word.text for word in words)


@pytest.mark.parametrize("copied", range(3))
def test_the_sentence_that_the_claim_copies_is_the_most_salient(real, copied):
    found = salience(real, EVIDENCE[copied], EVIDENCE)
    assert max(range(3), key=lambda i: found.sentences[i]) == copied
    assert found.gain > 1


def test_words_of_the_real_generator_have_exact_places(real):
    evidence = ["A naïve 😀 frog’s\n\tliver — 24.5% of cells (α-helix).", "中文 句子 is fine."]
    found = salience(real, "The liver holds 24.5% of cells.", evidence)
    for sentence, words in zip(evidence, found.words, strict=True):
        assert [word.text for word in words] == sentence.split()
        assert all(sentence[word.start : word.end] == word.text and word.score > 0 for word in words)
    assert found.to_dict()["sentences"][0]["words"][2]["text"] == "😀"
