r"""TeX formulas as a line of plain text: `\frac{\mathbf{x}_i}{2} \leq \alpha` reads `x_i/2 ≤ α`.

Pure and approximate: meant for searching and reading, not for setting. What it does not know keeps its name.
"""

import re

_NAMES = (
    "alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ "
    "mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ "
    "Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω times × cdot · div ÷ pm ± mp ∓ ast * star ⋆ circ ∘ odot ⊙ "
    "oplus ⊕ otimes ⊗ leq ≤ le ≤ geq ≥ ge ≥ neq ≠ ne ≠ ll ≪ gg ≫ approx ≈ sim ~ simeq ≃ equiv ≡ propto ∝ in ∈ "
    "notin ∉ subset ⊂ subseteq ⊆ cup ∪ cap ∩ emptyset ∅ forall ∀ exists ∃ neg ¬ land ∧ wedge ∧ lor ∨ vee ∨ "
    "to → rightarrow → leftarrow ← Rightarrow ⇒ Leftarrow ⇐ leftrightarrow ↔ mapsto ↦ implies ⇒ iff ⇔ "
    "longrightarrow → gets ← sum ∑ prod ∏ int ∫ partial ∂ nabla ∇ infty ∞ sqrt √ "
    "ldots … cdots … dots … vdots ⋮ ddots ⋱ langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ "
    "mid | vert | Vert ‖ lVert ‖ rVert ‖ lvert | rvert | perp ⊥ top ⊤ bot ⊥ prime ′ dagger † ell ℓ hbar ℏ Re ℜ Im ℑ"
).split()
_SYMBOLS = dict(zip(_NAMES[::2], _NAMES[1::2], strict=True))
_STYLES = (
    "mathbf mathrm mathbb mathcal mathit mathsf mathfrak mathtt boldsymbol bm bf rm it cal text textrm textbf textit "
    "textsf texttt mbox hbox operatorname left right big Big bigg Bigg bigl bigr Bigl Bigr displaystyle textstyle "
    "limits nolimits nonumber notag quad qquad hat tilde bar vec overline underline widehat widetilde dot ddot "
    "underbrace overbrace label"
)
_STYLE = re.compile(r"\\(?:" + "|".join(sorted(_STYLES.split(), key=len, reverse=True)) + r")(?![A-Za-z])\*?")
_DROPPED = re.compile(
    r"\\(?:begin|end) ?\{[^{}]*\}(?:\{[lcr| ]*\})?|\\(?:label|tag)\{[^{}]*\}"
    r"|\\(?:new|renew)command\*?\{?\\\w+\}?(?:\[\d\])?\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
)
_STACKED = re.compile(r"\\(?:stackrel|overset|underset) ?\{(?:[^{}]|\{[^{}]*\})*\}")
_FRACTION = re.compile(r"\\[dt]?frac ?\{([^{}]*)\} ?\{([^{}]*)\}")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_GROUP = re.compile(r"(?<![_^√A-Za-z])\{([^{}]*)\}|([_^])\{(\w)\}")
_BRACES = "\ue000\ue001"  # stand for printed braces while those that group are opened
_LONG = 5_000  # characters of a formula; what is longer is none


def plain_maths(tex: str) -> str:
    r"""One formula as one line.

    >>> plain_maths(r"\hat{y} = \mathbf{w}^\top \mathbf{x} + b")
    'y = w^⊤ x + b'
    """
    if len(tex) > _LONG:
        return " ".join(tex.split())
    text = _STYLE.sub(" ", _STACKED.sub(" ", _DROPPED.sub(" ", tex))).replace("\\\\", " ; ").replace("&", " ")
    text = re.sub(r"\\[,;:!> ]|(?<!\\)~", " ", text).replace("\\{", _BRACES[0]).replace("\\}", _BRACES[1])
    for _ in range(6):  # innermost braces first
        opened = _FRACTION.sub(lambda m: f"{_bracketed(m[1])}/{_bracketed(m[2])}", text)
        opened = _GROUP.sub(lambda m: m[1] if m[1] is not None else m[2] + m[3], opened)
        if opened == text:
            break
        text = opened
    text = _COMMAND.sub(lambda m: _SYMBOLS.get(m[1], m[1]), text).replace("\\|", "‖")
    text = re.sub(r"\\([%$#_&])", r"\1", text).replace("\\", " ")
    text = text.replace(_BRACES[0], "{").replace(_BRACES[1], "}")
    text = re.sub(r" +([,.;)\]}])", r"\1", re.sub(r"([(\[{^_]) +", r"\1", " ".join(text.split())))
    return text.strip(" ;")


def _bracketed(text: str) -> str:
    text = text.strip()
    return text if re.fullmatch(r"\\?[\w.^{}_]*", text) else f"({text})"


_DOLLARS = r"\$\$(?P<display>[^$]{1,5000}?)\$\$|\$(?P<inline>(?![\s$])[^$\n]{0,999}?[^\s$\\])\$(?!\d)"
_BRACKETS = r"\\\((?P<round>.{1,2000}?)\\\)|\\\[(?P<square>.{1,5000}?)\\\]"
FORMULA = re.compile(_DOLLARS + "|" + _BRACKETS, re.DOTALL)


def replace_formulas(text: str) -> str:
    r"""Every `$…$`, `$$…$$`, `\(…\)` and `\[…\]` of a text as plain text; prices stay.

    >>> replace_formulas(r"For \(x \in S\) it costs $5 and $10.")
    'For x ∈ S it costs $5 and $10.'
    """
    return FORMULA.sub(formula, text)


def formula(match: re.Match[str]) -> str:
    """The plain text of one match of `FORMULA`."""
    return plain_maths(next(part for part in match.groups() if part is not None))
