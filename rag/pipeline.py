"""OPEN THIS FIRST: the flow. Papers go in with `ingest`; `search`, `ask` and `check` take things out.

One question: follow-up → standalone → `retrieve` → `evidence` → generator → `answer` → `verify` →
what holds, with footnotes; what is left of the best evidence, verbatim; else an abstention with its
reason. Models are loaded when first needed and kept.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rag import answer as answering
from rag import chunk as chunking
from rag import evidence as selecting
from rag import ingest as reading
from rag import settings as configuring
from rag.checking import Check, check_claim
from rag.cite import Evidence
from rag.confidence import ANSWERS_FROM, Signals, confidence
from rag.errors import BadInputError
from rag.followup import asked_length, standalone
from rag.ingesting import IngestReport, ingest_into
from rag.library import Filters, Finding, Library, Matching
from rag.models import (
    Embedder,
    Entailer,
    Generator,
    QueryLikelihood,
    load_embedder,
    load_entailer,
    load_generator,
    load_reader,
)
from rag.models.reader import NONE as NO_READER
from rag.models.reader import OWN as OWN_READER
from rag.models.reader import Reader
from rag.models.weights import OWN_GENERATOR, SMALL, generator_is_here
from rag.overlap import UNTRAINED, OverlapEntailer
from rag.retrieve import GUESSED, by_likelihood, in_other_words, retrieve
from rag.salience import Salience, salience
from rag.sentences import Query, SentenceVectors
from rag.settings import Settings
from rag.spelling import corrected, suspects
from rag.text import fold
from rag.types import Abstention, Answer, Claim, Document, Hit, Turn, Verdict
from rag.verify import verify

MAX_QUESTION_CHARACTERS = 2_000  # far more than the embedder reads
_MODELS = ("embedder", "reader", "generator", "entailer")  # settings that may be objects
CHECK_PAPERS = 3
SPELLING_PAPERS = 10  # whose words stand in for misspelt ones


@dataclass(frozen=True, slots=True)
class Progress:
    """The stage that begins: `retrieving`, `reading`, `writing` or `checking`."""

    stage: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the draft, not checked yet."""

    text: str


Event = Progress | Delta | Answer


@dataclass
class Footnote:
    """An open library with its models."""

    library: Library
    settings: Settings
    _given: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, library: Path | str | None = None, **settings: Any) -> Footnote:
        """Open an existing library; `embedder`, `generator`, `entailer` may be objects instead of names.

        Raises LibraryMissingError, LibraryMismatchError, SettingsError.
        """
        return cls._opened(library, settings, Library.open)

    @classmethod
    def build(cls, paths: Sequence[Path | str], library: Path | str | None = None, **settings: Any) -> Footnote:
        """Open a library, made if there is none, and ingest `paths` into it."""
        footnote = cls.create(library, **settings)
        footnote.ingest(paths)
        return footnote

    @classmethod
    def create(cls, library: Path | str | None = None, **settings: Any) -> Footnote:
        """Open a library, made empty if there is none."""
        return cls._opened(library, settings, Library.open_or_create)

    @classmethod
    def rebuild(cls, library: Path | str | None = None, **settings: Any) -> Footnote:
        """Open a library whose embedder or chunking has changed: the next ingest embeds everything again."""
        return cls._opened(library, settings, Library.rebuild)

    @classmethod
    def _opened(cls, library: Path | str | None, given: Mapping[str, Any], how: Callable[..., Library]) -> Footnote:
        models = {name: given[name] for name in _MODELS if not isinstance(given.get(name), str | None)}
        named = {name: value for name, value in given.items() if name not in models}
        settings = configuring.load({"library": library, **named})
        embedder = models.get("embedder")
        identity = {
            "embedder": embedder.name if embedder else settings.embedder,
            "window_sentences": settings.window_sentences,
            "chunking": chunking.VERSION,
        }
        opened = how(
            settings.library,
            identity=identity,
            matching=Matching(reading.identity_keys, reading.merge),
            store_url=settings.store or ("" if how is not Library.open else None),
            lock_timeout_s=settings.lock_timeout_s,
        )
        return cls(opened, settings, models)

    @classmethod
    def doctor(cls, library: Path | str | None = None, *, repair: bool = False) -> Sequence[Finding]:
        """What is wrong with a library, whatever it was built with; mended where it can be."""
        settings = configuring.load({"library": library})
        with Library.open(settings.library, lock_timeout_s=settings.lock_timeout_s) as opened:
            return opened.doctor(repair=repair)

    # -- papers ---------------------------------------------------------------------------------

    def ingest(self, paths: Sequence[Path | str], **options: Any) -> IngestReport:
        """Read files and folders into the library; see `rag.ingesting.ingest_into` for the options."""
        return ingest_into(
            self.library,
            [Path(path) for path in paths],
            embedder=lambda: self.embedder,
            window_sentences=self.settings.window_sentences,
            **options,
        )

    def remove(self, doc_ids: Sequence[str]) -> int:
        """Take papers out; their files are not touched."""
        return self.library.remove(doc_ids)

    # -- models, loaded when first needed -------------------------------------------------------

    @cached_property
    def embedder(self) -> Embedder:
        """What turns text into vectors."""
        return self._given.get("embedder") or load_embedder(self.settings)

    @cached_property
    def generator(self) -> Generator:
        """What writes the draft."""
        return self._given.get("generator") or load_generator(self.settings)

    @cached_property
    def reader(self) -> Reader | None:
        """What reads question and text together; `None` goes without."""
        given: Reader | None = self._given.get("reader")
        if given or self.settings.reranker == NO_READER:
            return given
        return load_reader(self.settings.reranker, device=self.settings.device)

    @cached_property
    def _reranker(self) -> Reader | None:
        """A reader that also ranks: any but Footnote's own, which adds nothing to the ranking (measured)."""
        if "reader" not in self._given and self.settings.reranker == OWN_READER:
            return None  # not loaded for a search
        return None if self.reader is None or self.reader.knows_none else self.reader

    @property
    def _likelihood(self) -> QueryLikelihood | None:
        """The generator, if it is one of the small ones and there: a search fetches none, and a large one is slow."""
        small = not self.settings.llm_url and self.settings.llm in SMALL and self.settings.reranker == OWN_READER
        if not small or "reader" in self._given or not ("generator" in self._given or generator_is_here()):
            return None
        return self.generator if isinstance(self.generator, QueryLikelihood) else None

    @cached_property
    def entailer(self) -> Entailer:
        """What judges whether a text carries a claim."""
        given: Entailer | None = self._given.get("entailer")
        if given:
            return given
        if self.settings.entailer == UNTRAINED:
            return OverlapEntailer()
        return load_entailer(self.settings.entailer, device=self.settings.device)

    @cached_property
    def _sentences(self) -> SentenceVectors:
        return SentenceVectors(self.embedder)

    # -- questions ------------------------------------------------------------------------------

    def search(
        self,
        question: str,
        *,
        k: int = 10,
        filters: Filters | None = None,
        history: Sequence[Turn] = (),
    ) -> list[Hit]:
        """The `k` best papers for a question, best first, each with its best window."""
        return self._found(standalone(_checked(question), history), k, filters)[1]

    def _found(self, question: str, k: int, filters: Filters | None) -> tuple[Query, list[Hit]]:
        """The question as it was understood, misspelt words put right, and its hits."""
        query = self._query(question)
        misspelt = suspects(question, self.embedder, self.library.idf)
        hits = self._retrieved(query, k, filters)
        right = corrected(question, misspelt, self._papers(hits[:SPELLING_PAPERS]).values()) if misspelt else question
        if right != question:  # else its strange words are rare, not misspelt
            query = self._query(right)
            hits = self._retrieved(query, k, filters)
        if in_other_words(hits) and (model := self._likelihood):
            hits = by_likelihood(query.text, hits, self._papers(hits[:GUESSED]), model)
        return query, hits[:k]

    def _query(self, question: str) -> Query:
        return self._sentences.query(question, self.library.idf, asked=asked_length(question))

    def _retrieved(self, query: Query, k: int, filters: Filters | None) -> list[Hit]:
        k = max(k, SPELLING_PAPERS, GUESSED)
        return retrieve(query, self.library, self._sentences, reranker=self._reranker, k=k, filters=filters)

    def _papers(self, hits: Sequence[Hit]) -> dict[str, Document]:
        return {document.id: document for document in self.library.documents([hit.chunk.doc_id for hit in hits])}

    def signals(self, question: str, *, history: Sequence[Turn] = ()) -> Signals:
        """The signs that the papers answer a question: what `rag.confidence` weighs."""
        query, hits = self._found(standalone(_checked(question), history), self.settings.documents, None)
        return selecting.select(query, hits, self._papers(hits), self._sentences, reader=self.reader).signals

    def ask(self, question: str, **options: Any) -> Answer:
        """Answer a question; takes the options of `stream`."""
        for event in self.stream(question, **options):
            if isinstance(event, Answer):
                return event
        raise AssertionError("a stream ends with an answer")

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        numbers: Mapping[str, int] | None = None,
    ) -> Iterator[Event]:
        """Answer a question, telling what happens on the way; the last event is the answer.

        `numbers` are footnote numbers that papers already have in the conversation, by document id.
        Closing the iterator stops the generator.
        """
        clock = _Clock()
        alone = standalone(_checked(question), history)
        yield Progress("retrieving")
        query, hits = self._found(alone, self.settings.documents, filters)
        documents = self._papers(hits)
        clock.lap("retrieve")
        answer = Answer(
            fold(question),
            query.text,
            "",
            hits=tuple(hits),
            model=self.settings.llm,
            fingerprint=self._fingerprint(),
        )
        yield Progress("reading")
        selection = selecting.select(query, hits, documents, self._sentences, reader=self.reader)
        sure = confidence(selection.signals) if hits else 0.0
        answer = replace(answer, confidence=round(sure, 4))
        clock.lap("select")
        if not selection.evidence or sure < ANSWERS_FROM:
            reason = Abstention.WEAK_EVIDENCE if hits else Abstention.NO_HITS
            yield replace(answer, abstention=reason, timings=clock.done())
            return
        shown = answering.fitting(selection.evidence, max_tokens=self.settings.max_evidence_tokens)
        yield Progress("writing")
        pieces = []
        for piece in self._draft(query.text, shown, clock):
            pieces.append(piece)
            yield Delta(piece)
        clock.lap("generate")
        yield Progress("checking")
        draft = answering.read("".join(pieces), shown)
        closely = not self.settings.llm_url and self.settings.llm in SMALL
        checked = verify(draft.claims, documents, entailer=self.entailer, closely=closely)
        yield self._concluded(answer, draft, checked, replace(selection, evidence=shown), numbers, clock)

    def _draft(self, question: str, evidence: Sequence[Evidence], clock: _Clock) -> Iterator[str]:
        trained = not self.settings.llm_url and self.settings.llm == OWN_GENERATOR
        stream = self.generator.stream(
            answering.SYSTEM_TRAINED if trained else answering.SYSTEM,
            answering.prompt(question, evidence),
            max_new_tokens=self.settings.max_new_tokens,
        )
        for piece in stream:
            clock.first("first_words")
            yield piece

    def _concluded(
        self,
        answer: Answer,
        draft: answering.Draft,
        checked: Sequence[Claim],
        selection: selecting.Selection,
        numbers: Mapping[str, int] | None,
        clock: _Clock,
    ) -> Answer:
        """Keep what holds, complete it with quotations, or abstain."""
        if draft.declined:
            notice = "the generator found no answer in the evidence"
            return replace(answer, abstention=Abstention.WEAK_EVIDENCE, notice=notice, timings=clock.done())
        kept = [claim for claim in checked if claim.verdict is Verdict.SUPPORTED]
        withdrawn = tuple(claim for claim in checked if claim.verdict is not Verdict.SUPPORTED)
        told = answering.completed(
            kept,
            selection.evidence,
            max_words=self.settings.max_answer_words,
            naming=selection.names_papers,
        )
        documents = {item.document.id: item.document for item in selection.evidence}
        quotations = verify(told[len(kept) :], documents, entailer=self.entailer)
        text, claims = answering.compose([*told[: len(kept)], *quotations], numbers=numbers)
        clock.lap("verify")
        return replace(
            answer,
            text=text,
            claims=claims,
            withdrawn=withdrawn,
            abstention=None if claims else Abstention.UNSUPPORTED,
            fabricated_markers=draft.fabricated,
            timings=clock.done(),
        )

    def check(
        self,
        claim: str,
        *,
        source: str | None = None,
        evidence: str | None = None,
    ) -> Check:
        """Judge a claim against a text, one paper, or the papers that fit it best.

        Raises BadInputError for a blank claim or for both `source` and `evidence`, DocumentNotFoundError
        for an unknown source.
        """
        claim = _checked(claim, what="claim")
        if source is not None and evidence is not None:
            raise BadInputError("a claim is checked against a source or a text, not both: leave one out")
        documents = self._to_check_against(claim, source, evidence)
        return check_claim(
            self._sentences.query(claim, self.library.idf),
            documents,
            self._sentences,
            entailer=self.entailer,
        )

    def explain(self, claim: str, evidence: Sequence[str], *, question: str = "") -> Salience:
        """Which sentences and words of `evidence` drive the generator to say `claim`; see `rag.salience`."""
        return salience(self.generator, claim, evidence, question=question)

    def _to_check_against(self, claim: str, source: str | None, evidence: str | None) -> list[Document]:
        if evidence is not None:
            return [Document("", "", evidence, "given text")]
        if source is not None:
            return [self.library.resolve(source)]
        hits = self.search(claim, k=CHECK_PAPERS)
        return list(self.library.documents([hit.chunk.doc_id for hit in hits]))

    def _fingerprint(self) -> str:
        """Identifies the contents and the settings that an answer was made with."""
        state = [self.library.fingerprint(), self.settings.model_dump_json(exclude={"api_key", "library"})]
        return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]


class _Clock:
    """Seconds spent by stage."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._laps[stage] = round(now - self._last, 4)
        self._last = now

    def first(self, stage: str) -> None:
        """Note the seconds since the beginning, once."""
        self._laps.setdefault(stage, round(time.perf_counter() - self._start, 4))

    def done(self) -> dict[str, float]:
        return {**self._laps, "total": round(time.perf_counter() - self._start, 4)}


def _checked(text: str, *, what: str = "question") -> str:
    """The text folded; blank or endless text is refused."""
    folded = fold(text) if isinstance(text, str) else ""
    if not folded:
        raise BadInputError(f"the {what} is empty: write it as text")
    if len(folded) > MAX_QUESTION_CHARACTERS:
        raise BadInputError(f"the {what} has {len(folded):,} characters: shorten it to {MAX_QUESTION_CHARACTERS:,}")
    return folded
