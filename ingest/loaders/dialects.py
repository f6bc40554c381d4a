"""What writers put into Markdown that is neither Markdown nor text, cleaned before it is parsed.

Pure; each rule is about the syntax of a tool: D2L (`:label:`, `:numref:`, `:cite:`), MkDocs (`!!! note`, `=== "Tab"`),
Hugo and GitBook (`{{< tab >}}`, `{% hint %}`), Microsoft (`:::image:::`, `[!NOTE]`), Hugging Face (`[[anchor]]`), MDX
(imports, tags). References to a place elsewhere become words, citations in running text become names.
"""

import re

from ingest.loaders.maths import FORMULA, formula

_SPAN = r"(?P<code>(?P<ticks>`+)(?!`)[^\n]{1,2000}?(?<!`)(?P=ticks)(?!`))"
_CODE_OR_FORMULA = re.compile(_SPAN + "|" + FORMULA.pattern, re.DOTALL)
_CODE_OR_TAG = re.compile(
    _SPAN
    + r"|(?P<tag></?[A-Z][\w.]*(?:\s(?:[^<>{}\"']|\"[^\"]*\"|'[^']*'|\{(?:[^{}]|\{[^{}]*\})*\})*)?/?>|<>|</>)"
)
_CODE_OR_BRACES = re.compile(_SPAN + r"|(?P<braces>\{/\*.*?\*/\}|\{[\"' ]{0,3}\})", re.DOTALL)
_IMPORT = re.compile(
    r"^(?:import\s+(?:[\w*{][^;\n]{0,300}?(?:\{[^}]{0,2000}\})?\s+from\s+)?[\"'][^\"'\n]+[\"'];?"
    r"|export\s+(?:default|const|let|var|function|async|\{)[^\n]*)[ \t]*$",
    re.MULTILINE,
)
_SLIDE = re.compile(r"\[(\*\*|~~)(.{1,2000}?)\1\]|\((\*\*|~~)(.{1,2000}?)\3\)", re.DOTALL)
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+\-.!<>|~&])")

_LINES_DROPPED = re.compile(
    r"^[ \t>]*(?:\{%[^%\n]*%\}|:(?:label|eqlabel|width|height|begin_tab|begin_tab_all):`[^`\n]*`|:end_tab:"
    r"|:::[^\n]*|\[\[[\w-]+\]\]|\[!INCLUDE[^\n]*|\{\{[<%][ \t]*/[^}\n]*\}\})[ \t]*$",
    re.MULTILINE,
)
_TAB_TITLE = re.compile(r"\{\{<\s*tab\s+name=\"([^\"\n]*)\"[^}\n]*>\}\}")
_PARAMETER = re.compile(r"\{\{[<%]\s*param\s+\"?([\w.-]+)\"?\s*[%>]\}\}")
_SHORTCODE = re.compile(r"\{\{[<%][^}\n]*[%>]\}\}|\{%[^%\n]*%\}")
_ALERT = re.compile(r"^((?:[ \t]*>)+[ \t]*)\[!([A-Za-z]+)\][ \t]*$", re.MULTILINE)
_ANCHOR = re.compile(r"(?<![ \t])[ \t]*(?:\[\[[\w.-]+\]\]|\{#[\w:.-]+\})[ \t]*$", re.MULTILINE)
_ATTRIBUTES = re.compile(
    r"\{:?[ \t]*(?:[.#][\w-]+|[\w-]+=(?:\"[^\"\n]*\"|[\w%-]+))(?:[ \t]+[^{}\n]{0,200})?[ \t]*\}"
)
_IMAGE = re.compile(
    r"!\[(?:[^\[\]]|\\[\[\]]|\[[^\[\]]*\])*\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)|\[[^\]\n]*\])"
)
_ADMONITION = re.compile(
    r"^([ \t]*)(?:!!!|\?\?\?\+?|===[+!]?)[ \t]+(?:[\w-]+(?:[ \t]+[\w-]+)*[ \t]*)?(?:\"([^\"]*)\")?[ \t]*$"
)

_MOST_UNCLOSED = 500
_DIRECTIVE = re.compile(
    r"(?P<before>[ \t\n]?\(?)(?<!`):(?P<name>[a-z_]+):`(?P<target>[^`\n]+)`(?P<after>\)?)"
)
_CITED = re.compile(r"(?P<names>.+?)\.(?P<year>\d{4})\w?")
_GLUED = re.compile(r"([a-z]+)(\d{4})[a-z]*")
_ELSEWHERE = {
    "fig": "the figure", "img": "the figure", "table": "the table", "tab": "the table", "eq": "the equation",
}  # fmt: skip

_D2L_MAGIC = re.compile(
    r"[ \t]*(?:%load_ext d2lbook.*|tab\.interact_select\(.*|%%tab .*|#@tab .*|#@save[ \t]*)"
)


def clean_listing(lines: list[str]) -> list[str]:
    """A fenced listing without the instructions to a book's build; nothing if it had only those."""
    kept = [_PARAMETER.sub(r"\1", line) for line in lines if not _D2L_MAGIC.fullmatch(line)]
    if len(kept) < len(lines) and len(kept) <= 2:  # both fences
        return [""]
    return kept


def clean_mdx(prose: str) -> str:
    """Imports, exports, comments and component tags out; what the tags enclose stays."""
    prose = _IMPORT.sub("", prose)
    for pattern in (_CODE_OR_BRACES, _CODE_OR_TAG):
        prose = pattern.sub(lambda match: match["code"] or "", prose)
    return prose


def clean_prose(prose: str) -> str:
    """Markdown outside of listings with the dialects taken off and formulas as plain text."""
    if ":label:`" in prose:  # D2L marks what goes on a slide by brackets
        prose = _SLIDE.sub(lambda match: match[2] or match[4], prose)
    prose = _LINES_DROPPED.sub("", prose)
    prose = _TAB_TITLE.sub(r"\1\n", prose)
    prose = _SHORTCODE.sub("", _PARAMETER.sub(r"\1", prose))
    prose = _ALERT.sub(lambda match: f"{match[1]}**{match[2].capitalize()}:**", prose)
    prose = _IMAGE.sub("", prose)
    prose = _CODE_OR_FORMULA.sub(lambda match: match["code"] or _escaped(formula(match)), prose)
    prose = _DIRECTIVE.sub(_directive, prose)
    prose = _ANCHOR.sub("", prose)
    prose = _ATTRIBUTES.sub("", prose)
    # The parser looks for the end of each opened bracket; without one, time grows with the square of their number.
    return prose.replace("[", "\\[") if prose.count("[") > prose.count("]") + _MOST_UNCLOSED else prose


def _escaped(text: str) -> str:
    return _PUNCTUATION.sub(r"\\\1", text)


def open_boxes(text: str) -> str:
    """MkDocs' boxes and tabs, listings in them included: the title as a paragraph, the body moved out."""
    lines: list[str] = []
    boxes: list[int] = []  # the indents of the open ones, in the source
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        while line.strip() and boxes and indent <= boxes[-1]:
            boxes.pop()
        moved = line[min(4 * len(boxes), indent) :]
        box = _ADMONITION.match(line)
        if box is None:
            lines.append(moved)
            continue
        boxes.append(indent)
        title = f"{box[2]}:" if box[2] else ""
        lines += [moved[: len(moved) - len(moved.lstrip())] + title, ""]
    return "\n".join(lines)


def _directive(match: re.Match[str]) -> str:
    before, after, name, target = match["before"], match["after"], match["name"], match["target"]
    if name in ("numref", "ref", "eqref"):
        if "(" in before and after:  # "(:numref:`fig_a`)" says nothing without the number
            return ""
        words = _place("eq_" if name == "eqref" else target)
    elif name == "citet":
        words = " and ".join(_author(key) for key in re.split(r"\s*,\s*", target))
    elif name in ("cite", "citep", "label", "eqlabel", "width", "height", "index"):
        return "" if "(" not in before or after else before
    else:
        words = target
    return f"{before}{words}{after}"


def _place(target: str) -> str:
    """`sec_linear_regression` as "the section on linear regression"."""
    kind, _, rest = target.partition("_")
    if kind in _ELSEWHERE:
        return _ELSEWHERE[kind]
    return "the section on " + (rest or kind).replace("_", " ").replace("-", " ")


def _author(key: str) -> str:
    """`Lin.Feng.Santos.ea.2017` as "Lin et al. (2017)", `yang2016neural` as "Yang (2016)"."""
    if glued := _GLUED.fullmatch(key.strip()):
        return f"{glued[1].capitalize()} ({glued[2]})"
    cited = _CITED.fullmatch(key.strip())
    if cited is None:
        return key.strip()
    names = [name.replace("-", " ") for name in cited["names"].split(".")]
    many = names[-1] == "ea" or len(names) > 2
    return (f"{names[0]} et al." if many else " and ".join(names)) + f" ({cited['year']})"
