"""Answers and chats as documents to cite from: Markdown, LaTeX with a `.bib`, CSL-JSON.

Only the papers that are cited go into a bibliography. Text of the corpus is escaped for each format.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count, product
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from rag.errors import BadInputError
from rag.text import fold
from rag.types import JSON, Answer, Claim, Document

Documents = Mapping[str, Document]
FORMATS = (".md", ".tex", ".bib", ".csl.json", ".json")

_OURS = "% Written by footnote; the next export takes its place."
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SUFFIX = re.compile(r"[JS]r\.?|III?|IV")
_MEETING = re.compile(r"\b(?:conference|workshop|symposium)\b|\bproc(?:eedings|\.) of the \d+", re.I)
_BODY = re.compile(  # of people
    r" of |^(?:The|Team) |.\b(?:Agency|Association|Collaboration|Committee|Consortium|Foundation|Group|Initiative"
    r"|Institutes?|Investigators|Ministry|Network|Organi[sz]ation|Project|Society|Team|Universit\w+)$"
)
_PREPRINTS = re.compile(r"rxiv|^corr$", re.I)
_IN_ADDRESSES = str.maketrans({"{": "%7B", "}": "%7D", "\\": "%5C"})  # no part of an address as they are


def write(answers: Sequence[Answer], documents: Documents, path: Path) -> list[Path]:
    """Write answers in the format that the file's ending names; `.tex` gets a `.bib` beside it if papers are cited.

    Returns the files written. Raises BadInputError for another ending, an unwritable place, or where the `.bib`
    would take the place of one that another hand wrote.
    """
    ending = ending_of(path)
    texts = {path: _RENDER[ending](answers, documents)}
    beside = path.with_suffix(".bib")
    if ending == ".tex" and (entries := to_bibtex(answers, documents)):
        if not _is_ours(beside):
            raise BadInputError(f"{beside} is there, and not of Footnote's making: give the .tex another name")
        texts[beside] = f"{_OURS}\n{entries}"
    for file, text in texts.items():
        try:
            file.write_text(text, encoding="utf-8")
        except (OSError, ValueError) as error:  # ValueError: a name with a null character
            raise BadInputError(f"cannot write {file}: {getattr(error, 'strerror', error)}") from error
    return list(texts)


def _is_ours(bib: Path) -> bool:
    """Whether a `.bib` is missing or empty, or begins as those that are written here do."""
    try:
        with bib.open("rb") as file:
            return file.read(len(_OURS)) in {b"", _OURS.encode()}
    except (FileNotFoundError, ValueError):  # a name with a null character: writing will say so
        return True
    except OSError:
        return False


def ending_of(path: Path) -> str:
    """The one of `FORMATS` that a file is to be written in. Raises BadInputError for another ending."""
    name = path.name.lower()
    ending = next((end for end in FORMATS if name.endswith(end)), None)
    if ending is None:
        raise BadInputError(f"cannot tell the format of {path}: end it in {', '.join(FORMATS)}")
    return ending


def to_markdown(answers: Sequence[Answer], documents: Documents) -> str:
    """Questions as headings, answers with `[^n]` footnotes that hold paper and quote."""
    documents = _cited(answers, documents)
    parts = []
    for index, answer in enumerate(answers, start=1):
        prefix = f"{index}-" if len(answers) > 1 else ""
        parts += [f"## {_md(answer.question)}", _markdown_body(answer, prefix)]
        parts += [f"*{_md(answer.notice)}*" if answer.notice else "", _markdown_notes(answer, documents, prefix)]
    return "\n\n".join(part for part in parts if part) + "\n"


def to_latex(answers: Sequence[Answer], documents: Documents) -> str:
    r"""Paragraphs in which every sentence carries its `\cite{key}`; keys as in `to_bibtex`."""
    keys = citation_keys(answers, _cited(answers, documents))
    paragraphs = []
    for answer in answers:
        body = " ".join(_latex_claim(claim, keys) for claim in answer.claims)
        notice = f"\n% {_line(answer.notice)}" if answer.notice else ""
        paragraphs.append(f"% {_line(answer.question)}\n{body or '% ' + _abstained(answer)}{notice}")
    return "\n\n".join(paragraphs) + "\n"


def to_bibtex(answers: Sequence[Answer], documents: Documents) -> str:
    """The cited papers as BibTeX entries, in order of first citation."""
    documents = _cited(answers, documents)
    keys = citation_keys(answers, documents)
    return "\n".join(_entry(key, documents[doc_id]) for doc_id, key in keys.items())


def to_csl(answers: Sequence[Answer], documents: Documents) -> str:
    """The cited papers as a CSL-JSON array, for Zotero, pandoc and the like."""
    documents = _cited(answers, documents)
    keys = citation_keys(answers, documents)
    items = [_csl_item(key, documents[doc_id]) for doc_id, key in keys.items()]
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def to_json(answers: Sequence[Answer], documents: Documents) -> str:
    """The answers as `--json` prints them, in a list."""
    return json.dumps([answer.to_dict() for answer in answers], ensure_ascii=False, indent=2) + "\n"


_RENDER = {".md": to_markdown, ".tex": to_latex, ".bib": to_bibtex, ".csl.json": to_csl, ".json": to_json}


def _cited(answers: Sequence[Answer], documents: Documents) -> Documents:
    """The cited documents; of what has gone from the library since, what its citation still knows."""
    citations = {citation.doc_id: citation for answer in answers for citation in answer.citations}
    return {
        doc_id: documents.get(doc_id) or Document(doc_id, citation.title, "", citation.source)
        for doc_id, citation in citations.items()
    }


def citation_keys(answers: Sequence[Answer], documents: Documents) -> dict[str, str]:
    """A BibTeX key for every cited document: its own, else family name, year, first title word.

    Equal keys get letters behind them; they are compared without case, as BibTeX does.
    """
    keys: dict[str, str] = {}
    taken: set[str] = set()
    for answer in answers:
        for citation in answer.citations:
            if citation.doc_id in keys or citation.doc_id not in documents:
                continue
            wanted = _key(documents[citation.doc_id])
            key = next(wanted + letters for letters in _letters() if (wanted + letters).lower() not in taken)
            keys[citation.doc_id] = key
            taken.add(key.lower())
    return keys


def _letters() -> Iterator[str]:
    """What tells equal keys apart: nothing, then b to z, then aa, ab and so on."""
    yield ""
    yield from ascii_lowercase[1:]
    for length in count(2):
        yield from map("".join, product(ascii_lowercase, repeat=length))


def _key(document: Document) -> str:
    own = re.sub(r"[^\w:.+/-]", "", str(document.metadata.get("cite_key") or ""))
    if own:
        return own
    first = next(iter(_people(document.metadata)), "others")
    family = _person(first, document.metadata)["family"] if first != "others" else "anon"
    word = next((w for w in re.findall(r"\w+", document.title) if len(w) > 3), "untitled")
    key = f"{family}{document.metadata.get('year') or ''}{word}".lower()
    return "".join(char for char in unicodedata.normalize("NFKD", key) if char.isascii() and char.isalnum()) or "paper"


def _markdown_body(answer: Answer, prefix: str) -> str:
    if answer.abstained:
        return f"*{_abstained(answer)}*"
    return " ".join(
        _md(claim.text) + "".join(f"[^{prefix}{n}]" for n in dict.fromkeys(c.number for c in claim.citations))
        for claim in answer.claims
    )


def _markdown_notes(answer: Answer, documents: Documents, prefix: str) -> str:
    lines: dict[int, list[str]] = {}
    for citation in answer.citations:
        lines.setdefault(citation.number, []).append(f"“{_md(fold(citation.quote))}”")
    doc_of = {citation.number: citation.doc_id for citation in answer.citations}
    return "\n".join(
        f"[^{prefix}{number}]: {_md(_reference(documents[doc_of[number]]))} {' … '.join(quotes)}"
        for number, quotes in lines.items()
    )


def _reference(document: Document) -> str:
    known = document.metadata
    parts = [
        ", ".join(known.get("authors") or []),
        f"({known['year']})" if known.get("year") else "",
        document.title or document.source,
        str(known.get("venue") or ""),
        f"arXiv:{known['arxiv_id']}" if known.get("arxiv_id") else "",
        f"doi:{known['doi']}" if known.get("doi") else "",
    ]
    # "et al." has a full stop of its own, and a question is no sentence more
    return " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts if part)


def about(document: Document) -> str:
    """Authors, year, venue, identifiers and source of a paper in one line."""
    known = document.metadata
    authors = [str(author) for author in known.get("authors") or []]
    parts = [
        ", ".join(authors[:6]) + (" and others" if len(authors) > 6 else ""),
        str(known.get("year") or ""),
        str(known.get("venue") or ""),
        f"arXiv:{known['arxiv_id']}" if known.get("arxiv_id") else "",
        f"doi:{known['doi']}" if known.get("doi") else "",
        document.source,
        "abstract cut short in its file" if known.get("truncated") else "",
    ]
    return " · ".join(part for part in parts if part)


def _abstained(answer: Answer) -> str:
    return f"No answer: {answer.abstention.value.replace('_', ' ')}." if answer.abstention else ""


def _line(text: str) -> str:
    """The text on one line; control characters, which TeX refuses and a terminal obeys, are blanks."""
    return fold(_CONTROL.sub(" ", text))


def _md(text: str) -> str:
    escaped = re.sub(r"([\\`*_{}\[\]<>#|!$~&^@])", r"\\\1", _line(text))
    return re.sub(r"^(\d*)([-+.)])", r"\1\\\2", escaped)  # else "1. " or "- " would begin a list


def _latex_claim(claim: Claim, keys: Mapping[str, str]) -> str:
    cited = ",".join(dict.fromkeys(keys[c.doc_id] for c in claim.citations if c.doc_id in keys))
    if not cited:
        return _latex(claim.text)
    text = _quoted(_line(claim.text))
    body = re.sub(r"[.!?]?[”\"]?$", "", text, count=1)  # cut before it is LaTeX, whose groups stay whole
    return f"{_latex(body)}~\\cite{{{cited}}}{_latex(text[len(body) :])}"


def _latex(text: str, *, protection: str = "braces") -> str:
    return str(_encoder(protection).unicode_to_latex(_quoted(_line(text))))


def _quoted(text: str) -> str:
    """The text with straight quotation marks as those that open and close."""
    return re.sub(r"(?<![^\s(\[{—–-])\"(?=\S)", "“", text).replace('"', "”")


@lru_cache(maxsize=2)
def _encoder(protection: str) -> Any:
    """Escapes for LaTeX, with its own quotation marks, and a bar that is no dash in its first encoding."""
    from pylatexenc.latexencode import RULE_DICT, UnicodeToLatexConversionRule, UnicodeToLatexEncoder

    ours = {ord("“"): "``", ord("”"): "''", ord("|"): r"{\textbar}"}
    rule = UnicodeToLatexConversionRule(RULE_DICT, ours, replacement_latex_protection="none")
    return UnicodeToLatexEncoder(
        conversion_rules=[rule, "defaults"],
        replacement_latex_protection=protection,
        unknown_char_policy="keep",
        unknown_char_warning=False,
    )


def _entry(key: str, document: Document) -> str:
    known = document.metadata
    venue = str(known.get("venue") or "")
    is_talk = _MEETING.search(venue) is not None
    fields = {
        "title": f"{{{_bibtex(document.title or document.source)}}}",
        "author": " and ".join(_bibtex_name(author, known) for author in _people(known)),
        "year": str(known.get("year") or ""),
        "booktitle" if is_talk else "journal": _bibtex(venue),
        "doi": str(known.get("doi") or "").translate(_IN_ADDRESSES),
        "eprint": str(known.get("arxiv_id") or ""),
        "archivePrefix": "arXiv" if known.get("arxiv_id") else "",
        "url": str(known.get("url") or "").translate(_IN_ADDRESSES),
    }
    # To BibTeX an article lacks something without a journal.
    kind = "inproceedings" if is_talk else "article" if venue else "misc"
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{kind}{{{key},\n{body}}}\n"


def _bibtex(text: str, *, protection: str = "braces") -> str:
    r"""LaTeX in which braces open and close even for BibTeX, to which the one in `\{` is one, too."""
    latex = _latex(text, protection=protection)
    return latex.replace(r"\{", r"{\textbraceleft}").replace(r"\}", r"{\textbraceright}")


def _bibtex_name(name: str, known: Mapping[str, Any]) -> str:
    r"""In braces if BibTeX would take it for two people or turn it round; `{\'E}` is a letter, to be an initial."""
    if _is_whole(name, known):
        return f"{{{_bibtex(name)}}}"
    person = _person(name, known)
    if "suffix" in person or " " in person["family"]:
        family = " ".join(person[part] for part in ("non-dropping-particle", "family") if part in person)
        name = ", ".join(part for part in (family, person.get("suffix"), person.get("given")) if part)
    return _bibtex(name, protection="braces-almost-all")


def _is_whole(name: str, known: Mapping[str, Any]) -> bool:
    """Whether a name is surely no person's, and has no given and family part: "Simon and Schuster, Inc."."""
    return name in known.get("families", ()) or "," in name or " and " in name.lower() or _BODY.search(name) is not None


def _people(known: Mapping[str, Any]) -> list[str]:
    people = []
    for author in known.get("authors") or []:
        name = re.sub(r"(?:^|\s+)et al\.?$", "", author)
        people += [name] if name == author else [name, "others"]
    return [name for name in people if name]


def _csl_item(key: str, document: Document) -> JSON:
    known = document.metadata
    venue = str(known.get("venue") or "")
    is_preprint = not venue or _PREPRINTS.search(venue) is not None
    kind = "article" if is_preprint else "paper-conference" if _MEETING.search(venue) else "article-journal"
    item: JSON = {"id": key, "type": kind, "title": document.title or document.source}
    if document.text:
        item["abstract"] = document.text
    if people := [_csl_name(name, known) for name in _people(known) if name != "others"]:
        item["author"] = people
    if year := str(known.get("year") or ""):  # a document made by hand may have "in press"
        item["issued"] = {"date-parts": [[int(year)]]} if year.isdecimal() else {"literal": year}
    for field, name in (("venue", "container-title"), ("doi", "DOI"), ("url", "URL")):
        if known.get(field):
            item[name] = str(known[field])
    if known.get("arxiv_id"):  # the number of an article in a journal is another one
        item["number" if is_preprint else "note"] = f"arXiv:{known['arxiv_id']}"
    return item


def _csl_name(name: str, known: Mapping[str, Any]) -> JSON:
    return {"literal": name} if _is_whole(name, known) else _person(name, known)


def _person(name: str, known: Mapping[str, Any]) -> JSON:
    """The parts of a person's name as CSL calls them, without those that it lacks."""
    given = name.split()
    suffix = given.pop() if len(given) > 1 and _SUFFIX.fullmatch(given[-1]) else ""
    told = [words for family in known.get("families", ()) if given[-len(words := family.split()) :] == words]
    family = max(told, key=len, default=given[-1:])
    while len(family) > 1 and family[0].islower():
        family = family[1:]
    del given[-len(family) :]
    particles: list[str] = []
    while len(given) > 1 and given[-1].islower():
        particles.insert(0, given.pop())
    parts = {
        "family": " ".join(family),
        "given": " ".join(given),
        "non-dropping-particle": " ".join(particles),
        "suffix": suffix,
    }
    return {part: text for part, text in parts.items() if text}
