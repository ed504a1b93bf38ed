"""Exports: only what is cited, escaped for each format, readable by others' parsers."""

import json
from dataclasses import replace

import bibtexparser
import pytest

from rag.errors import BadInputError
from rag.export import citation_keys, to_bibtex, to_csl, to_latex, to_markdown, write
from rag.types import Abstention, Answer, Citation, Claim, Document, Verdict

PAPERS = {
    "a": Document(
        "a",
        "R&D in 100% of _cases_ {really}",
        "It works.",
        "f.txt#1",
        {"authors": ["Ana Muñoz", "Bo Li et al."], "year": 2024, "arxiv_id": "2401.00001"},
    ),
    "b": Document("b", "Plain title", "So does this.", "f.txt#2", {"authors": ["Cy Oz"], "year": 2023}),
    "c": Document("c", "Plain tales", "Nobody cites me.", "f.txt#3", {"authors": ["Cy Oz"], "year": 2023}),
}


def answer(*doc_ids, question="Does 5 % work?"):
    claims = []
    for number, doc_id in enumerate(doc_ids, start=1):
        text = PAPERS[doc_id].text
        cited = Citation(number, doc_id, 0, len(text), text, PAPERS[doc_id].source, PAPERS[doc_id].title)
        claims.append(Claim(f"“{text}”", 0, 0, (cited,), Verdict.SUPPORTED, 1.0))
    return Answer(question, question, "…", tuple(claims))


def test_latex_cites_the_keys_of_the_bib_and_only_the_cited():
    answers = [answer("a", "b")]
    latex, bib = to_latex(answers, PAPERS), to_bibtex(answers, PAPERS)
    entries = {entry.key: entry for entry in bibtexparser.parse_string(bib).entries}
    assert set(entries) == {"munoz2024cases", "oz2023plain"}
    assert {entry.entry_type for entry in entries.values()} == {"misc"}  # no journal, no article
    assert all(f"\\cite{{{key}}}" in latex for key in entries)
    assert entries["munoz2024cases"]["author"].endswith("and others")
    assert r"R\&D in 100\% of \_cases\_ {\textbraceleft}really{\textbraceright}" in entries["munoz2024cases"]["title"]
    assert entries["munoz2024cases"]["eprint"] == "2401.00001"


def test_a_claim_is_cited_before_its_end_and_no_group_of_latex_is_cut():
    def cited(text):
        return to_latex([replace(answer("b"), claims=[replace(answer("b").claims[0], text=text)])], PAPERS)

    assert r"\ensuremath{\alpha}~\cite{oz2023plain}" in cited("It grows with α")
    assert r"\ensuremath{\beta}~\cite{oz2023plain}." in cited("It grows with β.")
    assert r"\{x\}~\cite{oz2023plain}" in cited("It holds {x}")
    assert r"``It works~\cite{oz2023plain}.''" in cited("“It works.”")


def test_keys_are_told_apart_without_case_as_bibtex_does_and_however_many_there_are():
    def keys(papers):
        cited = [Citation(n, paper.id, 0, 1, "q") for n, paper in enumerate(papers, start=1)]
        answers = [replace(answer("b"), claims=[replace(answer("b").claims[0], citations=tuple(cited))])]
        return list(citation_keys(answers, {paper.id: paper for paper in papers}).values())

    own = [Document(key, "T", "t", "f", {"cite_key": key}) for key in ("doe2020", "Doe2020")]
    assert keys(own) == ["doe2020", "Doe2020b"]
    known = {"authors": ["Ann Lee"], "year": 2024}
    made = keys([Document(f"d{n}", "Large models", "t", "f", known) for n in range(30)])
    assert made[:2] + made[25:28] == ["lee2024large", *(f"lee2024large{end}" for end in ("b", "z", "aa", "ab"))]
    assert len(set(made)) == 30


def test_equal_keys_are_told_apart():
    bib = to_bibtex([answer("b", "c")], PAPERS)
    assert {entry.key for entry in bibtexparser.parse_string(bib).entries} == {"oz2023plain", "oz2023plainb"}


def test_markdown_has_a_note_for_every_mark_and_escapes_markup():
    text = to_markdown([answer("a"), answer("b", question="<b>Really</b>?")], PAPERS)
    assert "“It works.”[^1-1]" in text
    assert "[^1-1]: " in text
    assert "[^2-1]: " in text
    assert r"\<b\>Really\</b\>" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AT&amp;T, x^2^ by @doe", r"AT\&amp;T, x\^2\^ by \@doe[^1]"),
        ("1. It works.", r"1\. It works.[^1]"),
        ("- It works.", r"\- It works.[^1]"),
        ("a\x1b[2J\x9bb", r"a \[2J b[^1]"),
    ],
)
def test_no_text_is_markup_a_list_or_an_order_to_a_terminal(text, expected):
    claims = [replace(answer("b").claims[0], text=text)]
    assert f"\n{expected}\n" in to_markdown([replace(answer("b"), claims=claims)], PAPERS)


def test_csl_is_json_with_the_fields_that_reference_managers_read():
    (item,) = json.loads(to_csl([answer("a")], PAPERS))
    assert item["id"] == "munoz2024cases"
    assert item["issued"] == {"date-parts": [[2024]]}
    assert item["author"][0] == {"family": "Muñoz", "given": "Ana"}
    assert (item["type"], item["number"]) == ("article", "arXiv:2401.00001")


def known(**metadata):
    """The paper "b" with these facts, in BibTeX, in CSL-JSON and in Markdown."""
    papers = {"b": Document("b", metadata.pop("title", "Plain title"), PAPERS["b"].text, "f.txt#2", metadata)}
    (entry,) = bibtexparser.parse_string(bib := to_bibtex([answer("b")], papers)).entries
    assert bib.count("{") == bib.count("}")  # BibTeX counts those of `\\{`, too
    (item,) = json.loads(to_csl([answer("b")], papers))
    return entry, item, to_markdown([answer("b")], papers)


@pytest.mark.parametrize(
    ("venue", "kind", "type_"),
    [
        ("Proceedings of the 41st International Conference on Moss", "inproceedings", "paper-conference"),
        ("Workshop on Ferns", "inproceedings", "paper-conference"),
        ("Proceedings of the National Academy of Sciences", "article", "article-journal"),
    ],
)
def test_a_talk_is_no_article(venue, kind, type_):
    entry, item, _ = known(venue=venue)
    assert (entry.entry_type, entry.fields_dict.keys() & {"booktitle", "journal"}) == (
        kind,
        {"booktitle" if kind == "inproceedings" else "journal"},
    )
    assert (item["type"], item["container-title"]) == (type_, venue)


@pytest.mark.parametrize(
    "name", ["ATLAS Collaboration", "World Health Organization", "Ministry of Health", "Gemma Team"]
)
def test_a_body_of_people_has_no_given_name(name):
    entry, item, _ = known(authors=[name, "Ana Reed"])
    assert (entry["author"], item["author"][0]) == (f"{{{name}}} and Ana Reed", {"literal": name})


def test_straight_quotation_marks_open_and_close():
    entry, _, _ = known(title='The "small" (and "fast") one: 5"')
    assert entry["title"] == "{The ``small'' (and ``fast'') one: 5''}"


def test_only_what_no_journal_published_is_a_preprint():
    entry, item, _ = known(venue="Journal of Moss", arxiv_id="2401.00001")
    assert (entry.entry_type, entry["journal"]) == ("article", "Journal of Moss")
    assert (item["type"], item["container-title"]) == ("article-journal", "Journal of Moss")
    assert (item["note"], "number" in item) == ("arXiv:2401.00001", False)
    assert known(venue="arXiv.org Machine Learning")[1]["type"] == "article"


def test_a_year_that_is_no_number_stays_what_it_is():
    entry, item, markdown = known(year="in press")
    assert (entry["year"], item["issued"]) == ("in press", {"literal": "in press"})
    assert "(in press)" in markdown.replace("\\", "")
    assert known(year="2024")[1]["issued"] == {"date-parts": [[2024]]}


def test_names_have_their_parts_in_every_format():
    entry, item, _ = known(authors=["Sammy Davis Jr.", "Ludwig van Beethoven", "Élise Ii", "Plato", "et al"], year=1964)
    assert entry.key == "davis1964plain"
    assert entry["author"] == r"Davis, Jr., Sammy and Ludwig van Beethoven and {\'E}lise Ii and Plato and others"
    assert item["author"] == [
        {"family": "Davis", "given": "Sammy", "suffix": "Jr."},
        {"family": "Beethoven", "given": "Ludwig", "non-dropping-particle": "van"},
        {"family": "Ii", "given": "Élise"},
        {"family": "Plato"},
    ]
    assert known(authors=["Bo Li et al."])[0].key == "liplain"
    entry, item, _ = known(authors=["et al."])
    assert (entry.key, entry["author"], "author" in item) == ("anonplain", "others", False)


def test_family_names_of_several_words_and_bodies_stay_whole_where_their_file_told_them():
    people = ["Gabriel García Márquez", "Maria de la Cruz Lopez Jr.", "Gemma Team", "Ada Márquez"]
    families = ["García Márquez", "de la Cruz Lopez", "Gemma Team"]
    entry, item, _ = known(authors=people, families=families, year=1967)
    assert entry.key == "garciamarquez1967plain"
    assert entry["author"] == (
        r"Garc{\'\i}a M{\'a}rquez, Gabriel and de la Cruz Lopez, Jr., Maria and {Gemma Team} and Ada M{\'a}rquez"
    )
    assert item["author"] == [
        {"family": "García Márquez", "given": "Gabriel"},
        {"family": "Cruz Lopez", "given": "Maria", "non-dropping-particle": "de la", "suffix": "Jr."},
        {"literal": "Gemma Team"},
        {"family": "Márquez", "given": "Ada"},
    ]


def test_no_brace_of_a_paper_ends_its_entry():
    entry, _, _ = known(title="The set {a", url=r"https://x.org/{a_b\c", doi="10.1/x},year={1999}", authors=["A}b"])
    assert entry["title"] == r"{The set {\textbraceleft}a}"
    assert entry["url"] == "https://x.org/%7Ba_b%5Cc"
    assert entry["doi"] == "10.1/x%7D,year=%7B1999%7D"
    assert "year" not in {field.key for field in entry.fields}


def test_an_organisation_with_and_or_a_comma_is_one_author():
    people = ["OpenAI and Friends Team", "Moss, Inc.", "Bo Li"]
    papers = {"b": Document("b", "Plain title", PAPERS["b"].text, "f.txt#2", {"authors": people})}
    (entry,) = bibtexparser.parse_string(to_bibtex([answer("b")], papers)).entries
    assert entry["author"] == "{OpenAI and Friends Team} and {Moss, Inc.} and Bo Li"
    (item,) = json.loads(to_csl([answer("b")], papers))
    assert item["author"][:2] == [{"literal": "OpenAI and Friends Team"}, {"literal": "Moss, Inc."}]


def test_quotation_marks_and_control_characters_are_no_trouble_to_latex(caplog):
    papers = {"b": Document("b", "A\x01title of “中文”", PAPERS["b"].text, "f.txt#2", {})}
    assert "title = {{A title of ``中文''}}" in to_bibtex([answer("b")], papers)
    assert to_latex([answer("b", question="Why\x1b?")], papers).startswith("% Why ?\n")
    assert not caplog.records


def test_a_bar_is_no_dash():
    claims = [replace(answer("b").claims[0], text="p(y|x)")]
    assert r"p(y{\textbar}x)" in to_latex([replace(answer("b"), claims=claims)], PAPERS)


def test_a_paper_that_was_removed_since_is_still_cited_by_what_its_citation_knows():
    answers = [answer("a", "b")]
    left = {"a": PAPERS["a"]}
    (_, entry) = bibtexparser.parse_string(to_bibtex(answers, left)).entries
    assert (entry.entry_type, entry["title"]) == ("misc", "{Plain title}")
    assert f"\\cite{{{entry.key}}}" in to_latex(answers, left)
    assert "[^2]: Plain title. “So does this.”" in to_markdown(answers, left)
    assert json.loads(to_csl(answers, left))[1] == {"id": entry.key, "type": "article", "title": "Plain title"}


def test_a_reference_has_no_full_stop_twice():
    assert "Ana Muñoz, Bo Li et al. (2024). R" in to_markdown([answer("a")], PAPERS)
    assert "[^1]: Why moss? Moss. “" in known(title="Why moss?", venue="Moss")[2]


def test_an_abstention_is_exported_as_one():
    nothing = Answer("Why?", "Why?", "", abstention=Abstention.WEAK_EVIDENCE)
    assert "No answer: weak evidence." in to_markdown([nothing], PAPERS)
    assert to_bibtex([nothing], PAPERS) == ""


def test_what_the_papers_do_not_say_is_exported_beside_what_they_say():
    notice = "No sentence was found that answers “What did 5 % cost?”"
    told = replace(answer("a"), notice=notice)
    assert f"It works.”[^1]\n\n*{notice}*\n\n[^1]:" in to_markdown([told], PAPERS)
    assert to_latex([told], PAPERS).endswith(f"\n% {notice}\n")


def test_a_bibliography_of_another_hand_keeps_its_place(tmp_path):
    tex, bib = tmp_path / "talk.tex", tmp_path / "talk.bib"
    write([answer("a")], PAPERS, tex)
    write([answer("b")], PAPERS, tex)  # its own from before
    assert to_bibtex([answer("b")], PAPERS) in bib.read_text(encoding="utf-8")
    tex.write_text("kept", encoding="utf-8")
    bib.write_text("@book{mine, title={Own}}", encoding="utf-8")
    with pytest.raises(BadInputError, match="another name"):
        write([answer("a")], PAPERS, tex)
    assert tex.read_text(encoding="utf-8") == "kept"
    nothing = Answer("Why?", "Why?", "", abstention=Abstention.WEAK_EVIDENCE)
    assert write([nothing], PAPERS, tex) == [tex]
    assert bib.read_text(encoding="utf-8") == "@book{mine, title={Own}}"


def test_tex_is_written_with_its_bib_and_another_ending_is_refused(tmp_path):
    written = write([answer("a")], PAPERS, tmp_path / "talk.tex")
    assert [path.name for path in written] == ["talk.tex", "talk.bib"]
    assert all(path.read_text(encoding="utf-8") for path in written)
    with pytest.raises(BadInputError, match=r"end it in \.md"):
        write([answer("a")], PAPERS, tmp_path / "talk.docx")
    with pytest.raises(BadInputError, match="cannot write"):
        write([answer("a")], PAPERS, tmp_path / "no" / "talk.md")
    with pytest.raises(BadInputError, match="cannot write"):
        write([answer("a")], PAPERS, tmp_path / "ta\0lk.md")
