"""The report of a run as the file that it is: no column is lost on paper."""

from eval.report import write_report
from eval.scoring import score_run
from tests.eval.test_report import JUDGE, QUESTIONS, RECORDS, TEXTS

A4_PIXELS = 718  # between the margins


def test_the_controls_fit_on_paper(browser, tmp_path):
    scores = score_run(QUESTIONS, RECORDS, TEXTS, JUDGE)
    names = ("the same questions", "BM25 only", "copy top passage", "gold abstract", "shuffled context", "no context")
    write_report(tmp_path, {**scores, "controls": dict.fromkeys(names, scores)}, QUESTIONS, RECORDS)
    context = browser.new_context(viewport={"width": A4_PIXELS, "height": 1000})
    page = context.new_page()
    page.emulate_media(media="print")
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("table.controls").evaluate("table => table.getBoundingClientRect().right") <= A4_PIXELS
    context.close()
