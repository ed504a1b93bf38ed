"""Generator and embedder on a server that speaks OpenAI's protocol: vLLM, llama.cpp, Ollama and others.

Only the URL that the user configured is ever asked. What a server sends is data: whatever it is, it
ends as text or as a ServerError that says what to do.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from rag.errors import ServerError
from rag.models.embedder import Tokens, Vectors, spans_as_texts, texts_as_tokens, unit_rows
from rag.text import Span, whole
from rag.tokens import count

CONNECT_S, READ_S = 5.0, 120.0
RETRIES = 3
LONGEST_PAUSE_S = 30.0  # a server that wants to be left alone for longer is, and that is told
BATCH = 64  # texts a request
_BUSY = frozenset((429, 502, 503))
_WHO = re.compile(r"//.*@")  # name and password, which no error repeats


def check_url(url: str) -> None:
    """Refuse what can be no server's URL; nobody is asked. Raises ServerError."""
    import httpx

    told = f"{_WHO.sub('//…@', url)!r} is no URL of a server: write http://host:port"
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ServerError(f"{told} ({error})") from error
    if read.scheme not in {"http", "https"} or not read.host:
        raise ServerError(told)


class Server:
    """One server: where it is, how to talk to it, what its errors mean."""

    def __init__(self, url: str, api_key: str = "") -> None:
        import httpx

        check_url(url)
        read = httpx.URL(url)
        auth = (read.username, read.password) if read.userinfo else None
        base = (str(read.copy_with(userinfo=b"")) if auth else url).rstrip("/")  # errors name it: no password in it
        self.url = base if base.endswith("/v1") else f"{base}/v1"
        self._key = api_key.strip()  # a key out of a file has a line end
        if not (self._key.isascii() and self._key.isprintable()):
            raise ServerError("the key in FOOTNOTE_API_KEY has characters that no key can have: copy it again")
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        timeout = httpx.Timeout(READ_S, connect=CONNECT_S)
        self._client = httpx.Client(headers=headers, auth=auth, timeout=timeout, trust_env=False)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON answer to a request. Raises ServerError."""
        with self._response(path, body) as response:
            response.read()
            try:
                return response.json()
            except ValueError as error:
                raise ServerError(f"{self.url}{path} does not answer in JSON: is it an OpenAI-type server?") from error

    def events(self, path: str, body: dict[str, Any]) -> Iterator[Any]:
        """The JSON objects of a streamed answer, to its `[DONE]` or end. Raises ServerError."""
        with self._response(path, body) as response:
            for line in _lines(response.iter_text()):
                if line.startswith("error:"):  # llama.cpp's own, until autumn 2025
                    raise ServerError(f"the server failed in mid-answer: {line.removeprefix('error:').strip()[:200]}")
                data = line.removeprefix("data:").strip()
                if not data or not line.startswith("data:"):
                    continue  # blank lines, keep-alive comments, event names
                if data == "[DONE]":
                    return
                try:
                    yield json.loads(data)
                except ValueError as error:
                    raise ServerError(f"{self.url}{path} sent a broken event: {data[:80]!r}") from error

    @contextmanager
    def _response(self, path: str, body: dict[str, Any]) -> Iterator[Any]:
        import httpx

        try:
            for attempt in range(RETRIES + 1):
                with self._client.stream("POST", self.url + path, json=body) as response:
                    pause = _pause(response.headers.get("retry-after"), attempt)
                    if response.status_code in _BUSY and attempt < RETRIES and pause <= LONGEST_PAUSE_S:
                        time.sleep(pause)
                        continue
                    if response.status_code != 200:
                        raise ServerError(self._explained(path, response, body))
                    yield response
                    return
        except (httpx.ConnectError, httpx.ConnectTimeout, UnicodeError) as error:  # the last for what is no host name
            raise ServerError(f"no server answers at {self.url}: is it running? ({error})") from error
        except httpx.TimeoutException as error:
            raise ServerError(f"{self.url}{path} gave nothing for {READ_S:.0f} s: try a smaller model") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServerError(f"{self.url}{path} broke off: {error or type(error).__name__}; ask again") from error

    def _explained(self, path: str, response: Any, body: dict[str, Any]) -> str:
        response.read()
        told = " ".join(response.text.split())
        told = (told.replace(self._key, "…") if len(self._key) > 8 else told)[:200]  # some repeat what they were sent
        where = f"{self.url}{path} answered {response.status_code}"
        if response.has_redirect_location:
            return f"{where}: it points to {response.headers['location'][:200]!r}; name that server if you trust it"
        if response.status_code in {401, 403}:
            return f"{where}: set FOOTNOTE_API_KEY to a key that it takes"
        if response.status_code == 404:
            return f"{where}: it may not have the model {body.get('model')!r}; it has: {self._models()} ({told})"
        if response.status_code in _BUSY:
            wanted = response.headers.get("retry-after", "")[:40]
            return f"{where}: it is busy; ask again {f'in {wanted} s' if wanted.isdecimal() else 'later'} ({told})"
        return f"{where}: {told}"

    def _models(self) -> str:
        try:
            rows = self._client.get(f"{self.url}/models").json()["data"]
            return ", ".join(str(row["id"]) for row in rows[:10]) or "none"
        except Exception:  # only a hint in an error that is being raised anyway
            return "unknown"


class ServerGenerator:
    """A chat model on a server."""

    def __init__(self, url: str, model: str, api_key: str = "") -> None:
        self.name = model
        self._server = Server(url, api_key)

    def stream(self, system: str, prompt: str, *, max_new_tokens: int) -> Iterator[str]:
        """Generate in pieces; closing the iterator closes the connection, which stops the server."""
        body = {
            "model": self.name,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": prompt}],
            "max_tokens": max_new_tokens,
            "temperature": 0,
            "stream": True,
        }
        event = None
        for event in self._server.events("/chat/completions", body):
            if piece := whole(_piece(event)):
                yield piece
        if event is None:
            raise ServerError(f"{self._server.url}/chat/completions sent no stream: is it an OpenAI-type server?")


class ServerEmbedder:
    """An embedding model on a server; spans are embedded as texts of their own."""

    max_tokens = 256  # what any embedding model reads; counted with tiktoken, so some room is left

    def __init__(self, url: str, model: str, api_key: str = "") -> None:
        self.name = model
        self._server = Server(url, api_key)
        self.dimension = int(self.encode(["dimension"]).shape[1])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, by tiktoken, with room for special ones."""
        return [count(text) + 2 for text in texts]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts: `(n, d)`."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        rows: list[Any] = []
        try:
            for start in range(0, len(texts), BATCH):
                body = {"model": self.name, "input": list(texts[start : start + BATCH])}
                answer = self._server.post("/embeddings", body)
                rows += [row["embedding"] for row in sorted(answer["data"], key=lambda row: row["index"])]
            vectors = np.asarray(rows, np.float32)
            if not (vectors.ndim == 2 and vectors.size and np.isfinite(vectors).all()):
                raise ValueError("no table of numbers")
        except (KeyError, TypeError, ValueError) as error:
            raise ServerError(f"{self._server.url}/embeddings sent no embeddings: is it the right server?") from error
        if len(rows) != len(texts):
            raise ServerError(f"{self._server.url}/embeddings sent {len(rows)} vectors for {len(texts)} texts")
        return unit_rows(vectors)

    def encode_query(self, text: str) -> Vectors:
        """Embed a query: `(d,)`."""
        return np.asarray(self.encode([text])[0], np.float32)

    def encode_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[Vectors]:
        """Embed parts of each text."""
        return spans_as_texts(self.encode, texts, spans)

    def encode_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[Tokens]:
        """Embed texts; a server shows no tokens."""
        return texts_as_tokens(self.encode(texts), texts)


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """The lines of an event stream, which end in CR or LF only: the JSON in them may hold other separators (U+2028)."""
    rest = ""
    for text in texts:
        *lines, rest = re.split(r"[\r\n]", rest + text)
        yield from lines
    yield rest


def _piece(event: Any) -> str:
    """The text in one event; whatever else a server sends (roles, usage, tool calls) is none."""
    if isinstance(event, dict) and event.get("error"):
        raise ServerError(f"the server failed in mid-answer: {str(event['error'])[:200]}")
    try:
        content = event["choices"][0]["delta"]["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    return content if isinstance(content, str) else ""


def _pause(retry_after: str | None, attempt: int) -> float:
    try:
        return max(0.0, float(retry_after or ""))
    except ValueError:
        return 0.5 * 2.0**attempt
