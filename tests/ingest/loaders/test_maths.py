"""Formulas as a line of text."""

import pytest

from ingest.loaders.maths import plain_maths, replace_formulas


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"\hat{y} = \mathbf{w}^\top \mathbf{x} + b", "y = w^⊤ x + b"),
        (r"\frac{a}{b+1}", "a/(b+1)"),
        (r"\{x \mid x > 0\}", "{x | x > 0}"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "a = b; c = d"),
        (r"a \stackrel{\mathrm{def}}{=} b", "a = b"),
        (r"\log 2 \text{ bits}", "log 2 bits"),
        (r"\newcommand{\R}{\mathbb{R}}", ""),
        ("{" * 300 + "x", "{" * 300 + "x"),
    ],
)
def test_a_formula_reads_as_text(tex: str, text: str) -> None:
    assert plain_maths(tex) == text


def test_prices_are_no_formulas() -> None:
    assert replace_formulas("It costs $5, then $10.") == "It costs $5, then $10."
    assert replace_formulas(r"Let \[a\] be $$b$$.") == "Let a be b."
