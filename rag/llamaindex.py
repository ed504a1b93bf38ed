"""The seam to llama-index: our parts as its types, its models as ours.

    engine = as_query_engine(rag.open())
    print(engine.query("How many refusal categories are there?"))

    papers = rag.open(generator=LlamaIndexGenerator(Ollama("llama3")))

Classes are made inside functions, because importing llama_index takes over a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.models.embedder import Tokens, Vectors, spans_as_texts, texts_as_tokens, unit_rows
from rag.text import Span
from rag.tokens import count
from rag.types import Answer, Document

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms import LLM, CompletionResponse, LLMMetadata
    from llama_index.core.query_engine import CustomQueryEngine
    from llama_index.core.retrievers import BaseRetriever

    from rag.models import Embedder, Generator
    from rag.pipeline import Footnote


def as_retriever(footnote: Footnote, *, k: int = 10) -> BaseRetriever:
    """Hits as nodes: id is the document's, text its best window, metadata what is known of the paper."""
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

    class FootnoteRetriever(BaseRetriever):  # type: ignore[misc]
        def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
            hits = footnote.search(query_bundle.query_str, k=k)
            documents = {d.id: d for d in footnote.library.documents([hit.chunk.doc_id for hit in hits])}
            return [
                NodeWithScore(
                    node=TextNode(
                        id_=hit.chunk.doc_id,
                        text=hit.chunk.text,
                        metadata=_metadata(documents[hit.chunk.doc_id], hit.chunk.start, hit.chunk.end),
                    ),
                    score=hit.score,
                )
                for hit in hits
                if hit.chunk.doc_id in documents
            ]

    return FootnoteRetriever()


def as_query_engine(footnote: Footnote) -> CustomQueryEngine:
    """Answers as responses: the text with its markers, cited sentences as source nodes, our dict as metadata."""
    from llama_index.core.base.response.schema import Response
    from llama_index.core.query_engine import CustomQueryEngine
    from llama_index.core.schema import NodeWithScore, TextNode

    class FootnoteQueryEngine(CustomQueryEngine):  # type: ignore[misc]
        def custom_query(self, query_str: str) -> Response:
            answer = footnote.ask(query_str)
            nodes = [
                NodeWithScore(node=TextNode(id_=f"{c.doc_id}:{c.start}-{c.end}", text=c.quote, metadata=c.to_dict()))
                for c in answer.citations
            ]
            return Response(response=_said(answer), source_nodes=nodes, metadata=answer.to_dict())

    return FootnoteQueryEngine()


def as_embedding(embedder: Embedder) -> BaseEmbedding:
    """Our embedder for llama-index programs, such as an index over our Chroma collection."""
    from llama_index.core.base.embeddings.base import BaseEmbedding

    class FootnoteEmbedding(BaseEmbedding):  # type: ignore[misc]
        def _get_query_embedding(self, query: str) -> list[float]:
            return [float(x) for x in embedder.encode_query(query)]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return [[float(x) for x in row] for row in embedder.encode(texts)]

    return FootnoteEmbedding(model_name=embedder.name)


def as_llm(generator: Generator, *, context_window: int = 2048, max_new_tokens: int = 96) -> LLM:
    """Our generator for llama-index programs."""
    from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata

    def pieces(prompt: str) -> Iterator[str]:
        return generator.stream("You are a helpful assistant.", prompt, max_new_tokens=max_new_tokens)

    class FootnoteLLM(CustomLLM):  # type: ignore[misc]
        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(model_name=generator.name, context_window=context_window, num_output=max_new_tokens)

        def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
            return CompletionResponse(text="".join(pieces(prompt)))

        def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Iterator[CompletionResponse]:
            text = ""
            for piece in pieces(prompt):
                text += piece
                yield CompletionResponse(text=text, delta=piece)

    return FootnoteLLM()


class LlamaIndexGenerator:
    """Any llama-index `LLM` as a `Generator`."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self.name = str(llm.metadata.model_name)

    def stream(self, system: str, prompt: str, *, max_new_tokens: int) -> Iterator[str]:
        """Stream a chat; how long it may get is the LLM's own setting."""
        from llama_index.core.llms import ChatMessage

        messages = [ChatMessage(role="system", content=system), ChatMessage(role="user", content=prompt)]
        for part in self._llm.stream_chat(messages):
            if part.delta:
                yield part.delta


class LlamaIndexEmbedder:
    """Any llama-index `BaseEmbedding` as an `Embedder`; spans are embedded as texts of their own."""

    def __init__(self, embedding: BaseEmbedding, *, max_tokens: int = 256) -> None:
        self._embedding = embedding
        self.name = str(embedding.model_name)
        self.max_tokens = max_tokens
        self.dimension = len(embedding.get_query_embedding("dimension"))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, by tiktoken, with room for special ones."""
        return [count(text) + 2 for text in texts]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts: `(n, d)`."""
        rows = self._embedding.get_text_embedding_batch(list(texts))
        return unit_rows(np.asarray(rows, np.float32).reshape(len(texts), self.dimension))

    def encode_query(self, text: str) -> Vectors:
        """Embed a query: `(d,)`."""
        return np.asarray(unit_rows(np.asarray([self._embedding.get_query_embedding(text)], np.float32))[0])

    def encode_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[Vectors]:
        """Embed parts of each text."""
        return spans_as_texts(self.encode, texts, spans)

    def encode_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[Tokens]:
        """Embed texts; a llama-index embedding shows no tokens."""
        vectors = [self.encode_query(text) for text in texts] if query else self.encode(texts)
        return texts_as_tokens(vectors, texts)


def _metadata(document: Document, start: int, end: int) -> dict[str, Any]:
    return {
        "title": document.title,
        "source": document.source,
        "year": document.metadata.get("year"),
        "start": start,
        "end": end,
    }


def _said(answer: Answer) -> str:
    return answer.text if answer.abstention is None else f"No answer: {answer.abstention.value}"
