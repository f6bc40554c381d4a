"""`waymark models` and `waymark models pull`, against a hub of our own on the loopback address."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rag.bundled import roadmap_path
from rag.errors import ModelUnusable
from rag.generate.known import known_models
from rag.generate.pull import check_pin, read_pin
from rag.generate.tiny import make_tiny_model

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
NAME, COMMIT = "someone/tiny-chat", "0123456789abcdef0123456789abcdef01234567"
CARD = "---\nlicense: apache-2.0\n---\n# Tiny\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = roadmap_path().read_text(encoding="utf-8").splitlines()
    folder = make_tiny_model(tmp_path_factory.mktemp("hub") / "tiny-chat", lines)
    (folder / "README.md").write_text(CARD)
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "modeling_tiny.py").write_text("raise SystemExit('it ran')")
    return folder


class Hub:
    """Enough of the Hugging Face hub for one model. `served` lists what was downloaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.served: list[str] = []
        self.replaced: dict[str, bytes] = {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Silent."""

            def do_HEAD(self) -> None:
                self._file(body=False)

            def do_GET(self) -> None:
                if self.path.startswith(f"/api/models/{NAME}"):
                    self._json(200, hub.info())
                elif self.path.startswith("/api/"):
                    self._json(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
                else:
                    self._file(body=True)

            def _json(self, status: int, body: object, extra: dict[str, str] | None = None) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **(extra or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def _file(self, *, body: bool) -> None:
                name = self.path.rpartition("/")[2]
                data = hub.replaced.get(name) or (hub.folder / name).read_bytes()
                self.send_response(200)
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if body:
                    hub.served.append(name)
                    self.wfile.write(data)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def info(self) -> dict[str, Any]:
        siblings = []
        for file in sorted(self.folder.iterdir()):
            row: dict[str, Any] = {"rfilename": file.name, "size": file.stat().st_size}
            if file.suffix == ".safetensors":
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                row["lfs"] = {"sha256": digest, "size": row["size"], "pointerSize": 130}
            siblings.append(row)
        return {
            "id": NAME,
            "sha": COMMIT,
            "cardData": {"license": "apache-2.0"},
            "siblings": siblings,
            "tags": [],
        }

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def hub(model: Path) -> Iterator[Hub]:
    opened = Hub(model)
    yield opened
    opened.close()


def _waymark(
    *arguments: str, home: Path, hub: str, typed: str = "", **environ: str
) -> "subprocess.CompletedProcess[str]":
    told = {
        "HF_ENDPOINT": hub, "HF_HOME": str(home / "hf"), "HF_HUB_OFFLINE": "0", "WAYMARK_HOME": str(home),
        "PYTHONPATH": str(ROOT), "COLUMNS": "200", "HF_HUB_DISABLE_XET": "1",
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "rag.cli", *arguments],
        env=os.environ | told | environ,
        cwd=ROOT,
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_model_is_pulled_listed_and_pinned(hub: Hub, home: Path, model: Path) -> None:
    done = _waymark("models", "pull", NAME, "--yes", home=home, hub=hub.url)
    assert done.returncode == 0, done.stderr
    size = (model / "model.safetensors").stat().st_size
    assert "kB in" in done.stdout
    assert "licence apache-2.0" in done.stdout
    assert "model.safetensors" in hub.served
    assert not {"pytorch_model.bin", "modeling_tiny.py"} & set(hub.served)
    noted = json.loads((home / "models" / "pulled.json").read_text())[NAME]
    assert noted["revision"] == COMMIT
    assert set(noted["sha256"]) == {"model.safetensors"}

    listed = _waymark("models", "--json", home=home, hub="http://127.0.0.1:9", HF_HUB_OFFLINE="1")
    [row] = json.loads(listed.stdout)
    assert (row["llm"], row["bytes"], row["licence"]) == (f"transformers:{NAME}", size, "apache-2.0")
    assert (row["revision"], row["trouble"], row["context_tokens"]) == (COMMIT, "", 2048)
    shown = _waymark("models", home=home, hub=hub.url).stdout
    assert f"transformers:{NAME}" in shown
    assert "ready" in shown

    [weights] = (home / "hf").rglob("*.safetensors")
    pin = read_pin(NAME, home=home)
    assert pin is not None
    check_pin(weights.parent, pin)
    honest = weights.read_bytes()
    weights.resolve().write_bytes(honest[:-1] + bytes([honest[-1] ^ 1]))
    with pytest.raises(ModelUnusable, match="not the file that was downloaded"):
        check_pin(weights.parent, pin)
    opened = _waymark(
        "ask", "--llm", f"transformers:{NAME}", "What is LoRA?", home=home, hub=hub.url, HF_HUB_OFFLINE="1"
    )
    assert "is not the file that was downloaded" in " ".join(opened.stdout.split())
    weights.resolve().write_bytes(honest)

    hub.served.clear()
    assert _waymark("models", "pull", NAME, "--yes", home=home, hub=hub.url).returncode == 0
    assert "model.safetensors" not in hub.served


def test_it_asks_before_it_downloads_and_no_means_no(hub: Hub, home: Path) -> None:
    done = _waymark("models", "pull", NAME, home=home, hub=hub.url, typed="n\n")
    assert done.returncode == 1
    assert "kB in" in done.stdout
    assert hub.served == []


def test_a_file_that_is_not_the_promised_one_is_deleted(hub: Hub, home: Path, model: Path) -> None:
    honest = (model / "model.safetensors").read_bytes()
    hub.replaced["model.safetensors"] = honest[:-1] + bytes([honest[-1] ^ 1])
    done = _waymark("models", "pull", NAME, "--yes", home=home, hub=hub.url)
    assert done.returncode == 42
    assert "not the file that the hub promised" in done.stderr
    assert not (home / "models").exists()
    assert not [path for path in (home / "hf").rglob("*.safetensors") if path.exists()]


@pytest.mark.parametrize(
    ("name", "offline", "code", "words"),
    [
        (NAME, "1", 23, "cannot be reached"),
        ("someone/else", "0", 41, "no model 'someone/else'"),
        ("not a name", "0", 41, "no model"),
    ],
)
def test_what_cannot_be_had_is_told_with_its_own_exit_code(
    hub: Hub, home: Path, name: str, offline: str, code: int, words: str
) -> None:
    done = _waymark("models", "pull", name, "--yes", home=home, hub=hub.url, HF_HUB_OFFLINE=offline)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_that_is_not_there_is_offline(home: Path) -> None:
    done = _waymark("models", "pull", NAME, "--yes", home=home, hub="http://127.0.0.1:9")
    assert done.returncode == 23, done.stderr


def test_models_in_a_folder_are_listed_with_what_is_wrong_with_them(model: Path, tmp_path: Path) -> None:
    import shutil

    for name in ("sound", "bare", "old"):
        shutil.copytree(model, tmp_path / name, ignore=shutil.ignore_patterns("*.bin"))
    (tmp_path / "bare" / "chat_template.jinja").unlink()
    (tmp_path / "old" / "model.safetensors").unlink()
    embedder = tmp_path / "embedder"
    embedder.mkdir()
    (embedder / "config.json").write_text('{"architectures": ["BertModel"]}')
    found = {one.name: one for one in known_models(tmp_path, cache=tmp_path / "no-cache")}
    assert {name: one.trouble for name, one in found.items()} == {
        "sound": "",
        "bare": "no chat template",
        "old": "no safetensors",
    }
    assert found["sound"].format == "float32"
    assert found["sound"].licence == "apache-2.0"


def test_with_no_model_the_command_says_how_to_get_one(home: Path) -> None:
    done = _waymark("models", home=home, hub="http://127.0.0.1:9")
    assert done.returncode == 0
    assert "waymark models pull" in done.stdout
