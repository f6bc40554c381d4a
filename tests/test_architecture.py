"""Rules about the source as a whole, each read from the source itself."""

import ast
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import rag

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("rag", "ingest", "ui", "eval")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
# Inside a package and always imported by its full name; users find the adapters under the library's name.
NAMED_AS_A_DEPENDENCY = {"rag/langchain.py"}
# Imported for the command line's `--help`, so they must not load any of these.
HEAVY = (
    "bm25s", "faiss", "langchain", "langchain_core", "numpy", "onnx", "onnxruntime", "pypdf", "pypdfium2", "ragas",
    "scipy", "sentence_transformers", "sqlite3", "streamlit", "tokenizers", "torch", "transformers",
)  # fmt: skip


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


each_module = pytest.mark.parametrize("path", MODULES, ids=_name)


def test_all_four_packages_are_looked_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(PACKAGES)


@each_module
def test_files_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES_OF_A_FILE
    too_long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    ]
    assert not too_long


@each_module
def test_a_module_opens_by_saying_what_it_is(path: Path) -> None:
    assert ast.get_docstring(_tree(path))


def _dependency_import_names() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    required = [*project["dependencies"], *(line for extra in extras for line in extra)]
    wanted = {_normal(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in required}
    installed = importlib.metadata.packages_distributions()
    return {name for name, owners in installed.items() if wanted & {_normal(owner) for owner in owners}}


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_no_module_is_named_like_the_standard_library_or_a_dependency() -> None:
    taken = set(sys.stdlib_module_names) | _dependency_import_names()
    assert {"torch", "langchain", "streamlit"} <= taken, "the look-up of dependencies finds nothing"
    clashes = {_name(path) for path in MODULES if path.stem in taken} - NAMED_AS_A_DEPENDENCY
    assert not clashes


def _dangers(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name.split(".")[0] in _UNSAFE_MODULES)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in _UNSAFE_MODULES:
                yield module
            case ast.Call(func=ast.Name(id="eval" | "exec" as called)):
                yield f"{called}()"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="load")):
                yield "torch.load()"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr="system" | "popen" as called)):
                yield f"os.{called}()"
            case ast.keyword(arg=str(arg), value=ast.Constant(value=bool(value))):
                if (arg, value) in _UNSAFE_ARGUMENTS:
                    yield f"{arg}={value}"


_UNSAFE_MODULES = frozenset({"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"})
_UNSAFE_ARGUMENTS = frozenset(
    {
        ("allow_dangerous_deserialization", True),
        ("allow_pickle", True),
        ("shell", True),
        ("trust_remote_code", True),
        ("verify", False),
    }
)


@each_module
def test_nothing_unpickles_evaluates_or_trusts_blindly(path: Path) -> None:
    assert not list(_dangers(_tree(path)))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "eval('1')",
        "torch.load(f)",
        "run(c, shell=True)",
        "get(u, verify=False)",
        "np.load(f, allow_pickle=True)",
    ],
)
def test_the_look_for_dangers_finds_them(source: str) -> None:
    assert list(_dangers(ast.parse(source)))


@pytest.mark.parametrize("module", ["rag", "rag.settings", "rag.bundled", "rag.errors", "rag.schema"])
def test_a_light_module_loads_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []


def test_the_changelog_opens_with_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[([^\]]+)\]", changelog, flags=re.MULTILINE)
    assert [version for version in versions if version != "Unreleased"][0] == rag.__version__  # noqa: RUF015


@pytest.mark.parametrize("package", PACKAGES)
def test_a_top_level_name_belongs_to_this_distribution_alone(package: str) -> None:
    try:
        importlib.metadata.distribution("waymark")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("waymark is not installed here; `make install` does it")
    assert set(importlib.metadata.packages_distributions().get(package, ())) <= {"waymark"}
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin == str(ROOT / package / "__init__.py")


def _tracked_files() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: nothing says which files belong to it")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


# A path from somebody's machine; not the same letters inside a URL.
_PATH_OF_A_MACHINE = re.compile(r"(?<![\w.:/~-])/(?:home|root|work|Users)/\w")


def test_no_file_carries_a_path_of_somebodys_machine() -> None:
    found = []
    for path in _tracked_files():
        if path == Path(__file__):
            continue
        for number, line in enumerate(
            path.read_bytes().decode("utf-8", errors="replace").splitlines(), start=1
        ):
            if _PATH_OF_A_MACHINE.search(line):
                found.append(f"{_name(path)}:{number}")
    assert not found


def test_the_look_for_paths_finds_them_and_leaves_urls_alone() -> None:
    assert _PATH_OF_A_MACHINE.search('open("/home/ann/data")')
    assert not _PATH_OF_A_MACHINE.search("https://example.org/home/1")
