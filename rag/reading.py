"""Reading a question: cleaned, understood in the light of the conversation, searched for and judged.

Knows the shelves of one generation and the gate; it writes no answer.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from rag.courtesy import is_courtesy, reply_to
from rag.errors import QuestionError
from rag.gate import Evidence, Verdict
from rag.passages import Scope
from rag.query import Query, Wanted, clean_question, drop_commands
from rag.schema import Hit, Role, Turn
from rag.shelf import Finding, Shelf
from rag.terms import terms, words

History = Sequence[Turn | Mapping[str, str]]

_BESIDE = 4  # passages shown of each shelf that the answer does not come from
# The lead by which another shelf answers in the roadmap's place, see `_lead`, and what its gate has to say at least
# where the roadmap's alone would answer. Within `_UNSURE` either may be meant, and the passages of both are shown in
# turns, two of the one that answers and one of the other. eval/LOG.md says how these were chosen.
_PLAINLY = 0.2
_LIKELY = 0.35
_UNSURE = (0.05, 0.3)
_TURN = 2

_NO = Verdict(probability=0.0, answer=False)  # where nothing is asked of the documents
LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # they have no form in UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A question as understood, what was found for it, and what the gate says."""

    query: Query
    turns: tuple[Turn, ...]
    hits: tuple[Hit, ...]  # of the shelf that answers
    # These and some of the other shelves', in the order and with the ranks to show them.
    shown: tuple[Hit, ...]
    verdict: Verdict
    weigh: Callable[[str], float]  # what a term of the question is worth where the hits come from
    commanded: bool  # it held nothing but orders
    reply: str  # to what is said to Waymark itself; empty where something is asked of the documents
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads questions with the shelves of one generation, the roadmap's first."""

    shelves: tuple[Shelf, ...]
    max_question_chars: int

    def read(
        self,
        question: str,
        history: History,
        *,
        k: int,
        scope: Scope | None = None,
        standalone: str | None = None,
        edited: bool = True,
    ) -> Read:
        """Search every shelf. `standalone` takes the question's place; `edited` by a person, the history has no say.

        Raises:
            QuestionError: the question is empty or too long, or a turn is not a turn.
        """
        began = time.monotonic()
        turns = self.turns(history)
        clean = self.clean(question if standalone is None else standalone)
        rewritten = standalone is not None and not edited
        heard = turns if standalone is None or rewritten else ()
        findings = [shelf.find(clean, heard, k=k, scope=scope, rewritten=rewritten) for shelf in self.shelves]
        best = _best(findings)
        beside = [hit for found in findings if found is not best for hit in found.hits[:_BESIDE]]
        shown = _in_turns(best.hits, beside) if _is_unsure(findings) else [*best.hits, *beside]
        left, dropped = drop_commands(clean)
        commanded = dropped and not terms(left)
        reply = self._reply(clean)
        return Read(
            query=best.query,
            turns=turns,
            hits=best.hits,
            shown=tuple(replace(hit, rank=rank) for rank, hit in enumerate(shown, 1)),
            verdict=_NO if commanded or reply else _verdict(best, findings),
            weigh=best.shelf.weigh,
            commanded=commanded,
            reply=reply,
            seconds=time.monotonic() - began,
        )

    def _reply(self, question: str) -> str:
        if not is_courtesy(question):
            return ""
        roadmap, *others = (shelf.index.titles for shelf in self.shelves)
        title = next((title for _, title in roadmap.values()), "")
        return reply_to(question, title=title, others=sum(map(len, others)))

    def evidence(self, question: str, history: History, *, k: int, shelf: int = 0) -> Evidence:
        """What a shelf's gate sees of a question; the roadmap's is the first."""
        return self.shelves[shelf].find(self.clean(question), self.turns(history), k=k).evidence

    def clean(self, question: str) -> str:
        return clean_question(question, max_chars=self.max_question_chars)

    def turns(self, history: History) -> tuple[Turn, ...]:
        return tuple(_turn(message, max_chars=self.max_question_chars) for message in history)


def _best(findings: Sequence[Finding]) -> Finding:
    """The roadmap wherever it answers; where nothing does, the one that is plainly closer, or the roadmap.

    It gives way to a shelf that answers too and has every name of the question where the roadmap lacks one: what is
    asked about SageMaker is not answered by what the roadmap says of monitoring. It gives way to documents that the
    question names ("the Hugging Face course") unless it names the roadmap too. And it gives way to one whose
    sentences are plainly closer to the question, and which at least nearly answers by itself. Works cited are the
    roadmap's alone.
    """
    roadmap, *others = findings
    sure = [other for other in others if other.verdict.answer]
    if not roadmap.verdict.answer:
        closer = () if _is_the_roadmaps(roadmap) else others
        return next(chain(sure, (other for other in closer if _lead(other, roadmap) >= _PLAINLY)), roadmap)
    if _is_the_roadmaps(roadmap):
        return roadmap
    if named := [other for other in sure if other.is_named and not _names_roadmap(roadmap)]:
        return named[0]
    if roadmap.lacking and (known := [other for other in sure if not other.lacking]):
        return known[0]
    likely = (other for other in others if other.verdict.answer or other.verdict.probability >= _LIKELY)
    return next((other for other in likely if _lead(other, roadmap) >= _PLAINLY), roadmap)


def _is_the_roadmaps(roadmap: Finding) -> bool:
    """Whether it asks for what no other shelf has: works cited, and how the roadmap is built."""
    return roadmap.query.wanted is Wanted.WORKS or roadmap.query.contents is not None


def _is_unsure(findings: Sequence[Finding]) -> bool:
    """Whether the roadmap and another shelf are about as close to the question, or it names both."""
    roadmap, *others = findings
    if _is_the_roadmaps(roadmap):
        return False
    if any(other.is_named for other in others):
        return _names_roadmap(roadmap)
    least, most = _UNSURE
    return any(least <= _lead(other, roadmap) < most for other in others)


def _names_roadmap(roadmap: Finding) -> bool:
    return "roadmap" in words(roadmap.query.question)


def _in_turns(hits: Sequence[Hit], beside: Sequence[Hit]) -> list[Hit]:
    """Two of the first, one of the second, and so on; what is left of either at the end."""
    shown: list[Hit] = []
    for n, hit in enumerate(hits, 1):
        shown.append(hit)
        if n % _TURN == 0:
            shown += beside[n // _TURN - 1 : n // _TURN]
    return shown + list(beside[len(hits) // _TURN :])


def _lead(one: Finding, other: Finding) -> float:
    """How much closer to the question one shelf's passages are: cosine of the best three sentences, and terms held."""
    a, b = one.evidence, other.evidence
    return a.sentence_mean - b.sentence_mean + (a.held - b.held) / 4


def _verdict(best: Finding, findings: Sequence[Finding]) -> Verdict:
    """That of the best, or of the shelf that answers where this one came in its place.

    A refusal names as missing only what no shelf has.
    """
    answering = [found.verdict for found in (best, *findings) if found.verdict.answer]
    everywhere = set.intersection(*(set(found.verdict.missing) for found in findings))
    verdict = answering[0] if answering else best.verdict
    return replace(verdict, missing=tuple(word for word in verdict.missing if word in everywhere))


def _turn(message: Turn | Mapping[str, str], *, max_chars: int) -> Turn:
    """A turn whose text can be embedded and shown: cut to what a question may have, no lone surrogates."""
    try:
        role, text = (
            (message.role, message.text)
            if isinstance(message, Turn)
            else (Role(message["role"]), message["content"])
        )
        return Turn(role=role, text=LONE_SURROGATES.sub("", text[:max_chars]))
    except (KeyError, ValueError, TypeError) as error:
        raise QuestionError(
            f"A turn of the history cannot be used: {error!r}.",
            hint='Each turn is {"role": "user" or "assistant", "content": text}.',
        ) from error
