"""Runs of the evaluation that the page makes and shows, and why a sentence was written."""

import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from eval.run import read_records
from rag.errors import BadInputError, EvalError
from rag.salience import WordSalience
from ui.web import plans, runs
from ui.web.job import DONE, FAILED, RUNNING, STOPPED, STOPPING, Job
from ui.web.people import PAUSE_S, People
from ui.web.plans import draw_up, take_up
from ui.web.render import html
from ui.web.why import drivers

PATIENCE_S = 120


class Loaded:
    """Models that are there."""

    def wait(self, seconds):
        return True


def planned(footnote, name, **options):
    given = {"file": None, "limit": 3, "is_full": False, **options}
    return draw_up(footnote, given.pop("choice", "dev"), name=name, **given)


def until(job, holds):
    deadline = time.monotonic() + PATIENCE_S
    while not holds(job.standing):
        assert time.monotonic() < deadline, job.standing
        time.sleep(0.01)


@pytest.fixture
def gated(seeds):
    """A generator that writes one draft for each turn that the test gives."""
    turns = threading.Semaphore(0)

    def draft(prompt):
        turns.acquire(timeout=PATIENCE_S)
        return "It is so [1]."

    seeds.generator.draft = draft
    return SimpleNamespace(footnote=seeds, turns=turns, prompts=seeds.generator.prompts)


def test_a_run_is_stopped_and_goes_on_without_asking_twice(gated):
    people = People()
    job = Job(gated.footnote, Loaded(), people)
    job.start(planned(gated.footnote, "one", limit=6))
    folder = gated.footnote.library.folder / "runs" / "one"
    gated.turns.release()
    until(job, lambda now: now.done >= 1)
    assert job.asks_now
    with pytest.raises(BadInputError, match="one is under way"):
        job.start(planned(gated.footnote, "two"))
    job.stop()
    assert job.standing.state == STOPPING
    gated.turns.release()  # the question in work is kept
    job.wait(PATIENCE_S)
    assert job.standing.state == STOPPED
    before = read_records(folder)
    assert 1 <= len(before) < 6
    assert plans.unfinished(gated.footnote.library.folder) == ["one", "two"]
    assert plans.finished(gated.footnote.library.folder) == []
    assert plans.progress(gated.footnote.library.folder, "one") == f"one: {len(before)} of 6 answered"

    other = Job(gated.footnote, Loaded(), people)  # as after a restart
    for _ in range(10):
        gated.turns.release()
    other.start(take_up(gated.footnote, "one"))
    other.wait(PATIENCE_S)
    assert other.standing.state == DONE, other.standing.error
    after = read_records(folder)
    assert after[: len(before)] == before
    assert len({record.id for record in after}) == len(after) == 6
    assert len(gated.prompts) == len(set(gated.prompts))  # nothing was asked twice
    assert plans.finished(gated.footnote.library.folder) == ["one"]
    run = runs.read(gated.footnote, "one")
    assert len(run.cards) == run.scores["questions"] == 6
    assert run.report
    question, record = runs.answered(gated.footnote, "one", after[0].id)
    assert (question.id, record) == (after[0].id, after[0])


def test_a_run_waits_while_somebody_asks(gated):
    people = People()
    job = Job(gated.footnote, Loaded(), people)
    for _ in range(20):
        gated.turns.release()
    with people.asking():
        job.start(planned(gated.footnote, "polite"))
        until(job, lambda now: now.waits)
        time.sleep(0.3)
        assert job.standing.done == 0
        assert not job.asks_now
        assert "Waits: somebody asks" in html("standing", now=job.standing)
    left = time.monotonic()
    until(job, lambda now: not now.waits)
    assert time.monotonic() - left > PAUSE_S / 2  # whoever is next in line comes first
    job.wait(PATIENCE_S)
    assert job.standing.state == DONE
    with people.asking():
        job.start(planned(gated.footnote, "stopped"))
        until(job, lambda now: now.waits)
        job.stop()
        job.wait(PATIENCE_S)  # no need to wait for people first
        assert job.standing.state == STOPPED


def test_a_run_stops_between_two_claims_of_the_judges_test(gated):
    for _ in range(400):
        gated.turns.release()
    job = Job(gated.footnote, Loaded(), People())
    plan = planned(gated.footnote, "judged", limit=2)
    job.start(plans.Plan(plan.folder, plan.questions, plans._claims("dev"), is_full=False))
    until(job, lambda now: now.stage == "testing the judge" and now.done >= 3)
    total = job.standing.total
    assert not job.asks_now  # the generator is free
    job.stop()
    job.wait(PATIENCE_S)
    now = job.standing
    assert (now.state, now.stage) == (STOPPED, "testing the judge")
    assert 3 <= now.done < total
    assert "testing the judge" not in html("standing", now=now)
    assert plans.unfinished(gated.footnote.library.folder) == ["judged"]


def test_a_run_that_another_process_makes_is_told_of_and_not_resumed(gated, tmp_path):
    import gradio as gr

    from ui.web.evaluation import EvalTab
    from ui.web.site import Site

    site = Site(gated.footnote, Loaded(), tmp_path)
    with gr.Blocks():
        evaluation = EvalTab(site)
    begun, resumable = planned(gated.footnote, "begun"), planned(gated.footnote, "resumable")
    program = (
        "import sys, time, pathlib, eval.run as run\nwith run.writing(pathlib.Path(sys.argv[1])):\n print(flush=True)\n"
    )
    program += " time.sleep(600)"
    command = [sys.executable, "-c", program, str(begun.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        other.stdout.readline()
        elsewhere, _, clock, *_, choice, _ = evaluation._looks()
        assert (
            f"begun: 0 of 3 answered</strong>, running elsewhere: another process (pid {other.pid})"
            in (elsewhere["value"])
        )
        assert [name for _, name in choice["choices"]] == ["resumable"]
        assert clock.active
        problem = evaluation._resume("begun")[-1]
        assert "begun is running elsewhere" in problem["value"]
        site.job.start(begun)  # as if pressed in the moment before
        site.job.wait(PATIENCE_S)
        assert site.job.standing.state == FAILED
        assert f"being written by another process (pid {other.pid})" in site.job.standing.error
        other.kill()
    elsewhere, _, clock, *_, choice, _ = evaluation._looks()
    assert [name for _, name in choice["choices"]] == ["begun", resumable.name]
    assert (elsewhere["visible"], clock.active) == (False, False)


def finished(footnote, name):
    """A run with a report that nobody reads, as far as the page needs to list it."""
    folder = footnote.library.folder / "runs" / name
    folder.mkdir(parents=True)
    (folder / "scores.json").write_text("{}", encoding="utf-8")
    (folder / runs.REPORT).write_text(f"all of {name}", encoding="utf-8")


@pytest.fixture
def tabs(seeds, tmp_path):
    """The Eval and Compare tabs of a library with the runs a, b and c, and what is done at every look at the clock."""
    import gradio as gr

    from ui.web.app import BRIDGE
    from ui.web.compare import CompareTab
    from ui.web.evaluation import EvalTab
    from ui.web.site import Site

    site = Site(seeds, Loaded(), tmp_path / "scratch")
    site.scratch.mkdir()
    for name in "abc":
        finished(seeds, name)
    with gr.Blocks() as page:
        evaluation, compare, bridge = EvalTab(site), CompareTab(site), gr.HTML(js_on_load=BRIDGE)
        tab = gr.Tab()
        evaluation.connect(bridge, [tab], compare)
        compare.connect(bridge)
    (tick,) = [event for event in page.fns.values() if event.targets[0] == (evaluation.clock._id, "tick")]

    def look(*given):
        names = {component._id: name for name, component in vars(evaluation).items() if hasattr(component, "_id")}
        return {names.get(part._id): new for part, new in zip(tick.outputs, tick.fn(*given), strict=True)}

    return SimpleNamespace(site=site, evaluation=evaluation, compare=compare, page=page, look=look)


def test_the_end_of_a_run_is_seen_and_what_is_read_stays(tabs, monkeypatch):
    import gradio as gr

    from ui.web.job import Standing

    job = tabs.site.job
    job._standing = Standing("c", RUNNING, "asking", 1, 2)
    assert tabs.look(False, "b", None, None)["watched"]  # begun by somebody else
    assert tabs.look(True, "b", None, None)["chosen"] == gr.skip()
    job._standing = Standing("new", STOPPED)
    seen = tabs.look(True, "b", None, None)
    assert (seen["chosen"]["value"], seen["answer"], seen["stop"]["visible"]) == ("b", gr.skip(), False)
    job._standing = Standing("c", DONE)
    seen = tabs.look(True, "b", None, None)
    assert (seen["chosen"]["value"], seen["answer"], seen["watched"]) == ("c", "", False)
    assert tabs.look(False, "b", None, None)["chosen"]["value"] == "b"  # one that others made has ended
    monkeypatch.setattr(plans, "elsewhere", lambda library: {"far": "another process"})
    seen = tabs.look(True, "b", None, None)
    assert "c is done" in seen["standing"]["value"]
    assert seen["clock"].active
    assert tabs.look(False, "b", None, None)["chosen"] == gr.skip()


def test_a_run_that_cannot_be_resumed_stays_chosen(tabs, monkeypatch):
    for name in ("one", "two"):
        planned(tabs.site.footnote, name)
    (tabs.site.footnote.library.folder / "runs" / "two" / plans.QUESTIONS).write_text("{", encoding="utf-8")
    *_, choice, problem = tabs.evaluation._resume("two")
    assert problem["visible"]
    assert choice["value"] == "two"


def test_a_report_is_given_away_from_where_gradio_may(tabs):
    given = Path(tabs.evaluation._file("b"))
    assert given.is_relative_to(tabs.site.scratch)
    assert (given.name, given.read_text(encoding="utf-8")) == ("report.html", "all of b")


def test_what_was_compared_goes_when_something_else_is_chosen(tabs):
    import gradio as gr

    assert tabs.compare.choices("a", "b")[-2:] == [gr.skip(), gr.skip()]
    *_, table, both = tabs.compare.choices("a", "gone")
    assert ("Choose two runs" in table, both) == (True, "")
    shown = [tabs.compare.table, tabs.compare.both]
    inputs = [event for event in tabs.page.fns.values() if event.outputs == shown and event.targets[0][1] == "input"]
    assert [event.targets[0][0] for event in inputs] == [box._id for box in tabs.compare.chosen]


def test_a_run_that_cannot_be_written_is_told(seeds):
    (seeds.library.folder / "runs").write_text("in the way", encoding="utf-8")
    with pytest.raises(EvalError, match=r"the run cannot be kept in .*runs/mine: "):
        planned(seeds, "mine")


def test_two_runs_over_the_same_questions_are_compared(gated):
    for _ in range(40):
        gated.turns.release()
    job = Job(gated.footnote, Loaded(), People())
    for name in ("a", "b"):
        job.start(planned(gated.footnote, name, choice="made", limit=5))
        job.wait(PATIENCE_S)
        assert job.standing.state == DONE, job.standing.error
    found = runs.compared(gated.footnote, "a", "b")
    assert found.questions == len(found.rows) == 5
    markup = html("compared", names=("a", "b"), found=found, runs=2, error="", most=3)
    assert markup.count('data-act="both"') == 3
    assert "cannot be told" in markup
    assert "By kind of question" in markup


def test_words_set_against_words_stay_text_and_are_named():
    from ui.web.compare import _worded

    def view(*texts):
        return SimpleNamespace(sentences=[SimpleNamespace(text=text) for text in texts])

    hostile = "It is <img src=x> ${1} much faster than it was."
    found = _worded([view("It is faster than it was."), view(hostile)])
    markup = "".join(html_of_pieces(pieces, tag) for (pieces,), tag in zip(found.marked, ("del", "ins"), strict=True))
    assert "<img" not in markup
    assert "&lt;img src=x&gt; ${1} much" in markup
    assert "[only there: </span>" in markup
    assert "the same, word for word" in _worded([view("One."), view("One.")]).note
    assert "tells nothing" in _worded([view("It is faster."), view("Whales sing of ships.")]).note
    assert _worded([view("One."), None]).note == _worded([view("One."), view()]).note == ""


def html_of_pieces(given, tag):
    from ui.web.render import _environment

    return _environment().get_template("parts.html").module.pieces(given, tag, "only there")


def test_a_run_that_cannot_go_on_says_why(gated):
    for _ in range(20):
        gated.turns.release()
    job = Job(gated.footnote, Loaded(), People())
    plan = planned(gated.footnote, "old", limit=2)
    job.start(plan)
    job.wait(PATIENCE_S)
    (plan.folder / "scores.json").unlink()
    gated.footnote.remove([gated.footnote.library.list(0, 1)[0][0].id])
    with pytest.raises(BadInputError, match="papers or the settings have changed since old began"):
        job.start(take_up(gated.footnote, "old"))
    (plan.folder / "questions.jsonl").unlink()
    manifest = json.loads((plan.folder / "run.json").read_text(encoding="utf-8"))
    (plan.folder / "run.json").write_text(json.dumps(manifest | {"questions_sha256": "?"}), encoding="utf-8")
    with pytest.raises(EvalError, match="questions that are not here"):
        take_up(gated.footnote, "old")

    def breaks(prompt):
        raise RuntimeError("<b>secret</b>")

    gated.footnote.generator.draft = breaks
    job.start(planned(gated.footnote, "broken"))
    job.wait(PATIENCE_S)
    assert (job.standing.state, "secret" in job.standing.error) == (FAILED, False)


def test_a_run_of_the_command_line_is_known_by_its_questions(gated):
    for _ in range(20):
        gated.turns.release()
    job = Job(gated.footnote, Loaded(), People())
    plan = planned(gated.footnote, "elsewhere")
    job.start(plan)
    job.wait(PATIENCE_S)
    for name in (plans.QUESTIONS, plans.PLAN):
        (plan.folder / name).unlink()
    assert plans.questions_of(plan.folder, gated.footnote) == plan.questions
    assert take_up(gated.footnote, "elsewhere").questions == plan.questions


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "../out"}, "letters, digits"),
        ({"name": ".."}, "letters, digits"),
        ({"name": "a" * 61}, "letters, digits"),
        ({"name": "there"}, "there is a run called there"),
        ({"limit": 0}, "from 1 to"),
        ({"limit": 10**9}, "from 1 to"),
        ({"choice": "all"}, "choose which"),
        ({"choice": "file"}, "give a file"),
        ({"choice": "file", "file": "not json\n"}, "not JSON"),
        ({"choice": "file", "file": "not json\n" * 30}, "mine.jsonl cannot be asked of this library, 30 faults"),
        ({"choice": "file", "file": "not json\n" * 30}, "and 22 more; .* questions check mine.jsonl\nMend the file"),
        ({"choice": "file", "file": ""}, "mine.jsonl holds no question"),
        ({"choice": "file", "file": "other"}, r"1 fault:\nline 1 \(1\): .*no such paper"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(seeds, tmp_path, given, told):
    (seeds.library.folder / "runs" / "there").mkdir(parents=True)
    given = {"choice": "dev", "limit": 3, "name": "", "file": None, **given}
    if given["file"] is not None:
        file = tmp_path / "mine.jsonl"
        row = {"id": "1", "type": "fact", "question": "What?", "history": [], "gold_answer": "", "key_facts": []}
        row |= {"gold_sources": [], "gold_sentences": [], "answerable": False, "without": ["no such paper"]}
        file.write_text(json.dumps(row) if given["file"] == "other" else given["file"], encoding="utf-8")
        given["file"] = file
    with pytest.raises(BadInputError, match=told) as caught:
        draw_up(seeds, given.pop("choice"), is_full=False, **given)
    assert str(tmp_path) not in str(caught.value)
    assert [path.name for path in (seeds.library.folder / "runs").iterdir()] == ["there"]


def test_a_run_without_a_name_gets_a_free_one(seeds):
    assert [planned(seeds, "").name for _ in range(2)] == ["dev", "dev-2"]
    plan = take_up(seeds, "dev")  # begun, nothing asked yet
    assert not plan.has_begun
    shutil.rmtree(plan.folder)


def test_the_standing_of_a_run_is_told(seeds):
    from ui.web.job import Standing

    now = Standing("<b>", RUNNING, "asking", 3, 10, per_minute=4.0, left_s=105.0)
    said = html("standing", now=now)
    assert "question 3 of 10 answered" in said
    assert "4.0 a minute · about 2 min left" in said
    assert "<b>" not in said
    assert html("standing", now=None).strip() == ""
    assert "No finished run yet" in html("runs", run=None, error="")


def test_scores_that_cannot_be_read_are_an_error(seeds):
    folder = seeds.library.folder / "runs" / "first"
    folder.mkdir(parents=True)
    (folder / "scores.json").write_text("{", encoding="utf-8")
    assert plans.finished(seeds.library.folder) == ["first"]
    with pytest.raises(EvalError, match="no scores"):
        runs.read(seeds, "first")
    assert runs.answered(seeds, "first", "q") == (None, None)
    assert runs.report(Path("nowhere"), "first") is None


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


DAMAGE = {
    "scores.json": ["{", "[]", "{}", '{"rows": [1], "metrics": {"faithfulness": "<img src=x>"}}', "\x00"],
    "answers.jsonl": ["{\n", "[]\n", '{"id": 1, "answer": {"text": null}, "error": ""}\n', "\x00\n"],
    "questions.jsonl": ["{", '{"id": "<img src=x>"}', ""],
    "run.json": ["[]", "null", "<img src=x>"],
    "costs.json": ["[]", '{"total_s": "<img src=x>"}', "{"],
    "plan.json": ["[]", "{"],
}


def test_a_run_that_was_damaged_by_hand_is_told_of_and_nothing_breaks(gated, tmp_path):
    import gradio as gr

    from ui.web.compare import CompareTab
    from ui.web.evaluation import EvalTab
    from ui.web.site import Site

    for _ in range(40):
        gated.turns.release()
    site = Site(gated.footnote, Loaded(), tmp_path)
    with gr.Blocks():
        evaluation, compare = EvalTab(site), CompareTab(site)
    for name in ("a", "b"):
        site.job.start(planned(gated.footnote, name, limit=3))
        site.job.wait(PATIENCE_S)
    folder = gated.footnote.library.folder / "runs" / "a"
    asked = SimpleNamespace(value=read_records(folder)[0].id)
    broken = 0
    for file, contents in DAMAGE.items():
        whole = (folder / file).read_bytes()
        for content in contents:
            (folder / file).write_text(content, encoding="utf-8")
            shown = [
                evaluation._report("a")[-1],
                *compare._compared("a", "b"),
                *compare._compared("b", "a"),
                evaluation._answered("a", asked),
                compare._both("a", "b", asked),
            ]
            assert "<img src=x>" not in "".join(shown)
            broken += any('role="alert"' in markup for markup in shown)
            (folder / file).write_bytes(whole)
    assert broken >= 10
    scores = (folder / "scores.json").read_bytes()
    (folder / "scores.json").unlink()  # as of a run that was stopped
    for file in ("run.json", "questions.jsonl", "plan.json", "answers.jsonl"):
        whole = (folder / file).read_bytes()
        for content in DAMAGE[file]:
            (folder / file).write_text(content, encoding="utf-8")
            evaluation._resume("a")
            site.job.wait(PATIENCE_S)
            (folder / "scores.json").unlink(missing_ok=True)
        (folder / file).write_bytes(whole)
    (folder / "scores.json").write_bytes(scores)
    assert 'class="failure"' not in evaluation._report("a")[-1]
