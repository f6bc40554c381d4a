"""reStructuredText read with docutils: nothing is included, executed or fetched, whatever the text asks for.

Knows docutils' own directives; of Sphinx' and others' it keeps the words and drops the machinery (cross-reference
targets, module declarations, included listings). What docutils complains of is not shown; the text is.
"""

import io
import re
import textwrap

from docutils import nodes
from docutils.core import publish_doctree
from docutils.utils import SystemMessage

from ingest.assemble import make_source
from ingest.loaders.detect import RST
from ingest.loaders.encoding import decode_text
from ingest.loaders.maths import plain_maths
from ingest.loaders.outcome import Outcome, Unloadable
from ingest.loaders.pieces import Pieces
from ingest.loaders.plain import read_plain
from rag.schema import Document

_SETTINGS = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 5,
    "traceback": True,  # raise; otherwise docutils would exit the process
    "doctitle_xform": False,
    "docinfo_xform": False,
    "sectsubtitle_xform": False,
    "smart_quotes": False,
    "syntax_highlight": "none",
    "line_length_limit": 200_000,
    "strip_comments": True,
    "datestamp": None,
    "generator": None,
    "record_dependencies": None,
}
_LONGEST_LINE = 100_000
_DEEPEST = 8  # directives that docutils does not know, inside one another
_ROLE = re.compile(r":([A-Za-z][\w:+.-]*):`([^`<]*[^`<\s])?\s*(?:<([^<>`]*)>)?`")
_GALLERY = re.compile(r"sphx_glr_(?:auto_examples_)?")
_DIRECTIVE = re.compile(r"\.\. +(?:\|[^|]*\| +)?([\w:+.-]+)::[ \t]*(.*)")
_OPTION = re.compile(r"[ \t]*:[\w -]+:(?:[ \t]|$).*")
# Directives whose argument or body names things for a build and says nothing to a reader.
_MACHINERY = re.compile(
    r"auto\w*|(?:py:)?currentmodule|(?:py:)?module|toctree|literalinclude|include|raw|index|plot|bibliography|"
    r"highlight|default-role|tabularcolumns|testsetup|testcleanup|minigallery|image|graphviz|inheritance-diagram"
)
_WORDLESS = re.compile(
    r"rst-class|only|tab-set|grid|container|tabs|cssclass|raw-html|sectionauthor|class|meta"
)
_SKIPPED = (
    nodes.comment, nodes.substitution_definition, nodes.target, nodes.image, nodes.raw, nodes.pending, nodes.meta,
    nodes.footer, nodes.header, nodes.decoration,
)  # fmt: skip


def load_rst(data: bytes, *, path: str) -> Document:
    """Read reStructuredText.

    Raises:
        Unloadable: empty, too large, nested too deep, not text, or without any.
    """
    decoded = decode_text(data, path=path)
    pieces = Pieces(path=path)
    notes = decoded.notes
    try:
        _Reader(pieces).read(_parse(decoded.text), level=0)
    except RecursionError as error:
        raise Unloadable("it is nested too deep", outcome=Outcome.LIMIT, path=path) from error
    except _NotParsed:
        pieces = Pieces(path=path)
        read_plain(decoded.text, pieces)
        notes = (*notes, "it could not be read as reStructuredText, so it was read as plain text")
    return pieces.document(make_source(path, data, media_type=RST), notes=notes)


class _NotParsed(Exception):
    """docutils gave up on the text."""


def _parse(text: str) -> nodes.document:
    if max(map(len, text.split("\n")), default=0) > _LONGEST_LINE:
        raise _NotParsed
    try:
        return publish_doctree(
            text, source_path="<text>", settings_overrides=_SETTINGS | {"warning_stream": io.StringIO()}
        )
    except (SystemMessage, ValueError, AttributeError, LookupError, TypeError, AssertionError) as error:
        raise _NotParsed from error  # docutils has unguarded corners; each is one of these


class _Reader:
    """Walks a tree of docutils and writes pieces."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._n_inside = 0

    def read(self, parent: nodes.Node, *, level: int) -> None:
        for node in parent.children:
            self._read_node(node, level)

    def _read_node(self, node: nodes.Node, level: int) -> None:
        match node:
            case nodes.section():
                self.read(node, level=level + 1)
            case nodes.title() if isinstance(node.parent, nodes.section):
                self._pieces.heading(_words(node), level=level)
            case nodes.title() | nodes.rubric() | nodes.caption() | nodes.attribution() | nodes.paragraph():
                self._pieces.paragraph(_words(node), label=_label(node))
            case nodes.math_block():
                self._pieces.paragraph(plain_maths(node.astext()))
            case nodes.literal_block() | nodes.doctest_block():
                self._pieces.code(node.astext().replace("<BLANKLINE>", ""))
            case nodes.line_block():
                self._pieces.paragraph(" ".join(_words(line) for line in node.findall(nodes.line)))
            case nodes.bullet_list() | nodes.enumerated_list():
                self._read_list(node, level)
            case nodes.definition_list() | nodes.field_list() | nodes.option_list():
                self._read_terms(node, level)
            case nodes.table():
                self._read_table(node)
            case nodes.system_message():
                self._read_unknown(node, level)
            case nodes.Element() if not isinstance(node, _SKIPPED):
                self.read(node, level=level)

    def _read_list(self, listed: nodes.Element, level: int) -> None:
        self._pieces.open_list()
        number = int(listed.get("start", 1)) if isinstance(listed, nodes.enumerated_list) else None
        for n, item in enumerate(listed.children):
            self._read_item(item, "-" if number is None else f"{number + n}.", level)
        self._pieces.close_list()

    def _read_item(self, item: nodes.Element, marker: str, level: int) -> None:
        first, *others = item.children or [nodes.paragraph()]
        if isinstance(first, nodes.paragraph):
            self._pieces.item(_words(first), marker=marker, label=_label(first))
        else:
            self._read_node(first, level)
        for node in others:
            self._read_node(node, level)

    def _read_terms(self, listed: nodes.Element, level: int) -> None:
        """Terms with definitions, fields with bodies, options with descriptions."""
        self._pieces.open_list()
        for item in listed.children:
            term = _words(item.children[0])
            self._pieces.item(term, label=term.rstrip(":"))
            for body in item.children[1:]:
                if isinstance(body, nodes.classifier):
                    self._pieces.paragraph(_words(body))
                else:
                    self.read(body, level=level)
        self._pieces.close_list()

    def _read_table(self, table: nodes.table) -> None:
        for title in table.findall(nodes.title):
            self._pieces.paragraph(_words(title))
        rows = [[_words(cell) for cell in row.children] for row in table.findall(nodes.row)]
        self._pieces.table(rows, has_header=next(table.findall(nodes.thead), None) is not None)

    def _read_unknown(self, message: nodes.system_message, level: int) -> None:
        """A directive that docutils does not know: its words, read as text of their own."""
        block = next(message.findall(nodes.literal_block), None)
        opening = _DIRECTIVE.match(block.astext()) if block is not None else None
        if block is None or opening is None or _MACHINERY.fullmatch(opening[1]) or self._n_inside >= _DEEPEST:
            return
        lines = textwrap.dedent("\n".join(block.astext().split("\n")[1:])).split("\n")
        while lines and _OPTION.fullmatch(lines[0]):
            lines.pop(0)
        argument = "" if _WORDLESS.fullmatch(opening[1]) else opening[2]
        self._n_inside += 1
        self.read(_parse(f"{argument}\n\n" + "\n".join(lines)), level=level)
        self._n_inside -= 1


def _words(node: nodes.Node) -> str:
    """The text of a node; formulas as plain text, unknown roles as their words, images and targets not at all."""
    match node:
        case nodes.Text():
            return str(node)
        case nodes.math() | nodes.math_block():
            return (
                f" {plain_maths(node.astext())} "
                if isinstance(node, nodes.math_block)
                else plain_maths(node.astext())
            )
        case nodes.problematic():
            return _ROLE.sub(lambda match: _role_words(match[1], match[2], match[3]), node.astext())
        case nodes.footnote_reference() | nodes.system_message():
            return ""
        case nodes.Element() if not isinstance(node, _SKIPPED) or isinstance(node, nodes.target):
            inner = "".join(map(_words, node.children))
            return f"{inner} " if isinstance(node, (nodes.Body, nodes.Structural, nodes.Part)) else inner
    return ""


def _role_words(role: str, title: str | None, target: str | None) -> str:
    """`:func:`~a.b.c`` reads "c", `:ref:`the guide <guide>`` "the guide", `:ref:`cross_validation`` its words."""
    words = title or target or ""
    if words.startswith("~"):
        return words[1:].rsplit(".", 1)[-1]
    if role in ("ref", "doc", "numref") and " " not in words:
        return _GALLERY.sub("", words).removesuffix(".py").replace("_", " ").replace("-", " ")
    return words.lstrip("!")


def _label(node: nodes.Element) -> str:
    """The bold words that a paragraph opens with, if a colon ends them."""
    first = node.children[0] if node.children else None
    if not isinstance(first, nodes.strong):
        return ""
    term = first.astext()
    after = node.children[1].astext() if len(node.children) > 1 else ""
    return term.rstrip(": ") if term.endswith(":") or after.lstrip().startswith(":") else ""
