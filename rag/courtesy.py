"""What is said to Waymark itself and asks nothing of the documents: a greeting, thanks, who it is, what it can do.

Pure, by rule and whole: every clause of a message has to be such a one, so that "hi, what is LoRA?" is a question.
"""

import re

_YOU = r"(?:you|waymark|this (?:app|tool|bot|assistant|program|chat ?bot))"
_TO = r"(?: (?:there|all|everyone|again|waymark|bot|friend|so much|very much|a lot|a bunch|for (?:the|your|all) .+))*"
_GREETS = (
    rf"(?:hi+|hello+|hey+|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day)|hallo|hola|bonjour){_TO}"
    r"|how are you(?: doing)?(?: today)?|how(?:'s| is) it going|what'?s up|nice to meet you"
)
_THANKS = (
    rf"(?:many )?(?:thanks|thank you|thx|ty|cheers|danke|merci|gracias){_TO}|(?:that(?:'s| is| was) )?(?:very )?"
    r"(?:great|perfect|awesome|nice|cool|helpful|good|excellent|wonderful)(?: (?:job|work|answer))?|that helps?"
    r"|ok(?:ay)?|got it|i see|understood|well done|good (?:bot|to know)"
)
_LEAVES = (
    r"(?:good ?)?bye(?: bye)?|see (?:you|ya)(?: later| soon)?|good ?night|ciao"
    r"|have a (?:nice|good|great) (?:day|one)"
)
_WHO = (
    rf"(?:who|what)(?: exactly)? (?:are you|is waymark)|(?:who|what)'?re you|what'?s waymark|what(?:'s| is) your name"
    rf"|(?:tell me (?:about|more about)|introduce) (?:yourself|waymark)|who (?:made|built|created|wrote|trained) {_YOU}"
    r"|(?:are|r) (?:you|u) (?:an? )?(?:\w+ )?(?:human|person|bot|chat ?bot|robot|ai|a\.?i\.?|machine|real|llm|"
    r"language model|chat ?gpt|gpt(?:-?\d)?|claude|gemini|llama|assistant)(?: or .+)?"
)
_CAN = (
    r"help(?: me)?(?: please)?|what (?:else )?(?:can|do|could) you (?:do|know|answer|help (?:me )?with)(?: for me)?"
    rf"|how (?:do|does|can|could|should) (?:i|we) (?:use|talk to|work with) {_YOU}|how (?:do|does) {_YOU} work"
    r"|how (?:can|could|do) you help(?: me)?|what (?:can|should|could) (?:i|we) ask(?: you)?(?: about)?"
    r"|(?:what|which) (?:kinds? of |sorts? of |type of )?(?:questions?|things?) (?:can|should|could|do) (?:i|we|you) "
    r"(?:ask|answer|understand)(?: you)?"
)
_HAS = (
    r"(?:what|which) (?:documents?|sources?|files?|texts?|books?) (?:do you (?:have|know|use|read)|(?:are|is) "
    r"(?:indexed|loaded|available|here))|(?:can|could|may|how (?:can|do|could)) (?:i|we) (?:add|upload|use|load|index) "
    r"(?:my|our)(?: own)? (?:documents?|files?|pdfs?|texts?|notes|data)(?: here| too)?"
)
_FILLER = r"(?:please|so|well|oh|and|um+|waymark)"
_KINDS = tuple(
    re.compile(rf"(?:{_FILLER} )*(?:{form})(?: {_FILLER})*", re.IGNORECASE)
    for form in (_HAS, _CAN, _WHO, _LEAVES, _THANKS, _GREETS)
)
_CLAUSES = re.compile(
    r"[,.!?;:…()]+(?:\s+|$)|\s+[-–—]\s+|\s+and (?=(?:who|what|how|good ?bye|bye)\b)"
    r"|[\U0001f300-\U0001faff\u2600-\u27bf]+",
    re.IGNORECASE,
)
_MOST_WORDS = 20

_ASKS = (
    "Ask what it says (“How does LoRA cut memory?”), where it stands (“Which section covers RAG?”), what backs it "
    "(“Which works does section 9 cite?”), or what is in it (“What is the roadmap about?”)."
)
_REPLIES = (  # in the order of the kinds
    "{reads} Your own files, folders and pages are taken by `waymark add` and by the library page in the browser; "
    "`waymark status` lists what is indexed.",
    "Waymark answers from its documents and shows where each sentence comes from. {reads} {asks}",
    "This is Waymark, a program that answers questions from documents and cites every sentence; what they do not hold, "
    "it declines. {reads} {asks}",
    "Goodbye.",
    "You are welcome.",
    "Hello. {reads} {asks}",
)


def is_courtesy(message: str) -> bool:
    """Whether all of a message is said to Waymark and asks nothing of the documents.

    >>> is_courtesy("Thanks, bye!"), is_courtesy("Hi, what is LoRA?")
    (True, False)
    """
    return _kind(message) is not None


def reply_to(message: str, *, title: str, others: int) -> str:
    """What to say to such a message; empty where it asks something.

    Args:
        title: of the roadmap.
        others: how many documents are indexed beside it.
    """
    kind = _kind(message)
    if kind is None:
        return ""
    beside = f", and {others} other document{'' if others == 1 else 's'}" if others else ""
    return _REPLIES[kind].format(reads=f"It reads “{title}”{beside}.", asks=_ASKS)


def _kind(message: str) -> int | None:
    if len(message.split()) > _MOST_WORDS:
        return None
    clauses = [clause.strip() for clause in _CLAUSES.split(message.replace("’", "'")) if clause.strip()]
    kinds = [next((n for n, kind in enumerate(_KINDS) if kind.fullmatch(clause)), None) for clause in clauses]
    found = [kind for kind in kinds if kind is not None]
    return min(found) if found and len(found) == len(kinds) else None  # what wants most to be answered
