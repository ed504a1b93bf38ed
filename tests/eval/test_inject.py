import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.inject import ErrorType, inject, inject_all
from rag.types import Verdict

DONORS = ["ModelX outperforms GPT-9 on CorpusY, reducing the cost of training by half.", "It uses WaveNet."]
CASES = {
    ErrorType.NUMBER: ("It scores 40.5% on 3 tasks.", lambda new: "40.5%" not in new or " 3 " not in new),
    ErrorType.ENTITY: ("We train BERT on text.", lambda new: "BERT" not in new),
    ErrorType.NEGATION: ("The method improves recall.", lambda new: new == "The method does not improve recall."),
    ErrorType.DIRECTION: ("Recall is higher.", lambda new: new == "Recall is lower."),
    ErrorType.SCOPE: ("It often helps.", lambda new: "always" in new or len(new) > len("It often helps.")),
    ErrorType.RELATION: ("Mamba outperforms Pythia.", lambda new: new == "Pythia outperforms Mamba."),
    ErrorType.ADDITION: ("We train a model.", lambda new: new.startswith("We train a model, reducing the cost of")),
    ErrorType.NEIGHBOUR: ("We train a model.", lambda new: new in DONORS),
}  # fmt: skip


@pytest.mark.parametrize("error", list(ErrorType))
def test_each_error_is_put_in(error):
    sentence, holds = CASES[error]
    found = inject(sentence, error, seed=1, donors=DONORS)
    assert found is not None
    assert found.error is error
    assert holds(found.text), found.text


def test_an_error_that_does_not_fit_is_none():
    assert inject("nothing here", ErrorType.NUMBER, seed=1) is None
    assert inject("nothing here", ErrorType.ENTITY, seed=1, donors=DONORS) is None
    assert inject("We train BERT.", ErrorType.ENTITY, seed=1) is None


def test_a_not_is_taken_out_as_well():
    assert inject("It cannot be trained.", ErrorType.NEGATION, seed=1).text == "It can be trained."


def test_what_the_evidence_says_of_an_error():
    assert ErrorType.NUMBER.verdict is Verdict.CONTRADICTED
    assert ErrorType.ADDITION.verdict is Verdict.NOT_ENOUGH_INFO


@given(st.text(max_size=200), st.integers())
def test_any_text_and_the_same_seed_give_the_same(text, seed):
    found = inject_all(text, seed=seed, donors=DONORS)
    assert found == inject_all(text, seed=seed, donors=DONORS)
    assert all(injected.text != text for injected in found)
