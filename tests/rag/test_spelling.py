"""Typing errors are mended with the index's words; names that the index lacks are found."""

import pytest

from rag.spelling import ABBREVIATIONS, Speller

COUNTS = {
    "gradient": 40, "descent": 30, "learning": 90, "rate": 20, "kaggle": 5, "model": 80, "modal": 1, "network": 60,
    "networks": 30, "overfitting": 9, "transformer": 12, "lora": 7, "cnn": 4, "train": 50, "test": 40, "split": 12,
    "layer": 20, "layers": 20, "docker": 6, "pytorch": 9, "bert": 3, "gpt-3": 2, "hugging": 4, "face": 4,
}  # fmt: skip
ENGLISH = frozenset(
    "paper work write draw back cat house walk state large batch size house very cool topology".split()
)
SPELLER = Speller(counts=COUNTS, is_word=ENGLISH.__contains__)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gradeint decsent", "gradient descent"),  # neighbours swapped
        ("learnng rate", "learning rate"),  # a letter missing
        ("overfittingg", "overfitting"),  # one too many
        ("transfromre", "transformer"),  # two errors in a long word
        ("kagle", "kaggle"),  # short: a missing letter is a slip
        ("How does kagle work?", "How does kaggle work?"),
    ],
)
def test_typos_are_mended(typed: str, meant: str) -> None:
    assert SPELLER.mend(typed) == meant


@pytest.mark.parametrize(
    "text",
    [
        "cats walked past large houses",  # forms of words that plain English has
        "paperwork and drawbacks",  # compounds of such words
        "rewriting",
        "QLoRA PyTorsh mOdle",  # a capital inside makes a name
        "lerning-rate",  # a compound
        "train_tset_split np.aray",
        "cat zzz qx",  # too short to judge
        "mudel",  # short words: another letter is no slip
        "xodel",
        "gradexyz",  # too far from anything
    ],
)
def test_names_and_good_english_are_left_alone(text: str) -> None:
    assert SPELLER.mend(text) == text


def test_seven_letters_allow_one_error_and_eight_allow_two() -> None:
    speller = Speller(counts={"network": 1, "gradient": 1}, is_word=lambda word: False)
    assert speller.mend("netwrok") == "network"
    assert speller.mend("netwxxk") == "netwxxk"
    assert speller.mend("gradxxnt") == "gradient"
    assert speller.mend("graxxxnt") == "graxxxnt"


def test_the_nearest_word_wins_then_its_first_letter_then_the_more_frequent() -> None:
    def mended(**counts: int) -> str:
        return Speller(counts=counts, is_word=lambda word: False).mend("tensro")

    assert mended(tensors=99, tensor=1) == "tensor"
    assert mended(sensro=99, tensor=1) == "tensor"
    assert mended(tensra=1, tensor=5) == "tensor"
    assert mended(tensor=1, tensra=5) == "tensra"
    assert mended(tensrb=5, tensra=5) == "tensra"  # a tie: by the alphabet


def test_a_right_word_is_found_among_many_that_are_as_near() -> None:
    crowd = {f"kagl{letter}": 50 for letter in "abcdfghijklmnop"}
    speller = Speller(counts={**crowd, "kaggle": 1}, is_word=lambda word: False)
    assert speller.mend("kagle") == "kaggle"


@pytest.mark.parametrize(("short", "long"), [("backprop", "backpropagation"), ("nn", "neural network")])
def test_abbreviations_of_the_field_are_written_out(short: str, long: str) -> None:
    assert ABBREVIATIONS[short] == long
    assert SPELLER.mend(f"what is {short}?") == f"what is {long}?"


def test_an_abbreviation_that_the_documents_use_stays() -> None:
    speller = Speller(counts={"nn": 3}, is_word=lambda word: False)
    assert speller.mend("what is nn?") == "what is nn?"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Is QLoRA better than LoRA?", ("QLoRA",)),
        ("Is GPT-4 better than GPT-3?", ("GPT-4",)),
        ("what is k-means", ("k-means",)),
        ("Should I learn Kubernetes or Docker?", ("Kubernetes",)),
        ("What is zorblax?", ("zorblax",)),
        ("Does Kubernetes' scheduler matter? Kubernetes’s too?", ("Kubernetes", "Kubernetes")),
        ("Write XGBoost.", ("XGBoost",)),
        ("What of RNNs?", ("RNNs",)),
    ],
)
def test_names_that_the_index_lacks_are_found(text: str, names: tuple[str, ...]) -> None:
    known = Speller(
        counts=COUNTS, is_word=(ENGLISH | {"better", "learn", "scheduler", "matter"}).__contains__
    )
    assert known.unknown_names(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "What is LoRA in PyTorch with Hugging Face?",
        "Write paperwork. House topology?",  # capitals where a sentence starts
        "CNNs and CNN",  # a plural of a name that is there
        "a state-of-the-art very-large batch-size",  # compounds of plain words
        "train_test_split",  # code made of words that the index has
        "What does 42 mean?",
    ],
)
def test_words_that_are_known_are_no_unknown_names(text: str) -> None:
    known = Speller(counts=COUNTS, is_word=(ENGLISH | {"art"}).__contains__)
    assert known.unknown_names(text) == ()


def test_a_name_that_the_index_has_only_as_an_owner_is_known() -> None:
    speller = Speller(counts={"chebyshev's": 2, "inequality": 2}, is_word=lambda word: False)
    assert speller.unknown_names("What does Chebyshev's inequality say, and who was Chebyshev?") == ()
    assert speller.mend("chebyshev inequality") == "chebyshev inequality"


def test_a_name_keeps_its_first_letter_whatever_the_alphabet() -> None:
    assert SPELLER.unknown_names("very cool Überflieger") == ("Überflieger",)
