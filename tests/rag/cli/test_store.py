"""`waymark index`, `status`, `versions`, `verify` and `rollback`, also where the data folder may not be written."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.pipeline import index_corpus
from rag.errors import (
    IndexCorrupt,
    IndexLocked,
    IndexMissing,
    StorageError,
)
from rag.index.generations import Generations
from rag.testing import FakeEmbedder
from tests.rag.cli.running import Done, Waymark, assert_told, command, environment, files

pytestmark = pytest.mark.slow


def test_a_second_run_embeds_nothing(waymark: Waymark, own: Path) -> None:
    before = files(own)
    done = waymark("index")
    assert done.code == 0
    assert "unchanged" in done.out
    assert ", 0 embedded, " in done.out
    assert files(own) == before


def test_a_lost_index_comes_back_without_embedding(waymark: Waymark, own: Path) -> None:
    shutil.rmtree(own / "generations")
    done = waymark("index")
    assert "indexed" in done.out
    assert ", 0 embedded, " in done.out
    assert waymark("verify").code == 0


def test_two_runs_at_once_never_break_the_index(own: Path, waymark: Waymark) -> None:
    shutil.rmtree(own / "generations")
    both = [
        subprocess.Popen(command("index"), env=environment(), stdout=-3, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=60)[1] for process in both]
    codes = [process.returncode for process in both]
    assert 0 in codes
    assert set(codes) <= {0, IndexLocked.exit_code}
    for code, err in zip(codes, told, strict=True):
        assert (code == 0) == ("waymark: Another process" not in err)
        assert "Traceback" not in err
    assert waymark("verify").code == 0


@pytest.mark.parametrize(
    "command", [("rollback", "NOPE"), ("rollback",), ("status",), ("verify",), ("versions",)]
)
def test_without_an_index_the_command_that_builds_one_is_named(
    waymark: Waymark, home: Path, command: tuple[str, ...]
) -> None:
    done = waymark(*command)
    assert_told(done, IndexMissing, about=f"no index in {home}")
    assert "`waymark index`" in done.err
    assert not home.exists()


def test_status_tells_what_is_indexed(waymark: Waymark, indexed: Path) -> None:
    out = waymark("status").out
    assert str(indexed) in out
    assert "all-MiniLM-L6-v2@53aa51172d14, 384 dimensions" in out
    assert "of 1 document," in out
    assert "corpus/roadmap.txt" in out
    record = json.loads(waymark("status", "--json").out)
    assert record["counts"]["documents"] == 1
    assert record["generation_id"] in out
    assert record["size_bytes"] > 500_000


def test_versions_lists_whole_ids_and_rollback_takes_one(waymark: Waymark, own: Path) -> None:
    index_corpus(own, embedder=FakeEmbedder())
    newest, oldest = (version.generation_id for version in Generations(own).versions())
    assert [line.split()[:2] for line in waymark("versions").out.splitlines()] == [
        ["*", newest],
        [oldest, "1"],
    ]
    assert waymark("rollback").out == f"generation {oldest} serves now\n"
    assert waymark("rollback", newest).code == 0
    assert [version["current"] for version in json.loads(waymark("versions", "--json").out)] == [True, False]
    done = waymark("rollback", "NOPE\x1b[31m")
    assert_told(done, IndexMissing, about="no generation 'NOPE")
    assert "waymark versions" in done.err
    assert "\x1b" not in done.err


def test_a_way_back_that_there_is_not_is_told(waymark: Waymark, own: Path) -> None:
    done = waymark("rollback", "--home", own)
    assert_told(done, IndexMissing, about="no earlier generation")
    assert "waymark versions" in done.err


def test_verify_names_the_damaged_file_and_fails(waymark: Waymark, own: Path) -> None:
    index_corpus(own, embedder=FakeEmbedder())
    newest, oldest = (version.generation_id for version in Generations(own).versions())
    file = own / "generations" / newest / "sentences.npy"
    file.write_bytes(file.read_bytes()[:-1])
    done = waymark("verify")
    assert done.code == IndexCorrupt.exit_code
    assert f"{oldest}: whole" in done.out
    assert "sentences.npy" in done.out
    assert "Warning: " in waymark("status").out
    assert "Warning: " in waymark("ask", "What is LoRA?").out


def test_a_folder_name_with_markup_in_it_is_shown_as_it_is(
    waymark: Waymark, own: Path, tmp_path: Path
) -> None:
    odd = own.rename(tmp_path / "[bold]x[") / ".." / "[bold]x["
    assert "[bold]x[" in waymark("status", "--home", odd).out
    assert "[bold]x[" in waymark("doctor", "--settings", "--home", odd).out
    assert "[bold]x[" in waymark("doctor", "--home", odd).out


# --- Rights --------------------------------------------------------------------------------------------------------


# Root may write anywhere. Without these two capabilities it obeys the rights of files as everybody does.
_AS_EVERYBODY = """
import ctypes, os, sys
prctl, drop = ctypes.CDLL(None).prctl, 24
if os.geteuid() == 0 and any(prctl(drop, capability, 0, 0, 0) for capability in (1, 2)):
    sys.exit(77)
os.execv(sys.executable, [sys.executable, "-m", "rag.cli", *sys.argv[1:]])
"""


def _as_everybody(*arguments: object) -> Done:
    done = subprocess.run(
        [sys.executable, "-c", _AS_EVERYBODY, *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("root may not give up its rights here")
    return Done(done.returncode, done.stdout, done.stderr)


def _chmod(home: Path, folder: int, file: int) -> None:
    for path in [home, *home.rglob("*")]:
        if path.suffix != ".onnx":  # shared by all copies
            path.chmod(folder if path.is_dir() else file)


@pytest.fixture
def read_only(own: Path) -> Iterator[Callable[[], Path]]:
    """Take the right to write the data folder away from everybody; it comes back afterwards."""

    def take() -> Path:
        _chmod(own, 0o555, 0o444)
        return own

    yield take
    _chmod(own, 0o755, 0o644)


@pytest.mark.skipif(sys.platform != "linux", reason="gives up rights as Linux does")
def test_a_read_only_data_folder_answers_and_refuses_to_be_changed(
    read_only: Callable[[], Path], own: Path
) -> None:
    index_corpus(own, embedder=FakeEmbedder())
    Generations(own).rollback()
    home = read_only()
    before = files(home)
    done = _as_everybody("ask", "What is LoRA?")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("LoRA (Low-Rank Adaptation)")
    assert "0 embedded" in _as_everybody("index").out  # there is nothing to do
    newest = Generations(home).ids()[-1]
    assert_told(_as_everybody("rollback", newest), StorageError, about=str(home))
    assert files(home) == before


@pytest.mark.skipif(sys.platform != "linux", reason="gives up rights as Linux does")
@pytest.mark.parametrize("command", [("index",), ("ask", "What is LoRA?")])
def test_a_read_only_data_folder_without_an_index_is_told(
    read_only: Callable[[], Path], own: Path, command: tuple[str, ...]
) -> None:
    (own / "CURRENT").unlink()
    shutil.rmtree(own / "generations")
    done = _as_everybody(*command, "--home", read_only())
    assert_told(done, StorageError, about=str(own))
    assert "WAYMARK_HOME" in done.err
