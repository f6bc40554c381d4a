"""What the list of conversations calls a day."""

from datetime import UTC, datetime, timedelta

import pytest

from ui.conversation_list import day_of


@pytest.mark.parametrize(
    ("days", "called"),
    [
        (0, "Today"),
        (-1, "Today"),
        (1, "Yesterday"),
        (2, "The last seven days"),
        (6, "The last seven days"),
        (7, "Earlier"),
    ],
)
def test_a_day_is_called_by_its_distance(days: int, called: str) -> None:
    now = datetime(2026, 3, 15, 12, tzinfo=UTC)
    assert day_of((now - timedelta(days=days)).isoformat(), now=now) == called
