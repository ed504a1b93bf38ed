"""A real HTTP server that speaks OpenAI's protocol, well and badly."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from rag.errors import ServerError
from rag.models import server as serving
from rag.models.server import ServerEmbedder, ServerGenerator


class Handler(BaseHTTPRequestHandler):
    """Answers as the test's `script` says: a list of (status, headers, lines), one a request."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append((self.path, body, self.headers.get("authorization")))
        if self.path.endswith("/embeddings"):
            vectors = self.server.vectors or [[3.0, 4.0 * len(text)] for text in body["input"]]
            rows = [{"index": i, "embedding": vector} for i, vector in enumerate(vectors)]
            return self._send(200, {}, [json.dumps({"data": rows[::-1]})])
        return self._send(*self.server.script.pop(0))

    def do_GET(self):
        self._send(200, {}, ['{"data": [{"id": "the-only-one"}]}'])

    def _send(self, status, headers, lines):
        body = ("\n\n".join(lines) + "\n\n").encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body) + (50 if "x-cut" in headers else 0)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = "x-cut" in headers

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.seen, running.script, running.vectors = [], [], None
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        running.url = f"http://127.0.0.1:{running.server_port}"
        yield running
        running.shutdown()
        thread.join()


def said(*pieces):
    return ["data: " + json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in pieces]


def ask(server, **options):
    generator = ServerGenerator(server.url, "the-only-one", **options)
    return "".join(generator.stream("Be brief.", "Why?", max_new_tokens=9))


def test_a_stream_with_the_quirks_of_several_servers(server):
    quirks = [": keep-alive", "event: message", 'data: {"choices": []}', 'data: {"usage": {}}']
    role = 'data: {"choices": [{"delta": {"role": "assistant", "content": null}}]}'
    server.script = [(200, {}, [role, *said("Be"), *quirks, *said("cause."), "data: [DONE]", "data: junk"])]
    assert ask(server, api_key="secret") == "Because."
    path, body, authorization = server.seen[0]
    assert path == "/v1/chat/completions"
    assert (body["model"], body["max_tokens"], body["stream"]) == ("the-only-one", 9, True)
    assert authorization == "Bearer secret"


def test_a_busy_server_is_asked_again(server):
    server.script = [(503, {"retry-after": "0"}, ["busy"]), (429, {"retry-after": "0"}, []), (200, {}, said("Fine."))]
    assert ask(server) == "Fine."


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((401, {}, ["no"]), "FOOTNOTE_API_KEY"),
        ((404, {}, ["no model"]), "the-only-one"),
        ((500, {}, ["out of memory"]), "out of memory"),
        ((429, {"retry-after": "3600"}, ["no more"]), r"answered 429: it is busy; ask again in 3600 s \(no more\)"),
        ((200, {}, ["data: {broken"]), "broken event"),
        ((200, {}, ['data: {"error": {"message": "gone"}}']), "gone"),
        ((200, {"x-cut": "1"}, said("Half")), "broke off"),
        ((200, {}, ['{"choices": [{"message": {"content": "Not streamed."}}]}']), "sent no stream"),
        ((307, {"location": "https://elsewhere/v1"}, []), "answered 307: it points to 'https://elsewhere/v1'"),
        ((200, {}, [*said("Half"), 'error: {"code": 500, "message": "gone"}']), "gone"),
    ],
)
def test_a_failing_server_is_explained(server, answer, message):
    server.script = [answer]
    with pytest.raises(ServerError, match=message):
        ask(server)


def test_a_server_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(serving, "CONNECT_S", 1.0)
    with pytest.raises(ServerError, match="is it running"):
        "".join(ServerGenerator("http://127.0.0.1:9", "m").stream("", "", max_new_tokens=1))
    with pytest.raises(ServerError, match="http://host:port"):
        ServerGenerator("localhost:8000", "m")


def test_a_server_that_takes_no_connection_is_not_told_to_have_a_large_model(monkeypatch):
    monkeypatch.setattr(serving, "CONNECT_S", 0.2)
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for held in (first, second):  # now its queue is full
            held.setblocking(False)
            held.connect_ex(deaf.getsockname())
        with pytest.raises(ServerError, match="is it running"):
            ask_at(f"http://127.0.0.1:{deaf.getsockname()[1]}")


def ask_at(url):
    return "".join(ServerGenerator(url, "m").stream("", "", max_new_tokens=1))


@pytest.mark.parametrize("url", ["http://a..b:80", f"http://{'a' * 64}.example"])
def test_what_is_no_host_name_is_told(url):
    with pytest.raises(ServerError, match="is it running"):
        ask_at(url)


@pytest.mark.parametrize("inside", ["\u2028", "\u2029", "\x85"])
def test_what_parts_lines_elsewhere_is_text_in_a_stream(server, inside):
    event = json.dumps({"choices": [{"delta": {"content": f"a{inside}b"}}]}, ensure_ascii=False)
    server.script = [(200, {}, [f"data: {event}\r", "data:", *said("c")])]
    assert ask(server) == f"a{inside}bc"


@pytest.mark.parametrize("content", [[{"type": "text", "text": "a"}], {"a": 1}, 3, None])
def test_what_is_no_string_is_no_text(server, content):
    server.script = [(200, {}, said("Yes", content, "."))]
    assert ask(server) == "Yes."


def test_a_wait_of_less_than_nothing_is_none(server):
    server.script = [(429, {"retry-after": "-1"}, []), (200, {}, said("Fine."))]
    assert ask(server) == "Fine."


def test_half_a_surrogate_pair_is_no_text(server):
    server.script = [(200, {}, said("a\ud83d b"))]
    assert ask(server) == "a? b"


@pytest.mark.parametrize("key", ["ключ", "two\nlines", "secret\0"])
def test_a_key_that_can_be_none_is_refused_and_not_shown(server, key):
    with pytest.raises(ServerError, match="FOOTNOTE_API_KEY") as refused:
        ask(server, api_key=key)
    assert key not in str(refused.value)


def test_a_key_out_of_a_file_loses_its_line_end(server):
    server.script = [(200, {}, said("Fine."))]
    assert ask(server, api_key="secret\r\n") == "Fine."
    assert server.seen[0][2] == "Bearer secret"


def test_no_error_has_the_key_or_the_password(server):
    server.script = [(400, {}, ["cannot read 'Bearer sk-0123456789'"]), (400, {}, ["no"])]
    with pytest.raises(ServerError, match="cannot read 'Bearer …'"):
        ask(server, api_key="sk-0123456789")
    server.url = server.url.replace("http://", "http://ann:secret@")
    with pytest.raises(ServerError, match="400: no") as told:
        ask(server)
    assert "secret" not in str(told.value)
    assert server.seen[1][2].startswith("Basic ")
    server.url = "ftp://ann:sec/ret@somewhere"
    with pytest.raises(ServerError, match="'ftp://…@somewhere' is no URL of a server"):
        ask(server)


@pytest.mark.parametrize("vector", [None, "AAAA", [1.0, None], [], [float("nan"), 1.0], [[1.0], [2.0]]])
def test_what_is_no_vector_is_no_embedding(server, vector):
    server.vectors = [vector]
    with pytest.raises(ServerError, match="sent no embeddings"):
        ServerEmbedder(server.url, "e")


def test_vectors_of_unequal_length_are_no_embeddings(server):
    embedder = ServerEmbedder(server.url, "e")
    server.vectors = [[1.0, 2.0], [1.0]]
    with pytest.raises(ServerError, match="sent no embeddings"):
        embedder.encode(["a", "b"])


def test_embeddings_are_ordered_and_of_length_one(server):
    embedder = ServerEmbedder(server.url, "e")
    assert embedder.dimension == 2
    vectors = embedder.encode(["a", "bb"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.allclose(vectors[0], [0.6, 0.8])
    parts = embedder.encode_spans(["abcd", "xy"], [[(0, 4), (0, 1)], [(0, 2)]])
    assert [len(part) for part in parts] == [2, 1]
    assert np.allclose(parts[0][1], vectors[0])


def test_nothing_is_embedded_to_nothing(server):
    embedder = ServerEmbedder(server.url, "e")
    seen = len(server.seen)
    assert embedder.encode([]).shape == (0, 2)
    assert embedder.encode_tokens([]) == embedder.encode_spans([], []) == []
    assert [part.shape for part in embedder.encode_spans(["abc"], [[]])] == [(0, 2)]
    assert len(server.seen) == seen
