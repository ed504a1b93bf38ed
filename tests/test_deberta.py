"""A DeBERTa with the relative positions of its batch alone gives what it gives with all of them."""

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, DebertaV2Config, DebertaV2ForSequenceClassification

from rag.models.deberta import RelativePositions

SIZES = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
BUCKETS = 16


@pytest.fixture(params=[True, False], ids=["shared keys", "keys of their own"])
def model(request):
    torch.manual_seed(1)
    config = DebertaV2Config(
        **SIZES,
        relative_attention=True,
        position_buckets=BUCKETS,
        max_position_embeddings=64,
        pos_att_type=["p2c", "c2p"],
        share_att_key=request.param,
        norm_rel_ebd="layer_norm",
    )
    return DebertaV2ForSequenceClassification(config).eval()


@pytest.mark.parametrize("longest", [1, 2, 7, 8, 9, 60])
@torch.inference_mode()
def test_what_comes_out_is_the_same(model, longest):
    tokens = torch.randint(1, 50, (3, longest))
    before = model(input_ids=tokens).logits
    positions = RelativePositions(model)
    projected = []
    attention = model.base_model.encoder.layer[0].attention.self
    projection = attention.key_proj if attention.share_att_key else attention.pos_key_proj
    projection.register_forward_hook(lambda _, given, out: projected.append(given[0].shape[1]))
    for length in (60, longest):  # what was narrow before is wide again, and the other way about
        positions.fit(length)
    after = model(input_ids=tokens).logits
    assert torch.allclose(before, after, atol=1e-6)
    assert projected[-1] == (2 * longest if longest <= BUCKETS // 2 else 2 * BUCKETS)


def test_another_kind_of_model_is_left_alone():
    model = BertForSequenceClassification(BertConfig(**SIZES)).eval()
    RelativePositions(model).fit(3)
    assert model(input_ids=torch.ones(1, 3, dtype=torch.long)).logits.shape == (1, 2)


def test_a_deberta_without_relative_positions_is_left_alone():
    model = DebertaV2ForSequenceClassification(DebertaV2Config(**SIZES, relative_attention=False)).eval()
    RelativePositions(model).fit(3)
    assert model(input_ids=torch.ones(1, 3, dtype=torch.long)).logits.shape == (1, 2)
