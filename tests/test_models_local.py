"""Models from a folder: tiny ones made here, and the real embedder."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rag.choosing import Models
from rag.errors import ModelError
from rag.models import (
    Asker,
    TransformerEmbedder,
    TransformerGenerator,
    load_entailer,
    load_generator,
    load_reader,
    weights,
)
from rag.models.asker import shown_tokens
from rag.models.entailer import roles_of
from rag.models.generator import load_causal
from rag.settings import Settings

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"the frog sleeps hides cells liver a b c . ? ,".split()]


@pytest.fixture(scope="module")
def tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="[UNK]", pad_token="[PAD]", eos_token="[SEP]")


SIZES = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
}


@pytest.fixture(scope="module")
def generator_folder(tokenizer, tmp_path_factory):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("generator")
    LlamaForCausalLM(LlamaConfig(**SIZES, num_key_value_heads=2, eos_token_id=None)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def nli_folder(tokenizer, tmp_path_factory):
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    labels = {0: "CONTRADICTION", 1: "ENTAILMENT", 2: "NEUTRAL"}
    folder = tmp_path_factory.mktemp("nli")
    BertForSequenceClassification(BertConfig(**SIZES, num_labels=3, id2label=labels)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_a_generator_from_a_folder_streams_the_same_every_time(generator_folder):
    generator = load_generator(Settings(llm=str(generator_folder)))
    first = list(generator.stream("the frog", "sleeps ?", max_new_tokens=8))
    assert first
    assert first == list(generator.stream("the frog", "sleeps ?", max_new_tokens=8))


def test_a_prompt_longer_than_the_context_is_cut(generator_folder):
    generator = TransformerGenerator(generator_folder, "tiny")
    assert list(generator.stream("the frog", "sleeps " * 500, max_new_tokens=4))


def test_a_draft_leaves_half_of_the_context_to_its_prompt(generator_folder):
    generator = TransformerGenerator(generator_folder, "tiny")
    whole = "".join(generator.stream("the frog", "sleeps ?", max_new_tokens=generator.context_window))
    half = "".join(generator.stream("the frog", "sleeps ?", max_new_tokens=generator.context_window // 2))
    assert whole == half


def test_closing_the_stream_frees_the_generator(generator_folder):
    generator = TransformerGenerator(generator_folder, "tiny")
    stream = generator.stream("the", "frog", max_new_tokens=40)
    next(stream)
    stream.close()
    assert list(generator.stream("the", "frog", max_new_tokens=3))


TEXTS = ["The whale sings.", "A robot walks over stairs and grasps a cup. " * 3, ""]


def test_how_likely_a_question_is_does_not_depend_on_the_batch(generator_folder):
    asker = Asker(*load_causal(generator_folder, "tiny", device="cpu"))
    together = asker.log_likelihood("Which whale sings?", TEXTS)
    alone = [asker.log_likelihood("Which whale sings?", [text])[0] for text in TEXTS]
    assert together == pytest.approx(np.stack(alone), abs=0.02)
    assert together.shape == (len(TEXTS), 4)
    assert (together < 0).all()
    assert len(set(together.sum(axis=1).tolist())) == len(TEXTS), "the text counts"
    assert asker.log_likelihood("Which whale sings?", []).shape == (0, 4)


def test_what_was_read_before_makes_no_difference_to_how_likely_a_question_is(generator_folder):
    model, tokenizer = load_causal(generator_folder, "tiny", device="cpu")
    fresh, used = Asker(model, tokenizer), Asker(model, tokenizer, kept_tokens=60)
    used.log_likelihood("Do frogs sleep?", [*TEXTS[::-1], "The frog sleeps. " * 20])
    found, again = (asker.log_likelihood("Which whale sings?", TEXTS) for asker in (used, fresh))
    assert found.tolist() == again.tolist()


def test_a_text_is_read_once_and_forgotten_when_there_are_too_many(generator_folder):
    model, tokenizer = load_causal(generator_folder, "tiny", device="cpu")
    read = []
    model.register_forward_pre_hook(lambda *called: read.append(called[2]["input_ids"].shape), with_kwargs=True)
    asker = Asker(model, tokenizer, kept_tokens=len(shown_tokens(tokenizer, TEXTS[1])))
    asker.log_likelihood("Which whale sings?", TEXTS[1:2])
    asker.log_likelihood("Which robot walks?", TEXTS[1:2])
    shown = len(shown_tokens(tokenizer, TEXTS[1]))
    assert [tokens for _, tokens in read] == [shown - 1, 4, 4], "the text, and two questions of four words"
    asker.log_likelihood("Which whale sings?", TEXTS[:1])
    asker.log_likelihood("Which robot walks?", TEXTS[1:2])
    assert len(read) == 3 + 2 + 2, "the first text had to be read again"


def test_the_likelihood_is_that_of_one_pass_over_text_and_question(generator_folder):
    import torch

    model, tokenizer = load_causal(generator_folder, "tiny", device="cpu")
    asked = tokenizer(" Which whale sings?", add_special_tokens=False)["input_ids"]
    for text, found in zip(TEXTS, Asker(model, tokenizer).log_likelihood("Which whale sings?", TEXTS), strict=True):
        ids = torch.tensor([shown_tokens(tokenizer, text) + asked])
        with torch.inference_mode():
            likely = model(ids).logits[0, :-1].float().log_softmax(-1)
        whole = likely.gather(1, ids[0, 1:, None])[-len(asked) :, 0].numpy()
        assert found == pytest.approx(whole, abs=0.02)


def test_an_nli_model_is_read_by_its_labels(nli_folder):
    entailer = load_entailer(str(nli_folder))
    (found,) = entailer.entail([("the frog sleeps .", "the frog hides .")])
    assert found.supported + found.contradicted + found.not_enough_info == pytest.approx(1.0)
    assert entailer.entail([("the frog sleeps .", "the frog hides .")]) == [found]


@pytest.mark.parametrize(
    ("labels", "supported"),
    [
        ({0: "entailment", 1: "neutral", 2: "contradiction"}, 0),
        ({0: "LABEL_0", 1: "LABEL_1"}, 1),
        ({0: "not_entailment", 1: "entailment"}, 1),
        ({0: "unsupported", 1: "supported"}, 1),
        ({0: "SUPPORTS", 1: "REFUTES", 2: "NOT ENOUGH INFO"}, 0),
    ],
)
def test_labels_of_many_spellings(labels, supported):
    roles = roles_of(labels, "m")
    assert [index for index, role in roles.items() if role == "supported"] == [supported]


def test_labels_that_say_nothing_are_refused():
    with pytest.raises(ModelError, match="positive"):
        roles_of({0: "positive", 1: "negative"}, "sentiment")


@pytest.mark.parametrize(
    "labels",
    [
        {0: "nonentailment", 1: "entailment"},
        {0: "factually_inconsistent", 1: "factually_consistent"},
        {0: "does not entail", 1: "entails"},
        {0: "untrue", 1: "true"},
        {0: "no-support", 1: "support"},
    ],
)
def test_a_negated_label_is_not_what_it_negates(labels):
    assert roles_of(labels, "m") == {0: "not_enough_info", 1: "supported"}


@pytest.mark.parametrize(
    "labels", [{0: "neutral", 1: "contradiction"}, {0: "contradiction"}, {0: "true", 1: "support"}]
)
def test_labels_that_do_not_part_what_is_supported_are_refused(labels):
    with pytest.raises(ModelError, match="does not tell what is supported"):
        roles_of(labels, "m")


def test_one_output_is_the_log_odds_of_support(tokenizer, tmp_path):
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    model = BertForSequenceClassification(BertConfig(**SIZES, num_labels=1, id2label={0: "SUPPORTED"}))
    model.classifier.bias.data += 2
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    pair = ("the frog sleeps .", "the frog hides .")
    (found,) = load_entailer(str(tmp_path)).entail([pair])
    logit = float(load_reader(str(tmp_path)).read(pair[0], [pair[1]])[0])
    assert found.supported == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-3)
    assert found.not_enough_info == pytest.approx(1 - found.supported)
    assert 0.8 < found.supported < 0.95


def test_a_judge_whose_head_would_be_made_up_is_refused(tokenizer, tmp_path):
    from transformers import BertConfig, BertModel

    BertModel(BertConfig(**SIZES)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"entailer .* was not trained to judge: classifier\."):
        load_entailer(str(tmp_path))


@pytest.mark.parametrize(
    ("file", "content"),
    [("model.safetensors", b"\x08\0\0"), ("config.json", b'{"model_type": "llama", "hidden_size": "many"}')],
)
@pytest.mark.parametrize(
    "load", [TransformerGenerator, TransformerEmbedder, lambda place, _: load_entailer(str(place))]
)
def test_a_damaged_model_is_named(generator_folder, tmp_path, load, file, content):
    folder = shutil.copytree(generator_folder, tmp_path / "damaged")
    (folder / file).write_bytes(content)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(folder, "damaged")


def test_a_damaged_gguf_is_named(tmp_path):
    (tmp_path / "cut.gguf").write_bytes(b"GGUF\3\0\0\0" + b"\0" * 8)
    with pytest.raises(ModelError, match="'cut' cannot be loaded"):
        load_generator(Settings(llm=str(tmp_path / "cut.gguf")))


def test_a_chat_template_without_a_system_role_gets_all_of_it_from_the_user(generator_folder):
    generator = TransformerGenerator(generator_folder, "tiny")
    with generator.undisturbed() as (_, tokenizer):
        tokenizer.chat_template = (
            "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
            "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}"
            "{% if enable_thinking is not defined or enable_thinking %}<think>{% endif %}"
        )
    assert generator.rendered("the frog", "sleeps ?") == "<user>the frog\n\nsleeps ?"
    assert list(generator.stream("the frog", "sleeps ?", max_new_tokens=4))


def test_a_generator_that_keeps_one_state_for_all_writes_as_well(tokenizer, tmp_path):
    import torch
    from transformers import MambaConfig, MambaForCausalLM

    torch.manual_seed(0)
    sizes = {"vocab_size": len(WORDS), "hidden_size": 16, "state_size": 4, "num_hidden_layers": 1}
    MambaForCausalLM(MambaConfig(**sizes, eos_token_id=None)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    generator = TransformerGenerator(tmp_path, "tiny", device="cpu")
    "".join(generator.stream("the frog", "sleeps ?", max_new_tokens=4))


def test_a_path_names_a_model_and_is_none():
    chosen = Models.choose({"embedder": Path("a/folder"), "llm": Path("b.gguf"), "library": Path("c")})
    assert (chosen.given, chosen.embedder_name, chosen.settings.llm) == ({}, "a/folder", "b.gguf")


def test_only_its_own_generator_is_taken_for_trained():
    settings = Settings(llm=weights.OWN_GENERATOR)
    assert Models(settings).generator_is_trained
    assert not Models(settings, {"generator": object()}).generator_is_trained


@pytest.mark.parametrize("load", [TransformerGenerator, TransformerEmbedder])
def test_a_folder_without_a_model_is_named(load, tmp_path):
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(tmp_path, "nothing")


def test_a_folder_without_a_tokenizer_is_told_in_full_sentences(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ModelError, match=r"tokenizer from one of: .+; give a hub id"):
        load_generator(Settings(llm=str(tmp_path)))


@pytest.mark.parametrize("load", [load_entailer, load_reader])
def test_a_folder_without_a_classifier_is_named(load, tmp_path):
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(str(tmp_path))


def test_a_reranker_has_one_output(nli_folder):
    with pytest.raises(ModelError, match="3 outputs, not one"):
        load_reader(str(nli_folder))


def test_an_embedder_pools_and_prompts_as_its_files_say(tokenizer, tmp_path):
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    BertModel(BertConfig(**SIZES)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    mean = TransformerEmbedder(tmp_path, "tiny")
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}', encoding="utf-8")
    prompts = {"prompts": {"query": "a frog "}}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(prompts), encoding="utf-8")
    cls = TransformerEmbedder(tmp_path, "tiny")
    assert not np.allclose(mean.encode(["the frog"]), cls.encode(["the frog"]))
    assert np.allclose(cls.encode_query("sleeps"), cls.encode(["a frog sleeps"])[0], atol=1e-2)
    (parts,) = cls.encode_spans(["the frog sleeps"], [[(0, 15), (4, 8)]])
    assert np.allclose(parts[1], cls.encode(["frog"])[0], atol=1e-2)
    pooling = tmp_path / "1_Pooling" / "config.json"
    pooling.write_text('{"pooling_mode": "cls", "include_prompt": true}', encoding="utf-8")  # as it is written now
    assert np.allclose(TransformerEmbedder(tmp_path, "tiny").encode(["the frog"]), cls.encode(["the frog"]))
    for told in (
        {"pooling_mode": ["mean", "max"]},
        {"pooling_mode_mean_tokens": False, "pooling_mode_max_tokens": True},
    ):
        pooling.write_text(json.dumps(told), encoding="utf-8")
        with pytest.raises(ModelError, match=r"'tiny' pools by .*max"):
            TransformerEmbedder(tmp_path, "tiny")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("modules.json", '[{"type": "st.Transformer"}, {"type": "st.Dense"}]', "'tiny' has a module 'Dense'"),
        ("sentence_bert_config.json", "{", r"sentence_bert_config\.json' cannot be loaded"),
    ],
)
def test_an_embedder_that_needs_more_than_is_done_here_is_refused(tokenizer, tmp_path, file, content, message):
    from transformers import BertConfig, BertModel

    BertModel(BertConfig(**SIZES)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        TransformerEmbedder(tmp_path, "tiny")


def test_texts_are_padded_on_the_right_whatever_the_tokenizer_likes(tokenizer, tmp_path):
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    BertModel(BertConfig(**SIZES, initializer_range=0.7)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    file = tmp_path / "tokenizer_config.json"
    liked = json.loads(file.read_text(encoding="utf-8")) | {"padding_side": "left", "pad_token": None}
    file.write_text(json.dumps(liked), encoding="utf-8")
    embedder = TransformerEmbedder(tmp_path, "tiny", device="cpu")
    short, _ = embedder.encode(["the frog", "the frog sleeps, hides a liver, b, c"])
    assert float(short @ embedder.encode(["the frog"])[0]) > 0.999


def test_vectors_do_not_depend_on_their_batch(embedder):
    texts = ["A frog.", "The liver of a frog holds its red cells while it sleeps. " * 4, "Toads sing."]
    together = embedder.encode(texts)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, together, strict=True):
        assert float(embedder.encode_query(text) @ vector) > 0.999


def test_a_span_of_the_whole_text_is_the_text(embedder):
    text = "A frog sleeps. Its liver works."
    (parts,) = embedder.encode_spans([text], [[(0, len(text)), (0, 14), (15, 31), (14, 15)]])
    assert np.allclose(parts[0], embedder.encode_query(text), atol=1e-6)
    assert np.allclose(parts[3], parts[0])
    assert float(parts[1] @ parts[2]) < 0.999


def test_nothing_is_embedded_to_nothing(embedder):
    assert embedder.encode([]).shape == (0, embedder.dimension)
    assert embedder.encode_spans([], []) == []
    assert embedder.count_tokens(["", "frog"]) == [2, 3]
