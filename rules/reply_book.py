"""The replies of one policy version, compiled; each fits its segments with the longest values."""

from collections.abc import Callable
from typing import Any, NamedTuple

from rules.policy import PolicyFile
from rules.sms_length import is_gsm, segment_count
from rules.templates import Slot, Slots, longest, placeholders, renderer
from rules.toml_lines import Path

__all__ = ["ReplyBook", "command_replies", "compile_book", "permit_replies"]

Renderer = Callable[[Any], str]
Say = Callable[[Path, str], None]


class ReplyBook(NamedTuple):
    """Outcome → text.

    texts: whole replies, by key and language; for SMS that are no requests, by reason.
    lines: one person's line to a household, by key and language.
    openings: the first line to a household, by language.
    household_segments: what a reply with several lines may take, by language.
    """

    texts: dict[tuple[str, str], Renderer]
    lines: dict[tuple[str, str], Renderer]
    openings: dict[str, Renderer]
    household_segments: dict[str, int]


def compile_book(
    content: PolicyFile,
    decided: set[str],
    slots: dict[str, dict[str, Slot | str]],
    parameters: dict[str, int],
    say: Say,
) -> ReplyBook:
    """Compile the replies that a version can send.

    decided: the replies that its rules lead to; slots: by language; parameters: their values in
    this version, each a placeholder too.
    """
    book = ReplyBook({}, {}, {}, {})
    numbers = {
        name: _clock(value) if content.parameters[name].unit == "time_of_day" else str(value)
        for name, value in parameters.items()
    }
    for language, values in slots.items():
        _Compiler(content, language, {**numbers, **values}, say).fill(book, decided)
    return book


class _Compiler:
    """The replies of one language."""

    def __init__(self, content: PolicyFile, language: str, slots: Slots, say: Say) -> None:
        self.content = content
        self.language = language
        self.slots = slots
        self.say = say

    def fill(self, book: ReplyBook, decided: set[str]) -> None:
        language = self.language
        for key in sorted(decided):
            book.texts[key, language] = self.text(key)
            line = self.content.replies[key].line
            if line is not None:
                path = ("replies", key, "line", language)
                book.lines[key, language] = self.compiled(line[language], path)
        for reason, key in self.content.unrecognised.replies().items():
            book.texts[reason, language] = self.text(key)
        for key in command_replies(self.content):
            book.texts[key, language] = self.text(key)
            line = self.content.replies[key].line
            if line is not None:
                path = ("replies", key, "line", language)
                book.lines[key, language] = self.compiled(line[language], path)
        if self.content.flood is not None:
            key = self.content.flood.reply
            book.texts[key, language] = self.text(key)
        if self.content.late is not None and self.content.late.reply is not None:
            key = self.content.late.reply
            book.texts[key, language] = self.text(key)
        limits = self.content.household.segments_max
        book.household_segments[language] = limits.get(language, limits.get("*", 0))
        opening = self.content.household.opening[language]
        book.openings[language] = self.compiled(opening, ("household", "opening", language))
        self.check_household(decided)

    def text(self, key: str) -> Renderer:
        reply = self.content.replies[key]
        template, path = reply.text[self.language], ("replies", key, "text", self.language)
        compiled = self.compiled(template, path)
        self.check_length(self.longest(template), reply.segments_max, path)
        return compiled

    def compiled(self, template: str, path: Path) -> Renderer:
        for name in placeholders(template):
            if name not in self.slots:
                self.say(path, f"needs parameter {{{name}}}, which has no value before its date")
                return renderer("", {})
        return renderer(template, self.slots)

    def longest(self, template: str) -> str:
        return longest(template, dict.fromkeys(placeholders(template), "") | dict(self.slots))

    def check_length(self, text: str, limits: dict[str, int], path: Path) -> None:
        allowed = limits.get(self.language, limits.get("*", 0))
        needed = segment_count(text)
        if needed > allowed:
            coding = "160 to 153 letters each" if is_gsm(text) else "70 to 67 letters each"
            self.say(
                path,
                f"takes {needed} SMS segments ({coding}) with its longest values, "
                f'{len(text)} letters, and segments_max is {allowed}: "{text}"',
            )

    def check_household(self, decided: set[str]) -> None:
        """The longest lines, once as they are and once with a line that forces UCS-2 on all."""
        content = self.content
        several = content.requests.documents_max
        lines = sorted(
            (self.longest(line[self.language]) for key in decided if (line := _line(content, key))),
            key=len,
            reverse=True,
        )
        if several < 2 or not lines:
            return
        opening = self.longest(content.household.opening[self.language])
        foreign = next((line for line in lines if not is_gsm(line)), lines[0])
        told = [opening, *lines[:1] * (several - 1), foreign]
        path = ("household", "opening", self.language)
        self.check_length("\n".join(told), content.household.segments_max, path)


def _line(content: PolicyFile, key: str) -> dict[str, str] | None:
    return content.replies[key].line


def command_replies(content: PolicyFile) -> list[str]:
    """The replies to commands that tell of permits, then the others; see `permit_replies`."""
    commands = content.commands
    found = permit_replies(content)
    if commands.help is not None:
        found.append(commands.help.reply)
    if commands.language is not None:
        found.append(commands.language.reply)
    if commands.status is not None:
        found.append(commands.status.none)
    if commands.end is not None:
        found.append(commands.end.none)
    return found


def permit_replies(content: PolicyFile) -> list[str]:
    """The replies to commands that tell of permits, each with a line for when there are several."""
    commands = content.commands
    found = []
    if commands.status is not None:
        found.append(commands.status.reply)
    if commands.end is not None:
        found += [commands.end.returned, commands.end.cancelled]
    return found


def _clock(second: int) -> str:
    """A time of day given in seconds, e.g. ``21:00``."""
    return f"{second // 3600:02}:{second // 60 % 60:02}"
