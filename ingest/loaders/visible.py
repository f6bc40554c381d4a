"""HTML as a tree of what a reader sees: scripts, styles, comments, forms and hidden elements are cut out.

Knows inline styles and attributes, not style sheets: what only a rule of a sheet hides stays. lxml silently loses
text that is nested 256 levels deep, so such a page is flattened to its text instead, and the loss is told.
"""

import re
from dataclasses import dataclass

from lxml import etree, html

from ingest.loaders.encoding import Decoded, decode_text
from ingest.loaders.outcome import Outcome, Unloadable

MAX_HTML_BYTES = 10 * 1024 * 1024
DEEPEST = 250
_NEVER_SHOWN = frozenset(
    "applet area audio base button canvas colgroup datalist embed frame frameset head iframe input link map meta "
    "noembed noframes noscript object optgroup option picture progress script select source style svg template "
    "textarea title track video img dialog".split()
)
_VOID = frozenset("area base br col embed frame hr img input link meta param source track wbr".split())
_INLINE = frozenset(
    "a abbr b bdi bdo big cite code em font i kbd label mark q s small span strong sub sup tt u".split()
)
_SIZE_0 = re.compile(r"0*(?:\.0*)?[01]?(?:\.\d*)?(?:px|pt|em|rem|%|vw|vh)?")
_FAR_AWAY = re.compile(r"-\d{3,}")
_WHITE = frozenset(
    {
        "#fff",
        "#ffffff",
        "white",
        "rgb(255,255,255)",
        "rgba(255,255,255,1)",
        "#ffff",
        "#ffffffff",
        "hsl(0,0%,100%)",
    }
)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_COMMENT_START = re.compile(r"<!--|<[!?]|</?[A-Za-z]")
_TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]{0,100})([^>]*)>?")
_MAY_HIDE = re.compile("hidden|style", re.IGNORECASE)
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The visible tree. `head` is what the page says of itself: its title, and meta names with their content."""

    root: html.HtmlElement
    title: str
    meta: dict[str, str]
    notes: tuple[str, ...] = ()


def decode_page(data: bytes, *, path: str) -> Decoded:
    """The markup of a page, read in the encoding that it declares if it is not UTF-8.

    Raises:
        Unloadable: empty, not text, or more than `MAX_HTML_BYTES`.
    """
    if len(data) > MAX_HTML_BYTES:
        reason = f"it has {len(data):,} bytes; of a web page at most {MAX_HTML_BYTES:,} are read"
        raise Unloadable(reason, outcome=Outcome.LIMIT, path=path)
    found = _META.search(data[:4096])
    return decode_text(data, path=path, declared=found[1].decode("ascii", "replace") if found else "")


def read_page(markup: str) -> Page:
    """Parse markup and keep what is visible."""
    root, notes = _parse(markup)
    title = " ".join((root.findtext(".//title") or "").split())
    meta = {
        name.lower(): value
        for element in root.iter("meta")
        if (name := element.get("property") or element.get("name") or element.get("itemprop"))
        and (value := element.get("content"))
    }
    _prune(root)
    return Page(root=root, title=title, meta=meta, notes=notes)


def _parse(markup: str) -> tuple[html.HtmlElement, tuple[str, ...]]:
    markup = _NOT_TEXT.sub("", markup)
    notes: tuple[str, ...] = ()
    try:
        # As bytes, so that no encoding named in the markup is believed over the one that was decoded.
        root = html.document_fromstring(markup.encode(), parser=html.HTMLParser(encoding="utf-8"))
        if not _is_deep(root):
            return root, ()
        notes = (
            f"nested more than {DEEPEST} levels deep: its text was kept, its headings and lists were not",
        )
    except etree.LxmlError:  # nothing in it that makes a tree
        pass
    flat = html.Element("div")
    for line in _flat_text(markup):
        paragraph = html.Element("p")
        paragraph.text = line
        flat.append(paragraph)
    return flat, notes


def _is_deep(root: html.HtmlElement) -> bool:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEEPEST:
            return True
    return False


def _flat_text(markup: str) -> list[str]:
    """The text of markup that is too deep for a tree, parted at block tags; hidden elements are skipped."""
    lines: list[list[str]] = [[]]
    skipping, opened = "", 0  # the hidden element that is being skipped and how many of its name are open
    position = 0
    while (found := _COMMENT_START.search(markup, position)) is not None:
        if not skipping:
            lines[-1].append(markup[position : found.start()])
        if found[0] in ("<!--", "<!", "<?"):
            closing = "-->" if found[0] == "<!--" else ">"
            end = markup.find(closing, found.end())
            position = len(markup) if end < 0 else end + len(closing)
            continue
        tag = _TAG.match(markup, found.start())
        if tag is None:  # a name that is too long
            position = found.end()
            continue
        position, name = tag.end(), tag[2].lower()
        if skipping:
            opened += 0 if name != skipping else -1 if tag[1] else 1
            skipping = skipping if opened > 0 else ""
        elif not tag[1] and name not in _VOID and (name in _NEVER_SHOWN or _is_hidden_tag(tag[3])):
            skipping, opened = name, 1
        elif name not in _INLINE:
            lines.append([])
    if not skipping:
        lines[-1].append(markup[position:])
    texts = (
        html.fromstring(f"<p>{''.join(line)}</p>").text_content() for line in lines if "".join(line).strip()
    )
    return [text for text in texts if text.strip()]


def _is_hidden_tag(attributes: str) -> bool:
    if not _MAY_HIDE.search(attributes):
        return False
    try:
        element = html.fromstring(f"<div {attributes.rstrip('/')}></div>")
    except etree.LxmlError:
        return True
    return _is_hidden(element)


def _prune(root: html.HtmlElement) -> None:
    """Cut out what is not shown; the text after a cut element stays. Formulas become their TeX."""
    doomed = [element for element in root.iter() if not isinstance(element.tag, str) or _is_hidden(element)]
    for element in reversed(doomed):  # inner ones first
        if element.getparent() is not None:
            _drop(element)
    for formula in list(root.iter("math")):
        tex = next((a.text for a in formula.iter("annotation") if "tex" in (a.get("encoding") or "")), None)
        shown = formula.get("alttext") or tex or "".join(formula.itertext())
        tail = formula.tail
        formula.clear()
        formula.tag, formula.text, formula.tail = "span", f"\\({shown}\\)", tail


def _drop(element: html.HtmlElement) -> None:
    if element.tag in _VOID or element.tag == "colgroup":  # what lxml takes for its content stands after it
        element.drop_tag()
    elif isinstance(element.tag, str):
        element.drop_tree()
    else:
        tail, parent, before = element.tail or "", element.getparent(), element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
        parent.remove(element)


def _is_hidden(element: html.HtmlElement) -> bool:
    if element.tag in _NEVER_SHOWN and not (element.tag == "dialog" and element.get("open") is not None):
        return element.tag != "picture" or not (element.text_content() or "").strip()
    if element.get("hidden") is not None or (element.get("aria-hidden") or "").strip().lower() == "true":
        return True
    style = element.get("style")
    return style is not None and _hides(style)


def _hides(style: str) -> bool:
    bare = re.sub(r"/\*.*?\*/", "", style[:5000].lower()).replace("!important", "")
    parts = (part.split(":", 1) for part in bare.split(";") if ":" in part)
    rules = {name.strip(): "".join(value.split()) for name, value in parts}
    background = rules.get("background-color") or rules.get("background") or "#fff"
    colour = rules.get("color", "")
    return (
        rules.get("display") == "none"
        or rules.get("visibility") in {"hidden", "collapse"}
        or _is_zero(rules.get("font-size"))
        or _is_zero(rules.get("opacity"))
        or _is_zero(rules.get("max-height"))
        or (_is_zero(rules.get("height")) and rules.get("overflow", "").startswith(("hidden", "clip")))
        or colour in {"transparent", "rgba(0,0,0,0)"}
        or (colour != "" and (colour == background or {colour, background} <= _WHITE))
        or any(
            _FAR_AWAY.match(rules.get(side, ""))
            for side in ("left", "top", "right", "text-indent", "margin-left")
        )
        or rules.get("clip", "").startswith(("rect(0", "rect(1px"))
        or rules.get("clip-path", "") in {"inset(50%)", "inset(100%)", "circle(0)"}
        or "scale(0)" in rules.get("transform", "")
    )


def _is_zero(value: str | None) -> bool:
    """Nothing, or one pixel of it."""
    return value is not None and value != "" and _SIZE_0.fullmatch(value) is not None
