"""Intervals, tests and the gate: by hand, by naive versions, against scipy, and by simulation."""

import math
from fractions import Fraction
from itertools import compress, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from eval.statistics import (
    Gate,
    GateOutcome,
    Interval,
    bootstrap,
    clusters_of,
    detectable_mean,
    detectable_rate,
    gate,
    holm,
    mcnemar,
    mean_interval,
    ratio_interval,
    read_gate,
    swap_sides,
)
from rag.errors import EvalError

VALUES = st.lists(st.integers(-3, 3) | st.none(), max_size=10)


def mean(values):
    return sum(values) / len(values) if values else None


# Intervals


def test_95_percent_runs_from_the_2_5th_to_the_97_5th_percentile():
    """llm-comparator prints the 5th and the 95th as a 95 % interval."""
    drawn = []

    def remembered(rows):
        drawn.append(mean(rows))
        return drawn[-1]

    found = bootstrap(list(range(30)), remembered, resamples=1000)
    ordered = sorted(drawn[1:])
    # rank (n - 1) q from 0, between neighbours
    for end, q in ((found.low, 0.025), (found.high, 0.975)):
        rank = (len(ordered) - 1) * q
        below, above = ordered[math.floor(rank)], ordered[math.ceil(rank)]
        assert end == pytest.approx(below + (rank - math.floor(rank)) * (above - below))
    assert found.low < found.value < found.high
    assert (found.value, found.n, found.clusters) == (14.5, 30, 30)


def test_intervals_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(7)
    held = 0
    for _ in range(300):
        found = mean_interval(random.normal(0.6, 1, 50).tolist(), resamples=600)
        held += found.low <= 0.6 <= found.high
    assert 0.91 <= held / 300 <= 0.98  # a 90 % interval would hold it in .87 to .91


def test_clustered_intervals_hold_the_truth_where_others_are_too_narrow():
    random = np.random.default_rng(11)
    held = {"clustered": 0, "plain": 0}
    for _ in range(150):
        values = np.repeat(random.normal(0, 1, 40), 5) + random.normal(0, 0.3, 200)
        keys = np.repeat(np.arange(40), 5).tolist()
        for name, clusters in (("clustered", keys), ("plain", None)):
            found = mean_interval(values.tolist(), clusters=clusters, resamples=400)
            held[name] += found.low <= 0 <= found.high
    assert held["clustered"] / 150 >= 0.89
    assert held["plain"] / 150 <= 0.75


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from("abcd")), max_size=10))
def test_pooled_shares_against_the_general_bootstrap(rows):
    parts, wholes, keys = zip(*rows, strict=True) if rows else ((), (), ())
    kept = [row for row in rows if row[1]]
    found = ratio_interval(parts, wholes, clusters=keys, resamples=50)
    same = bootstrap(
        kept,
        lambda drawn: sum(row[0] for row in drawn) / sum(row[1] for row in drawn) if drawn else None,
        clusters=[row[2] for row in kept],
        resamples=50,
    )
    if len({row[2] for row in kept}) < 2:
        assert found is same is None
    else:
        assert (found.value, found.low, found.high) == pytest.approx((same.value, same.low, same.high))
        assert (found.n, found.clusters) == (same.n, same.clusters) == (len(kept), len({row[2] for row in kept}))


@given(VALUES)
def test_means_leave_out_what_has_no_value(values):
    kept = [value for value in values if value is not None]
    assert mean_interval(values, resamples=50) == mean_interval(kept, resamples=50)


def test_the_same_seed_gives_the_same_interval():
    values = [0.0, 1.0, 1.0, 0.0, 1.0, 0.5]
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval(values, seed=1, resamples=50) != mean_interval(values, seed=2, resamples=50)


def test_what_has_no_interval():
    assert mean_interval([]) is mean_interval([None]) is None
    assert mean_interval([0.0, 1.0], clusters=["a", "a"]) is None  # one abstract says nothing of the next
    assert bootstrap([1, 2], lambda rows: None) is bootstrap([], mean) is None
    with pytest.raises(ValueError, match="clusters"):
        bootstrap([1, 2, 3], mean, clusters=["a"])


def test_draws_without_a_value_are_left_out():
    found = bootstrap([0, 1], lambda rows: None if len(set(rows)) < 2 else 1.0, resamples=100)
    assert (found.low, found.high) == (1.0, 1.0)


def test_clusters_are_first_sources():
    assert clusters_of([["a", "b"], ["a"], [], ["b"], []]) == ["a", "a", "alone-2", "b", "alone-4"]


# Tests


def means(before, after):
    """Rows of one item each."""
    return [(x, 1, y, 1) for x, y in zip(before, after, strict=True)]


def test_swapping_sides_by_hand():
    # differences 1, 1, 2: of 8 swaps two, all one way and all the other, are as far from 0
    assert swap_sides(means([0, 0, 0], [1, 1, 2])) == 2 / 8
    # in two clusters there are 4 swaps of 2 and 2
    assert swap_sides(means([0, 0, 0], [1, 1, 2]), clusters=["a", "a", "b"]) == 2 / 4
    assert swap_sides(means([0, 1], [0, 1])) == 1.0
    assert swap_sides([(1, 2, 1, 2)] * 3) == 1.0
    assert swap_sides([]) is None


ROW = st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3))


@given(st.lists(st.tuples(ROW, st.sampled_from("abcde")), min_size=1, max_size=9))
def test_swapping_sides_against_a_naive_version(rows):
    def distance(swapped):
        turned = [(c, d, a, b) if key in swapped else (a, b, c, d) for (a, b, c, d), key in rows]
        a, b, c, d = map(sum, zip(*turned, strict=True))
        return abs(Fraction(c, d) - Fraction(a, b))

    names = sorted({key for _, key in rows})
    far = [distance(set(compress(names, lot))) >= distance(set()) for lot in product((0, 1), repeat=len(names))]
    assert swap_sides([row for row, _ in rows], clusters=[key for _, key in rows]) == pytest.approx(mean(far))


def test_swapping_sides_against_scipy():
    random = np.random.default_rng(3)
    before, after = random.normal(0, 1, 10), random.normal(0.5, 1, 10)
    theirs = stats.permutation_test(
        (before, after), lambda x, y: np.mean(y - x), permutation_type="samples", n_resamples=np.inf
    )
    assert swap_sides(means(before.tolist(), after.tolist())) == pytest.approx(theirs.pvalue)


def test_swapping_sides_tests_the_pooled_difference():
    # one claim fewer in each of ten answers, eighteen more in the eleventh: pooled better, by question worse
    rows = [(1, 1, 0, 1)] * 10 + [(2, 20, 20, 20)]
    assert swap_sides(rows) > 0.05
    assert swap_sides(means([a / b for a, b, _, _ in rows], [c / d for _, _, c, d in rows])) < 0.05


def test_random_swaps_come_near_the_exact_p_and_keep_to_the_seed():
    random = np.random.default_rng(5)
    before, after = random.normal(0, 1, 40).tolist(), random.normal(0.4, 1, 40).tolist()
    found = swap_sides(means(before, after))
    assert found == swap_sides(means(before, after)) != swap_sides(means(before, after), seed=1)
    assert found == pytest.approx(stats.ttest_rel(after, before).pvalue, abs=0.02)
    assert swap_sides([(0, 1, 1, 1)] * 40, swaps=99) == 1 / 100  # never 0


def test_rounding_does_not_part_equal_swaps():
    assert swap_sides(means([0, 0, 0], [0.1, 0.2, -0.3])) == 1.0
    assert swap_sides(means([0.0] * 4, [0.1, 0.1, 0.1, 0.7])) == 2 / 16
    # 20 / 32 where sums are compared as they are
    assert swap_sides(means([0.0] * 5, [-0.6, 0.8, 0.1, 0.8, -0.3])) == 22 / 32


def test_mcnemar_by_hand():
    # 4 gained, 1 lost: 2 (C(5,0) + C(5,1)) / 32
    before = [False] * 4 + [True] + [True] * 5
    after = [True] * 4 + [False] + [True] * 5
    assert mcnemar(before, after) == 12 / 32
    assert mcnemar([True], [True]) == 1.0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_mcnemar_against_scipy(pairs):
    found = mcnemar([old for old, _ in pairs], [new for _, new in pairs])
    changed = [new for old, new in pairs if old != new]
    assert found == pytest.approx(stats.binomtest(sum(changed), len(changed)).pvalue if changed else 1.0)


def test_holm_by_hand():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": None}) == {
        "a": pytest.approx(0.03),
        "b": pytest.approx(0.06),
        "c": pytest.approx(0.06),
        "d": None,
    }
    assert holm({}) == {}


@given(st.dictionaries(st.text(max_size=3), st.sampled_from([0.0, 0.01, 0.02, 0.3, 0.5, 1.0])))
def test_holm_against_a_naive_version(p_values):
    adjusted = holm(p_values)
    for name, p in p_values.items():
        steps = [sum(other >= step for other in p_values.values()) * step for step in p_values.values() if step <= p]
        assert adjusted[name] == pytest.approx(min(1.0, max(steps)))
        assert p <= adjusted[name] <= min(1.0, p * len(p_values)) + 1e-12


# What can be detected


def test_60_questions_show_16_points_and_630_show_5():
    assert detectable_rate(60) == pytest.approx(0.16, abs=0.005)
    assert detectable_rate(630) == pytest.approx(0.05, abs=0.0005)


@given(st.integers(40, 5000), st.floats(0.05, 1))
def test_detectable_rate_against_a_naive_version(n, discordant):
    """Bisection on the formula as it is printed."""

    def needed(d):
        return (1.959964 * math.sqrt(discordant) + 0.841621 * math.sqrt(discordant - d * d)) ** 2 / d**2

    low, high = 1e-6, min(discordant, math.sqrt(discordant))
    found = detectable_rate(n, discordant=discordant)
    if needed(high) > n:
        assert found is None
        return
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if needed(middle) > n else (low, middle)
    assert found == pytest.approx(low, abs=1e-5)


def test_a_detectable_difference_is_detected_in_4_runs_of_5():
    random = np.random.default_rng(2)
    n, shown = 630, 0
    gain = detectable_rate(n)
    for _ in range(300):
        lot = random.random(n)
        gained, lost = (0.2 + gain) / 2, (0.2 - gain) / 2
        before = (lot > gained).tolist()
        after = ((lot <= gained) | (lot > gained + lost)).tolist()
        shown += mcnemar(before, after) < 0.05
    assert 0.72 <= shown / 300 <= 0.86


def test_detectable_means():
    assert detectable_mean(100, 0.5) == pytest.approx((1.959964 + 0.841621) * 0.5 / 10, abs=1e-6)
    assert detectable_mean(0, 0.5) is detectable_rate(0) is None
    assert detectable_rate(10) is None  # all discordant questions going one way would not show


# The gate


def interval(low, high):
    return Interval((low + high) / 2, low, high, 60, 30)


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (-0.01, 0.03, GateOutcome.PASS),
        (-0.02, 0.03, GateOutcome.PASS),  # the margin itself will do
        (-0.09, -0.03, GateOutcome.FAIL),
        (-0.09, -0.02, GateOutcome.INCONCLUSIVE),
        (-0.03, 0.05, GateOutcome.INCONCLUSIVE),
    ],
)
def test_three_exits(low, high, outcome):
    assert gate(interval(low, high), -0.02) is outcome
    assert gate(interval(-high, -low), 0.02, lower_is_better=True) is outcome
    assert read_gate("faithfulness>=-0.02").outcome(interval(low, high)) is outcome


def test_nothing_to_compare_is_inconclusive():
    assert gate(None, -0.02) is GateOutcome.INCONCLUSIVE


def test_only_a_pass_exits_with_0():
    """Ragas prints "fail" and exits with 0."""
    assert GateOutcome.PASS.exit_code == 0
    assert len({outcome.exit_code for outcome in GateOutcome} - {0, 1, 2}) == 2


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("faithfulness>=-0.02", Gate("faithfulness", -0.02)),
        (" nDCG@10 >= -.01 ", Gate("nDCG@10", -0.01)),
        ("false_answer_rate<=1%", Gate("false_answer_rate", 0.01, lower_is_better=True)),
        ("citations/recall>=+5", Gate("citations/recall", 5.0)),
    ],
)
def test_gates_are_read(spec, expected):
    assert read_gate(spec) == expected
    assert read_gate(str(expected)) == expected


@pytest.mark.parametrize("spec", ["", "faithfulness", ">=0", "faithfulness>-0.02", "a>=b", "a>=1e", "a>=0.1 b>=0.2"])
def test_other_gates_are_refused(spec):
    with pytest.raises(EvalError, match="as in: faithfulness"):
        read_gate(spec)


def test_what_never_changed_is_not_proven_never_to():
    assert gate(Interval(0.0, 0.0, 0.0, 2, 2), -0.01) is GateOutcome.INCONCLUSIVE
    assert gate(Interval(0.0, 0.0, 0.0, 400, 400), -0.01) is GateOutcome.PASS
    assert gate(Interval(0.0, 0.0, 0.0, 20, 20), 0.1, lower_is_better=True) is GateOutcome.INCONCLUSIVE


def test_one_that_got_better_proves_no_more_than_none():
    gained = bootstrap([0.0] * 29 + [1.0], mean)
    assert gained.low == 0 < gained.high
    assert gate(gained, -0.02) is GateOutcome.INCONCLUSIVE
    assert gate(Interval(-gained.value, -gained.high, 0.0, 30, 30), 0.02, lower_is_better=True) is (
        GateOutcome.INCONCLUSIVE
    )
    assert gate(gained, -0.1) is GateOutcome.PASS
    assert gate(Interval(0.5, 0.3, 0.7, 30, 30), 0.2) is GateOutcome.PASS


@settings(max_examples=50)
@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_pass_and_fail_exclude_each_other(one, other, margin):
    low, high = sorted((one, other))
    assume(low < min(high, 0))
    outcome = gate(interval(low, high), margin)
    assert (outcome is GateOutcome.PASS) == (low >= margin)
    assert (outcome is GateOutcome.FAIL) == (high < margin)
