"""What a question that stands alone is about, in its own words."""

import re

from rag.followup import AUXILIARY, DEFINES, is_name, without_joining
from rag.sentences import split_sentences
from rag.terms import STOP_WORDS

TOPIC_WORDS = 6
_TRAILING = re.compile(
    r"\s+(?:work|works|mean|means|do|cover|covers|stand for|"
    r"(?:so )?(?:good|bad|used|useful|best|better|needed|meant|made|like)\b.*)$",
    re.IGNORECASE,
)
_SUBJECT = re.compile(rf"\b{AUXILIARY}\s+(?:the |an? )?(\w.*)", re.IGNORECASE)
_COMPARED = re.compile(r"([\w.+-]+) (?:vs\.?|versus) ([\w.+-]+)", re.IGNORECASE)
_SIDES = re.compile(r"\s+(?:vs\.?|versus|or|and|with|from|than|to)\s+", re.IGNORECASE)


def topic_of(question: str) -> str:
    """What a question that stands alone is about, in its own words; empty if it names nothing."""
    sentences = [span.cut(question) for span in split_sentences(question)]
    asking = next((one for one in reversed(sentences) if one.endswith("?")), "".join(sentences[-1:]))
    bare = without_joining(asking).rstrip("?!. ")
    return " ".join(_topic(bare).split()[:TOPIC_WORDS])


def _topic(bare: str) -> str:
    defined = DEFINES.match(bare)
    if defined and len(defined[1].split()) <= TOPIC_WORDS:
        return _TRAILING.sub("", defined[1])
    runs = _content_runs(bare)
    named = [run for run in runs if any(is_name(word) for word in run.split())]
    if compared := _COMPARED.search(bare):
        return f"{compared[1]} and {compared[2]}"
    if len(named) > 1 and _SIDES.search(bare):
        return " and ".join(_only_names(run) for run in named[:2])
    if (asked_of := _SUBJECT.search(bare)) and (subject := _subject(asked_of[1])):
        return subject
    return max(named or runs, key=len, default="")


def _subject(clause: str) -> str:
    """What does something, of "LoRA cut memory" or "gradient descent converge"; empty where that is a pronoun."""
    run = next(iter(_content_runs(clause)), "").split()
    if clause.split(maxsplit=1)[0].lower() in STOP_WORDS or len(run) < 2:
        return ""
    named = next((n for n, word in enumerate(run) if not is_name(word)), len(run))
    return " ".join(run[: named or min(len(run) - 1, 2)])


def _only_names(run: str) -> str:
    return " ".join(word for word in run.split() if is_name(word))


def _content_runs(text: str) -> list[str]:
    """Runs of neighbouring words that carry a topic."""
    runs: list[list[str]] = [[]]
    for word in text.split():
        bare = word.strip("\"'“”‘’(),;:?!.")
        if not bare or bare.lower() in STOP_WORDS:
            runs.append([])
            continue
        runs[-1].append(bare)
        if word[-1] in ",;:":
            runs.append([])
    return [" ".join(run) for run in runs if run]
