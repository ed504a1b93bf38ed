"""The page over HTTP and MCP: ten people at once, exactly four tools, passwords."""

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest

from rag.pipeline import Footnote
from tests.browser.conftest import free_port
from tests.conftest import ScriptedGenerator
from ui.web import security
from ui.web.app import serve

TOOLS = {"ask", "search", "check", "get_paper"}
PERL = "002_dd4b9b65b304c986.txt#5"


class OneAtATime(ScriptedGenerator):
    """Quotes the question it was asked, and notes how many asked at once."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self.lock = threading.Lock()

    def stream(self, system, prompt, *, max_new_tokens):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            self.draft = lambda text: "The question was " + text.partition("Question: ")[2] + "."
            yield from super().stream(system, prompt, max_new_tokens=max_new_tokens)
        finally:
            with self.lock:
                self.now -= 1


@pytest.fixture(scope="module")
def served(seed_folder, embedder):
    """The seed papers with MCP; by agreement nobody writes to them."""
    footnote = Footnote.open(seed_folder, embedder=embedder, generator=OneAtATime())
    with serve(footnote, port=free_port(), mcp=True) as (_, address):
        yield address, footnote
    footnote.library.close()


@pytest.fixture(scope="module")
def client(served):
    from gradio_client import Client

    return Client(served[0], verbose=False)


def test_ten_people_at_once_all_get_their_own_answers(served, client):
    from gradio_client import Client

    names = [
        "PERL",
        "HELMET",
        "PIGEON",
        "SuperHF",
        "BRIGHT",
        "CharXiv",
        "Gemma 2",
        "Sumformer",
        "SORRY-Bench",
        "Gemini 1.5",
    ]
    questions = [f"What is {name}?" for name in names]
    people = [client] + [Client(served[0], verbose=False) for _ in range(2)]

    def one(number):
        return people[number % len(people)].predict(question=questions[number], api_name="/ask")

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(one, range(10)))
    assert [answer["question"] for answer in answers] == questions
    for name, answer in zip(names, answers, strict=True):
        assert not answer["abstained"], name
        told = " ".join(claim["text"] for claim in answer["withdrawn"] + answer["claims"])
        assert [other for other in names if f"The question was What is {other}?" in told] in ([name], []), told
    assert served[1].generator.most == 1  # one model, one answer at a time


def test_the_endpoints_do_what_the_command_line_does(client):
    assert [
        hit["source"]
        for hit in client.predict(question="How much memory does PERL need?", k=1, api_name="/search")["hits"]
    ] == [PERL]
    assert (
        client.predict(claim="PERL needs more memory than RLHF.", source=PERL, api_name="/check")["verdict"]
        == "contradicted"
    )
    paper = client.predict(reference="2403.10704", api_name="/get_paper")
    assert paper["source"] == PERL
    assert "file" not in paper["metadata"]
    with pytest.raises(Exception, match="no paper in the library"):
        client.predict(reference="no such thing", api_name="/get_paper")
    with pytest.raises(Exception, match="question is empty"):
        client.predict(question=" ", api_name="/ask")
    assert client.predict(question="What is PERL?", year_from=2031, api_name="/ask")["abstention"] == "no_hits"


def test_everything_else_is_private(client):
    assert set(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == {
        f"/{tool}" for tool in TOOLS
    }
    for dependency in client.config["dependencies"]:
        assert dependency["api_visibility"] == "private" or dependency["api_name"] in TOOLS


def test_agents_find_exactly_the_four_tools(served):
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def look():
        async with (
            streamable_http_client(f"{served[0]}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            called = await session.call_tool(
                next(t.name for t in tools if t.name.endswith("get_paper")), {"reference": "2403.10704"}
            )
            return tools, called

    tools, called = asyncio.run(look())
    assert {tool.name for tool in tools} == TOOLS
    assert all(tool.description for tool in tools)
    assert "PERL" in called.content[0].text
    schema = next(tool for tool in tools if tool.name == "check").inputSchema
    assert set(schema["properties"]) == {"claim", "source", "evidence"}


def test_a_page_of_this_machine_answers_no_other_name_and_no_page_from_elsewhere(served):
    import httpx

    address, port = served[0], served[0].rstrip("/").rpartition(":")[2]
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "localhost"):
        local = {"host": host, "origin": f"http://{host}"}
        assert httpx.get(f"{address}config", headers=local).status_code == 200, host
    for host in (f"evil.example:{port}", "127.0.0.1.evil.example", "[::", ""):
        assert httpx.get(f"{address}config", headers={"host": host}).status_code == 403, host
    asked = {"json": {"data": ["How much memory does PERL need?", 1]}}
    for origin in ("http://evil.example", f"http://evil.example:{port}", "null"):
        told = httpx.post(f"{address}gradio_api/call/search", headers={"origin": origin}, **asked)
        assert (told.status_code, told.text.count("\n")) == (403, 1), origin
        assert "content-security-policy" in told.headers
        files = {"files": b"x"}
        assert httpx.post(f"{address}gradio_api/upload", headers={"origin": origin}, files=files).status_code == 403
        assert httpx.post(f"{address}gradio_api/mcp/", headers={"origin": origin}, json={}).status_code == 403
    assert httpx.post(f"{address}gradio_api/call/search", **asked).status_code == 200
    assert [layer.cls for layer in security.middleware("0.0.0.0")] == [security.Headers]


def test_a_password_keeps_people_out(seed_folder, embedder):
    import httpx

    footnote = Footnote.open(seed_folder, embedder=embedder, generator=ScriptedGenerator())
    with serve(footnote, port=free_port(), credentials=[("ann", "secret")]) as (_, address):
        assert httpx.get(f"{address}config").status_code == 401
        assert httpx.post(f"{address}gradio_api/call/ask", json={"data": ["q"]}).status_code == 401
        wrong = httpx.post(f"{address}login", data={"username": "ann", "password": "guess"})
        assert wrong.status_code == 400
        with httpx.Client() as visitor:
            assert visitor.post(f"{address}login", data={"username": "ann", "password": "secret"}).status_code == 200
            assert visitor.get(f"{address}config").status_code == 200
    footnote.library.close()


def test_the_verb_warns_refuses_and_says_where(seed_folder, monkeypatch, capsys):
    import ui.web.app
    from ui.cli import main

    served_with = {}

    class Page:
        def block_thread(self):
            pass

    def serve(footnote, **options):
        served_with.update(options)
        footnote.library.close()
        return nullcontext((Page(), "http://here/"))

    monkeypatch.setattr(ui.web.app, "serve", serve)
    assert main(["--library", str(seed_folder), "ui", "--host", "0.0.0.0", "--port", "8000"]) == 0
    told = capsys.readouterr().err
    assert re.search("warning: the page on 0.0.0.0 .*no --auth", told)
    assert "http://here/" in told
    assert (served_with["host"], served_with["port"]) == ("0.0.0.0", 8000)
    assert main(["--library", str(seed_folder), "ui", "--mcp", "--auth", "a:b"]) == 1
    assert "--mcp has no passwords" in capsys.readouterr().err
