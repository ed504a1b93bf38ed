"""Values survive JSON, whatever is in them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from rag.types import Abstention, Answer, Chunk, Citation, Claim, Hit, Verdict

TEXT = st.text(max_size=20)
SMALL = st.integers(0, 999)
SHARE = st.floats(0, 1)
CITATIONS = st.builds(Citation, SMALL, TEXT, SMALL, SMALL, TEXT, TEXT, TEXT)
CLAIMS = st.builds(
    Claim, TEXT, SMALL, SMALL, st.lists(CITATIONS, max_size=2).map(tuple), st.sampled_from(Verdict), st.none() | SHARE,
    TEXT, TEXT,
)  # fmt: skip
HITS = st.builds(
    Hit, st.builds(Chunk, TEXT, SMALL, SMALL, TEXT), SHARE, SMALL, st.dictionaries(TEXT, SHARE, max_size=2), TEXT, TEXT
)
ANSWERS = st.builds(
    Answer,
    TEXT,
    TEXT,
    TEXT,
    claims=st.lists(CLAIMS, max_size=2).map(tuple),
    withdrawn=st.lists(CLAIMS, max_size=2).map(tuple),
    hits=st.lists(HITS, max_size=2).map(tuple),
    abstention=st.none() | st.sampled_from(Abstention),
    timings=st.dictionaries(TEXT, SHARE, max_size=2),
    id=st.none() | TEXT,
)


@given(ANSWERS)
def test_an_answer_survives_json(answer):
    row = json.loads(json.dumps(answer.to_dict()))
    assert Answer.from_dict(row) == answer
    assert row["abstained"] is (answer.abstention is not None)


def test_citations_of_an_answer_come_once_in_order():
    def cited(number, start):
        return Citation(number, f"d{number}", start, start + 1, "x")

    claims = (Claim("a", 0, 1, (cited(2, 0), cited(1, 5))), Claim("b", 2, 3, (cited(1, 0), cited(2, 0))))
    answer = Answer("q", "q", "a b", claims)
    assert [(c.number, c.start) for c in answer.citations] == [(1, 0), (1, 5), (2, 0)]
