"""Every format with a small sample of made-up papers."""

import gzip
import html
import json

import pytest

from rag.ingest import Rejection, read_file
from rag.types import Answer

LICHEN = "Lichens grow slowly. We measured 40 of them for 12 years (p < 0.01)."
ARXIV = {
    "id": "0704.0001",
    "submitter": "Ada Reed",
    "authors": "A. Reed, B. Lind, Jr.",
    "title": "Slow growth\n  of lichens",
    "journal-ref": "J.Lichen.12:1-9,2007",
    "doi": "10.1103/JL.1",
    "categories": "q-bio.PE stat.AP",
    "abstract": f"  {LICHEN}\n",
    "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
    "update_date": "2008-11-26",
    "authors_parsed": [["Reed", "A.", ""], ["Lind", "B.", "Jr."]],
}
OPENALEX = {
    "id": "https://openalex.org/W1",
    "doi": "https://doi.org/10.5555/ABC",
    "title": "Lichens",
    "publication_year": 2019,
    "authorships": [{"author": {"display_name": "Ada Reed"}}],
    "primary_location": {"source": {"display_name": "Lichen Letters"}},
    "ids": {"pmid": "https://pubmed.ncbi.nlm.nih.gov/123"},
    "abstract_inverted_index": {"Lichens": [0, 3], "grow;": [1], "all": [2], "rest.": [4]},
}
SEMANTIC_SCHOLAR = {
    "paperId": "f00",
    "externalIds": {"ArXiv": "2101.00001", "DOI": "10.1000/ZZ", "PubMed": "77"},
    "title": "Lichens",
    "abstract": LICHEN,
    "year": 2021,
    "authors": [{"authorId": "1", "name": "Ada Reed"}],
    "journal": {"name": "Lichen Letters", "volume": "3"},
}
CSL = {
    "id": "reed2020",
    "type": "article-journal",
    "title": "Lichens",
    "abstract": LICHEN,
    "author": [
        {"family": "Berg", "given": "Eva", "non-dropping-particle": "van den"},
        {"literal": "Lichen Group"},
    ],
    "issued": {"date-parts": [[2020, 3, 1]]},
    "container-title": ["Lichen Letters"],
    "DOI": "10.1000/xyz",
}
BIBTEX = r"""
@string{ll = "Lichen Letters"}
@comment{ignored}
@article{reed2020,
  title = {The {Slow} Growth of {Erd\H{o}s} Lichens in 100% Shade},
  author = {Reed, Ada and M{\"u}ller, Bj\"orn and {Lichen Group} and others},
  journal = ll,
  year = 2020,
  doi = {10.1000/XYZ},
  keywords = {lichen, growth},
  abstract = {Sch\"{o}n: 40\% of $x_{i}$ and 60% of \emph{all} caf\'es.
     They grow {\ss}lowly.}
}
@inproceedings{lind2021, title = "No abstract here", author = "Lind, Bo", year = "2021", booktitle = {Proc.}}
@article{reed2020, title={Same key}, abstract = {Another paper with the same key.}}
"""
RIS = """\
TY  - JOUR
AU  - Reed, Ada
AU  - Lind, Bo, Jr.
TI  - Slow lichens
JO  - Lichen Letters
PY  - 2018/05/01/
DO  - 10.1000/ris
KW  - lichen
KW  - growth
AB  - Lichens grow slowly.
We measured them.
ER  -

TY  - JOUR
T1  - Without end
N2  - This record has no ER line.
TY  - JOUR
TI  - Without abstract
ER  -
"""
NBIB = """PMID- 1234
DP  - 2017 Jan-Feb
TI  - Slow lichens and the
      weather.
AB  - Lichens grow slowly. We
      measured them.
FAU - Reed, Ada
AU  - Reed A
FAU - Lind, Bo
JT  - Lichen letters
AID - S01 [pii]
AID - 10.1000/nbib [doi]
OT  - lichen

PMID- 1235
TI  - Nothing more.
"""
PUBMED = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle//EN" "https://example.org/p.dtd">
<PubmedArticleSet>
<PubmedArticle><MedlineCitation><PMID Version="1">99</PMID><Article>
<Journal><JournalIssue><PubDate><MedlineDate>1998 Nov-Dec</MedlineDate></PubDate></JournalIssue>
<Title>Lichen letters</Title></Journal><ArticleTitle>Slow <i>Cladonia</i> growth.</ArticleTitle>
<Abstract><AbstractText Label="AIM">To measure CO<sub>2</sub>.</AbstractText>
<AbstractText Label="RESULTS">It was &lt; 4.</AbstractText></Abstract>
<AuthorList><Author><LastName>Reed</LastName><ForeName>Ada B</ForeName></Author>
<Author><CollectiveName>Lichen Group</CollectiveName></Author></AuthorList></Article>
<KeywordList><Keyword>lichen</Keyword></KeywordList></MedlineCitation>
<PubmedData><ArticleIdList><ArticleId IdType="pubmed">99</ArticleId>
<ArticleId IdType="doi">10.1000/PM</ArticleId>
</ArticleIdList><ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.9/no</ArticleId>
</ArticleIdList></Reference></ReferenceList></PubmedData></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID>100</PMID><Article><ArticleTitle>Bare.</ArticleTitle></Article>
</MedlineCitation></PubmedArticle>
</PubmedArticleSet>"""
ATOM = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>ArXiv Query</title>
<entry><id>http://arxiv.org/abs/2101.00001v2</id><published>2021-01-01T00:00:00Z</published>
<updated>2022-01-01T00:00:00Z</updated><title>Slow
  lichens</title><summary>  Lichens grow slowly.
We measured them.
</summary><author><name>Ada Reed</name></author><author><name>Bo Lind</name></author>
<arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">10.1000/atom</arxiv:doi>
<category term="q-bio.PE"/></entry></feed>"""


def read(path, content, *, gz=False):
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(data) if gz else data)
    outcomes = list(read_file(path))
    documents = [outcome for outcome in outcomes if not isinstance(outcome, Rejection)]
    return documents, [outcome for outcome in outcomes if isinstance(outcome, Rejection)]


def facts(document):
    return {key: value for key, value in document.metadata.items() if key != "file"}


@pytest.mark.parametrize("gz", [False, True])
def test_arxiv_dump(tmp_path, gz):
    name = "arxiv-snapshot.json" + ".gz" * gz
    lines = [
        json.dumps(ARXIV),
        "{broken",
        "",
        json.dumps({"id": "0704.0002", "title": "x"}),
        json.dumps(ARXIV),
    ]
    documents, rejections = read(tmp_path / name, "\n".join(lines), gz=gz)
    assert [document.source for document in documents] == [f"{name}#1", f"{name}#2"]
    assert documents[0].title == "Slow growth of lichens"
    assert documents[0].text == LICHEN
    assert facts(documents[0]) == {
        "authors": ["A. Reed", "B. Lind Jr."],
        "year": 2007,
        "venue": "J.Lichen.12:1-9,2007",
        "doi": "10.1103/jl.1",
        "arxiv_id": "0704.0001",
        "keywords": ["q-bio.PE", "stat.AP"],
    }
    assert [rejection.place for rejection in rejections] == ["line 2", "line 4"]
    assert "not valid JSON" in rejections[0].reason
    assert rejections[1].reason == "no abstract (“x”)"


def test_beir_corpus_lines(tmp_path):
    lines = [
        {"_id": "2403.19851", "title": "T", "text": LICHEN, "metadata": {}},
        {"_id": 7, "title": "", "text": LICHEN},
    ]
    documents, _ = read(tmp_path / "corpus.jsonl", "\n".join(map(json.dumps, lines)))
    assert [facts(document) for document in documents] == [
        {"external_id": "2403.19851"},
        {"external_id": "7"},
    ]
    assert [document.title for document in documents] == ["T", ""]


@pytest.mark.parametrize("wrap", ["papers", "data", "records", None])
@pytest.mark.parametrize("indent", [None, 2])
def test_json(tmp_path, wrap, indent):
    rows = [{"Title": "One", "Abstract": LICHEN, "Publication Date": "2020-05"}, {"title": "Two"}, 3]
    rows = rows[:2] if wrap else rows
    documents, rejections = read(tmp_path / "a.json", json.dumps({wrap: rows} if wrap else rows, indent=indent))
    assert [(d.title, d.metadata["year"]) for d in documents] == [("One", 2020)]
    assert [r.place for r in rejections] == ["record 2", "record 3"][: len(rows) - 1]


def test_one_record_of_json(tmp_path):
    documents, _ = read(tmp_path / "a.json", json.dumps(SEMANTIC_SCHOLAR, indent=1))
    assert facts(documents[0]) == {
        "authors": ["Ada Reed"],
        "year": 2021,
        "venue": "Lichen Letters",
        "doi": "10.1000/zz",
        "arxiv_id": "2101.00001",
        "pmid": "77",
    }


def test_csl_and_openalex(tmp_path):
    (csl, openalex), _ = read(tmp_path / "a.json", json.dumps([CSL, OPENALEX]))
    assert facts(csl) == {
        "authors": ["Eva van den Berg", "Lichen Group"],
        "families": ["Lichen Group"],
        "year": 2020,
        "venue": "Lichen Letters",
        "doi": "10.1000/xyz",
        "external_id": "reed2020",
    }
    assert openalex.text == "Lichens grow; all Lichens rest."
    assert facts(openalex)["venue"] == "Lichen Letters"
    assert (facts(openalex)["doi"], facts(openalex)["pmid"]) == ("10.5555/abc", "123")


def test_an_answer_is_no_paper(tmp_path):
    answer = Answer("Why?", "Why?", "“Ferns grow in the shade of trees.” [1]")
    documents, (rejection,) = read(tmp_path / "a.json", json.dumps(answer.to_dict()))
    assert (documents, "not a paper" in rejection.reason) == ([], True)


def test_json_array_is_read_up_to_its_fault(tmp_path):
    text = json.dumps([{"title": "One", "abstract": LICHEN}] * 3)[:-40]
    documents, rejections = read(tmp_path / "a.json", text)
    assert len(documents) == 2
    assert [rejection.place for rejection in rejections] == ["record 3"]


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        ("Ada Reed, Bo Lind and Cy Park", ["Ada Reed", "Bo Lind", "Cy Park"]),
        ("Reed, Ada; Lind, Bo", ["Ada Reed", "Bo Lind"]),
        ("Reed, Ada and Lind, Bo", ["Ada Reed", "Bo Lind"]),
        ("von Recum et al.", ["von Recum", "et al."]),
        ("Martin Moor, Jr., Ada Reed", ["Martin Moor Jr.", "Ada Reed"]),
        (["Ada Reed", {"given": "Bo", "family": "Lind"}, None, 3], ["Ada Reed", "Bo Lind"]),
        ("Pearl, Judea", ["Judea Pearl"]),
        ("van der Maaten, Laurens J.-P.", ["Laurens J.-P. van der Maaten"]),
        (["Smith, Ann", {"name": "O'Neil, J.R. Bo"}, "Reed, Jr."], ["Ann Smith", "J.R. Bo O'Neil", "Reed, Jr."]),
        ("Reed, Lind et al.", ["Reed", "Lind", "et al."]),
        ("Ada Reed, Bo Lind", ["Ada Reed", "Bo Lind"]),
        ("Reed, A., van der Lind, B.-C., & O'Park, D. E.", ["A. Reed", "B.-C. van der Lind", "D. E. O'Park"]),
        ("Reed, AB, Lind, C et al.", ["AB Reed", "C Lind", "et al."]),
        ("Ada Reed, II", ["Ada Reed II"]),
        ("欧阳娜娜, 王伟, 司马光光, 李娜", ["欧阳娜娜", "王伟", "司马光光", "李娜"]),
        ([{"name": {"given": "Ada", "family": "Reed"}}], ["Ada Reed"]),
        (
            [
                {"creatorType": "editor", "firstName": "Ed", "lastName": "Moss"},
                {"creatorType": "author", "firstName": "Ada", "lastName": "Reed"},
            ],
            ["Ada Reed"],
        ),
        ([{"creatorType": "presenter", "firstName": "Ada", "lastName": "Reed"}], ["Ada Reed"]),
    ],
)
def test_authors(tmp_path, authors, expected):
    line = json.dumps({"title": "T", "abstract": LICHEN, "authors": authors})
    (document,), _ = read(tmp_path / "a.jsonl", line)
    assert document.metadata["authors"] == expected


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_arrays_after_an_array_are_read_and_other_things_named(tmp_path, name):
    one, two = (json.dumps([{"title": title, "abstract": LICHEN}]) for title in ("One", "Two"))
    documents, rejections = read(tmp_path / name, f"{one}\n[]\n{two}\n")
    assert [document.title for document in documents] == ["One", "Two"]
    assert not rejections
    documents, rejections = read(tmp_path / name, f"{one}\n{two[1:-1]}\n")
    assert [document.title for document in documents] == ["One"]
    assert [(r.place, r.reason) for r in rejections] == [("record 2", "what follows the array was not read")]


@pytest.mark.parametrize("title", ["NaN", '"nan"', '"None"', '"[Not Available]."'])
def test_a_title_that_says_that_there_is_none_is_none(tmp_path, title):
    lines = [f'{{"title": {title}, "abstract": "{LICHEN} {n}", "year": 2020, "venue": NaN}}' for n in range(2)]
    documents, _ = read(tmp_path / "a.jsonl", "\n".join(lines))
    assert [(document.title, facts(document)) for document in documents] == [("", {"year": 2020})] * 2
    assert len({document.id for document in documents}) == 2


def test_identifiers_in_an_address(tmp_path):
    entry = "@misc{{a, title={{T}}, abstract={{Lichens grow.}}, url={{{}}}}}"
    for address, found in {
        "https://doi.org/10.1000%2FXyz": {"doi": "10.1000/xyz"},
        "http://arxiv.org/abs/2403.10704v1": {"arxiv_id": "2403.10704v1"},
        "https://journals.example.org/10.1000/xyz": {},
    }.items():
        (document,), _ = read(tmp_path / "a.bib", entry.format(address))
        assert facts(document) == {"url": address, "cite_key": "a", **found}


def test_bibtex(tmp_path):
    documents, rejections = read(tmp_path / "a.bib", BIBTEX)
    assert [document.metadata["cite_key"] for document in documents] == ["reed2020", "reed2020"]
    assert documents[0].title == "The Slow Growth of Erdős Lichens in 100% Shade"
    assert documents[0].text == ("Schön: 40% of $x_{i}$ and 60% of \\emph{all} cafés.\n     They grow ßlowly.")
    assert facts(documents[0]) == {
        "authors": ["Ada Reed", "Björn Müller", "Lichen Group", "et al."],
        "families": ["Lichen Group"],
        "year": 2020,
        "venue": "Lichen Letters",
        "doi": "10.1000/xyz",
        "keywords": ["lichen", "growth"],
        "cite_key": "reed2020",
    }
    assert [(r.place, r.reason) for r in rejections] == [("record 2 (lind2021)", "no abstract (“No abstract here”)")]


def test_bibtex_with_a_broken_entry_gives_the_others(tmp_path):
    text = "@article{a, title={A}, abstract={One, two.}}\n@article{b, title={unclosed\n"
    text += "@article{c, title={C}, abstract={Two.}}"
    documents, rejections = read(tmp_path / "a.bib", text)
    assert [document.metadata["cite_key"] for document in documents] == ["a", "c"]
    assert [rejection.place for rejection in rejections] == ["line 2"]


IN_TWO_WORDS = {
    "a.bib": "@article{a, title={One}, author={García Márquez, Gabriel and {Gemma Team}}, abstract={%s}}",
    "a.ris": "TY  - JOUR\nTI  - One\nAU  - García Márquez, Gabriel\nAU  - Gemma Team,\nAB  - %s\nER  - \n",
    "a.nbib": "PMID- 1\nTI  - One\nFAU - García Márquez, Gabriel\nCN  - Gemma Team\nAB  - %s\n",
    "csl.json": '[{"title": "One", "abstract": "%s", "author": [{"family": "García Márquez", "given": "Gabriel"},'
    ' {"literal": "Gemma Team"}]}]',
    "arxiv.jsonl": '{"id": "0704.0001", "title": "One", "abstract": "%s", "authors": "G. and G.",'
    ' "authors_parsed": [["García Márquez", "Gabriel", ""], ["Gemma Team", "", ""]]}',
    "a.csv": 'Title,Authors,Abstract\nOne,"García Márquez, Gabriel; Gemma Team, G.",%s\n',
    "a.xml": "<PubmedArticleSet><PubmedArticle><MedlineCitation><Article><ArticleTitle>One</ArticleTitle><Abstract>"
    "<AbstractText>%s</AbstractText></Abstract><AuthorList><Author><LastName>García Márquez</LastName>"
    "<ForeName>Gabriel</ForeName></Author><Author><CollectiveName>Gemma Team</CollectiveName></Author></AuthorList>"
    "</Article></MedlineCitation></PubmedArticle></PubmedArticleSet>",
}


@pytest.mark.parametrize("name", IN_TWO_WORDS)
def test_family_names_of_several_words_and_bodies_are_told(tmp_path, name):
    (document,), _ = read(tmp_path / name, IN_TWO_WORDS[name] % "They grow.")
    assert document.metadata["authors"][0] == "Gabriel García Márquez"
    assert document.metadata["families"] == ["García Márquez", "Gemma Team"]


FAMILY_FIRST = {
    "pubmed.csv": 'Title,Authors,Abstract\nOne,"García Márquez G, Lind B Jr, van der Berg JP.",%s\n',
    "scopus.csv": 'Title,Authors,Abstract\nOne,"García Márquez G.; Lind B. Jr; van der Berg J.P.",%s\n',
    "a.nbib": "PMID- 1\nTI  - One\nAU  - García Márquez G\nAU  - Lind B Jr\nAU  - van der Berg JP\nAB  - %s\n",
    "a.json": '[{"title": "One", "abstract": "%s", "authors": ["García Márquez G", "Lind B Jr", "van der Berg JP"]}]',
    "a.bib": "@article{a, title={One}, author={García Márquez G and Lind B Jr and van der Berg JP}, abstract={%s}}",
}


@pytest.mark.parametrize("name", FAMILY_FIRST)
def test_names_with_the_initials_last_are_turned_round(tmp_path, name):
    (document,), _ = read(tmp_path / name, FAMILY_FIRST[name] % "They grow.")
    people = [person.replace(".", "") for person in document.metadata["authors"]]
    assert people == ["G García Márquez", "B Lind Jr", "JP van der Berg"]
    assert document.metadata["families"][0] == "García Márquez"


@pytest.mark.parametrize(
    ("authors", "people"),
    [
        ("Vaswani A, Shazeer N, et al.", ["A Vaswani", "N Shazeer", "et al."]),
        ("Smith J.", ["J. Smith"]),
        ("Müller-Lind Ü., O'Brien P. and Wu X.", ["Ü. Müller-Lind", "P. O'Brien", "X. Wu"]),
        ("Meta AI", ["Meta AI"]),
        ("Malcolm X, Ada Reed", ["Malcolm X", "Ada Reed"]),
        ("A. Reed, B. Lind", ["A. Reed", "B. Lind"]),
        ("García Márquez, Gabriel", ["Gabriel García Márquez"]),
        ("Ada Reed, Bo Lind", ["Ada Reed", "Bo Lind"]),
    ],
)
def test_names_in_one_string(tmp_path, authors, people):
    (document,), _ = read(tmp_path / "a.csv", f'Title,Authors,Abstract\nOne,"{authors}",They grow.\n')
    assert document.metadata["authors"] == people


def test_ris(tmp_path):
    documents, rejections = read(tmp_path / "a.ris", RIS.replace("\n", "\r\n"))
    assert [document.title for document in documents] == ["Slow lichens", "Without end"]
    assert documents[0].text == "Lichens grow slowly. We measured them."
    assert facts(documents[0]) == {
        "authors": ["Ada Reed", "Bo Lind Jr."],
        "year": 2018,
        "venue": "Lichen Letters",
        "doi": "10.1000/ris",
        "keywords": ["lichen", "growth"],
    }
    assert [(r.place, r.reason) for r in rejections] == [("record 3", "no abstract (“Without abstract”)")]


def test_ris_with_an_abstract_in_parts_and_a_journal_in_full(tmp_path):
    record = RIS.split("\nER")[0].replace("JO  - Lichen Letters", "JO  - Lich Lett\nT2  - Lichen Letters")
    chapter = "TY  - CHAP\nTI  - Moss\nBT  - The book of moss\nC3  - Proc.\nN2  - Moss\nN2  - grows.\nER  - \n"
    (paper, part), _ = read(tmp_path / "a.ris", f"{record}\nAB  - METHODS We counted.\nER  - \n{chapter}")
    assert paper.text == "Lichens grow slowly. We measured them. METHODS We counted."
    assert paper.metadata["venue"] == "Lichen Letters"
    assert (part.text, part.metadata["venue"]) == ("Moss grows.", "The book of moss")


@pytest.mark.parametrize("gap", [" - ", "  -", "  - "])
def test_ris_whose_tags_are_spaced_otherwise(tmp_path, gap):
    lines = ["TYJOUR", "AULichen Group,", "TISlow lichens", "AB", "N2Lichens grow", "slowly.", "ER"]
    text = "\n".join(line if line == "slowly." else f"{line[:2]}{gap}{line[2:]}" for line in lines)
    (paper, again), rejections = read(tmp_path / "a.ris", f"{text}\n{text}\n")
    assert not rejections
    assert (paper.title, paper.text) == (again.title, again.text) == ("Slow lichens", "Lichens grow slowly.")
    assert facts(paper) == {"authors": ["Lichen Group"], "families": ["Lichen Group"]}


def test_medline(tmp_path):
    (document,), rejections = read(tmp_path / "a.nbib", NBIB)
    assert document.title == "Slow lichens and the weather."
    assert document.text == "Lichens grow slowly. We measured them."
    assert facts(document) == {
        "authors": ["Ada Reed", "Bo Lind"],
        "year": 2017,
        "venue": "Lichen letters",
        "doi": "10.1000/nbib",
        "pmid": "1234",
        "keywords": ["lichen"],
    }
    assert len(rejections) == 1


def test_medline_with_a_title_in_its_own_language_only(tmp_path):
    (document,), _ = read(tmp_path / "a.nbib", f"PMID- 1\nTI  - [Not Available].\nAB  - {LICHEN}\nTT  - Les lichens.\n")
    assert document.title == "Les lichens."


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.tsv", "\t"), ("a.csv", ";"), ("a.txt", "\t")])
def test_tables(tmp_path, name, delimiter):
    rows = [
        ["Article Title", "Authors", "Publication Year", "Abstract", "DOI"],
        [
            "Lichens",
            '"Reed, Ada; Lind, Bo"',
            "2016",
            f'"Lichens, ""slow"" ones;{chr(10)}grow."',
            "10.1000/csv",
        ],
        ["Mosses", "", "", "[No abstract available]", ""],
        ["Ferns", "", "", "Ferns", "", "", "one too many"],
    ]
    (document,), rejections = read(tmp_path / name, "\ufeff" + "\n".join(delimiter.join(row) for row in rows))
    assert document.text == 'Lichens, "slow" ones;\ngrow.'
    assert facts(document) == {"authors": ["Ada Reed", "Bo Lind"], "year": 2016, "doi": "10.1000/csv"}
    assert [rejection.place for rejection in rejections] == ["record 2", "record 3"]


def test_tables_of_web_of_science_and_scopus(tmp_path):
    tagged = "PT\tAU\tAF\tTI\tSO\tDE\tAB\tPM\tPY\tDI\tUT"
    row = f'J\tBee, A; Dee, C\tBee, Ann; Dee, Cy\tOn "slow" lichens\tMOSSES\tfungi\t{LICHEN}\t7\t2016\t10.1000/a\tWOS:1'
    (document,), _ = read(tmp_path / "savedrecs.txt", f"\ufeff{tagged}\r\n{row}\r\n")
    assert (document.title, document.text) == ('On "slow" lichens', LICHEN)
    told = {"authors": ["Ann Bee", "Cy Dee"], "year": 2016, "venue": "MOSSES", "keywords": ["fungi"]}
    assert facts(document) == {**told, "doi": "10.1000/a", "pmid": "7"}
    columns = "Authors,Author full names,Title,Year,Abstract"
    (alone,), _ = read(tmp_path / "scopus.csv", f'{columns}\nBee A.,"Bee, Ann (7004212771)",Lichens,2016,{LICHEN}\n')
    assert facts(alone) == {"authors": ["Ann Bee"], "year": 2016}


def test_table_with_a_line_for_excel_and_columns_given_twice(tmp_path):
    text = f"sep=;\nTitle;Abstract;PMID;Abstract;Title\nLichens;{LICHEN};12.0; ;\n;;13.0;{LICHEN};Mosses\n"
    documents, rejections = read(tmp_path / "a.csv", text)
    assert not rejections
    assert [(d.title, d.text, facts(d)) for d in documents] == [
        ("Lichens", LICHEN, {"pmid": "12"}),
        ("Mosses", LICHEN, {"pmid": "13"}),
    ]


def test_table_with_full_texts(tmp_path):
    body = "A line, of a paper, so long.\n" * 6_000
    text = f'title,abstract,body\nLichens,{LICHEN},"{body}"\nMosses,{LICHEN},"{body}"\n'
    documents, rejections = read(tmp_path / "a.csv", text)
    assert not rejections
    assert [document.title for document in documents] == ["Lichens", "Mosses"]


def test_table_without_an_abstract_column(tmp_path):
    documents, (rejection,) = read(tmp_path / "a.csv", "name,age\nAda,40\n")
    assert not documents
    assert "no header with an abstract" in rejection.reason


def test_pubmed_xml(tmp_path):
    (document,), rejections = read(tmp_path / "a.xml", PUBMED)
    assert document.title == "Slow Cladonia growth."
    assert document.text == "AIM: To measure CO2. RESULTS: It was < 4."
    assert facts(document) == {
        "authors": ["Ada B Reed", "Lichen Group"],
        "families": ["Lichen Group"],
        "year": 1998,
        "venue": "Lichen letters",
        "doi": "10.1000/pm",
        "pmid": "99",
        "keywords": ["lichen"],
    }
    assert [rejection.place for rejection in rejections] == ["record 2"]


def test_pubmed_with_a_withdrawn_doi_and_a_title_in_its_own_language_only(tmp_path):
    title = "<ArticleTitle>[Not Available].</ArticleTitle><VernacularTitle>Les lichens.</VernacularTitle>"
    doi = '<ELocationID EIdType="doi" ValidYN="N">10.1000/wrong</ELocationID>'
    text = PUBMED.replace("<ArticleTitle>Slow <i>Cladonia</i> growth.</ArticleTitle>", title + doi)
    (document,), _ = read(tmp_path / "a.xml", text)
    assert (document.title, document.metadata["doi"]) == ("Les lichens.", "10.1000/pm")


def test_an_error_of_arxiv_is_no_paper(tmp_path):
    text = ATOM.replace("http://arxiv.org/abs/2101.00001v2", "https://arxiv.org/api/errors#incorrect_id_format_for_1")
    documents, (rejection,) = read(tmp_path / "a.xml", text)
    assert not documents
    assert rejection.reason == "no paper but an error of arXiv's: Lichens grow slowly. We measured them."


def test_arxiv_atom(tmp_path):
    (document,), _ = read(tmp_path / "query.xml.gz", ATOM, gz=True)
    assert (document.title, document.text) == ("Slow lichens", "Lichens grow slowly.\nWe measured them.")
    assert facts(document) == {
        "authors": ["Ada Reed", "Bo Lind"],
        "year": 2021,
        "doi": "10.1000/atom",
        "arxiv_id": "2101.00001v2",
        "url": "http://arxiv.org/abs/2101.00001v2",
        "keywords": ["q-bio.PE"],
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.txt", BIBTEX),
        ("x.txt", RIS),
        ("x", NBIB),
        ("x.txt", PUBMED),
        ("x.dat", json.dumps(CSL)),
        ("x.csv", ATOM),
    ],
)
def test_content_decides_over_the_extension(tmp_path, name, content):
    documents, _ = read(tmp_path / name, content)
    assert documents
    assert documents[0].metadata.keys() >= {"authors", "year"}


def test_plain_text_of_web_of_science_is_no_listing(tmp_path):
    text = (
        f"FN Clarivate Analytics Web of Science\nVR 1.0\nPT J\nAU Reed, A\nTI Lichens\nAB {LICHEN}\nPY 2021\nER\n\nEF\n"
    )
    documents, (rejection,) = read(tmp_path / "savedrecs.txt", text)
    assert not documents
    assert "export BibTeX or RIS" in rejection.reason


def test_the_abstract_text_of_pubmed_is_no_listing(tmp_path):
    record = "J Moss. 2021;1(1):1-9. doi: 10.1000/m.1.\n\nLichens.\n\nReed A(1).\n\n{}\n\nPMID: 31000003"
    text = "\n\n\n".join(f"{number}. {record.format(LICHEN)}" for number in (1, 2))
    documents, (rejection,) = read(tmp_path / "abstract-lichen-set.txt", text)
    assert not documents
    assert "save its format “PubMed”" in rejection.reason


def test_a_table_may_begin_with_what_was_exported(tmp_path):
    text = f'"About the data: Exported on Jan 1, 2024."\nRank,DOI,Title,Abstract\n1,10.1000/d.1,Lichens,"{LICHEN}"\n'
    (document,), rejections = read(tmp_path / "export.csv", text)
    assert not rejections
    assert (document.title, document.metadata["doi"]) == ("Lichens", "10.1000/d.1")


def test_a_record_with_a_list_of_its_own_is_no_container(tmp_path):
    rows = [
        {"title": "First", "abstract": LICHEN},
        {"title": "With an empty list", "abstract": LICHEN, "items": []},
        {"title": "With data", "abstract": LICHEN, "data": [{"name": "MNIST"}]},
        {"title": "Without abstract", "data": [{"name": "MNIST"}]},
        {"title": "A reading list", "description": "Mine.", "papers": [{"title": "Listed", "abstract": LICHEN}, 3]},
    ]
    documents, rejections = read(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert [d.title for d in documents] == ["First", "With an empty list", "With data", "Listed"]
    assert [(r.place, r.reason) for r in rejections] == [
        ("line 4", "no abstract (“Without abstract”)"),
        ("line 5, record 2", "a record must be a JSON object, this is int"),
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"response": {"numFound": 1, "docs": [{"id": "p1", "title": "T", "abstract": LICHEN}]}},
        {"status": "ok", "message": {"id": "p1", "title": ["T"], "abstract": LICHEN}},
        {"p1": {"title": "T", "abstract": LICHEN}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_what_solr_and_crossref_wrap_around_records_and_records_by_id(tmp_path, value, indent):
    (document,), rejections = read(tmp_path / "a.json", json.dumps(value, indent=indent))
    assert (document.title, document.text, facts(document)) == ("T", LICHEN, {"external_id": "p1"})
    assert not rejections


QUOTED_ROWS = [
    ["title", "authors", "year", "abstract"],
    ['"Smart" grids', "Ada Reed", "2017", LICHEN],
    ['"Unbalanced', "Bo Lind", "2018", LICHEN],
    ['On the word "safe"', "Cy Park", "2020", '"Safe" is a word.'],
    ['"A ""whole"" cell"', "Dee Ortiz", "2021", f'"{LICHEN}\nAnd more."'],
]


def test_quotation_marks_of_a_tsv_are_text_where_they_enclose_no_cell(tmp_path):
    documents, rejections = read(tmp_path / "a.tsv", "\n".join(map("\t".join, QUOTED_ROWS)))
    assert not rejections
    assert [(d.title, d.text, d.metadata["year"]) for d in documents] == [
        ('"Smart" grids', LICHEN, 2017),
        ('"Unbalanced', LICHEN, 2018),
        ('On the word "safe"', '"Safe" is a word.', 2020),
        ('A "whole" cell', f"{LICHEN}\nAnd more.", 2021),
    ]


def test_a_row_of_a_csv_that_swallows_others_is_rejected_with_its_lines(tmp_path):
    documents, rejections = read(tmp_path / "a.csv", "\n".join(map(",".join, QUOTED_ROWS)))
    assert [d.metadata["year"] for d in documents] == [2017, 2021]
    assert [rejection.place for rejection in rejections] == ["lines 3-4"]
    assert "quotation mark" in rejections[0].reason


def test_what_pandas_writes(tmp_path):
    rows = [
        ",title,abstract,authors,year",
        f"""0,Lichens,{LICHEN},"['Ada Reed', ""Bo O'Lind""]",2001""",
        "1,[Lichens],[We saw rust.],[Ada Reed],2002",
        f"""2,Arrays,{LICHEN} Twice.,"['Ada Reed' ""Bo O'Lind""\n 'Cy Ray']",2003""",
    ]
    (lichens, rust, arrays), _ = read(tmp_path / "a.csv", "\n".join(rows))
    assert facts(lichens) == {"authors": ["Ada Reed", "Bo O'Lind"], "year": 2001}
    assert (rust.title, rust.text, facts(rust)["authors"]) == ("[Lichens]", "[We saw rust.]", ["[Ada Reed]"])
    assert facts(arrays)["authors"] == ["Ada Reed", "Bo O'Lind", "Cy Ray"]


MATHML = (
    '<mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:msup><mml:mn>2</mml:mn>'
    "<mml:mrow><mml:mo>−</mml:mo><mml:mn>5</mml:mn></mml:mrow></mml:msup><mml:mo>+</mml:mo>"
    "<mml:mfrac><mml:mn>1</mml:mn><mml:mn>2</mml:mn></mml:mfrac></mml:math>"
)


def test_exponents_and_labels_of_pubmed(tmp_path):
    title = f"Growth at 10<sup>6</sup><br/>lux, the 2<sup>nd</sup> of x<sup>n</sup> and {MATHML}."
    parts = (
        '<AbstractText Label="METHODS:">10<sup>6</sup> cells at 5 × 10<sup>-3</sup> M.</AbstractText>'
        '<AbstractText Label="UNLABELLED">More.</AbstractText>'
    )
    text = PUBMED.replace("Slow <i>Cladonia</i> growth.", title).replace(
        '<AbstractText Label="AIM">', f"{parts}<AbstractText>"
    )
    (document,), _ = read(tmp_path / "a.xml", text)
    assert document.title == "Growth at 10⁶ lux, the 2nd of x^{n} and 2⁻⁵+1/2."
    assert document.text.startswith("METHODS: 10⁶ cells at 5 × 10⁻³ M. More. To measure CO2.")


CROSSREF = {
    "DOI": "10.1002/(SICI)1097(1996)52:1&lt;1::AID-JCLP1&gt;3.0.CO;2-2",
    "title": ["Food &amp; Function of CO<sub>2</sub>"],
    "container-title": ["Food &amp; Function"],
    "author": [{"given": "Ada", "family": "O&apos;Reed"}],
    "abstract": "<jats:title>Abstract</jats:title>\n   <jats:sec><jats:title>Aims</jats:title><jats:p>We measured "
    "10<jats:sup>6</jats:sup> <jats:italic>cells</jats:italic>.</jats:p></jats:sec><jats:p>Levels rose &lt; 5% at "
    f"<jats:inline-formula>{MATHML}</jats:inline-formula>.</jats:p>",
}


def test_markup_of_crossref(tmp_path):
    (document,), _ = read(tmp_path / "a.json", json.dumps({"message": CROSSREF}))
    assert document.title == "Food & Function of CO2"
    assert document.text == "Aims: We measured 10⁶ cells. Levels rose < 5% at 2⁻⁵+1/2."
    assert facts(document) == {
        "authors": ["Ada O'Reed"],
        "venue": "Food & Function",
        "doi": "10.1002/(sici)1097(1996)52:1<1::aid-jclp1>3.0.co;2-2",
    }


@pytest.mark.parametrize("times", [1, 2, 3])
def test_markup_that_was_escaped_is_markup(tmp_path, times):
    text = "<p>We saw 10<sup>6</sup> cells of <i>E. coli</i> &amp; more (p &lt; 0.05).</p>"
    for _ in range(times):
        text = html.escape(text)
    (document,), _ = read(tmp_path / "a.jsonl", json.dumps({"title": "T", "abstract": f"<jats:p>{text}</jats:p>"}))
    assert document.text == "We saw 10⁶ cells of E. coli & more (p < 0.05)."


@pytest.mark.parametrize(
    "text",
    [
        "<p>Lichens grow.<p>We saw 40.",
        "Abstract: Lichens grow. We saw 40.",
        "ABSTRACT\nLichens grow. We saw 40.",
        "<p>Abstract. Lichens grow. <p> We saw 40.",
    ],
)
def test_labels_and_paragraphs_left_open_go(tmp_path, text):
    (document,), _ = read(tmp_path / "a.jsonl", json.dumps({"title": "T", "abstract": text}))
    assert document.text == "Lichens grow. We saw 40."


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Abstract Background We saw 40.", "Background We saw 40."),
        ("abstract We saw 40.", "We saw 40."),
        ("Abstract Meaning Representation is a graph.", "Abstract Meaning Representation is a graph."),
        ("Abstract interpretation is sound.", "Abstract interpretation is sound."),
    ],
)
def test_only_a_label_goes(tmp_path, text, meant):
    (document,), _ = read(tmp_path / "a.bib", f"@article{{a, title={{T}}, abstract={{{text}}}}}")
    assert document.text == meant


@pytest.mark.parametrize(
    "text",
    [
        "if a < b and c > d, or a<b and c>d, then p<0.05.",
        "We put <mask> after <s> and before </s>.",
        "We put <p> after each of them.",
        "The <b> tag at https://example.org/?a=1&section=2 of AT&T.\n\nAnd   more.",
    ],
)
def test_what_only_looks_like_markup_stays(tmp_path, text):
    (document,), _ = read(tmp_path / "a.jsonl", json.dumps({"title": text, "abstract": text}))
    assert (document.title, document.text) == (" ".join(text.split()), text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "title,abstract\nR&amp;D,We <i>saw</i> 10<sup>6</sup>.\n"),
        ("a.bib", "@misc{a, title={R\\&amp;D}, abstract={We <i>saw</i> 10<sup>6</sup>.}}"),
        ("a.ris", "TY  - JOUR\nTI  - R&amp;D\nAB  - We <i>saw</i> 10<sup>6</sup>.\nER  - \n"),
    ],
)
def test_markup_in_other_formats(tmp_path, name, text):
    (document,), _ = read(tmp_path / name, text)
    assert (document.title, document.text) == ("R&D", "We saw 10⁶.")
