"""The shape of the code: imports go one way, an outside library has one home, nothing heavy at start."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "transformers", "chromadb", "llama_index", "gradio", "tantivy", "numpy")

# From the top down: a part (module or package) may import from lower rows only.
LAYERS = (
    ("conversation", "llamaindex"),
    ("pipeline",),
    ("ingesting", "searching", "concluding", "checking"),
    ("parts",),
    ("choosing", "which_papers", "premise"),
    ("ingest", "chunk", "retrieve", "evidence", "answer", "verify", "followup", "export"),
    ("spelling",),
    ("confidence", "coordination", "guards", "overlap", "salience", "sentences"),
    ("library",),
    ("models", "cite"),
    ("words", "figures", "tokens", "clock"),
    ("text",),
    ("settings",),
    ("types",),
    ("errors",),
)
BENCH = "eval/bench.py"  # the plain program that we are measured against
HOMES = {
    "torch": {"rag/models", "eval/train"},
    "transformers": {"rag/models", "eval/train"},
    "sklearn": {"eval/train"},
    "chromadb": {"rag/library/store.py", BENCH},
    "tantivy": {"rag/library/lexical.py"},
    "llama_index": {"rag/llamaindex.py", BENCH},
    "sqlite3": {"rag/library"},
    "tiktoken": {"rag/tokens.py"},
    "httpx": {"rag/models/server.py"},
    "click": {"ui/cli"},
    "gradio": {"ui/web"},
    "jinja2": {"ui/web/render.py", "eval/report/pages.py"},
    "playwright": {"ui/web/picture.py"},
    "starlette": {"ui/web/security.py"},
}


def files(*packages):
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path):
    """Names of modules imported anywhere in a file, `from a import b` as `a.b` and `a`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_rag_imports_neither_ui_nor_eval_and_eval_not_ui():
    for path in files("rag"):
        assert not {name.split(".")[0] for name in imported(path)} & {"ui", "eval"}, path
    for path in files("eval"):
        assert "ui" not in {name.split(".")[0] for name in imported(path)}, path


def row_of(part):
    return next((number for number, row in enumerate(LAYERS) if part in row), -1)


def test_imports_inside_rag_go_down():
    parts = {part for row in LAYERS for part in row}
    for path in files("rag"):
        own = path.relative_to(ROOT / "rag").parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        assert row_of(own) >= 0, f"{path}: give it a row in LAYERS"
        for name in imported(path):
            pieces = name.split(".")
            if pieces[0] != "rag" or len(pieces) < 2 or pieces[1] == own or pieces[1] not in parts:
                continue
            assert row_of(pieces[1]) > row_of(own), f"{path} imports {name}"


@pytest.mark.parametrize("library", HOMES)
def test_an_outside_library_has_one_home(library):
    for path in files("rag", "ui", "eval"):
        place = path.relative_to(ROOT).as_posix()
        if any(place.startswith(home) for home in HOMES[library]):
            continue
        assert library not in {name.split(".")[0] for name in imported(path)}, place


@pytest.mark.parametrize("code", ["import rag", "from ui.cli import main; main(['--help'])"])
def test_nothing_heavy_is_loaded_at_start(code):
    check = f"{code}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
