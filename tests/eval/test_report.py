"""The report of a run and of two: what is said, what is drawn, and that text of others stays text."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from eval.dataset import GoldSentence, Question
from eval.judges import CallableJudge
from eval.metrics.share import Share
from eval.report import figures, formats, plots, write_comparison, write_report
from eval.report.cards import card
from eval.report.failures import KINDS, kinds_of, shares_of
from eval.report.marking import difference, nearest, shared
from eval.report.pairings import told_apart
from eval.report.tables import scores_csv
from eval.run import Record
from eval.scoring import METRICS, score_run
from rag.types import Abstention, Answer, Chunk, Citation, Claim, Hit, Turn, Verdict

SCRIPT = "<script>alert(1)</script>"
IMAGE = '<img src=x onerror="alert(2)">'
TEXTS = {
    "a.txt#1": "PERL trains faster and needs less memory than RLHF. It keeps 87% of the reward.",
    "b.txt#1": f"Steering {SCRIPT} bends a model. Prompts bend it less.",
}
FAITHFUL, ADDED = "PERL trains faster and needs less memory than RLHF.", "PERL was made on the moon."


def question(name, kind, asked, answerable=True, facts=("less memory",), gold="It keeps 87% of the reward."):
    source = ("a.txt#1",) if answerable else ()
    sentences = (GoldSentence("a.txt#1", gold),) if answerable else ()
    said = "It needs less memory." if answerable else ""
    history = (Turn("What is PERL?", "A way to train."),) if kind == "follow_up" else ()
    return Question(
        name, kind, asked, history, said, facts if answerable else (), source, sentences, answerable
    )  # fmt: skip


def claim(text, quote, source="a.txt#1", verdict=Verdict.SUPPORTED, number=1, title="PERL"):
    start = TEXTS[source].index(quote)
    citation = Citation(number, source, start, start + len(quote), quote, source, title)
    return Claim(
        text, 0, len(text), (citation,), verdict, 0.9, "a judge", "" if verdict is Verdict.SUPPORTED else "why not"
    )


def answer(asked, *claims, withdrawn=(), abstention=None, fabricated=0):
    text = " ".join(f"{c.text} [1]" for c in claims)
    hits = (Hit(Chunk("a.txt#1", 0, 10, TEXTS["a.txt#1"][:10]), 0.5, 1, {}, "a.txt#1", "PERL"),)
    timings = {"total": 1.5}
    return Answer(asked, asked, text, claims, withdrawn, hits, abstention, "tiny", timings, "f", fabricated)


CONTRADICTED = claim(ADDED, FAITHFUL, verdict=Verdict.CONTRADICTED)
QUESTIONS = [
    question("good", "fact", "What does PERL need?", gold=FAITHFUL),
    question("unfaithful", "fact", "Where was PERL made?", facts=("less memory", "on the moon")),
    question("refused", "follow_up", "And the reward?"),
    question("invented", "unanswerable_near", f"=Who paid? {SCRIPT}", answerable=False),
    question("silent", "unanswerable_far", "Who won the cup?", answerable=False),
    question("broken", "fact", f"What broke? {IMAGE}"),
    question("elsewhere", "fact", "What bends a model?"),
]
RECORDS = [
    Record(
        "good",
        answer("q", claim(FAITHFUL, FAITHFUL), withdrawn=(claim(ADDED, FAITHFUL, verdict=Verdict.CONTRADICTED),)),
    ),
    Record("unfaithful", answer("q", claim(ADDED, FAITHFUL), fabricated=1)),
    Record("refused", answer("q", abstention=Abstention.WEAK_EVIDENCE)),
    Record("invented", answer("q", claim(FAITHFUL + SCRIPT, FAITHFUL, title=IMAGE))),
    Record("silent", answer("q", abstention=Abstention.NO_HITS)),
    Record("broken", None, f"GeneratorError: {SCRIPT}\x00\x1b lost \ud800"),
    Record("elsewhere", answer("q", claim("Prompts bend it less.", "Prompts bend it less.", "b.txt#1"))),
]
JUDGE = CallableJudge("a word judge", lambda premise, said: float("moon" not in said))
RUN = {"system": "footnote", "questions": 7, "questions_sha256": "abc", "settings": {"k": 8, "llm": None}}
AUC = {
    "number": {"auc": 0.9, "low": 0.8, "high": 0.97, "n": 40},
    "scope": {"auc": 0.55, "low": 0.4, "high": 0.7, "n": 9},
}


@pytest.fixture(scope="module")
def bare():
    return score_run(QUESTIONS, RECORDS, TEXTS, JUDGE)


@pytest.fixture(scope="module")
def scores(bare):
    return {
        **bare,
        "run": RUN,
        "judge_quality": {"judge": "a word judge", "is_verifier": False, "n_faithful": 40, "by_type": AUC},
        "detectors": {
            "hallucination": {"overlap": AUC, f"salience{SCRIPT}": AUC},
            "coverage": {"overlap": AUC["number"]},
        },
        "controls": {"copy the top passage": {"questions": 7, "metrics": bare["metrics"]}},
        "costs": {"total_s": {"median": 1.5, "p95": 2.25}, "peak_memory_mb": 812.4},
    }


@pytest.fixture(scope="module")
def report(scores, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, scores, QUESTIONS, RECORDS)
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def comparison(scores):
    rows = [
        {
            "id": row["id"],
            "type": row["type"],
            "question": "q",
            "change": -0.5 if row["id"] == "good" else 0.0,
            "a": {name: Share(*share).value for name, share in row["scores"].items()},
            "b": {name: Share(*share).value for name, share in row["scores"].items()} | {"key_facts": 0.5},
        }
        for row in scores["rows"]
    ]
    metric = {
        **{key: scores["metrics"]["key_facts"][key] for key in ("group", "says", "lower_is_better", "is_rate")},
        "a": 0.5,
        "b": 0.25,
        "difference": -0.25,
        "low": -0.4,
        "high": -0.1,
        "p": 0.01,
        "p_holm": 0.0004,
        "n": 5,
        "detectable": 0.4,
        "wins": 0,
        "ties": 4,
        "losses": 1,
        "verdict": "worse",
    }
    return {
        "a": RUN,
        "b": {**RUN, "settings": {"k": 4, "llm": SCRIPT}},
        "questions": 7,
        "metrics": {"key_facts": metric},
        "by_type": {"fact": {"key_facts": {"a": 0.5, "b": 0.25, "difference": -0.25, "n": 3}}},
        "rows": sorted(rows, key=lambda row: row["change"]),
        "gates": [{"spec": "key_facts>=-0.02", "outcome": "fail", "change": -0.25, "low": -0.4, "high": -0.1}],
        "agreement": {"same_text": 6, "shared_evidence": 0.9},
    }


OTHERS = [
    Record("good", answer("q", claim("PERL trains faster and needs no memory.", FAITHFUL))),
    Record("unfaithful", answer("q", abstention=Abstention.WEAK_EVIDENCE)),
    *RECORDS[2:],
]


@pytest.fixture(scope="module")
def compared(scores, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    write_comparison(folder, comparison(scores), QUESTIONS, RECORDS, OTHERS)
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


class Page(HTMLParser):
    """Reads a page as a browser would: its elements with their attributes, and all text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.said = [], []
        self.feed(page)
        self.text = " ".join(" ".join(self.said).split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.said.append(data)

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)


def test_the_files_of_a_report(report, compared):
    assert set(report) == {"report.md", "report.html", "scores.csv", "junit.xml"}
    assert set(compared) == {"report.md", "report.html", "comparison.csv"}


def test_text_of_others_stays_text_on_the_pages(report, compared):
    for files in (report, compared):
        page = Page(files["report.html"])
        assert page.count("script") == 1
        assert page.count("img") == 0
        assert "alert(1)" in page.text
        assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
        assert "<script" not in files["report.md"]
        assert "<img" not in files["report.md"]
    assert IMAGE in Page(report["report.html"]).text  # of a title: a person can see what it was


def test_the_pages_ask_nothing_of_anybody(report, compared):
    for files in (report, compared):
        html = files["report.html"]
        (policy,) = [a["content"] for t, a in Page(html).elements if t == "meta" and "http-equiv" in a]
        assert policy == "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
        assert not [a for _, a in Page(html).elements if {"src", "href"} & set(a)]
        assert "url(" not in html
        assert "@import" not in html


def test_every_question_is_a_card_that_can_be_filtered(report):
    cards = {a["id"]: a for t, a in Page(report["report.html"]).elements if t == "details" and a.get("class") == "card"}
    tokens = [cards[f"q{n}"]["data-tokens"].split() for n in range(1, 8)]
    assert tokens == [
        ["withdrawn", "no-failure"],
        ["unfaithful", "made-up-number", "facts-missing"],
        ["false-refusal"],
        ["false-answer"],
        ["no-failure"],
        ["error"],
        ["wrong-paper", "answer-missed"],
    ]
    known = {kind.key for kind in KINDS} | {"no-failure"}
    chips = {a["data-token"] for t, a in Page(report["report.html"]).elements if a.get("class") == "chip"}
    assert {token for row in tokens for token in row} <= chips <= known | {""}


def test_markdown_steers_no_terminal(bare, tmp_path):
    asked = [question("red", "fact", "Who \x1b[31mpaid\x9b\u202e?"), *QUESTIONS[1:]]
    write_report(tmp_path, bare, asked, RECORDS[5:6] + RECORDS[1:])
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "Who \\[31mpaid?" in text


def test_errors_stand_beside_the_controls(scores):
    spoilt = {**scores, "controls": {"BM25 only": {"questions": 7, "errors": 5, "metrics": scores["metrics"]}}}
    assert ("errors", "1", "5") in figures.controls(spoilt).rows


def test_every_cell_of_a_table_tells_how_many_it_rests_on(scores):
    false_answers = next(row for row in figures.controls(scores).rows if row[0] == "false answer")
    assert false_answers[1:] == ("50.0% (0–100) · 2",) * 2
    types = figures.type_table(scores)
    told = next(row for row in types.rows if row[0] == "false answer near")
    assert dict(zip(types.headings, told, strict=True))["unanswerable near"] == "100.0% · 1"
    assert figures.auc_table(scores["detectors"]["hallucination"]).rows[0][1] == ".90 (.80–.97) · 40"


def test_the_controls_are_explained_on_the_page_and_in_markdown(report):
    for name in ("report.html", "report.md"):
        assert "shuffled context given others" in " ".join(report[name].split())


def test_a_card_says_what_a_reader_needs(report):
    page = Page(report["report.html"]).text
    for said in (
        "✓ Supported", "✕ Contradicted", "why not", "Withdrawn after checking", "✕ missing", "✓ conveyed",
        "What is PERL?", "the marked sentence", "not cited", "Refused, wrongly", "Abstained, rightly",
        "no sentence of the papers fits the question well enough", "The papers do not say",
    ):  # fmt: skip
        assert said in page, said


def test_the_judge_is_named_with_its_self_test_and_a_warning_where_it_verified(report, scores, tmp_path):
    page = Page(report["report.html"]).text
    assert "judged by a word judge . Put to 40 faithful sentences" in page
    assert "No better than chance, as far as can be told: scope." in page
    assert "The judge is the verifier" not in page
    quality = {**scores["judge_quality"], "is_verifier": True}
    write_report(tmp_path, {**scores, "judge_quality": quality}, QUESTIONS, RECORDS)
    assert "The judge is the verifier" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "**Warning.**" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_what_is_missing_is_said_to_be_missing(bare, tmp_path):
    nothing = dict.fromkeys(("run", "judge_quality", "detectors", "controls", "costs"))
    pages = []
    for name, scores in (("absent", bare), ("none", {**bare, **nothing}), ("empty", {})):
        write_report(tmp_path / name, scores, QUESTIONS, RECORDS)
        pages.append((tmp_path / name / "report.html").read_text(encoding="utf-8"))
        for file in ("report.html", "report.md"):
            text = (tmp_path / name / file).read_text(encoding="utf-8")
            for said in (
                "No controls were run.",
                "No detectors were measured",
                "not tested in this run",
                "was not recorded",
            ):
                assert said in text, (name, file, said)
    assert pages[0] == pages[1]
    write_comparison(tmp_path, {}, QUESTIONS, RECORDS, OTHERS)
    assert "No metric was compared." in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_no_questions_at_all(tmp_path):
    write_report(tmp_path, score_run([], [], TEXTS, JUDGE), [], [])
    write_comparison(tmp_path / "two", {}, [], [], [])
    assert ElementTree.parse(tmp_path / "junit.xml").getroot().get("tests") == "0"


def test_what_could_not_be_judged_is_printed_with_bounds(tmp_path):
    scores = score_run(QUESTIONS, RECORDS, TEXTS, CallableJudge("blind", lambda premise, said: None))
    write_report(tmp_path, scores, QUESTIONS, RECORDS)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "4 unscored: 0.0–100.0%" in page
    assert 'data-token="unscored"' in page


def test_the_csv_parses_back(report, scores):
    rows = list(csv.DictReader(io.StringIO(report["scores.csv"])))
    assert [row["id"] for row in rows] == [question.id for question in QUESTIONS]
    assert list(rows[0])[-len(METRICS) :] == list(METRICS)
    for row, scored in zip(rows, scores["rows"], strict=True):
        for name in METRICS:
            value = Share(*scored["scores"].get(name, (0, 0, 0))).value
            assert (float(row[name]) if row[name] else None) == pytest.approx(value, abs=1e-5)
    assert rows[3]["question"].startswith("'=Who paid?")  # not a formula
    assert rows[5]["outcome"] == "error"


def test_a_line_end_within_a_cell_ends_no_row():
    asked = question("returns", "fact", "What\rbreaks here?")
    table = scores_csv(score_run([asked], [RECORDS[5]], TEXTS, JUDGE), [asked], [RECORDS[5]])
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [row["question"] for row in rows] == ["What\rbreaks here?"]


def test_the_csv_of_a_comparison_has_both_values(compared):
    rows = list(csv.DictReader(io.StringIO(compared["comparison.csv"])))
    assert rows[0]["id"] == "good"
    assert rows[0]["change"] == "-0.5"
    assert (rows[0]["key_facts a"], rows[0]["key_facts b"]) == ("1", "0.5")


def test_junit_has_a_case_a_question(report):
    (suite,) = ElementTree.fromstring(report["junit.xml"])
    assert [suite.get(key) for key in ("tests", "failures", "errors")] == ["7", "4", "1"]
    found = {case.get("name"): (case.find("failure"), case.find("error")) for case in suite}
    assert [name for name, (failure, _) in found.items() if failure is not None] == [
        "unfaithful", "refused", "invented", "elsewhere",
    ]  # fmt: skip
    assert found["unfaithful"][0].get("type") == "unfaithful, made-up-number"
    assert SCRIPT in found["broken"][1].get("message")


def test_kinds_of_failure():
    keys = [kind.key for kind in kinds_of(RECORDS[0], {"key_facts": Share(1, 2), "verbatim": Share(1, 2, 1)})]
    assert keys == ["altered-quote", "facts-missing", "withdrawn", "unscored"]
    assert [kind.key for kind in kinds_of(RECORDS[5], {"key_facts": Share(0, 1)})] == ["error"]


def test_the_comparison_says_when_why_and_how(compared):
    page = Page(compared["report.html"])
    for said in (
        "6 of 7 answers are word for word the same", "▼ worse", "✕ fail", "−25.0 points (−40.0 to −10.0)",
        "▼ −25.0 (3)", "<.001", "0 / 4 / 1", "cited by both", "= as before",
    ):  # fmt: skip
        assert said in page.text, said
    assert page.count("del") > 1
    assert page.count("ins") > 1
    failures = re.search(r"unfaithful</th><td>(\d)</td><td>(\d)</td><td>(\d)", compared["report.html"])
    assert failures
    assert failures.groups() == ("0", "1", "0")  # told by the rows' values
    first = next(a for t, a in page.elements if a.get("class") == "card")
    assert first["data-tokens"].startswith("worse")


def test_a_comparison_says_how_to_read_it_and_that_no_width_is_no_certainty(compared):
    for name in ("report.html", "report.md"):
        assert "would show four times in five, before that correction" in " ".join(compared[name].split())
    assert formats.changes(0.0, 0.0) == "all alike"


def test_a_question_that_one_run_lacks_is_left_out(scores, tmp_path):
    write_comparison(tmp_path, comparison(scores), QUESTIONS, RECORDS, OTHERS[::-1][:3])
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert sum(a.get("class") == "card" for _, a in page.elements) == 3


def test_every_drawing_is_well_formed(report, compared):
    drawings = [*re.findall(r"<svg.*?</svg>", report["report.html"], re.DOTALL)]
    drawings += re.findall(r"<svg.*?</svg>", compared["report.html"], re.DOTALL)
    assert len(drawings) > 30
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.get("aria-label") is not None
        assert "script" not in {element.tag for element in root.iter()}
        for element in root.iter():
            assert not re.search(r"\b(nan|inf)\b", str(element.attrib))


def test_a_bar_is_drawn_where_its_figure_is():
    bar = ElementTree.fromstring(str(plots.interval_bar({"value": 0.5, "low": 0.0, "high": 1.0})))
    (mark,) = [e for e in bar if "mark" in e.get("class")]
    assert mark.get("transform") == "translate(60.0 8.0)"  # the middle of 120
    low, high = (e for e in bar if e.get("class").startswith("whisker") and e.get("x1") == e.get("x2"))
    assert (low.get("x1"), high.get("x1")) == ("4.0", "116.0")
    change = ElementTree.fromstring(str(plots.change_bar({"difference": 0.0, "low": -9, "high": 9}, reach=0.5)))
    assert "translate(60.0 8.0)" in [e.get("transform") for e in change]  # what is off the axis stays on its edge


def test_nothing_to_draw_is_nothing():
    assert plots.risk_coverage([], aurc=None) == plots.auc_by_type({}) == plots.type_bars({}) == ""
    assert plots.interval_bar({"value": None}) == plots.change_bar({}, reach=1.0) == plots.won_and_lost(0, 0, 0) == ""


def test_the_same_input_gives_the_same_bytes(scores, report, tmp_path):
    again = json.loads(json.dumps(scores))
    write_report(tmp_path, again, list(QUESTIONS), [Record.from_dict(record.to_dict()) for record in RECORDS])
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == report


@pytest.mark.parametrize(
    ("one", "other"),
    [("", ""), ("The cat  sat.", ""), ("A  model's 87% – yes!", "Models: 87 %"), (FAITHFUL, ADDED), ("a\nb", "b\ta")],
)
def test_pieces_rejoin_to_their_texts(one, other):
    for found in (shared(one, other), difference(one, other)):
        assert tuple("".join(piece.text for piece in pieces) for pieces in found) == (one, other)


def test_marks_and_the_nearest_sentence():
    one, other = shared("PERL trains faster", "Training PERL is slow")
    assert [piece.text for piece in one if piece.marked] == ["PERL trains"]
    assert [piece.text for piece in other if piece.marked] == ["Training PERL"]
    before, after = difference("It keeps nearly 87% of it", "It keeps nearly 78% of it")
    assert [p.text for p in before if p.marked] == ["87"]
    assert [p.text for p in after if p.marked] == ["78"]
    assert nearest("less memory", ["more speed", "less of memory", "memory"]) == 1
    assert nearest("less memory", ["speed"]) is None


def test_a_card_counts_only_what_was_counted(bare):
    shares = shares_of(bare["rows"][0])
    said = dict(row for _, rows in card(1, QUESTIONS[0], RECORDS[0], shares).side.scores for row in rows)
    assert (said["key facts"], said["ndcg@10"]) == ("100.0%", "100.0%")  # "1 of 1" would be of the question
    assert (said["verbatim"], said["faithfulness drafted"], said["a paper right"]) == ("1 of 1", "1 of 2", "yes")


def test_formats():
    assert formats.figure(None) == formats.DASH
    assert (formats.figure(0.8333), formats.figure(92.44, is_rate=False)) == ("83.3%", "92.4")
    assert (formats.change(-0.0004), formats.change(-0.25), formats.change(0.042)) == ("0.0", "−25.0", "+4.2")
    assert (formats.probability(0.0004), formats.probability(0.031)) == ("<.001", ".031")
    assert formats.share(Share(5, 6, 1)) == "5 of 6, 1 unscored"
    assert formats.share(Share(0, 0, 2)) == "not judged, 2 unscored"
    assert formats.auc({"auc": 1.0, "low": 0.9, "high": 1.0}) == "1.00 (.90–1.00)"


def test_two_answers_are_set_word_against_word_within_their_sentences():
    one = ["PERL is fast.", "It needs less memory than RLHF does."]
    other = ["PERL is very fast.", "It needs <b>less</b> memory than RLHF."]
    before, after = told_apart(one, other)
    assert ["".join(piece.text for piece in pieces) for pieces in before] == one
    assert ["".join(piece.text for piece in pieces) for pieces in after] == other
    assert [piece.text for piece in after[0] if piece.marked] == [" very"]
    assert told_apart(one, one) is None
    assert told_apart(one, []) is None
    assert told_apart(one, ["Whales sing."]) is None
