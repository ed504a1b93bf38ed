"""Where settings come from, and what happens to those that do not exist."""

import pytest

from rag.errors import SettingsError
from rag.settings import load


def test_argument_beats_environment_beats_saved_beats_default():
    environment = {"FOOTNOTE_LLM": "from environment", "FOOTNOTE_DOCUMENTS": "5", "OTHER": "x", "FOOTNOTE_STORE": ""}
    settings = load({"llm": "from argument", "embedder": None}, environment=environment, saved={"embedder": "saved"})
    assert (settings.llm, settings.documents, settings.embedder, settings.store) == ("from argument", 5, "saved", "")


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        ({"lmm": "x"}, {}, "unknown setting lmm"),
        ({}, {"FOOTNOTE_LMM": "x"}, "unknown setting FOOTNOTE_LMM"),
        ({"documents": 0}, {}, "documents"),
        ({}, {"FOOTNOTE_DOCUMENTS": "many"}, "FOOTNOTE_DOCUMENTS"),
    ],
)
def test_what_cannot_be_used_is_named(arguments, environment, message):
    with pytest.raises(SettingsError, match=message):
        load(arguments, environment=environment)


def test_all_faults_are_told_at_once():
    with pytest.raises(SettingsError, match=r"one.*two"):
        load({"one": 1, "two": 2}, environment={})


def test_what_the_argument_says_is_not_laid_at_the_environments_door():
    with pytest.raises(SettingsError, match=r"setting documents: .*got 0"):
        load({"documents": 0}, environment={"FOOTNOTE_DOCUMENTS": "5"})


def test_a_key_is_never_shown():
    assert "secret" not in repr(load({"api_key": "secret"}, environment={}))
