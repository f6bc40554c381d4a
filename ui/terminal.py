"""A conversation in the terminal: questions, follow-ups, answers with their sources.

Knows no retrieval and no index: it is handed an assistant and a console.
"""

import threading

from rich.console import Console

from rag.assistant import Assistant
from rag.errors import QuestionError
from rag.render import show_stream
from rag.schema import Role, Turn

_LEAVE = frozenset({"/quit", "/exit", "quit", "exit", ":q"})
_COMMANDS = "/new starts afresh, /quit leaves; Ctrl-C stops an answer."
_WELCOME = f"""Ask about the roadmap. Follow-ups work ("and why is that?"). {_COMMANDS}
Try: How does LoRA cut memory? · What are the four pillars of MLOps? · BERT or GPT for classification?"""


def run_chat(assistant: Assistant, console: Console) -> None:
    """Answer until the person leaves (`/quit`, or the end of input)."""
    console.print(_WELCOME, style="dim", markup=False)
    history: list[Turn] = []
    while True:
        try:
            question = console.input("\n[bold]> [/bold]").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        if question.lower() in _LEAVE:
            return
        if question == "/new":
            history.clear()
            console.print("A new conversation.", style="dim")
            continue
        if question.startswith("/"):
            console.print(_COMMANDS, style="dim")
            continue
        if not question:
            continue
        cancel = threading.Event()
        try:
            answer = show_stream(assistant.stream(question, history=tuple(history), cancel=cancel), console)
        except KeyboardInterrupt:  # stops the answer and not the conversation
            cancel.set()
            console.print("Stopped.", style="dim")
            continue
        except QuestionError as error:  # a slip of the keyboard ends no conversation
            console.print(f"{error} {error.hint}", style="yellow", markup=False)
            continue
        history += [Turn(role=Role.USER, text=question), Turn(role=Role.ASSISTANT, text=answer.text)]
