"""A scripted OpenAI-compatible server on the loopback address, for tests, ours and those of others.

    with ScriptedServer(Reply("An answer ", "in pieces.")) as server:
        open_generator(Settings(llm="openai:scripted", llm_url=server.url))

Each request takes the next reply; the last one serves for ever. A piece counts as a token, and `max_tokens` is obeyed.
A `Reply` may be slow, broken, cut or an error. Nothing here loads a model or LangChain.
"""

import json
import threading
import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_HTTP_OK = 200


class Reply:
    """What the server does for one request.

    Args:
        pieces: the answer's text, one event for each.
        status, body: with another status than 200, the body of the error (text, or JSON from a dictionary).
        wait_s: seconds before the head of the reply; `first_s` before the first piece, `pause_s` before each further.
        cut_after: break the connection off after that many pieces.
        raw: lines sent as they are instead of events, for replies that are broken.
        finish: the reason told at the end; None tells none.
    """

    def __init__(
        self,
        *pieces: str,
        status: int = _HTTP_OK,
        body: str | dict[str, Any] = "",
        timing: "Timing | None" = None,
        cut_after: int | None = None,
        raw: tuple[str, ...] | None = None,
        finish: str | None = "stop",
    ) -> None:
        self.pieces = pieces
        self.status = status
        self.body = body if isinstance(body, str) else json.dumps(body)
        self.timing = timing or Timing()
        self.cut_after = cut_after
        self.raw = raw
        self.finish = finish


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds before the head of a reply, before its first piece, and before each further one.

    `retry_after`: what an error tells of when to come again, as it stands in the head.
    """

    head_s: float = 0.0
    first_s: float = 0.0
    next_s: float = 0.0
    retry_after: str | None = None


class ScriptedServer:
    """The server; `requests` lists the bodies it was sent, `hung_up` how many clients left before the end."""

    def __init__(
        self, *replies: Reply, models: tuple[str, ...] = ("scripted",), key: str | None = None
    ) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.hung_up = 0
        self.models = models
        self.context_tokens: int | None = None
        self.owner = "scripted"
        self.key = key
        self.list_wait_s = 0.0
        self._replies = deque(replies or (Reply("Scripted."),))
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self._http = _Threads(("127.0.0.1", 0), _Handler)
        self._http.script = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def next_reply(self, request: dict[str, Any], headers: dict[str, str]) -> Reply:
        with self._lock:
            self.requests.append(request)
            self.headers.append(headers)
            return self._replies.popleft() if len(self._replies) > 1 else self._replies[0]

    def left(self) -> None:
        with self._lock:
            self.hung_up += 1


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    script: ScriptedServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is counted by the handler; nothing is printed."""


class _Handler(BaseHTTPRequestHandler):
    server: _Threads

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Silent."""

    def do_GET(self) -> None:
        script = self.server.script
        self._sleep(script.list_wait_s)
        if not self._may():
            return
        rows: list[dict[str, Any]] = [
            {"id": name, "object": "model", "owned_by": script.owner} for name in script.models
        ]
        for row in rows:
            if script.context_tokens is not None:
                row["max_model_len"] = script.context_tokens
        self._whole(_HTTP_OK, json.dumps({"object": "list", "data": rows}))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        script = self.server.script
        reply = script.next_reply(request, dict(self.headers))
        self._sleep(reply.timing.head_s)
        try:
            if not self._may():
                return
            if reply.status != _HTTP_OK:
                self._whole(reply.status, reply.body, retry_after=reply.timing.retry_after)
            elif request.get("model") not in script.models:
                message = f"The model {request.get('model')!r} does not exist."
                self._whole(404, json.dumps({"error": {"message": message, "code": "model_not_found"}}))
            else:
                self._stream(reply, request)
        except (BrokenPipeError, ConnectionResetError):
            script.left()

    def _may(self) -> bool:
        key = self.server.script.key
        sent = self.headers.get("Authorization", "")
        if key is None or sent == f"Bearer {key}":
            return True
        message = f"Incorrect API key provided: {sent.removeprefix('Bearer ')}."
        self._whole(401, json.dumps({"error": {"message": message}}))
        return False

    def _stream(self, reply: Reply, request: dict[str, Any]) -> None:
        self.send_response(_HTTP_OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if reply.raw is not None:
            for line in reply.raw:
                self._line(line)
            return
        self._event(request, {"role": "assistant", "content": ""})
        most = request.get("max_tokens", len(reply.pieces))
        pieces = reply.pieces[:most]
        for n, piece in enumerate(pieces):
            self._sleep(reply.timing.next_s if n else reply.timing.first_s)
            if reply.cut_after is not None and n >= reply.cut_after:
                return
            self._event(request, {"content": piece})
        if reply.finish is not None:
            cut = len(pieces) < len(reply.pieces)
            self._event(request, {}, finish="length" if cut else reply.finish)
        if (request.get("stream_options") or {}).get("include_usage"):
            usage = {
                "prompt_tokens": 11,
                "completion_tokens": len(pieces),
                "total_tokens": 11 + len(pieces),
            }
            self._line(f"data: {json.dumps({**_frame(request), 'choices': [], 'usage': usage})}\n")
        self._line("data: [DONE]\n")

    def _event(self, request: dict[str, Any], delta: dict[str, str], *, finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        self._line(f"data: {json.dumps({**_frame(request), 'choices': [choice]})}\n")

    def _line(self, text: str) -> None:
        self.wfile.write(f"{text}\n".encode())
        self.wfile.flush()

    def _whole(self, status: int, body: str, *, retry_after: str | None = None) -> None:
        data = body.encode()
        self.send_response(status)
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _sleep(self, seconds: float) -> None:
        if seconds:
            self.server.script.closing.wait(seconds)


def _frame(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "scripted",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": request.get("model"),
    }
