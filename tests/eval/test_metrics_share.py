"""Shares: nothing is divided by nothing, and what could not be judged is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval import metrics
from eval.metrics.share import Share, counted, harmonic, pooled

OUTCOMES = st.lists(st.none() | st.booleans() | st.sampled_from([0.25, 0.5]))


def test_the_groups_are_there_from_the_start():
    assert all(hasattr(metrics, name) for name in metrics.__all__)


def test_by_hand():
    share = counted([True, False, None, 0.5])
    assert share == Share(1.5, 3, 1)
    assert (share.value, share.lowest, share.highest) == (0.5, 1.5 / 4, 2.5 / 4)
    assert pooled([share, Share(1, 1)]) == Share(2.5, 4, 1)
    assert harmonic(0.5, 1.0) == pytest.approx(2 / 3)


def test_nothing_has_no_value():
    assert (Share().value, Share().lowest, Share().highest) == (None, None, None)
    assert pooled([]).value is None
    assert harmonic(None, 1.0) is harmonic(1.0, None) is None
    assert harmonic(0.0, 0.0) == 0.0


@given(st.lists(OUTCOMES, max_size=4))
def test_pooling_is_counting_all_at_once(groups):
    together = counted(outcome for group in groups for outcome in group)
    assert pooled(map(counted, groups)) == together
    if together.whole + together.unscored:
        middle = together.value if together.whole else 0.5
        assert 0 <= together.lowest <= middle <= together.highest <= 1
