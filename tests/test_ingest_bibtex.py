"""BibTeX as Mendeley, Better BibTeX, DBLP, Web of Science and people write it."""

import pytest

from rag.ingest import Rejection, read_file
from rag.ingest.latex import decoded, identifier, unbraced

TEXT = "Lichens grow slowly."


def read(path, text):
    path.write_text(text, encoding="utf-8")
    outcomes = list(read_file(path))
    documents = [outcome for outcome in outcomes if not isinstance(outcome, Rejection)]
    return documents, [outcome for outcome in outcomes if isinstance(outcome, Rejection)]


def entry(key="reed2020", **fields):
    lines = "".join(f",\n  {name} = {{{value}}}" for name, value in {"abstract": TEXT, **fields}.items())
    return f"@article{{{key}{lines}\n}}\n"


def one(path, **fields):
    (document,), rejections = read(path / "a.bib", entry(**fields))
    assert not rejections
    return document


@pytest.mark.parametrize("doi", [r"10.1007/978-3\_28", r"10.1007/978-3{\_}28", "10.1007/978-3{_}28"])
def test_identifiers_lose_their_escapes(tmp_path, doi):
    document = one(tmp_path, doi=doi, eprint=r"{\_}2101.00001", url=rf"https://doi.org/{doi}")
    assert document.metadata["doi"] == "10.1007/978-3_28"
    assert document.metadata["url"] == "https://doi.org/10.1007/978-3_28"
    assert one(tmp_path, eprint="{hep-th}/9901001").metadata["arxiv_id"] == "hep-th/9901001"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"http://a.b/\~{}ada/x{\_}y\&z{\%}20{&}w", "http://a.b/~ada/x_y&z%20&w"),
        (r"http://a.b/{\~{}}ada/\~bo/{\textasciitilde}cy", "http://a.b/~ada/~bo/~cy"),
        (r"\url{http://a.b/~ada\#1}", "http://a.b/~ada#1"),
        (r"10.1002/x{\textless}1::AID{\textgreater}3", "10.1002/x<1::AID>3"),
    ],
)
def test_an_address_is_what_it_points_to(written, meant):
    assert identifier(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"95{\%} (p{\textless}0.05) at {\$}5 for AT{\&}T", "95% (p<0.05) at $5 for AT&T"),
        (r"in {\~{}}10 cases, {\textquotedblleft}slow{\textquotedblright}", "in ~10 cases, “slow”"),
        (r"{\textless}i{\textgreater}E. coli{\textless}/i{\textgreater}", "<i>E. coli</i>"),
        (
            r"at 37{\textdegree}C, 5 \textpm 2 {\textmu}m and {\textgreater}{\textbar}x{\textbar}",
            "at 37°C, 5 ± 2 µm and >|x|",
        ),
        (r"{\{}a, b{\}} and x{\_}1, x\^2", "{a, b} and x_1, x^2"),
        (r"stra\ss e, {\O}re, na{\"{\i}}ve, Mart\'\i nez", "straße, Øre, naïve, Martínez"),
        (
            r"is $\alpha\_1$ or {$O(n^{2})$} or \(\beta\) or $$\%$$",
            r"is $\alpha\_1$ or $O(n^{2})$ or \(\beta\) or $$\%$$",
        ),
        (r"\begin{equation}\alpha\end{equation}", r"\begin{equation}\alpha\end{equation}"),
        (r"from {\$}5 to {\$}9, {\alpha} and $\alpha$", r"from $5 to $9, α and $\alpha$"),
        (r"60% of C:\dir\n ~5 {DNA} {un \emph{all} \'", r"60% of C:\dir\n ~5 {DNA} {un \emph{all} \'"),
    ],
)
def test_texts_are_decoded_and_formulas_and_the_unknown_stay(written, meant):
    assert decoded(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (
            r"Growth \textit{in vivo} and \emph{x} of {\it E.~coli}, {\bfseries bold}",
            "Growth in vivo and x of E. coli, bold",
        ),
        (r"{The} {CO\textsubscript{2}} of \foo{moss} in 100% {\~{}}Shade", "The CO2 of moss in 100% ~Shade"),
        (
            r"Bayes{-}Nets \& {\textquotedblleft}quotes{\textquotedblright}\\ for $x_{i}~y$",
            r"Bayes-Nets & “quotes”  for $x_{i}~y$",
        ),
        (r"C:\dir and $5", r"C:\dir and $5"),
    ],
)
def test_titles_lose_braces_ties_and_formatting(written, meant):
    assert unbraced(written).replace("  ", " ") == meant.replace("  ", " ")


@pytest.mark.parametrize("opening", [r"\(", r"\begin{a}", r"\"{", "{", "$"])
def test_markup_that_never_closes_is_read_in_no_time(opening):
    text = opening * 30_000
    assert len(unbraced(text)) <= len(decoded(text)) == len(text)


def test_names_keep_their_accents(tmp_path):
    authors = (
        r"Nguy{\~{\^{e}}}n, An and {\DJ}or{\dj}e Mi{\'{c}} and Popa, {\textcommabelow{S}}tefan and H\h{o}, \v{C}ao"
    )
    assert one(tmp_path, author=authors).metadata["authors"] == ["An Nguyễn", "Đorđe Mić", "Ștefan Popa", "Čao Hỏ"]


@pytest.mark.parametrize(
    ("authors", "people"),
    [
        ("A. Smith, B. Jones, C. Doe", ["A. Smith", "B. Jones", "C. Doe"]),
        ("A. Smith, B. Jones, and C. Doe", ["A. Smith", "B. Jones", "C. Doe"]),
        ("van der Berg, Jan Piet", ["Jan Piet van der Berg"]),
        (
            "family=Berg, given=Jan Piet, prefix=van den, useprefix=true and Doe, Jo",
            ["Jan Piet van den Berg", "Jo Doe"],
        ),
        ("suffix=Jr., family=Lind, given=Bo, given-i=B", ["Bo Lind Jr."]),
        ("Le Lind, Jr., Bo and {Moss, Ferns and Co, Big Ltd}", ["Bo Le Lind Jr.", "Moss, Ferns and Co, Big Ltd"]),
    ],
)
def test_authors_between_commas_are_people_where_nothing_else_is_possible(tmp_path, authors, people):
    assert one(tmp_path, author=authors).metadata["authors"] == people


def test_a_key_given_twice_is_read_like_any_other(tmp_path):
    second = (
        "@misc{reed2020, title={Second}, year=2021, eprint={2101.00001}, archivePrefix={arXiv}, journal=JMLR,\n"
        "url={https://arxiv.org/abs/2101.00001}, abstract={Second abstract of the two.}}"
    )
    text = "@string{jmlr = {Journal of Machine Learning Research}}\n" + entry() + second
    (_, document), rejections = read(tmp_path / "a.bib", text)
    assert (document.text, document.title) == ("Second abstract of the two.", "Second")
    assert {key: document.metadata[key] for key in ("venue", "url", "arxiv_id", "year")} == {
        "venue": "Journal of Machine Learning Research",
        "url": "https://arxiv.org/abs/2101.00001",
        "arxiv_id": "2101.00001",
        "year": 2021,
    }
    assert not rejections


def test_of_a_field_given_twice_the_first_counts(tmp_path):
    text = "@article{a, year=2003, year=2004, Note={}, title={}, Title={T}, abstract={One, two.}}"
    (document,), rejections = read(tmp_path / "a.bib", text)
    assert (document.title, document.metadata["year"], rejections) == ("T", 2003, [])


def test_strings_are_joined(tmp_path):
    text = '@string(nips = "Advances # in " # {NIPS})\n@string{both = nips # " 1"}\n'
    text += '@article{a, journal = NIPS # { {30}} # " # 2", abstract = {One, # two.}}\n'
    text += "@article{b, journal = both, abstract={Two.}}\n@article{c, journal = unknown, abstract={Three.}}"
    documents, _ = read(tmp_path / "a.bib", text)
    venues = [document.metadata["venue"] for document in documents]
    assert venues == ["Advances # in NIPS 30 # 2", "Advances # in NIPS 1", "unknown"]
    assert documents[0].text == "One, # two."


def test_crossref_lends_year_and_venue_and_nothing_else(tmp_path):
    text = entry("a", crossref="Proc1") + entry("b", crossref="proc1", date="2019-01", booktitle="Own")
    text += "@proceedings{proc1, title={Proc. of {Moss}}, year=2020, doi={10.1000/p}, abstract={All.}, editor={E}}"
    (first, second, _), rejections = read(tmp_path / "a.bib", text)
    assert first.metadata | {"file": ""} == {"year": 2020, "venue": "Proc. of Moss", "cite_key": "a", "file": ""}
    assert first.title == ""
    assert (second.metadata["year"], second.metadata["venue"]) == (2019, "Own")
    assert not rejections


def test_braces_around_a_whole_abstract_are_none_of_it(tmp_path):
    assert one(tmp_path, abstract="{" + TEXT + "}").text == TEXT
    assert one(tmp_path, abstract="{DNA} and {RNA}").text == "{DNA} and {RNA}"
