"""BM25 over titles and abstracts: an incremental tantivy index on disk. Home of tantivy.

One entry a document, title and text as one bag of words: without case, accents and function words, by
stem. A question is cut into words the same way and is never read as a query language.

A commit is atomic, so a reader sees the index before or after it, and a kill costs what was not
committed. Tantivy's BM25 has k1 = 1.2 and b = 0.75.
Source: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009.
"""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from rag.errors import LibraryDamagedError
from rag.library.catalog import command, index_error
from rag.types import Document

K1 = 1.2
FUZZY_FROM = 5  # letters: shorter words are one letter off from everything
FUZZY_WEIGHT = 0.5  # of a word found as it is
_HEAP_BYTES = 50_000_000  # before a segment is written; tantivy's least is 15 MB
_ANALYZER = "footnote"
_LONGEST_WORD = 60  # characters; longer runs are no words

# Words that say how a question is put and not what it is about. Tantivy's own list of 33 words costs
# .028 nDCG@10 on questions in whole sentences (CISI).
FUNCTION_WORDS = """
a an the this that these those such same own other another each every either neither both all any some few
more most less least many much no none nor not only just very too so than then there here now again once
further i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself
she her hers herself it its itself they them their theirs themselves who whom whose which what when where
why how and or but if because as until while although though whether of at by for with about against
between into through during before after above below to from up down in out on off over under upon within
without among am is are was were be been being have has had having do does did doing done can could will
would shall should may might must s t don ve ll re
""".split()


class Lexical:
    """An open index; `reload` shows what others have committed since.

    Raises LibraryDamagedError where the folder cannot be used.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        with self._translated():
            self._index = self._opened(create)
            self._index.register_tokenizer(_ANALYZER, _analyzer())

    def write(self, *, gone: Collection[str], documents: Sequence[Document]) -> None:
        """Delete and add in one commit; a document takes the place of its older self."""
        with self._translated():
            _sweep(self.folder)
            writer = self._index.writer(_HEAP_BYTES, 1)
            for doc_id in {*gone, *(document.id for document in documents)}:
                writer.delete_documents_by_term("doc_id", doc_id)
            for document in documents:
                writer.add_document(_entry(document))
            writer.commit()
            writer.wait_merging_threads()
            self._index.reload()

    def reload(self) -> None:
        """See what has been committed by now."""
        with self._translated():
            self._index.reload()

    def search(self, text: str, k: int, allowed: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` documents with the highest BM25 score, ties by id; those without a common word never."""
        words = terms(text)
        if not words or k < 1 or (allowed is not None and not allowed):
            return []
        with self._translated():
            searcher = self._index.searcher()
            found = searcher.search(self._query(words, allowed), limit=k, count=False).hits
            scored = [(str(searcher.doc(address)["doc_id"][0]), float(score)) for score, address in found]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))

    def idf(self, words: Sequence[str]) -> dict[str, float]:
        """ln(1 + (N - n + 0.5) / (n + 0.5)) of analyzed terms with N documents, n of them with the term.

        A term that no document has counts as the rarest.
        """
        with self._translated():
            searcher = self._index.searcher()
            counts = {word: int(searcher.doc_freq("body", word)) for word in dict.fromkeys(words)}
            # Like tantivy's, this N and n count deleted entries until their segment is merged.
            total = int(searcher.doc_freq("every", "1"))
        return {word: math.log(1 + (total - n + 0.5) / (n + 0.5)) for word, n in counts.items()}

    def bound(self, words: Sequence[str]) -> float:
        """What no document can score: sum over the terms, repeats included, of idf * (k1 + 1)."""
        return sum(self.idf(words)[word] * count for word, count in Counter(words).items()) * (K1 + 1)

    def ids(self) -> list[str]:
        """The ids of all entries, in order; an id twice where an entry is doubled."""
        import tantivy

        with self._translated():
            searcher = self._index.searcher()
            found = searcher.search(tantivy.Query.all_query(), limit=max(1, searcher.num_docs)).hits
            return sorted(str(searcher.doc(address)["doc_id"][0]) for _, address in found)

    def _query(self, words: Sequence[str], allowed: Collection[str] | None) -> Any:
        from tantivy import Occur, Query

        schema = self._index.schema
        idf = self.idf(words)
        rarest = max(idf.values())
        any_word = Query.boolean_query(
            [
                (
                    Occur.Should,
                    # A word that no document has may be misspelt: one that is near counts as found once.
                    Query.boost_query(
                        Query.fuzzy_term_query(schema, "body", word, distance=edits), FUZZY_WEIGHT * rarest
                    )
                    if (edits := self._edits(word))
                    else Query.term_query(schema, "body", word, "freq"),
                )
                for word in words
            ]
        )
        if allowed is None:
            return any_word
        among = Query.const_score_query(Query.term_set_query(schema, "doc_id", sorted(allowed)), 0.0)
        return Query.boolean_query([(Occur.Must, any_word), (Occur.Must, among)])

    def _edits(self, word: str) -> int:
        """How many letters a word may be off: none if it is known, short, or no word."""
        if len(word) < FUZZY_FROM or not word.isalpha() or self._index.searcher().doc_freq("body", word):
            return 0
        return 1 if len(word) < 2 * FUZZY_FROM else 2

    def _opened(self, create: bool) -> Any:
        import tantivy

        if not (self.folder / "meta.json").is_file():
            if not create:
                raise LibraryDamagedError(
                    f"{self.folder} is missing or empty; mend it with: {command(self.folder.parent, 'doctor --repair')}"
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            return tantivy.Index(_schema(), str(self.folder), reuse=False)
        return tantivy.Index.open(str(self.folder))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except LibraryDamagedError:
            raise
        except BaseException as error:
            # A panic of the Rust core arrives as a BaseException of its own.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            raise index_error("Tantivy", self.folder, error) from error


def _sweep(folder: Path) -> None:
    """Delete lists of deletions that no commit knows, left by a kill: a new one may need their name."""
    segments = json.loads((folder / "meta.json").read_bytes())["segments"]
    known = {
        f"{segment['segment_id'].replace('-', '')}.{segment['deletes']['opstamp']}.del"
        for segment in segments
        if segment.get("deletes")
    }
    for path in folder.glob("*.del"):
        if path.name not in known:
            path.unlink()


def terms(text: str) -> list[str]:
    """The words of a text as they are indexed, in order, repeats included."""
    return list(_TERMS.analyzer.analyze(text))


def discard(folder: Path) -> None:
    """Delete an index."""
    if folder.exists():
        shutil.rmtree(folder)


class _Terms:
    """Keeps the analyzer that `terms` uses; making it loads tantivy."""

    @cached_property
    def analyzer(self) -> Any:
        return _analyzer()


_TERMS = _Terms()


def _analyzer() -> Any:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple())
    for step in (
        Filter.remove_long(_LONGEST_WORD),
        Filter.lowercase(),
        Filter.ascii_fold(),
        Filter.custom_stopword(FUNCTION_WORDS),
        Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()


def _schema() -> Any:
    from tantivy import SchemaBuilder

    builder = SchemaBuilder()
    builder.add_text_field("doc_id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("every", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("body", tokenizer_name=_ANALYZER, index_option="freq")
    return builder.build()


def _entry(document: Document) -> Any:
    from tantivy import Document as Entry

    return Entry(doc_id=document.id, every="1", body=f"{document.title}\n{document.text}")
