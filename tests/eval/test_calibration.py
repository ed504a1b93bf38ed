"""Calibration: signs that tell get weight, and a few dev rows go through the whole of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from eval.dataset import read_claims, read_questions
from eval.harness import DATA
from eval.train import calibration
from eval.train.calibration import BESIDE, Asked, Claimed, calibrate, confidence_weights, entailer_weights
from rag.confidence import Signals
from rag.models import weights

QUESTIONS = read_questions(DATA / "questions-dev.jsonl")


def asked(reader=lambda answerable: 0.0):
    """The dev questions with signs of which only `match` tells, and the reader if it knows."""
    chance = np.random.default_rng(5)
    return [
        Asked(q, Signals(chance.random(), q.answerable + chance.normal(), chance.random(), reader(q.answerable), 0.0))
        for q in QUESTIONS
    ]


def test_the_sign_that_tells_gets_the_weight():
    found = confidence_weights(asked())["without"]
    assert found["match"] > 0.5
    assert abs(found["words"]) < 0.5 > abs(found["least_found"])
    assert 0.65 < found["cross_validated"]["auc"] < 0.9


def test_as_many_of_the_answerable_as_are_meant_to_be_are_above_the_threshold():
    rows = asked()
    found = confidence_weights(rows)["without"]
    log_odds = [
        found["bias"] + sum(found[name] * getattr(row.signals, name) for name in ("words", "match", "least_found"))
        for row in rows
        if row.question.answerable
    ]
    assert np.mean([odds >= 0 for odds in log_odds]) == pytest.approx(calibration.ANSWERED, abs=0.02)


def test_questions_without_a_sign_of_the_reader_are_left_out_where_it_counts():
    rows = asked(lambda answerable: 1.0 if answerable else -1.0)
    rows = [Asked(row.question, replace(row.signals, entailed=row.signals.reader)) for row in rows]
    rows[10:20] = [Asked(row.question, replace(row.signals, entailed=None)) for row in rows[10:20]]
    rows[:10] = [Asked(q, Signals(0.5, 0.5, 0.5, None)) for q in QUESTIONS[:10]]
    found = confidence_weights(rows)
    assert found["with_reader"]["questions"] + 10 == found["without"]["questions"] == len(rows)
    assert found["with_reader"]["reader"] > 1
    assert found["with_both"]["questions"] + 20 == len(rows)
    assert found["with_both"]["entailed"] > 0.5


def test_an_objection_costs_what_it_is_worth():
    chance = np.random.default_rng(5)
    rows = []
    for number in range(300):
        good = number % 2 == 0
        objects = float(not good and chance.random() < 0.5)
        rows.append(Claimed("" if good else "number", str(number % 20), good, (chance.normal(), 0.0, objects)))
    rows += [Claimed(BESIDE, str(n % 20), False, (chance.normal() - 3, 0.0, 0.0)) for n in range(100)]
    found = entailer_weights(rows)
    assert found["objection"] > 1
    assert found["support"] > 0, "text about something else is told apart by the model's support alone"
    assert found["cross_validated"]["number"] > 0.65


def test_a_few_rows_go_through_all_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "TRAINED", tmp_path)
    claims = read_claims(DATA / "claims-dev.jsonl")
    fitted = calibrate(QUESTIONS[::9], claims[::9], install=True)
    assert json.loads((tmp_path / "calibration.json").read_text()) == fitted
    assert fitted["entailer"]["claims"] > len(claims[::9])
    assert fitted["confidence"]["with_reader"]["match"] > 0
    assert fitted["confidence"]["with_both"]["entailed"] > 0


def test_what_ships_was_made_by_it():
    shipped = weights.card_of("calibration")
    assert shipped["confidence"]["without"]["questions"] == len(QUESTIONS)
    assert shipped["entailer"]["cross_validated"]["auc"] > 0.75
