"""Runs of the evaluation on the page, and why a sentence was written."""

import json
from types import SimpleNamespace

import pytest

from rag.errors import EvalError
from rag.salience import WordSalience
from ui.web import runs
from ui.web.render import html
from ui.web.why import drivers

FIGURE = {
    "group": "answer",
    "says": "sentences that hold <b>",
    "value": 0.5,
    "low": None,
    "high": None,
    "n": 4,
    "unscored": 1,
    "by_type": {"fact": {"value": None, "n": 2}},
}


def test_without_a_run_the_tab_says_how_one_is_made(tmp_path):
    assert runs.names(tmp_path) == []
    assert "footnote eval run" in html("runs", run=None, command="footnote eval run", error="")


def test_a_run_is_shown_with_what_could_not_be_scored(tmp_path):
    folder = tmp_path / "runs" / "first"
    folder.mkdir(parents=True)
    scores = {"questions": 4, "abstained": 1, "errors": 0, "judge": "words", "metrics": {"faithfulness": FIGURE}}
    (folder / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
    assert runs.names(tmp_path) == ["first"]
    run = runs.read(tmp_path, "first")
    assert run.figures[0].unscored == 1
    assert run.report is None
    markup = html("runs", run=run, command="", error="")
    assert "sentences that hold &lt;b&gt;" in markup
    assert "0.500" in markup
    (folder / "scores.json").write_text("{", encoding="utf-8")
    with pytest.raises(EvalError, match="no scores"):
        runs.read(tmp_path, "first")
    assert runs.answers(tmp_path, "first", "q") is None


def test_words_are_shaded_by_what_they_drive_and_the_text_stays_whole():
    quotes = ["We find it.", "All  is calm."]
    words = (
        (WordSalience(0, 2, "We", 0.0), WordSalience(3, 7, "find", 0.1), WordSalience(8, 11, "it.", 0.1)),
        (WordSalience(0, 3, "All", 0.5), WordSalience(5, 7, "is", 0.0), WordSalience(8, 13, "calm.", 0.3)),
    )
    made = drivers(SimpleNamespace(sentences=(0.2, 0.8), words=words), quotes)
    assert [driver.share for driver in made] == [0.8, 0.2]
    assert ["".join(text for text, _ in driver.pieces) for driver in made] == quotes[::-1]
    assert made[0].pieces[0] == ("All", 4)
    assert dict(made[0].pieces)["is"] == 0
    nothing = drivers(SimpleNamespace(sentences=(0.0,), words=((WordSalience(0, 2, "We", 0.0),),)), ["We"])
    assert nothing[0].pieces == (("We", 0),)
