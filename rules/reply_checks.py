"""What the replies of a policy file must be: each used, each complete, each one fillable."""

from collections.abc import Callable, Iterator

from rules.policy import Policy, PolicyFile
from rules.replies import PLACEHOLDERS, Occasion, occasion_of
from rules.reply_book import command_replies, permit_replies
from rules.templates import placeholders, stray_brace
from rules.toml_lines import Path

__all__ = ["check_replies"]

Say = Callable[[Path, str], None]


def check_replies(policy: Policy, say: Say) -> None:
    """Replies that nobody sends, names of none, texts with placeholders that have no value."""
    _used(policy, say)
    _texts(policy, say)


def _named(content: PolicyFile) -> Iterator[tuple[Path, str]]:
    """Where the file names a reply, and which; rules apart."""
    for reason, key in content.unrecognised.model_dump().items():
        if key is not None:
            yield ("unrecognised", reason), key
    for name, command in content.commands:
        for field in ("reply", "returned", "cancelled", "none"):
            key = getattr(command, field, None)
            if key is not None:
                yield ("commands", name, field), key
    if content.flood is not None:
        yield ("flood", "reply"), content.flood.reply
    if content.late is not None and content.late.reply is not None:
        yield ("late", "reply"), content.late.reply


def _used(policy: Policy, say: Say) -> None:
    content = policy.content
    for path, key in _named(content):
        if key not in content.replies:
            say(path, f'there is no reply "{key}"; there are {", ".join(content.replies)}')
    used = {rule.reply for rule in content.rules} | set(permit_replies(content))
    for key, reply in content.replies.items():
        if key in used and reply.line is None and content.requests.documents_max > 1:
            say(("replies", key), "needs line: its words for one person of a household")
        if not _occasions(policy, key):
            say(("replies", key), "is used by no rule, command or unrecognised SMS; remove it")


def _occasions(policy: Policy, key: str) -> list[Occasion]:
    """The occasions on which a reply is sent."""
    found = [occasion_of(rule) for rule in policy.content.rules if rule.reply == key]
    for reason, reply in policy.content.unrecognised.model_dump().items():
        if reply == key:
            precise = reason == "bad_digits"
            found.append(Occasion.BAD_DIGITS if precise else Occasion.NOT_UNDERSTOOD)
    told = permit_replies(policy.content)
    if key in command_replies(policy.content):
        found.append(Occasion.COMMAND_PERMIT if key in told else Occasion.COMMAND)
    if policy.content.flood is not None and policy.content.flood.reply == key:
        found.append(Occasion.FLOOD)
    if policy.content.late is not None and policy.content.late.reply == key:
        found.append(Occasion.LATE)
    return found


def _texts(policy: Policy, say: Say) -> None:
    content = policy.content
    for language, text in content.household.opening.items():
        _text(policy, text, [Occasion.OPENING], ("household", "opening", language), say)
    for key, reply in content.replies.items():
        occasions = _occasions(policy, key)
        for part, texts in (("text", reply.text), ("line", reply.line or {})):
            for language, text in texts.items():
                _text(policy, text, occasions, ("replies", key, part, language), say)


def _text(policy: Policy, text: str, occasions: list[Occasion], path: Path, say: Say) -> None:
    if not occasions:
        return
    if stray_brace(text):
        say(path, "has a brace that belongs to no placeholder; a placeholder looks like {document}")
    for name in placeholders(text):
        if name in policy.content.parameters:
            continue
        for occasion in occasions:
            if name not in PLACEHOLDERS[occasion]:
                allowed = ", ".join(sorted(PLACEHOLDERS[occasion]))
                say(path, f"{{{name}}} has no value in {occasion.value}; allowed are {allowed}")
                break
