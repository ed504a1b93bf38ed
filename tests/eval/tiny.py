"""Models of two layers, for tests that train or generate: a generator that knows some words, an encoder."""

from rag.models.fetching import save_without_head
from rag.models.weights import embedder_folder


def make(texts, folder):
    """Write model and tokenizer into `folder`."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    raw = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=["[UNK]", "[END]"]))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="[UNK]", eos_token="[END]", pad_token="[END]")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=raw.get_vocab_size(),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        eos_token_id=1,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_encoder(folder):
    """Write an encoder of the entailer's kind, with the default embedder's words, into `folder`."""
    import torch
    from transformers import AutoTokenizer, DebertaV2Config, DebertaV2ForSequenceClassification

    tokenizer = AutoTokenizer.from_pretrained(str(embedder_folder()))
    torch.manual_seed(0)
    config = DebertaV2Config(
        vocab_size=tokenizer.vocab_size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        type_vocab_size=0,
        relative_attention=True,
        pos_att_type="p2c|c2p",
    )
    save_without_head(DebertaV2ForSequenceClassification(config), folder)
    tokenizer.save_pretrained(folder)
    return folder
