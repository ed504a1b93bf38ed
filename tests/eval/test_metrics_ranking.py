"""The quality of a judge: by hand, against naive versions, and against scikit-learn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from eval.metrics.ranking import balanced_accuracy, f1_by_label, macro_f1, roc_auc

SCORED = st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=12)
LABELLED = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc") | st.none()), max_size=12)


def columns(pairs):
    return [first for first, _ in pairs], [second for _, second in pairs]


def test_by_hand():
    # pairs (positive, negative): .9 > .5, .9 > .1, .5 = .5, .5 > .1
    assert roc_auc([True, True, False, False], [0.9, 0.5, 0.5, 0.1]) == 3.5 / 4
    gold, predicted = ["a", "a", "a", "b"], ["a", "a", "b", "b"]
    assert balanced_accuracy(gold, predicted) == pytest.approx((2 / 3 + 1) / 2)
    assert f1_by_label(gold, predicted) == {"a": pytest.approx(4 / 5), "b": pytest.approx(2 / 3)}
    assert macro_f1(gold, predicted) == pytest.approx((4 / 5 + 2 / 3) / 2)


def test_a_judge_that_says_the_same_of_everything_is_a_coin():
    assert roc_auc([True, False, False], [0.7, 0.7, 0.7]) == 0.5
    assert balanced_accuracy("aab", "aaa") == 0.5


def test_without_both_sides_there_is_no_value():
    assert roc_auc([True, True], [0.1, 0.2]) is None
    assert roc_auc([], []) is balanced_accuracy([], []) is macro_f1([], []) is None


def test_unscored_items_are_left_out():
    assert roc_auc([True, False, True], [0.9, 0.1, None]) == 1.0
    gold, predicted = ["a", "a", "b", "b"], ["a", None, "b", None]
    assert balanced_accuracy(gold, predicted) == 1.0
    assert balanced_accuracy(gold, [None] * 4) is None


@given(SCORED)
def test_scores_against_a_naive_version_and_scikit_learn(pairs):
    positive, scores = columns(pairs)
    above = [score for good, score in pairs if good]
    below = [score for good, score in pairs if not good]
    if above and below:
        wins = [1.0 if x > y else 0.5 if x == y else 0.0 for x in above for y in below]
        assert roc_auc(positive, scores) == pytest.approx(sum(wins) / len(wins))
        assert roc_auc(positive, scores) == pytest.approx(roc_auc_score(positive, scores))
    else:
        assert roc_auc(positive, scores) is None


@given(LABELLED)
def test_labels_against_a_naive_version_and_scikit_learn(pairs):
    gold, predicted = columns(pairs)
    judged = [(right, guess) for right, guess in pairs if guess is not None]
    right, guessed = columns(judged)
    recalls = []
    for label in set(right):
        answers = [guess for truth, guess in judged if truth == label]
        recalls.append(answers.count(label) / len(answers))
    assert balanced_accuracy(gold, predicted) == (pytest.approx(sum(recalls) / len(recalls)) if recalls else None)
    for label, score in f1_by_label(gold, predicted).items():
        hits = judged.count((label, label))
        precision = hits / guessed.count(label) if label in guessed else 0.0
        recall = hits / right.count(label) if label in right else 0.0
        assert score == pytest.approx(2 * precision * recall / (precision + recall) if hits else 0.0)
    if judged:
        assert macro_f1(gold, predicted) == pytest.approx(f1_score(right, guessed, average="macro", zero_division=0))
    if len(set(right)) > 1 and set(guessed) <= set(right):  # else it warns
        assert balanced_accuracy(gold, predicted) == pytest.approx(balanced_accuracy_score(right, guessed))
