"""OPEN THIS FIRST: the flow. Papers go in with `ingest`; `search`, `ask` and `check` take things out.

One question: follow-up → standalone → `searching` → `evidence` → generator → `answer` → `verify` →
`concluding`: what holds, with footnotes; what is left of the best evidence, verbatim; else an abstention
with its reason. The models are those that `choosing` says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag import answer as answering
from rag import chunk as chunking
from rag import evidence as selecting
from rag import ingest as reading
from rag import searching
from rag import settings as configuring
from rag.checking import Check, check_claim
from rag.choosing import Models
from rag.cite import Evidence, without_citations
from rag.clock import Clock
from rag.concluding import conclude
from rag.confidence import ANSWERS_FROM, Signals, confidence
from rag.errors import BadInputError
from rag.followup import standalone
from rag.ingesting import IngestReport, ingest_into
from rag.library import Filters, Finding, Library, Matching
from rag.models import Embedder, Entailer, Generator, Reader, without_thoughts
from rag.parts import joined, parts
from rag.premise import held_against, premise
from rag.salience import Salience, salience
from rag.sentences import Query
from rag.settings import Settings
from rag.text import fold, sentences, whole
from rag.types import Abstention, Answer, Document, Hit, Turn
from rag.verify import verify

MAX_QUESTION_CHARACTERS = 2_000  # far more than the embedder reads
CHECK_PAPERS = 3
DENIED = "The papers say otherwise than the question takes for granted."
WROTE_NOTHING = "The generator wrote no answer; one that thinks first may need more FOOTNOTE_MAX_NEW_TOKENS."


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
    models: Models

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
        return cls._opened(library, settings, Library.open_or_create, makes=True)

    @classmethod
    def rebuild(cls, library: Path | str | None = None, **settings: Any) -> Footnote:
        """Open a library whose embedder or chunking has changed: the next ingest embeds everything again."""
        return cls._opened(library, settings, Library.rebuild, makes=True)

    @classmethod
    def _opened(
        cls, library: Path | str | None, given: Mapping[str, Any], how: Callable[..., Library], *, makes: bool = False
    ) -> Footnote:
        models = Models.choose({"library": library, **given})
        settings = models.settings
        identity = {
            "embedder": models.embedder_name,
            "window_sentences": settings.window_sentences,
            "chunking": chunking.VERSION,
        }
        opened = how(
            settings.library,
            identity=identity,
            matching=Matching(reading.identity_keys, reading.merge),
            store_url=settings.store,
            lock_timeout_s=settings.lock_timeout_s,
            **({"settings": models.of_library} if makes else {}),
        )
        return cls(opened, models)

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

    # -- settings and models, loaded when first needed -------------------------------------------

    @property
    def settings(self) -> Settings:
        """What it was opened with."""
        return self.models.settings

    @property
    def embedder(self) -> Embedder:
        """What turns text into vectors."""
        return self.models.embedder

    @property
    def reader(self) -> Reader | None:
        """What reads question and text together; `None` goes without."""
        return self.models.reader

    @property
    def generator(self) -> Generator:
        """What writes the draft."""
        return self.models.generator

    @property
    def entailer(self) -> Entailer:
        """What judges whether a text carries a claim."""
        return self.models.entailer

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
        alone = standalone(_checked(question), history)
        return searching.search(alone, self.library, self.models, k=k, filters=filters)[1]

    def signals(self, question: str, *, history: Sequence[Turn] = ()) -> Signals:
        """The signs that the papers answer a question: what `rag.confidence` weighs."""
        alone = standalone(_checked(question), history)
        query, hits = searching.search(alone, self.library, self.models, k=self.settings.documents)
        hits, documents = searching.with_papers(hits, self.library)
        return self._select(query, hits, documents).signals

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
        clock = Clock()
        question = _checked(question)
        alone = standalone(question, history)
        asked = parts(question, history)
        yield Progress("retrieving")
        found = [self._found(text, filters) for text in (alone, *(part.standalone for part in asked))]
        query, hits, _ = found[0]
        clock.lap("retrieve")
        answer = Answer(
            question,
            query.question,
            "",
            hits=tuple(hits),
            model=self.settings.llm,
            fingerprint=self._fingerprint(),
        )
        yield Progress("reading")
        whole, *selections = [self._select(*one) for one in found]
        selection, untold = joined(whole, asked, selections)
        sure = confidence(selection.signals) if hits else 0.0
        answer = replace(answer, confidence=round(sure, 4))
        clock.lap("select")
        if not selection.evidence or sure < ANSWERS_FROM:
            reason = Abstention.WEAK_EVIDENCE if hits else Abstention.NO_HITS
            name = selection.unmentioned
            notice = f"None of the papers that were found mentions “{name}”." if name else ""
            yield replace(answer, abstention=reason, notice=notice, timings=clock.done())
            return
        shown = answering.fitting(selection.evidence, max_tokens=self.settings.max_evidence_tokens)
        yield Progress("writing")
        raw = written = ""
        closely, is_spent = self.models.generator_is_small, False
        put = " ".join(part.standalone for part in asked if part not in untold) if untold else query.question
        for piece in self._draft(put, shown):
            raw += piece
            written = without_thoughts(raw)
            if told := piece and written[-len(piece) :]:
                clock.first("first_words")
                yield Delta(told)
            if is_spent := answering.is_spent(written, shown, closely=closely):
                break
        clock.lap("generate")
        yield Progress("checking")
        draft = answering.read(written, shown, is_unfinished=is_spent)
        if draft.declined:
            notice = "The generator found no answer in the evidence."
            yield replace(answer, abstention=Abstention.WEAK_EVIDENCE, notice=notice, timings=clock.done())
            return
        notices = [f"No sentence of the papers was found that answers “{part.question}”" for part in untold]
        notices += [DENIED] if selection.signals.denied else []
        notices += [] if written.strip() else [WROTE_NOTHING]
        documents = {item.document.id: item.document for item in shown}
        answer = conclude(
            replace(answer, fabricated_markers=draft.fabricated, notice=" ".join(notices)),
            verify(draft.claims, documents, entailer=self.entailer, closely=closely),
            replace(selection, evidence=shown),
            entailer=self.entailer,
            max_words=self.settings.max_answer_words,
            closely=closely,
            numbers=numbers,
        )
        clock.lap("verify")
        yield replace(answer, timings=clock.done())

    def _found(self, question: str, filters: Filters | None) -> tuple[Query, list[Hit], dict[str, Document]]:
        """The question as it is read, its best papers, and their documents."""
        found = searching.search(
            question, self.library, self.models, k=self.settings.documents, filters=filters, fetch=True
        )
        return (found[0], *searching.with_papers(found[1], self.library))

    def _select(self, query: Query, hits: Sequence[Hit], documents: Mapping[str, Document]) -> selecting.Selection:
        if not hits:
            return selecting.Selection()  # no model is loaded for nothing
        own = self.models
        judge = own.own_entailer
        found = selecting.select(query, hits, documents, own.sentences, reader=own.reader, entailer=judge)
        if judge and (stated := premise(query.question)):
            best = documents[hits[0].chunk.doc_id]
            found = held_against(found, own.sentences.query(stated, self.library.idf), best, own.sentences, judge)
        return found

    def _draft(self, question: str, evidence: Sequence[Evidence]) -> Iterator[str]:
        return self.generator.stream(
            self.models.instructions,
            answering.prompt(question, evidence),
            max_new_tokens=self.models.max_new_tokens,
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
        stated = without_citations(claim)
        documents = self._to_check_against(stated, source, evidence)
        return check_claim(
            claim,
            [self.models.sentences.query(part, self.library.idf) for part in sentences(stated)],
            documents,
            self.models.sentences,
            entailer=self.entailer,
        )

    def explain(self, claim: str, evidence: Sequence[str], *, question: str = "") -> Salience:
        """Which sentences and words of `evidence` drive the generator to say `claim`; see `rag.salience`."""
        return salience(self.generator, claim, evidence, question=question)

    def _to_check_against(self, claim: str, source: str | None, evidence: str | None) -> list[Document]:
        if evidence is not None:
            return [Document("", "", whole(evidence), "given text")]
        if source is not None:
            return [self.library.resolve(source)]
        hits = self.search(claim, k=CHECK_PAPERS)
        return list(self.library.documents([hit.chunk.doc_id for hit in hits]))

    def _fingerprint(self) -> str:
        """Identifies the contents and the settings that an answer was made with."""
        state = [self.library.fingerprint(), self.settings.model_dump_json(exclude={"api_key", "library"})]
        return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]


def _checked(text: str, *, what: str = "question") -> str:
    """The text folded, halves of surrogate pairs replaced; blank or endless text is refused."""
    folded = fold(whole(text)) if isinstance(text, str) else ""
    if not folded:
        raise BadInputError(f"the {what} is empty: write it as text")
    if len(folded) > MAX_QUESTION_CHARACTERS:
        raise BadInputError(f"the {what} has {len(folded):,} characters: shorten it to {MAX_QUESTION_CHARACTERS:,}")
    return folded
