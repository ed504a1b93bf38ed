"""gradio is imported whole, and without parsing its own sources for the stubs that it writes."""

import subprocess
import sys

PROBE = """
import ast, inspect
known, parsed = inspect.getfile, []
ast.get_source_segment = lambda *given: parsed.append(given)
from ui.web.quick import import_gradio
import_gradio()
import gradio
assert inspect.getfile is known
assert inspect.getfile(gradio.Textbox).endswith("textbox.py")
with gradio.Blocks() as page:
    gradio.Button("Press").click(lambda: None)
print(len(page.fns), len(parsed))
"""


def test_gradio_is_whole_and_none_of_its_sources_is_parsed():
    found = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["1", "0"]
