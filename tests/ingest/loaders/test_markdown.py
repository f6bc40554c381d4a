"""Markdown and MDX: structure kept, markup and dialects gone."""

import pytest

from ingest.loaders.markdown import load_markdown, load_mdx
from rag.schema import Block, BlockKind, Document


def _texts(document: Document) -> list[str]:
    return [block.span.cut(document.text) for block in document.blocks]


def _one(markdown: str) -> str:
    return load_markdown(markdown.encode(), path="a.md").text


def _block(document: Document, text: str) -> Block:
    return next(block for block in document.blocks if block.span.cut(document.text) == text)


def test_headings_make_an_outline_with_numbers_of_their_own() -> None:
    document = load_markdown(b"# A\n\nx\n\n## B\n\ny\n\n### C\n\n## D\n\nz\n", path="a.md")
    outline = [(h.section_id, h.level, h.title, h.span.cut(document.text)) for h in document.headings]
    assert [(number, level, title) for number, level, title, _ in outline] == [
        ("1", 1, "A"), ("1.1", 2, "B"), ("1.1.1", 3, "C"), ("1.2", 2, "D"),
    ]  # fmt: skip
    assert outline[1][3] == "B\n\ny\n\nC\n\n"
    assert document.title == "A"


def test_front_matter_gives_the_title_and_goes() -> None:
    document = load_markdown(
        b"---\n# note\ntitle: 'Best practices'\nweight: 3\n---\n## One\n\nText.\n", path="a.md"
    )
    assert (document.title, document.text) == ("Best practices", "One\n\nText.")


def test_a_list_keeps_levels_markers_labels_and_lead_ins() -> None:
    source = (
        "There are two:\n\n1. **First**: words. More.\n   - inner\n\n   A paragraph.\n2. Second\n\nEnd.\n"
    )
    document = load_markdown(source.encode(), path="a.md")
    first, inner = _block(document, "First: words. More."), _block(document, "inner")
    assert (first.marker, first.label, first.lead, first.depth) == ("1.", "First", 0, 0)
    assert (inner.marker, inner.lead, inner.depth) == ("-", 1, 1)
    assert _block(document, "A paragraph.").lead == 1
    assert _block(document, "End.").lead is None
    assert document.text.startswith("There are two:\n\n1. First: words. More.\n  - inner\n\nA paragraph.")


def test_a_table_is_a_header_and_rows_that_know_their_columns() -> None:
    document = load_markdown(b"| Name | Size |\n|---|--:|\n| `a` | 1 |\n| b | |\n", path="a.md")
    header, first, second = document.blocks
    assert (header.kind, first.kind) == (BlockKind.HEADER, BlockKind.ROW)
    assert first.columns == ("Name", "Size")
    assert [span.cut(document.text) for (span,) in first.cells] == ["a", "1"]
    assert [span.cut(document.text) for (span,) in second.cells] == ["b", ""]


def test_listings_keep_their_lines_and_nothing_in_them_is_cleaned() -> None:
    source = "Run this:\n\n```python\nfor x in y:\n    print('$a$', '{{ b }}', **c)\n```\n\nDone.\n"
    document = load_markdown(source.encode(), path="a.md")
    assert _texts(document)[1] == "for x in y:\n    print('$a$', '{{ b }}', **c)"
    assert document.blocks[1].lead == 0


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("A [link](https://x.example/a_b) and ![an image](x.png).", "A link and ."),
        ("*one* **two** `three_four` ~~five~~ \\*six\\*", "one two three_four five *six*"),
        ("a <!-- hidden --> b", "a b"),
        ('a <span style="display:none">hidden</span> b', "a b"),
        ("<details><summary>More</summary>\n\nInner.\n\n</details>", "More\n\nInner."),
        ("Let $x_i * y_i$ and $\\mathbf{w}$ cost $5 or $10.", "Let x_i * y_i and w cost $5 or $10."),
        ("$$\n\\frac{a}{b}\n- c\n$$", "a/b - c"),
        ("Use `$HOME` and `$PATH`.", "Use $HOME and $PATH."),
        ("# Title[[anchor]]", "Title"),
        ("## Title {#custom-id}", "Title"),
        ("[[open-in-colab]]\n\nText", "Text"),
        ("> [!NOTE]\n> Mind the gap.", "Note: Mind the gap."),
        ("{% hint style=\"info\" %}\nText\n{% endhint %}", "Text"),
        ('{{< tabs >}}\n{{< tab name="Linux" >}}\nText\n{{< /tab >}}\n{{< /tabs >}}', "Linux\n\nText"),
        (':::image type="content" source="a.png":::\n\nText', "Text"),
        ('!!! note "Mind"\n\n    Text\n\n    ```sh\n    ls\n    ```\n\nAfter', "Mind:\n\nText\n\nls\n\nAfter"),
        ("Words{ .annotate } here", "Words here"),
    ],
)  # fmt: skip
def test_what_a_reader_sees_is_what_is_left(source: str, text: str) -> None:
    assert _one(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("# A\n:label:`sec_a`\n\nText", "A\n\nText"),
        ("As in :numref:`sec_weight_decay`, so", "As in the section on weight decay, so"),
        ("Look at :numref:`fig_a_b` (:numref:`fig_c`).", "Look at the figure."),
        ("It was found :cite:`Ba.Kiros.2016`.", "It was found."),
        ("By :citet:`Lin.Feng.ea.2017` and :citet:`Ba.2016`.", "By Lin et al. (2017) and Ba (2016)."),
        ("By :citet:`yang2016neural`.", "By Yang (2016)."),
        (":begin_tab:`mxnet`\nText\n:end_tab:", "Text"),
        ("Text\n\n```{.python .input}\n%%tab all\nx = 1\n```", "Text\n\nx = 1"),
        ("Text\n\n```{.python .input}\n%load_ext d2lbook.tab\ntab.interact_select(['mxnet'])\n```", "Text"),
    ],
)
def test_the_directives_of_d2l_become_words(source: str, text: str) -> None:
    assert _one(source) == text


def test_imports_and_components_go_and_what_they_enclose_stays() -> None:
    source = (
        "# A\n\nimport {Cards, Card} from 'nextra'\nimport X from '../x.png'\nexport const y = 1\n\n"
        '<Tip warning={true}>\n\nMind this.\n\n</Tip>\n\n<Screenshot src={X} alt="x" />\n\n'
        '<Banner chapter={2}\n  items={[\n    {label: "Colab", value: "https://x.example"},\n]} />\n\n'
        "import this sentence from nowhere. Use `<Card>` here.\n"
    )
    document = load_mdx(source.encode(), path="a.mdx")
    assert document.text == "A\n\nMind this.\n\nimport this sentence from nowhere. Use <Card> here."


def test_text_nested_too_deep_is_told() -> None:
    source = "".join("  " * n + "- x\n" for n in range(70))
    assert "levels deep" in load_markdown(source.encode(), path="a.md").notes[0]
