"""`footnote eval` as people and CI use it, on the seed library with a scripted generator."""

import json
import shutil
from dataclasses import replace

import pytest

from eval import compare, harness
from eval.dataset import read_claims, read_questions
from eval.judges import EntailerJudge
from eval.run import hash_of, read_records
from eval.statistics import GateOutcome, read_gate
from rag.errors import EvalError
from rag.overlap import OverlapEntailer
from ui.cli import main

QUESTIONS = harness.DATA / "questions-dev.jsonl"
CLAIMS = harness.DATA / "claims-dev.jsonl"


@pytest.fixture
def few():
    every = read_questions(QUESTIONS)
    fact = next(q for q in every if q.type == "fact")
    definition = next(q for q in every if q.type == "definition" and q.gold_sources != fact.gold_sources)
    return [fact, definition, next(q for q in every if q.type == "unanswerable_far")]


@pytest.fixture
def evaluate(seeds, few):
    def evaluate(folder, draft="Whales sing.", **options):
        seeds.generator.draft = draft
        return harness.evaluate(seeds, few, folder, with_slow_detectors=False, **options)

    return evaluate


def test_a_run_writes_what_the_report_needs_and_the_same_scores_again(evaluate, tmp_path):
    scores = evaluate(tmp_path / "a", faithful=read_claims(CLAIMS)[:6])
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert {
        "answers.jsonl",
        "scores.json",
        "costs.json",
        "report.md",
        "report.html",
        "scores.csv",
        "junit.xml",
    } <= names
    assert scores["metrics"]["verbatim"]["value"] == 1
    assert next(iter(scores["controls"])) == "the same questions"
    assert len(scores["controls"]) == 6
    assert scores["judge_quality"]["is_verifier"] is False
    assert {"word overlap", "embedding similarity"} < set(scores["detectors"]["hallucination"])
    evaluate(tmp_path / "b", faithful=read_claims(CLAIMS)[:6])
    assert (tmp_path / "a" / "scores.json").read_bytes() == (tmp_path / "b" / "scores.json").read_bytes()


def test_questions_about_other_papers_are_refused_with_what_to_do(seeds, few, tmp_path):
    seeds.remove([document.id for document in seeds.library.list(0, 1000)[0]][1:])
    with pytest.raises(EvalError, match=r"(?s)do not fit the papers.*unknown source.*questions make"):
        harness.evaluate(seeds, few, tmp_path / "run")


def test_a_fault_of_a_sample_is_named_by_its_question(seeds, few, tmp_path):
    asked = [replace(few[0], gold_sources=("nowhere.txt#1",))]
    with pytest.raises(EvalError, match=f"  {few[0].id}: unknown source 'nowhere.txt#1'"):
        harness.evaluate(seeds, asked, tmp_path / "run")


def test_claims_about_other_papers_are_refused_before_a_question_is_asked(evaluate, tmp_path):
    claims = [replace(read_claims(CLAIMS)[0], source="nowhere.txt#1")]
    with pytest.raises(EvalError, match=rf"(?s)claims do not fit.*{claims[0].id}: unknown source 'nowhere.txt#1'"):
        evaluate(tmp_path / "run", faithful=claims)
    assert not (tmp_path / "run").exists()


def test_a_password_in_the_url_of_a_server_is_written_nowhere(seeds, evaluate, tmp_path):
    named = {"llm_url": "http://ann:secret@127.0.0.1:9/v1", "embed_url": "http://secret@127.0.0.1:9"}
    seeds.models.settings = seeds.settings.model_copy(update=named)
    evaluate(tmp_path / "run", with_controls=False)
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "run").iterdir()}
    assert "http://127.0.0.1:9/v1" in written["run.json"]
    assert not [name for name, content in written.items() if "secret" in content]


def test_a_judge_that_verified_is_told_even_where_it_cannot_be_tested(evaluate, seeds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seeds.models.entailer = OverlapEntailer()
    for name in (seeds.entailer.name, tmp_path / seeds.entailer.name):  # a folder has many names
        judge = EntailerJudge(OverlapEntailer())
        monkeypatch.setattr(judge.entailer, "name", str(name))
        scores = evaluate(tmp_path / "a", with_controls=False, judge=judge)
        assert scores["judge_quality"] == {"judge": str(name), "is_verifier": True, "n_faithful": 0}
        assert "**Warning.**" in (tmp_path / "a" / "report.md").read_text(encoding="utf-8")
    assert not evaluate(tmp_path / "a", with_controls=False)["judge_quality"]["is_verifier"]


def test_a_run_against_itself_cannot_be_told_apart_and_passes_its_gates(evaluate, few, tmp_path):
    evaluate(tmp_path / "a", with_controls=False)
    records = read_records(tmp_path / "a")
    gates = [read_gate("faithfulness>=-0.02"), read_gate("false_answer<=1%")]
    found = compare.compare(tmp_path / "a", tmp_path / "a", few, records, records, gates=gates)
    assert {row["verdict"] for row in found["metrics"].values()} == {"cannot be told"}
    assert all(row["difference"] == 0 for row in found["metrics"].values())
    assert found["agreement"] == {"same_text": 3, "shared_evidence": 1.0}
    assert found["gates"][0]["outcome"] == "inconclusive"  # in three questions a change need not have shown
    assert found["gates"][1]["outcome"] == "inconclusive"  # one question has no interval
    assert compare.outcome(found) is GateOutcome.INCONCLUSIVE


def scored(folder, values, *, judge="words", questions="1f"):
    """A run of which nothing is known but key facts; `None` is an error."""
    folder.mkdir()
    rows = [
        {"id": f"q{n}", "type": "fact", "cluster": f"c{n}", "answerable": True,
         "outcome": "error" if value is None else "answered",
         "scores": {} if value is None else {"key_facts": [value, 1, 0]}}
        for n, value in enumerate(values)
    ]  # fmt: skip
    (folder / "scores.json").write_text(json.dumps({"rows": rows, "judge": judge}))
    (folder / "run.json").write_text(json.dumps({"questions_sha256": questions}))
    return folder


def test_a_clear_change_is_told_and_gated(tmp_path):
    a, b = scored(tmp_path / "a", [1.0] * 30 + [0.0] * 2), scored(tmp_path / "b", [0.0] * 20 + [1.0] * 12)
    gate = read_gate("key_facts>=-0.05")
    row = compare.compare(a, b, [], [], [])["metrics"]["key_facts"]
    assert (row["a"], row["b"]) == (30 / 32, 12 / 32)
    assert (row["wins"], row["ties"], row["losses"]) == (2, 10, 20)
    assert row["verdict"] == "worse"
    assert compare.outcome(compare.compare(a, b, [], [], [], gates=[gate])) is GateOutcome.FAIL
    assert compare.outcome(compare.compare(b, a, [], [], [], gates=[gate])) is GateOutcome.PASS


def pooled(folder, shares):
    """A run of which nothing is known but the faithfulness of claims, (cluster, supported, claims) a question."""
    folder.mkdir()
    rows = [
        {"id": f"q{n}", "type": "fact", "cluster": cluster, "answerable": True, "outcome": "answered",
         "scores": {"faithfulness": [part, whole, 0]}}
        for n, (cluster, part, whole) in enumerate(shares)
    ]  # fmt: skip
    (folder / "scores.json").write_text(json.dumps({"rows": rows, "judge": "words"}))
    (folder / "run.json").write_text(json.dumps({"questions_sha256": "1f"}))
    return folder


def test_what_could_be_detected_is_of_the_pooled_difference_and_of_clusters(tmp_path):
    # one answer of ten claims among nineteen of one: what it does weighs a third of all
    before = [(f"c{n}", 1, 1) for n in range(19)] + [("c19", 5, 10)]
    after = [*before[:-1], ("c19", 10, 10)]
    a, b = pooled(tmp_path / "a", before), pooled(tmp_path / "b", after)
    row = compare.compare(a, b, [], [], [])["metrics"]["faithfulness"]
    assert row["difference"] == pytest.approx(5 / 29)
    # what each question of A lacks or has beyond 24 / 29 of its claims; a question has 29 / 20 claims
    ones, last = (1 - 24 / 29) / 1.45, (5 - 10 * 24 / 29) / 1.45
    deviation = ((19 * ones**2 + last**2) / 20) ** 0.5
    assert row["detectable"] == pytest.approx((1.959964 + 0.841621) * deviation / 20**0.5, abs=1e-5)
    # every question asked twice tells no more than once
    twice_a, twice_b = pooled(tmp_path / "aa", before * 2), pooled(tmp_path / "bb", after * 2)
    again = compare.compare(twice_a, twice_b, [], [], [])["metrics"]["faithfulness"]
    assert (again["n"], again["clusters"]) == (40, 20)
    assert again["detectable"] == pytest.approx(row["detectable"])


def test_runs_over_other_questions_and_unknown_metrics_are_refused(tmp_path):
    a, b = scored(tmp_path / "a", [1.0]), scored(tmp_path / "b", [1.0, 1.0])
    with pytest.raises(EvalError, match="other questions"):
        compare.compare(a, b, [], [], [])
    with pytest.raises(EvalError, match="no metric is called 'nonsense'"):
        compare.compare(a, a, [], [], [], gates=[read_gate("nonsense>=0")])
    with pytest.raises(EvalError, match="has no scores"):
        compare.compare(a, tmp_path / "none", [], [], [])


def test_a_gate_that_would_pass_the_worst_is_refused(tmp_path):
    a = scored(tmp_path / "a", [1.0, 0.0])
    for spec, right in (("false_answer>=-0.02", "false_answer<="), ("key_facts<=0.02", "key_facts>=")):
        with pytest.raises(EvalError, match=f"upside down.*{right}"):
            compare.compare(a, a, [], [], [], gates=[read_gate(spec)])


def test_errors_improve_nothing_and_pass_no_gate(tmp_path):
    values = [1.0, 0.0] * 40
    a, b = scored(tmp_path / "a", values), scored(tmp_path / "b", [None, *values[1:]])
    gates = [read_gate("key_facts>=-0.05")]
    assert compare.outcome(compare.compare(b, a, [], [], [], gates=gates)) is GateOutcome.PASS
    found = compare.compare(a, b, [], [], [], gates=gates)
    assert compare.outcome(found) is GateOutcome.INCONCLUSIVE
    assert (found["errors"], found["gates"][0]["errors"]) == ({"a": 0, "b": 1}, 1)


def test_other_judges_and_changed_questions_compare_in_nothing(tmp_path):
    a = scored(tmp_path / "a", [1.0])
    with pytest.raises(EvalError, match="score one of them again"):
        compare.compare(a, scored(tmp_path / "b", [1.0], judge="nli"), [], [], [])
    with pytest.raises(EvalError, match="other questions"):
        compare.compare(a, scored(tmp_path / "c", [1.0], questions="2e"), [], [], [])


@pytest.mark.parametrize("content", ['{"collection": "med", "metrics": {}}', '{"rows": null}', '{"rows": [1]}', "[]"])
def test_a_folder_that_holds_other_scores_is_no_run(tmp_path, content):
    (tmp_path / "scores.json").write_text(content)
    with pytest.raises(EvalError, match="no run of questions"):
        compare.read_scores(tmp_path)


@pytest.fixture
def run(seed_folder, capsys, tmp_path):
    folder = tmp_path / "library"
    shutil.copytree(seed_folder, folder)

    def run(*arguments):
        capsys.readouterr()
        code = main(["--library", str(folder), "eval", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_a_bad_file_of_questions_is_refused_with_every_fault(run, tmp_path):
    path = tmp_path / "mine.jsonl"
    rows = [json.loads(line) for line in QUESTIONS.read_text().splitlines()[:2]]
    rows[0]["gold_sentences"][0]["text"] = "Nobody wrote this."
    del rows[1]["key_facts"]
    path.write_text("\n".join(map(json.dumps, rows)) + "\nno json\n")
    code, out, _ = run("questions", "check", path)
    assert code == 1
    assert "line 1" in out
    assert "not verbatim" in out
    assert "no key 'key_facts'" in out
    assert "line 3: not JSON" in out
    assert run("questions", "check", QUESTIONS)[0] == 0
    assert run("questions", "check", CLAIMS)[0] == 0


def test_questions_of_the_type_claim_are_no_claims(run, tmp_path):
    row = json.loads(QUESTIONS.read_text().partition("\n")[0]) | {"type": "claim"}
    path = tmp_path / "mine.jsonl"
    path.write_text(f"\n{json.dumps(row)}\n")
    assert run("questions", "check", path) == (0, "", f"{path}: no fault\n")
    path.write_text(f"\n{CLAIMS.read_text()}")
    assert run("questions", "check", path)[0] == 0


def test_runs_are_compared_by_the_questions_that_they_were_asked(run, few, tmp_path):
    a = scored(tmp_path / "a", [1.0, 0.0], questions=hash_of(few[:2]))
    scores = json.loads((a / "scores.json").read_text())
    for row, question in zip(scores["rows"], few[:2], strict=True):
        row["id"] = question.id
    (a / "scores.json").write_text(json.dumps(scores))
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(json.dumps(question.to_dict()) for question in few[::-1]))
    code, out, _ = run("compare", a, a, "--questions", path)
    assert code == 0
    assert "all alike" in out, "an interval without width looks like certainty"
    path.write_text("\n".join(json.dumps(replace(question, key_facts=("else",)).to_dict()) for question in few[:2]))
    code, _, err = run("compare", a, a, "--questions", path)
    assert code == 1
    assert "are no longer those of" in err


def test_claims_about_papers_that_are_not_there_are_named_before_any_is_judged(run, tmp_path):
    rows = [{"claim": "a", "source": source, "label": "supported"} for source in ("x.txt#1", "y.txt#1")]
    (tmp_path / "claims.jsonl").write_text("\n".join(map(json.dumps, rows)))
    code, _, err = run("claims", tmp_path / "claims.jsonl", "--out", tmp_path / "judged.jsonl")
    assert code == 1
    assert all(part in err for part in ("2 claims about papers", "claim 1: ", "x.txt#1", "claim 2: ", "y.txt#1"))
    assert not (tmp_path / "judged.jsonl").exists()


def test_questions_are_made_and_pass_the_check(run, tmp_path):
    code, out, err = run("questions", "make", "--most", 9)
    assert code == 0
    assert err.strip() == "9 questions"
    path = tmp_path / "made.jsonl"
    path.write_text(out, encoding="utf-8")
    assert run("questions", "check", path)[0] == 0


def test_claims_are_judged_and_tabled(run, tmp_path):
    path = tmp_path / "claims.jsonl"
    rows = [
        {"claim": "Whales sing under water.", "evidence": "Whales sing under water.", "label": "supported"},
        {
            "claim": "Whales weigh 7 tons.",
            "evidence": "Whales weigh 9 tons.",
            "label": "contradicted",
            "type": "number",
        },
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    code, out, _ = run("claims", path, "--json", "--out", tmp_path / "judged.jsonl")
    assert code == 0
    assert json.loads(out)["auc"]["auc"] == 1
    assert len((tmp_path / "judged.jsonl").read_text().splitlines()) == 2
    code, out, err = run("claims", path, "--out", tmp_path / "nowhere" / "judged.jsonl")
    assert (code, out) == (1, "")
    assert "nowhere/judged.jsonl" in err
    code, out, err = run("claims", CLAIMS.with_name("absent.jsonl"))
    assert code == 2
    assert "does not exist" in err
