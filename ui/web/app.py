"""Puts the page together and serves it.

Nothing but the four tools is offered to programs: every event of the page is private, and what a private
event receives is checked all the same.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import gradio as gr

from rag.pipeline import Footnote
from ui.web import answering, security, tools
from ui.web.ask import AskTab
from ui.web.compare import CompareTab
from ui.web.corpus import CorpusTab
from ui.web.evaluation import EvalTab
from ui.web.models import Loading
from ui.web.render import html
from ui.web.session import Session
from ui.web.site import PLAIN, QUIET, Site, pressed
from ui.web.view import MEANINGS

TABS = ("ask", "corpus", "eval", "compare", "about")
EVENTS = (
    "ask",
    "retry",
    "remind",
    "feedback",
    "clear_filters",
    "why",
    "close_why",
    "tab",
    "paper",
    "turn_page",
    "remove",
    "answered",
    "both",
    "look",
)
# page.js calls footnoteAct for a press of a button with data-act
BRIDGE = f"window.footnoteAct = (data) => {{ if ({list(EVENTS)}.includes(data.act)) trigger(data.act, data); }};"


def build(site: Site, *, together: int = 1, mcp: bool = False) -> gr.Blocks:
    """The page. `together` is how many answers the model can take at once."""
    with gr.Blocks(title="Footnote", analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        bridge = gr.HTML("<i></i>", elem_id="bridge", elem_classes="offscreen", js_on_load=BRIDGE)
        top = gr.HTML(masthead(site), elem_id="top", **PLAIN)
        gr.HTML(html("lasting"), elem_id="lasting", **PLAIN)  # the masthead is rendered anew, this is not
        with gr.Tabs(selected="ask") as tabs:
            with gr.Tab("Ask", id="ask"):
                ask = AskTab(site)
            with gr.Tab("Corpus", id="corpus") as browsing:
                corpus = CorpusTab(site)
            with gr.Tab("Eval", id="eval") as watching:
                evaluation = EvalTab(site)
            with gr.Tab("Compare", id="compare") as comparing:
                compare = CompareTab(site)
            with gr.Tab("About", id="about"):
                gr.HTML(about(site, mcp=mcp), **PLAIN)
        ask.connect(bridge, together)
        changed = _papers_changed(site, ask, top)
        corpus.connect(bridge, browsing, ask.told, changed)
        bridge.look(**changed, queue=False, **QUIET)
        evaluation.connect(bridge, [watching, comparing], compare)
        compare.connect(bridge)
        bridge.tab(_tab_pressed, None, tabs, queue=False, **QUIET)
        clock = gr.Timer(1.5)
        clock.tick(lambda: _progress(site), None, [top, clock], queue=False, **QUIET)
        opened = {"fn": _opened(site, ask), "inputs": ask.session, "outputs": [tabs, top, ask.live]}
        page.load(**opened, queue=False, **QUIET)
        tools.offer(site.footnote, site.people, together=together)
        _keep_small(page, bridge)
    page.queue(max_size=64, default_concurrency_limit=8)
    return page


def _keep_small(page: gr.Blocks, small: Any) -> None:
    """Let `small` stand for the progress of what shows none.

    With every piece of a draft the browser copies all that is held by each component which ever had a
    progress to show: by default all that events change, the conversation so far among it.
    """
    for event in page.fns.values():
        if event.show_progress == "hidden":
            event.show_progress_on = [small]


def about(site: Site, *, mcp: bool) -> str:
    """How answers are made here, and where things are."""
    settings = site.footnote.settings
    return html(
        "about",
        llm=settings.llm,
        judge=settings.entailer,
        signs=MEANINGS,
        folder=site.footnote.library.folder.absolute(),
        local=site.is_offline,
        mcp=mcp,
    )


def masthead(site: Site) -> str:
    """The line at the top: what is asked, and what answers."""
    library, settings = site.footnote.library, site.footnote.settings
    years = [year for year, _ in library.years()]
    span = "" if not years else str(years[0]) if years[0] == years[-1] else f"{years[0]}–{years[-1]}"
    loading = site.loading.error or ("" if site.loading.ready else site.loading.text)
    place = "offline, on this machine" if site.is_offline else "on a server you configured"
    return html("header", papers=library.count(), years=span, model=settings.llm, place=place, loading=loading)


def _progress(site: Site) -> tuple[str, Any]:
    ready = site.loading.ready  # asked first: what is told must not be older than it
    return masthead(site), gr.Timer(active=not ready or bool(site.loading.error))


def _tab_pressed(event: gr.EventData) -> Any:
    chosen = pressed(event, "value")
    return gr.update(selected=chosen) if chosen in TABS else gr.skip()


def _papers_changed(site: Site, ask: AskTab, top: Any) -> dict[str, Any]:
    """The event that tells the masthead, and who has asked nothing yet, which papers there are now."""

    def changed(state: Session, live: str) -> list[Any]:
        is_asked = state.turn or answering.is_forgotten(state, live)
        return [masthead(site), gr.skip() if is_asked else site.welcome()]

    return {"fn": changed, "inputs": [ask.session, ask.live], "outputs": [top, ask.live]}


def _opened(site: Site, ask: AskTab) -> Callable[[Session, gr.Request], list[Any]]:
    """What is new when somebody opens the page: it was made when it was first served."""
    welcome = ask.live.value

    def opened(state: Session, request: gr.Request) -> list[Any]:
        chosen = request.query_params.get("tab", "ask")
        tab = gr.update(selected=chosen) if chosen in TABS[1:] else gr.skip()
        site.loading.let()
        now = site.welcome()
        return [tab, masthead(site), gr.skip() if state.turn or now == welcome else now]

    return opened


@contextmanager
def serve(
    footnote: Footnote,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    credentials: Sequence[tuple[str, str]] = (),
    mcp: bool = False,
    in_browser: bool = False,
) -> Iterator[tuple[gr.Blocks, str]]:
    """Serve the page; gives it with its address once it is up, and closes it in the end.

    Without `port` the first free one from 7860 on is taken.
    """
    loading = Loading(footnote)
    loading.start()
    with tempfile.TemporaryDirectory(prefix="footnote-") as scratch:
        site = Site(footnote, loading, Path(scratch))
        page = build(site, together=4 if footnote.settings.llm_url else 1, mcp=mcp)
        _, address, _ = page.launch(
            server_name=host,
            server_port=port,
            auth=security.gate(credentials),
            mcp_server=mcp,
            inbrowser=in_browser,
            prevent_thread_lock=True,
            _frontend=False,  # only skips a call to itself, for which a busy machine or a proxy lets nobody in
            share=False,
            quiet=True,
            show_error=False,
            run_history=False,
            enable_monitoring=False,
            footer_links=[],
            pwa=False,
            ssr_mode=False,
            max_file_size=security.MAX_UPLOAD,
            theme=theme(),
            head=head(),
            app_kwargs={"middleware": security.middleware(host)},
        )
        page.app.iterators = _Answering(page.app.iterators)
        try:
            yield page, address
        finally:
            page.close(verbose=False)


class _Answering(dict[str, Any]):
    """What answers now, by event. On Stop gradio takes it out twice where it ends at that moment."""

    def __delitem__(self, key: str) -> None:
        self.pop(key, None)


def theme() -> Any:
    """The look of gradio in fonts that come with it and have all their glyphs, with readable greys."""
    return gr.themes.Default(
        primary_hue="blue",
        font=[gr.themes.LocalFont("Source Sans Pro", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "monospace"],
    ).set(
        body_text_color_subdued="#57606a",
        body_text_color_subdued_dark="#b3bac4",
        input_placeholder_color="#57606a",
        input_placeholder_color_dark="#b3bac4",
        button_primary_background_fill="#0550ae",
        button_primary_background_fill_dark="#0550ae",
        button_primary_background_fill_hover="#033d8b",
        button_primary_background_fill_hover_dark="#033d8b",
    )


def head() -> str:
    """Our style and script, inline: `css=` does not reach `body` inside `@media`."""
    static = resources.files("ui.web") / "static"
    style, script = ((static / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return f"<style>{style}</style><script>{script}</script>"
