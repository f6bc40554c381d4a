"""Statements that go further than their evidence with its own words."""

import pytest

from rag.ground.overreach import overstated, turned_round


@pytest.mark.parametrize(
    ("statement", "evidence", "words"),
    [
        ("Frosts always kill the vines.", ["Frosts often kill the vines."], ("always",)),
        ("Every harvest is early.", ["Harvests are usually early."], ("Every",)),
        ("The cure fully removes rust.", ["The cure largely removes rust."], ("fully",)),
        ("The seal guarantees quality.", ["The seal can improve quality."], ("guarantees",)),
        ("Frosts always kill the vines.", ["No frost spares the vines."], ()),
        ("All vines freeze.", ["Each of the vines freezes."], ()),
        ("The cure fully removes rust.", ["The cure eliminates rust."], ()),
        ("The seal guarantees quality.", ["The seal ensures quality."], ()),
        ("Frosts kill the vines.", ["Frosts often kill the vines."], ()),
    ],
)
def test_an_absolute_needs_one_in_the_evidence(
    statement: str, evidence: list[str], words: tuple[str, ...]
) -> None:
    assert overstated(statement, evidence) == words


@pytest.mark.parametrize(
    ("statement", "evidence", "turned"),
    [
        ("Copper is far heavier than tin.", "Tin is far heavier than copper.", True),
        ("Copper is more costly than tin, but rare.", "Tin is a metal and more costly than copper.", True),
        ("Copper is heavier than tin.", "Copper is much heavier than tin.", False),
        ("Copper is heavier than tin.", "Copper is heavier than lead.", False),
        ("Copper is heavier.", "Tin is heavier than copper.", False),
        ("More than ten mines closed.", "More than ten mines closed.", False),
    ],
)
def test_a_comparison_the_other_way_round_is_seen(statement: str, evidence: str, turned: bool) -> None:
    assert turned_round(statement, [evidence]) is turned
