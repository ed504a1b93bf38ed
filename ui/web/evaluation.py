"""The Eval and Compare tabs. Where there is no run, they say so and how one is made."""

from __future__ import annotations

from typing import Any

import gradio as gr

from rag.errors import FootnoteError
from ui.web import runs
from ui.web.render import html
from ui.web.site import PLAIN, QUIET, Site, pressed
from ui.web.view import shown

COMMAND = "footnote eval run"
MOST_ROWS = 200


class EvaluationTabs:
    """Two tabs: the figures of a run, and two runs beside each other."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._library = site.footnote.library.folder

    def eval(self, page: gr.Blocks) -> None:
        """Put the Eval tab here."""
        chosen = gr.Dropdown([], label="Run", interactive=True, visible=False, elem_id="run")
        figures = gr.HTML(elem_id="runs", **PLAIN)
        page.load(self._begin, None, [chosen, figures], queue=False, **QUIET)
        chosen.input(self._figures, chosen, figures, queue=False, **QUIET)

    def _begin(self) -> tuple[Any, str]:
        there = runs.names(self._library)
        first = there[0] if there else None
        return gr.update(choices=there, value=first, visible=bool(there)), self._figures(first)

    def _figures(self, name: str | None) -> str:
        if name not in runs.names(self._library):
            return html("runs", run=None, command=COMMAND, error="")
        try:
            return html("runs", run=runs.read(self._library, name), command=COMMAND, error="")
        except (FootnoteError, KeyError, TypeError) as error:
            return html("runs", run=None, command=COMMAND, error=f"{name} cannot be read: {error}")

    def compare(self, page: gr.Blocks, bridge: Any) -> None:
        """Put the Compare tab here."""
        with gr.Row(visible=False) as row:
            one = gr.Dropdown([], label="Run", interactive=True)
            other = gr.Dropdown([], label="Beside", interactive=True)
            button = gr.Button("Compare", variant="primary", min_width=100)
        table = gr.HTML(elem_id="compared", **PLAIN)
        both = gr.HTML(elem_id="both", **PLAIN)

        def begin() -> list[Any]:
            there = runs.names(self._library)
            first, second = (there[0], there[1]) if len(there) > 1 else (None, None)
            choices = [gr.update(choices=there, value=value) for value in (first, second)]
            nothing = html("compared", names=(), found=None, runs=len(there), command=COMMAND, error="", most=MOST_ROWS)
            return [gr.update(visible=len(there) > 1), *choices, nothing]

        page.load(begin, None, [row, one, other, table], queue=False, **QUIET)
        waits: dict[str, Any] = {"concurrency_id": "eval", "concurrency_limit": 1, "api_visibility": "private"}
        button.click(self._compared, [one, other], [table, both], **waits)
        bridge.both(self._both, [one, other], both, queue=False, **QUIET)

    def _compared(self, one: str | None, other: str | None) -> tuple[str, str]:
        there = runs.names(self._library)
        said: dict[str, Any] = {"runs": len(there), "command": COMMAND, "most": MOST_ROWS}
        if one not in there or other not in there:
            return html("compared", names=(), found=None, error="", **said), ""
        try:
            found = runs.compared(self._library, one, other)
        except (FootnoteError, KeyError, TypeError) as error:
            return html("compared", names=(), found=None, error=str(error), **said), ""
        return html("compared", names=(one, other), found=found, error="", **said), ""

    def _both(self, one: str | None, other: str | None, event: gr.EventData) -> str:
        there, asked = runs.names(self._library), pressed(event, "value")
        sides = []
        for place, name in enumerate((one, other)):
            answer = runs.answers(self._library, name, asked) if name in there else None
            documents = self._site.documents(answer) if answer else {}
            sides.append((name or "", shown(9000 + place, answer, documents) if answer else None))
        return html("both", sides=sides, question=asked)
