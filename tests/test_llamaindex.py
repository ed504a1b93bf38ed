"""Footnote inside llama-index programs, and llama-index's own index over our Chroma collection."""

import chromadb
import numpy as np
import pytest

from rag.llamaindex import (
    LlamaIndexEmbedder,
    LlamaIndexGenerator,
    as_embedding,
    as_llm,
    as_query_engine,
    as_retriever,
)
from tests.conftest import ScriptedGenerator

PERL = "002_dd4b9b65b304c986.txt#5"


def test_a_stock_index_opens_our_collection(seeds, embedder):
    from llama_index.core import VectorStoreIndex
    from llama_index.vector_stores.chroma import ChromaVectorStore

    client = chromadb.PersistentClient(str(seeds.library.folder / "chroma"))
    collection = client.get_collection("abstracts")
    index = VectorStoreIndex.from_vector_store(
        ChromaVectorStore(chroma_collection=collection), embed_model=as_embedding(embedder)
    )
    found = index.as_retriever(similarity_top_k=3).retrieve("parameter efficient reinforcement learning")
    document = seeds.library.resolve(PERL)
    best = found[0].node
    assert best.metadata["doc_id"] == document.id
    assert best.metadata["source"] == PERL
    assert best.node_id.startswith(document.id)
    assert best.get_content() == document.text[int(best.metadata["start"]) : int(best.metadata["end"])]


async def _evaluated(retriever, question, expected):
    from llama_index.core.evaluation import RetrieverEvaluator

    evaluator = RetrieverEvaluator.from_metric_names(["mrr", "hit_rate"], retriever=retriever)
    return await evaluator.aevaluate(question, expected_ids=expected)


def test_llama_indexs_retriever_evaluator_runs_on_our_retriever(seeds):
    import asyncio

    document = seeds.library.resolve(PERL)
    result = asyncio.run(_evaluated(as_retriever(seeds, k=5), "PERL memory use", [document.id]))
    assert result.metric_vals_dict == {"mrr": 1.0, "hit_rate": 1.0}


def test_our_query_engine_answers_with_sources(seeds):
    response = as_query_engine(seeds).query("How much memory does PERL need?")
    assert "[1]" in str(response)
    assert response.source_nodes[0].node.metadata["source"] == PERL
    assert response.metadata["claims"]


def test_generators_pass_the_seam_in_both_directions():
    there = as_llm(ScriptedGenerator("One two."))
    assert there.complete("Say it.").text.strip() == "One two."
    back = LlamaIndexGenerator(there)
    assert "".join(back.stream("Be brief.", "Say it.", max_new_tokens=5)).strip() == "One two."


def test_an_embedding_model_of_llama_index_is_the_same_vector(embedder):
    there = as_embedding(embedder)
    back = LlamaIndexEmbedder(there)
    assert back.encode_query("A frog.").tolist() == pytest.approx(embedder.encode_query("A frog.").tolist(), abs=1e-6)
    assert [len(part) for part in back.encode_spans(["A frog."], [[(0, 7), (2, 6)]])] == [2]
    assert there.get_text_embedding("A frog.") == pytest.approx(embedder.encode_query("A frog.").tolist(), abs=1e-6)


def test_a_text_is_embedded_as_a_text_and_not_as_a_query():
    class Prompting:
        name, dimension = "prompting", 2

        def encode(self, texts):
            return np.asarray([[1.0, 0.0]] * len(texts), np.float32)

        def encode_query(self, text):
            return np.asarray([0.0, 1.0], np.float32)

    there = as_embedding(Prompting())
    assert there.get_text_embedding("A frog.") == there.get_text_embedding_batch(["A frog."])[0] == [1.0, 0.0]
    assert there.get_query_embedding("A frog.") == [0.0, 1.0]
    back = LlamaIndexEmbedder(there)
    assert back.encode_spans([], []) == back.encode_tokens([], query=True) == back.encode_tokens([]) == []
