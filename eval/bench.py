"""Speed as ratios against a plain llama-index program with the same models, Chroma and corpus.

The plain program is what its documentation leads to: `SentenceSplitter`, `HuggingFaceEmbedding` in
batches of 10, `ChromaVectorStore`, `VectorStoreIndex`, the generator behind a query engine. Both run
in this process, taking turns, so that a noisy machine is noisy for both.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rag.errors import ModelError
from rag.llamaindex import as_llm
from rag.models import load_reader
from rag.models.reader import OWN
from rag.models.weights import embedder_folder
from rag.overlap import OverlapEntailer
from rag.pipeline import Delta, Footnote
from rag.text import sentences as split
from rag.types import Answer, Document
from rag.verify import judge_all

QUESTIONS = (
    "How many refusal categories does the taxonomy have?",
    "How does PERL compare with conventional RLHF in speed and memory?",
    "Which papers study unlearning?",
    "What is HELMET and how many models does it study?",
    "How does Edge Pruning find circuits?",
    "What share of guesses does PIGEON place within 25 kilometers?",
    "Why is black-box access not enough for audits?",
    "How does BASED trade state size against recall?",
)
# Hardly a word of these is in a paper, so that a language model has a say in their order.
IN_OTHER_WORDS = (
    "Can you tell from a holiday photo whereabouts on the globe somebody stood?",
    "Does a polite chatbot still know nasty things that it keeps to itself?",
    "May somebody else look inside the box before it is sold?",
)
READ = 50  # sentences given to the reader at once
JUDGED = 5  # sentences of an answer
BARE_IMPORTS = "import torch, transformers, chromadb, llama_index.core"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of ours beside the plain program's; `ratio` is ours divided by theirs."""

    name: str
    unit: str
    footnote: float
    plain: float

    @property
    def ratio(self) -> float:
        """Ours divided by the plain program's."""
        return self.footnote / self.plain


def run(papers: Path, *, rounds: int = 5, say: Callable[[str], None] = lambda _: None) -> list[Measure]:
    """Measure everything on a library of `papers`. Raises ModelError where the plain program is not installed."""
    with TemporaryDirectory() as scratch:
        say("loading the models")
        footnote = Footnote.build([papers], Path(scratch) / "library")
        documents, _ = footnote.library.list(0, 10_000)
        plain = _Plain(footnote, documents, Path(scratch))
        say("ingest")
        measures = [_ingest(footnote, plain, papers, Path(scratch), rounds)]
        say("retrieval")
        measures += _retrieval(footnote, plain, rounds)
        say("answers")
        measures += _answers(footnote, plain)
        say("small models")
        measures += _small_models(footnote, documents, rounds)
        say("cold starts")
        measures += _cold(footnote.library.folder, rounds)
        footnote.library.close()
    return measures


class _Plain:
    """The plain program."""

    def __init__(self, footnote: Footnote, documents: Sequence[Document], scratch: Path) -> None:
        try:
            from llama_index.embeddings.huggingface import HuggingFaceEmbedding
        except ImportError as error:
            raise ModelError(
                "the plain program needs llama-index-embeddings-huggingface; run: python -m pip install -e '.[dev]'"
            ) from error
        self._embedding = HuggingFaceEmbedding(model_name=str(embedder_folder()), device="cpu")
        self._llm = as_llm(footnote.generator)
        self._documents = documents
        self._folders = (scratch / f"plain-{number}" for number in itertools.count())
        self.index = self.build()

    def build(self) -> Any:
        """Read, split, embed and store the documents in a Chroma of its own."""
        import chromadb
        from llama_index.core import Document as Node
        from llama_index.core import StorageContext, VectorStoreIndex
        from llama_index.core.node_parser import SentenceSplitter
        from llama_index.vector_stores.chroma import ChromaVectorStore

        collection = chromadb.PersistentClient(str(next(self._folders))).create_collection("plain")
        nodes = [Node(text=d.text, metadata={"title": d.title, "source": d.source}) for d in self._documents]
        return VectorStoreIndex.from_documents(
            nodes,
            storage_context=StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection)),
            embed_model=self._embedding,
            transformations=[SentenceSplitter()],
        )

    def search(self, question: str) -> Any:
        """The ten nearest nodes."""
        return self.index.as_retriever(similarity_top_k=10).retrieve(question)

    def stream(self, question: str) -> Iterator[str]:
        """The answer in pieces."""
        engine = self.index.as_query_engine(llm=self._llm, streaming=True, similarity_top_k=2)
        yield from engine.query(question).response_gen


def _ingest(footnote: Footnote, plain: _Plain, papers: Path, scratch: Path, rounds: int) -> Measure:
    count = footnote.library.count()
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds):
        with _timed(ours):
            Footnote.build([papers], scratch / f"library-{number}", embedder=footnote.embedder).library.close()
        with _timed(theirs):
            plain.build()
    return Measure("ingest", "abstracts/s", count / statistics.median(ours), count / statistics.median(theirs))


def _retrieval(footnote: Footnote, plain: _Plain, rounds: int) -> list[Measure]:
    return [
        Measure("retrieval, median", "ms", *_searches(footnote, plain, QUESTIONS, rounds)),
        Measure("retrieval in other words, median", "ms", *_searches(footnote, plain, IN_OTHER_WORDS, rounds)),
    ]


def _searches(footnote: Footnote, plain: _Plain, questions: Sequence[str], rounds: int) -> tuple[float, float]:
    ours: list[float] = []
    theirs: list[float] = []
    for question in questions:  # warm: the first question of a paper embeds its sentences
        footnote.search(question)
        plain.search(question)
    for _ in range(rounds):
        for question in questions:
            with _timed(ours):
                footnote.search(question)
            with _timed(theirs):
                plain.search(question)
    return _medians(ours, theirs)


def _answers(footnote: Footnote, plain: _Plain) -> list[Measure]:
    first: list[float] = []
    whole: list[float] = []
    plain_first: list[float] = []
    plain_whole: list[float] = []
    for question in QUESTIONS:
        _stream_times((e for e in footnote.stream(question) if isinstance(e, Delta | Answer)), first, whole)
        _stream_times(plain.stream(question), plain_first, plain_whole)
    return [
        Measure("first words, median", "s", statistics.median(first), statistics.median(plain_first)),
        Measure("whole answer, median", "s", statistics.median(whole), statistics.median(plain_whole)),
    ]


def _small_models(footnote: Footnote, documents: Sequence[Document], rounds: int) -> list[Measure]:
    """Reader and entailer, nothing remembered, beside what the pipeline does without them on the same texts."""
    sentences = [sentence for document in documents for sentence in split(document.text)]
    claims = [(f"The authors find that {text[0].lower()}{text[1:]}", [text], "") for text in sentences]
    reader = load_reader(OWN)
    plain_entailer = OverlapEntailer()
    read: list[float] = []
    embedded: list[float] = []
    judged: list[float] = []
    compared: list[float] = []
    for number in range(rounds):
        texts = sentences[number::rounds][:READ]
        with _timed(read):
            reader.read(QUESTIONS[number % len(QUESTIONS)], texts)
        with _timed(embedded):
            footnote.embedder.encode(texts)
        cases = claims[number::rounds][:JUDGED]
        with _timed(judged):
            judge_all(cases, entailer=footnote.entailer)
        with _timed(compared):
            judge_all(cases, entailer=plain_entailer)
    return [
        Measure(f"{READ} sentences read (or embedded)", "ms", *_medians(read, embedded)),
        Measure(f"{JUDGED} claims judged (or by overlap)", "ms", *_medians(judged, compared)),
    ]


def _medians(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    return 1e3 * statistics.median(ours), 1e3 * statistics.median(theirs)


def _cold(library: Path, rounds: int) -> list[Measure]:
    start = [sys.executable, "-c"]
    main = "from ui.cli import script; script()"
    search: list[float] = []
    help_: list[float] = []
    bare: list[float] = []
    for _ in range(rounds):
        with _timed(bare):
            _run([*start, BARE_IMPORTS])
        with _timed(search):
            _run([*start, main, "--library", str(library), "search", QUESTIONS[0]])
        with _timed(help_):
            _run([*start, main, "--help"])
    imports = statistics.median(bare)
    return [
        Measure("cold search (beside bare imports)", "s", statistics.median(search), imports),
        Measure("--help (beside bare imports)", "s", statistics.median(help_), imports),
    ]


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def _stream_times(pieces: Iterator[Any], first: list[float], whole: list[float]) -> None:
    start = time.perf_counter()
    seen = False
    for _ in pieces:
        if not seen:
            first.append(time.perf_counter() - start)
            seen = True
    whole.append(time.perf_counter() - start)


@contextmanager
def _timed(seconds: list[float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - start)
