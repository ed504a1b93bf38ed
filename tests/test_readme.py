"""The README does what it says: its commands exist, its Python runs, its layout is the one there is."""

import re
from pathlib import Path

from tests.conftest import ScriptedGenerator
from ui.cli import VERBS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_every_command_exists_and_every_verb_is_documented():
    shown = set(re.findall(r"footnote ([a-z]+)", "\n".join(blocks("sh") + blocks("console")) + README))
    assert set(VERBS) <= shown
    commands = re.findall(r"^footnote ([a-z]+)", "\n".join(blocks("sh")), re.MULTILINE)
    assert set(commands) <= set(VERBS)


def test_the_python_runs(embedder, tmp_path, monkeypatch):
    import rag
    from rag.pipeline import Footnote

    (tmp_path / "seeds").symlink_to(ROOT / "seeds")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Footnote, "embedder", embedder)
    monkeypatch.setattr(Footnote, "generator", ScriptedGenerator("Nothing of note."))
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)
    assert names["check"].judgement.verdict is rag.Verdict.CONTRADICTED
    assert len(names["hits"]) == len(names["nodes"]) == 3


def test_the_layout_lists_every_module():
    listed = set(re.findall(r"`(?:rag/)?(\w+)\.py`", README.split("## Layout")[1]))
    there = {path.stem for path in (ROOT / "rag").glob("*.py")} - {"__init__"}
    assert there <= listed


def test_the_gate_of_the_readme_is_what_ci_runs():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    gate = next(block for block in blocks("sh") if "pytest" in block).strip().split(" && ")
    assert all(command.replace("pytest", "pytest -q") in ci for command in gate)
