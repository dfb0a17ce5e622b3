"""What the decision table says of replies that wait: which leave first, and those too late."""

from policy_edits import Data, compiled

from rules import CompiledPolicy
from rules.telling.table import decision_table
from rules.telling.table_html import table_html
from rules.telling.table_sections import sections
from rules.telling.table_text import table_text

CANCELLED = (
    "If a permit ended before its reply could leave, the reply is not sent. "
    "The permit is cancelled and its day given back, and "
)


def late_cells(policy: CompiledPolicy) -> list[tuple[str, tuple[str, ...]]]:
    """Headings and cells of what the table says of replies that are too late."""
    told = sections(decision_table(policy, "en", None))
    (grid,) = next(each for each in told if each.heading == "Replies that are too late").grids
    (row,) = grid.rows
    return [(column, cell.lines) for column, cell in zip(grid.columns, row, strict=True)]


def test_urgent_codes_say_that_their_replies_leave_first() -> None:
    """Beside their purpose, and beside no other's; in a policy without them nowhere."""
    table = decision_table(compiled(), "en", None)
    urgent = [(row.code, row.urgent) for row in table.codes]
    assert urgent == [("1", True), ("2", False), ("3", False)]
    codes = next(each for each in sections(table) if each.heading == "Codes").grids[0].rows
    assert [row[1].lines for row in codes] == [
        (
            "urgent medical need or scheduled treatment",
            "Replies to this code leave first when many wait.",
        ),
        ("food and daily needs, medicine, bank, post",),
        ("funeral of a close relative",),
    ]
    none = decision_table(compiled(lambda data: data["codes"]["1"].pop("urgent")), "en", None)
    assert "leave first" not in table_text(none) + table_html(none)


def test_late_replies_that_are_decided_anew() -> None:
    """There is no reply of their own to show, hence no column for one."""
    assert late_cells(compiled()) == [
        (
            "What follows",
            (f"{CANCELLED}the SMS is decided anew, as if it had come when its reply could leave.",),
        ),
        ("Legal reference", ("ours: nobody loses the day's permit to an outage",)),
    ]


def test_late_replies_that_are_explained() -> None:
    """The reply that goes out instead stands beside it, in the language of the table."""

    def explains(data: Data) -> None:
        data["late"] = {"action": "explain", "reply": "too-much", "source": "ours"}

    policy = compiled(explains)
    assert late_cells(policy) == [
        ("What follows", (f"{CANCELLED}this reply is sent instead.",)),
        ("Reply", (policy.policy.content.replies["too-much"].text["en"],)),
        ("Legal reference", ("ours",)),
    ]


def test_late_replies_of_a_policy_that_has_no_word_on_them() -> None:
    """Nothing follows, which an officer should know; no law says so."""
    assert late_cells(compiled(lambda data: data.pop("late"))) == [
        (
            "What follows",
            (
                "If a permit ended before its reply could leave, the reply is not sent, and "
                "nothing follows: the permit stays granted and counts for its day.",
            ),
        )
    ]
