"""A law that refuses a phone after so many SMS and so many documents of a day."""

_RULES = """\
[[rules]]
id = "busy"
source = "ours"
when = { messages_today = { at_least = "messages" } }
unknown = "skip"
verdict = "refuse"
reply = "not-in-force"

[[rules]]
id = "many"
source = "ours"
when = { documents_today = { at_least = "documents" } }
unknown = "skip"
verdict = "refuse"
reply = "not-in-force"

"""
_FIRST_RULE = '[[rules]]\nid = "not-registered"\n'
_FIRST_PARAMETER = "[parameters.senior_age]\n"


def counting(most: int) -> tuple[tuple[str, str], ...]:
    """Changes of the shipped policy; the SMS after `most` of either is refused."""
    bounds = "".join(
        f'[parameters.{what}]\ntitle = "?"\nunit = "{what}"\n'
        f'values = [{{ value = {most}, source = "ours" }}]\n\n'
        for what in ("messages", "documents")
    )
    return (
        (_FIRST_RULE, _RULES + _FIRST_RULE),
        (_FIRST_PARAMETER, bounds + _FIRST_PARAMETER),
    )
