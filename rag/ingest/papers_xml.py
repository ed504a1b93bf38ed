"""PubMed XML and arXiv's Atom feeds, element by element, in any size. Home of defusedxml.

Entity definitions, the stuff of XML bombs, end the file with a rejection; document type
declarations alone do not, since PubMed's files carry one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO
from xml.etree.ElementTree import Element, ParseError

from rag.ingest.markup import element_text
from rag.ingest.records import Outcome, is_missing, make_entry, reject

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_NO_LABELS = ("UNLABELLED", "UNLABELED")
_RECORD_TAGS = ("PubmedArticle", "PubmedBookArticle", f"{_ATOM}entry")


def read_xml(stream: TextIO) -> Iterator[Outcome]:
    """Records in file order, up to the first place that is no XML."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    number = 0
    events = iterparse(stream, events=("start", "end"))
    try:
        _, root = next(events)
        for event, element in events:
            if event == "end" and element.tag in _RECORD_TAGS:
                number += 1
                yield _entry(element, f"record {number}")
                root.clear()
    except DefusedXmlException as error:
        yield reject(f"record {number + 1}", f"entity definitions are not allowed, reading stopped: {error}")
    except (ParseError, ValueError, StopIteration) as error:
        yield reject(f"record {number + 1}", f"not valid XML, reading stopped: {error}")
    else:
        if not number:
            kinds = "PubMed's and arXiv's Atom are read; export RIS or BibTeX instead"
            yield reject("", f"XML of another kind (<{root.tag}>); {kinds}")


def _entry(element: Element, place: str) -> Outcome:
    if element.tag == "PubmedBookArticle":
        return reject(place, "a book, not an article")
    try:
        return _pubmed(element, place) if element.tag == "PubmedArticle" else _atom(element, place)
    except RecursionError:
        return reject(place, "nested too deeply")


def _text(element: Element | None) -> str:
    return "" if element is None else element_text(element)


def _pubmed(element: Element, place: str) -> Outcome:
    citation = element.find("MedlineCitation")
    article = element.find("MedlineCitation/Article")
    if citation is None or article is None:
        return reject(place, "no Article element")
    dois = [one for one in article.findall("ELocationID[@EIdType='doi']") if one.get("ValidYN") != "N"]
    dois += element.findall("PubmedData/ArticleIdList/ArticleId[@IdType='doi']")
    people = article.findall("AuthorList/Author")
    return make_entry(
        place,
        next((t for name in ("ArticleTitle", "VernacularTitle") if not is_missing(t := _text(article.find(name)))), ""),
        _pubmed_abstract(article),
        {
            "authors": [name for author in people if (name := _pubmed_name(author))],
            "families": [_text(author.find("LastName")) or _text(author.find("CollectiveName")) for author in people],
            "year": _pubmed_year(article),
            "venue": _text(article.find("Journal/Title")) or _text(article.find("Journal/ISOAbbreviation")),
            "doi": next(map(_text, dois), ""),
            "pmid": _text(citation.find("PMID")),
            "keywords": [_text(keyword) for keyword in citation.findall("KeywordList/Keyword")],
        },
    )


def _pubmed_abstract(article: Element) -> str:
    """The parts of a structured abstract as "LABEL: text", joined by a space."""
    parts = []
    for part in article.findall("Abstract/AbstractText"):
        text, label = _text(part).strip(), part.get("Label", "").strip(" :")
        if text:
            parts.append(f"{label}: {text}" if label and label.upper() not in _NO_LABELS else text)
    return " ".join(parts)


def _pubmed_name(author: Element) -> str:
    given = _text(author.find("ForeName")) or _text(author.find("Initials"))
    parts = (given, _text(author.find("LastName")), _text(author.find("Suffix")))
    return " ".join(part for part in parts if part) or _text(author.find("CollectiveName"))


def _pubmed_year(article: Element) -> str:
    places = (
        "Journal/JournalIssue/PubDate/Year",
        "Journal/JournalIssue/PubDate/MedlineDate",
        "ArticleDate/Year",
    )
    return next((found for place in places if (found := _text(article.find(place)))), "")


def _atom(element: Element, place: str) -> Outcome:
    address = _text(element.find(f"{_ATOM}id")).strip()
    if "arxiv.org/api/errors" in address:
        return reject(place, f"no paper but an error of arXiv's: {_text(element.find(f'{_ATOM}summary'))}")
    return make_entry(
        place,
        _text(element.find(f"{_ATOM}title")),
        _text(element.find(f"{_ATOM}summary")),
        {
            "authors": [_text(name) for name in element.findall(f"{_ATOM}author/{_ATOM}name")],
            "year": _text(element.find(f"{_ATOM}published")) or _text(element.find(f"{_ATOM}updated")),
            "venue": _text(element.find(f"{_ARXIV}journal_ref")),
            "doi": _text(element.find(f"{_ARXIV}doi")),
            "arxiv_id": address,
            "url": address if address.startswith("http") else "",
            "keywords": [tag.get("term", "") for tag in element.findall(f"{_ATOM}category")],
        },
    )
