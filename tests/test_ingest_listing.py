"""Seed listings, other listings, plain text, and the sidecar."""

import json
import shutil
from pathlib import Path

import pytest

from rag.ingest import Rejection, find_files, read_file

SEEDS = Path(__file__).parent.parent / "seeds"
SIDECAR = {
    row["source"]: row for row in map(json.loads, (SEEDS / "metadata.jsonl").read_text(encoding="utf-8").splitlines())
}
KELP = (
    "Kelp forests shelter many species along cold coasts. We counted fish at forty sites over six years "
    "and compared logged with protected beds. Protected beds held twice as many juveniles, and the "
    "difference grew with depth. Storms reversed it for one season only."
)
MOSS = (
    "Moss stores water that trees cannot hold. Using lidar and hand samples from three valleys, we "
    "estimate how much rain a hectare of moss retains. The figure is larger than earlier work suggests. "
    "Fires lower it for a decade, after which it recovers without help."
)
RUST = (
    "Rust fungi travel with the wind. This paper follows spores across two mountain ranges with traps on "
    "kites. Most spores fell within a day, yet a few crossed both ranges alive. We discuss what that "
    "means for wheat breeders who trust mountains to keep rust away."
)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def read(path):
    return list(read_file(path))


def titles(path):
    return [document.title for document in read(path)]


@pytest.fixture(scope="module")
def seed_documents():
    files, rejections = find_files([SEEDS])
    assert not rejections
    return [document for path in files for document in read_file(path)]


def test_seeds_give_their_41_abstracts_with_all_facts(seed_documents):
    assert [document.source for document in seed_documents] == list(SIDECAR)
    for document in seed_documents:
        expected = SIDECAR[document.source]
        assert document.text.startswith(expected["starts_with"])
        assert document.title == expected["title"]
        assert document.metadata["year"] == expected["year"]
        assert document.metadata["arxiv_id"] == expected["arxiv_id"]


def test_seed_text_stands_in_its_file(seed_documents):
    for document in seed_documents:
        raw = Path(document.metadata["file"]).read_text(encoding="utf-8")
        assert raw.count(document.text) == 1
        assert not document.text.startswith("Abstract")


def test_seed_authors(seed_documents):
    authors = {document.source: document.metadata["authors"] for document in seed_documents}
    assert authors["000_320c15bd5d4ded9e.txt#1"] == ["Stoehr", "Gordon", "Zhang", "Lewis"]
    assert authors["001_9de947f1776eb1c7.txt#2"] == ["von Recum", "et al."]
    assert authors["001_9de947f1776eb1c7.txt#4"] == ["Casper", "Ezell", "et al."]
    assert authors["002_dd4b9b65b304c986.txt#2"] == ["Gemma Team"]


def test_only_the_cut_seed_is_truncated(seed_documents):
    cut = [document.source for document in seed_documents if document.metadata.get("truncated")]
    assert cut == ["001_9de947f1776eb1c7.txt#8"]


def test_seed_noise_is_nowhere(seed_documents):
    shown = " ".join(f"{d.title} {d.text} {d.metadata}" for d in seed_documents)
    for noise in (
        "Plotting",
        "Gordon, Mitchell",
        "Goto",
        "Collaborating Authors",
        "Alberti, Silas",
        "Shammie",
    ):
        assert noise not in shown


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_seeds_without_sidecar_in_other_encodings(tmp_path, newline, encoding):
    for path in sorted(SEEDS.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        copy = tmp_path / path.name
        copy.write_bytes(text.replace("\n", newline).encode(encoding))
        for document in read(copy):
            expected = SIDECAR[document.source]
            assert document.text.startswith(expected["starts_with"])
            assert document.title in {"", expected["title"]}
            assert bool(document.title) == path.name.startswith(("000", "001"))
        assert len(read(copy)) == sum(source.startswith(path.name) for source in SIDECAR)


def test_venues_of_seeds_come_from_the_file(seed_documents):
    venues = [document.metadata.get("venue") for document in seed_documents[:4]]
    assert venues == [
        "arXiv.org Machine Learning",
        "arXiv.org Artificial Intelligence",
        "Neural Information Processing Systems",
        "arXiv.org Artificial Intelligence",
    ]


def test_noise_before_an_evenly_spaced_listing(tmp_path):
    parts = [
        "Home",
        "About us",
        "Kelp and fish",
        "Marine Letters",
        KELP,
        "Moss and rain",
        "Marine Letters",
        MOSS,
    ]
    assert titles(write(tmp_path / "a.txt", "\n\n".join(parts))) == ["Kelp and fish", "Moss and rain"]


def test_listing_of_titles_over_their_abstracts_without_blank_lines(tmp_path):
    path = write(tmp_path / "a.txt", f"Kelp and fish\n{KELP}\n\nMoss and rain\n{MOSS}\n\nRust\n{RUST}\n")
    assert titles(path) == ["Kelp and fish", "Moss and rain", "Rust"]
    assert [document.text for document in read(path)] == [KELP, MOSS, RUST]


def test_listing_with_labelled_abstracts_and_titles(tmp_path):
    path = write(tmp_path / "a.md", f"## Kelp?\n**Abstract:** {KELP}\n\n## Moss\n**Abstract:** {MOSS}\n")
    assert titles(path) == ["Kelp?", "Moss"]
    assert [document.text for document in read(path)] == [KELP, MOSS]


def test_listing_with_named_fields(tmp_path):
    records = [
        f"Title: {title}\nAuthors: Ada Reed, Bo Lind\nYear: {year}\nDOI: 10.1234/{year}\n"
        f"Abstract: {text}\nKeywords: a, b"
        for title, year, text in (("Kelp", 2001, KELP), ("Moss", 2002, MOSS))
    ]
    kelp, moss = read(write(tmp_path / "a.txt", "\n\n".join(records)))
    assert (kelp.title, kelp.text, moss.title, moss.text) == ("Kelp", KELP, "Moss", MOSS)
    assert kelp.metadata["authors"] == ["Ada Reed", "Bo Lind"]
    assert [d.metadata["year"] for d in (kelp, moss)] == [2001, 2002]
    assert [d.metadata["doi"] for d in (kelp, moss)] == ["10.1234/2001", "10.1234/2002"]
    assert [d.metadata["keywords"] for d in (kelp, moss)] == [["a", "b"]] * 2


def test_short_abstract_under_named_fields(tmp_path):
    header = "Title: Kelp and fish\nAuthors: Ada Reed, Bo Lind\nYear: 2019\nDOI: 10.1234/K"
    (document,) = read(write(tmp_path / "a.txt", f"{header}\n\nWe count fish.\n\nMoss too.\n\nKeywords: kelp\n"))
    assert (document.title, document.text) == ("Kelp and fish", "We count fish.\n\nMoss too.")
    facts = {key: value for key, value in document.metadata.items() if key != "file"}
    assert facts == {"authors": ["Ada Reed", "Bo Lind"], "year": 2019, "doi": "10.1234/k", "keywords": ["kelp"]}


def test_authors_line_and_venue_line_are_told_apart(tmp_path):
    parts = ["Kelp and fish", "Ada Reed, Bo Lind and Cy Park", "Marine Letters 2020", KELP, "Moss and rain"]
    parts += ["Dee Ortiz, Ed Moor", "Plant Letters 2021", MOSS]
    kelp, moss = read(write(tmp_path / "a.txt", "\n\n".join(parts)))
    assert kelp.metadata["authors"] == ["Ada Reed", "Bo Lind", "Cy Park"]
    assert (moss.title, moss.metadata["venue"]) == ("Moss and rain", "Plant Letters 2021")


def test_short_abstract_in_a_listing_is_kept(tmp_path):
    short = "We retract our earlier paper on lichens."
    records = [("Kelp", KELP), ("Lichens", short), ("Moss", MOSS)]
    path = write(tmp_path / "a.txt", "\n\n\n".join(f"{title}\n\n{text}" for title, text in records))
    assert [(document.title, document.text) for document in read(path)] == records


def test_several_paragraphs_and_sections_are_one_abstract(tmp_path):
    body = f"Background\n\n{KELP}\n\nMethods\n\n{MOSS}\n\nCode is available on request."
    (document,) = read(write(tmp_path / "a.txt", f"A title\n\n{body}\n"))
    assert (document.title, document.text) == ("A title", body)


def test_bare_paragraphs_are_one_abstract_until_they_are_too_long_for_one(tmp_path):
    (one,) = read(write(tmp_path / "a.txt", f"{KELP}\n\n{MOSS}"))
    assert one.text == f"{KELP}\n\n{MOSS}"
    many = [KELP, MOSS, RUST] * 5
    assert [d.text for d in read(write(tmp_path / "b.txt", "\n\n".join(many)))] == many


@pytest.mark.parametrize(
    ("text", "title", "abstract"),
    [
        (f"Kelp and fish\n\n{KELP}\n", "Kelp and fish", KELP),
        (f"# Kelp and fish\n\n{KELP}\n", "Kelp and fish", KELP),
        (f"  {KELP}\n\n", "", KELP),
        ("Kelp grows.", "", "Kelp grows."),
        ("Kelp\n\nIt grows.", "Kelp", "It grows."),
        ("Abstract\n\nIt grows.", "", "It grows."),
        ("Kelp grows\nin cold water.", "", "Kelp grows\nin cold water."),
        (KELP.replace(". ", ".\n"), "", KELP.replace(". ", ".\n")),
    ],
)
def test_one_abstract_a_file(tmp_path, text, title, abstract):
    (document,) = read(write(tmp_path / "a.txt", text))
    assert (document.title, document.text, document.source) == (title, abstract, "a.txt#1")


@pytest.mark.parametrize("head", ["", "Kelp forests\n\n", "Title: Kelp forests\n\nAbstract: "])
def test_how_an_abstract_is_to_be_cited_is_no_part_of_it(tmp_path, head):
    cited = "@article{reed2020,\n  title={Kelp forests},\n  author={" + "Reed, Ada and " * 15 + "Lind, Bo}\n}"
    (document,) = read(write(tmp_path / "a.txt", f"{head}{KELP}\n\n{cited}\n"))
    assert (document.title, document.text) == ("Kelp forests" if head else "", KELP)


def test_plain_text_stays_as_it_is(tmp_path):
    text = "We <b>saw</b> R&amp;D grow."
    (document,) = read(write(tmp_path / "a.txt", f"On R&amp;D\n\n{text}"))
    assert (document.title, document.text) == ("On R&amp;D", text)


def test_sidecar_mismatch_rejects_the_line_and_keeps_the_record(tmp_path):
    shutil.copy(SEEDS / "002_dd4b9b65b304c986.txt", tmp_path / "a.txt")
    lines = [
        {"source": "a.txt#1", "starts_with": "Something else", "title": "Wrong"},
        {
            "source": "a.txt#2",
            "title": "Gemma 2",
            "authors": "Reed, Lind et al.",
            "doi": "https://doi.org/10.1/X",
        },
        {"source": "a.txt#99", "title": "Nobody"},
    ]
    write(tmp_path / "metadata.jsonl", "\n".join(map(json.dumps, lines)))
    outcomes = read(tmp_path / "a.txt")
    documents = [outcome for outcome in outcomes if not isinstance(outcome, Rejection)]
    rejections = [outcome for outcome in outcomes if isinstance(outcome, Rejection)]
    assert len(documents) == 10
    assert [document.title for document in documents[:2]] == ["", "Gemma 2"]
    assert documents[1].metadata["authors"] == ["Reed", "Lind", "et al."]
    assert [(Path(r.file).name, r.place) for r in rejections] == [
        ("metadata.jsonl", "line 1"),
        ("metadata.jsonl", "line 3"),
    ]
    assert "Something else" in rejections[0].reason
    assert "10 records" in rejections[1].reason


def test_unusable_sidecar_lines_are_reported_once(tmp_path):
    write(tmp_path / "a.txt", KELP)
    write(tmp_path / "b.txt", MOSS)
    good = json.dumps({"source": "a.txt#1", "title": "Kelp"})
    write(
        tmp_path / "metadata.jsonl",
        f'{good}\nnot json\n{{"title": "no source"}}\n{good}\n{{"source": "c.txt#1"}}',
    )
    files, rejections = find_files([tmp_path])
    assert [path.name for path in files] == ["a.txt", "b.txt"]
    assert [rejection.place for rejection in rejections] == ["line 2", "line 3", "line 4", "line 5"]
    assert titles(files[0]) == ["Kelp"]
