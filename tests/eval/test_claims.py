import json

import pytest

from eval import claims
from eval.claims import Judged, LabelledClaim
from eval.dataset import ClaimRow
from rag.errors import EvalError
from rag.types import Verdict

YES, NO, NEI = Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.NOT_ENOUGH_INFO


def write(path, *rows):
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_claims_of_many_spellings_are_read(tmp_path):
    rows = claims.read_labelled(
        write(
            tmp_path / "c.jsonl",
            {"claim": "a b", "evidence": ["x.", "y."], "label": "SUPPORTS"},
            {"hypothesis": "a", "premise": "x", "label": "refuted", "id": 7},
            {"claim": "a", "source": "f.txt#1", "label": "NOT ENOUGH INFO", "type": "number"},
        )
    )
    assert [row.label for row in rows] == [YES, NO, NEI]
    assert rows[0].evidence == "x. y."
    assert rows[1].id == "7"
    assert (rows[2].source, rows[2].evidence) == ("f.txt#1", None)


def test_every_bad_line_is_named(tmp_path):
    path = write(
        tmp_path / "c.jsonl", {"evidence": "x", "label": "supported"}, {"claim": "a", "label": "x", "source": "s"}, []
    )
    with pytest.raises(EvalError, match=r"3 unusable lines: line 1: no `claim`; line 2: label 'x'.*line 3"):
        claims.read_labelled(path)
    with pytest.raises(EvalError, match="holds no claim"):
        claims.read_labelled(write(tmp_path / "empty.jsonl"))


def test_a_claim_that_cannot_be_judged_is_named_with_its_line(tmp_path):
    claim = {"claim": "a", "label": "supported"}
    path = write(
        tmp_path / "c.jsonl",
        {**claim, "evidence": 7},
        {**claim, "source": 7},
        {**claim, "source": " "},
        {**claim, "evidence": "half \ud800"},
        {**claim, "evidence": "x", "claim": "long " * 401},
    )
    with pytest.raises(
        EvalError,
        match=r"5 unusable lines.*line 4: `evidence`.*line 5: the claim has 2,004 characters, more than 2,000",
    ):
        claims.read_labelled(path)


def test_a_claim_is_not_counted_twice(tmp_path):
    claim = {"claim": "a", "evidence": "x", "label": "supported"}
    path = write(tmp_path / "c.jsonl", {**claim, "id": "one"}, claim, {**claim, "id": "one"})
    with pytest.raises(EvalError, match=r"1 unusable lines: line 3: the id 'one' is that of line 1"):
        claims.read_labelled(path)


def test_line_ends_of_unicode_within_a_claim_end_no_line(tmp_path):
    row = {"claim": "a\u2028b", "evidence": "x\x85y", "label": "supported"}
    (tmp_path / "c.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    assert [row.claim for row in claims.read_labelled(tmp_path / "c.jsonl")] == ["a b"]


def judged(label, support, kind=""):
    verdict = Verdict.UNCHECKED if support is None else YES if support >= 0.5 else NEI
    return Judged(LabelledClaim("", "c", label, "e", type=kind), verdict, support)


def test_tables_against_a_hand_worked_example():
    found = claims.tables(
        [
            judged(YES, 0.9, "easy"),
            judged(YES, 0.4, "easy"),
            judged(NO, 0.6, "number"),
            judged(NEI, 0.1, "scope"),
            judged(NEI, None, "scope"),
        ]
    )
    assert found["claims"] == 5
    assert found["unscored"] == 1
    assert found["auc"]["auc"] == pytest.approx(3 / 4)  # .9 > .6, .9 > .1, .4 < .6, .4 > .1
    assert found["auc_contradicted"]["auc"] == pytest.approx(1 / 2)
    assert found["recognized"] == 1 / 2
    assert found["wrongly_supported"] == 1 / 2
    assert found["by_type"]["number"]["wrongly_supported"] == 1
    assert found["by_type"]["easy"] == {"recognized": 1 / 2, "n": 2}


def row(claim, *gold):
    return ClaimRow("i", "easy", claim, "a#1", YES, gold, "")


TEXTS = {
    "a#1": ["Mamba achieves 40% on LAMA.", "It is fast."],
    "b#1": ["WhaleNet sings, reducing the noise of ships greatly."],
}


def test_a_perfect_judge_passes_the_self_test_and_a_blind_one_does_not():
    rows = [row("Mamba achieves 40% on LAMA.", TEXTS["a#1"][0]), row("On LAMA, Mamba achieves 40%.", TEXTS["a#1"][0])]
    faithful = {r.claim for r in rows}
    found = claims.self_test(
        rows,
        TEXTS,
        {"perfect": lambda c, e: float(c in faithful), "blind": lambda c, e: 0.5, "silent": lambda c, e: None},
    )
    assert found["perfect"]["number"]["auc"] == found["perfect"]["all"]["auc"] == 1
    assert {"number", "entity", "negation", "scope", "neighbour"} <= set(found["perfect"])
    assert found["blind"]["all"]["auc"] == 0.5
    assert found["silent"]["all"] is None


def test_no_sentence_of_the_same_paper_is_an_error():
    rows = [row("On LAMA, Mamba achieves 40%.", TEXTS["a#1"][0])]
    asked = []
    claims.self_test(rows, {"a#1": TEXTS["a#1"]}, {"one": lambda c, e: asked.append(c)})
    assert not set(asked) & set(TEXTS["a#1"])


def test_what_is_left_out_is_told_from_what_is_conveyed():
    rows = [row("Mamba achieves 40% on LAMA.", TEXTS["a#1"][0])] * 2
    right = claims.coverage_test(rows, TEXTS, lambda answer, evidence: [float(s not in answer) for s in evidence])
    assert right["auc"] == 1
    assert claims.coverage_test([], TEXTS, lambda answer, evidence: []) is None


def test_progress_is_told_for_every_claim_and_what_it_raises_ends_the_test():
    rows = [row("Mamba achieves 40% on LAMA.", TEXTS["a#1"][0])] * 2
    judged, told = [], []

    def stops(done, total):
        told.append((done, total))
        if done == 3:
            raise KeyboardInterrupt

    detectors = {"one": lambda c, e: judged.append(c), "other": lambda c, e: judged.append(c)}
    with pytest.raises(KeyboardInterrupt):
        claims.self_test(rows, TEXTS, detectors, on_done=stops)
    assert len(judged) == 3
    assert [done for done, _ in told] == [0, 1, 2, 3]
    told.clear(), judged.clear()
    claims.self_test(rows, TEXTS, detectors, on_done=lambda *now: told.append(now))
    assert told == [(done, len(judged)) for done in range(len(judged) + 1)]
    told.clear()
    claims.coverage_test(rows, TEXTS, lambda a, e: [0.0] * len(e), on_done=lambda *now: told.append(now))
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_a_type_of_both_labels_keeps_both():
    found = claims.tables([judged(YES, 0.9, "cnn"), judged(NEI, 0.6, "cnn")])["by_type"]["cnn"]
    assert (found["recognized"], found["wrongly_supported"], found["n"]) == (1.0, 1.0, 2)
