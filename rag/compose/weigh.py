"""What each sentence of the hits is worth to a question; shares of the question's weight by term."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.compose.candidate import Candidate, Style, held_terms
from rag.query import Query
from rag.schema import Hit
from rag.terms import distinct, terms

Weigh = Callable[[str], float]  # a term's weight, such as its inverse document frequency


def weigh_sentences(
    query: Query, hits: Sequence[Hit], *, weigh: Weigh, style: Style
) -> tuple[Candidate, ...]:
    """Every sentence of the hits, the worthiest first."""
    asked = shares_of_terms(query, weigh)
    told = frozenset(terms(query.told))
    found = []
    for hit in hits:
        for position, cosine in enumerate(hit.sentence_scores):
            candidate = Candidate(hit=hit, position=position, worth=0.0)
            coverage = sum(weight for term, weight in asked.items() if term in held_terms(candidate))
            worth = style.chunk * hit.scores.fused + style.sentence * cosine + style.coverage * coverage
            worth -= style.repeats * _share_told(candidate, told)
            found.append(replace(candidate, worth=worth))
    return tuple(sorted(found, key=lambda c: (-c.worth, c.place)))


def shares_of_terms(query: Query, weigh: Weigh) -> dict[str, float]:
    """The question's terms with their share of its weight; the shares sum to 1."""
    asked = distinct(terms(f"{query.focus} {query.background}" if query.background else query.focus))
    total = sum(weigh(term) for term in asked) or 1.0
    return {term: weigh(term) / total for term in asked}


def _share_told(candidate: Candidate, told: frozenset[str]) -> float:
    held = held_terms(candidate)
    return len(held & told) / len(held) if told and held else 0.0
