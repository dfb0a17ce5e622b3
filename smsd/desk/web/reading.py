"""What a request carries: cookies, a query, a form, an upload; bounded, and never trusted."""

import json
from collections.abc import Mapping
from email import policy
from email.parser import BytesParser
from typing import NamedTuple
from urllib.parse import parse_qsl

__all__ = ["Body", "Unreadable", "cookies_in", "query_in", "read_body"]

_FIELDS_MAX = 200
_TEXT_OCTETS_MAX = 1 << 20


class Unreadable(Exception):
    """A body is not what its Content-Type says."""


class Body(NamedTuple):
    """What was sent. form: of values given twice the first; files: what a multipart form carried.

    is_json: it came as a JSON object, so no form of ours sent it.
    """

    form: Mapping[str, str]
    files: Mapping[str, bytes]
    is_json: bool = False


def query_in(query: bytes) -> dict[str, str]:
    """A query string; of a name given twice the first. What cannot be read is left out."""
    return _pairs(query)


def cookies_in(header: str) -> dict[str, str]:
    """The Cookie header; of a name given twice the first."""
    found: dict[str, str] = {}
    for pair in header.split(";"):
        name, mark, value = pair.strip().partition("=")
        if mark:
            found.setdefault(name, value)
    return found


def read_body(content_type: str, octets: bytes) -> Body:
    """A body by its Content-Type.

    Raises:
        Unreadable: it is of no kind that a form sends, or broken.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not octets and not kind:
        return Body({}, {})
    if kind == "application/x-www-form-urlencoded":
        return Body(_pairs(octets), {})
    if kind == "multipart/form-data":
        return _multipart(content_type, octets)
    if kind == "application/json":
        return _json(octets)
    raise Unreadable


def _pairs(octets: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            octets.decode("latin-1"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="replace",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError as fault:
        raise Unreadable from fault
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def _multipart(content_type: str, octets: bytes) -> Body:
    head = f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n"
    message = BytesParser(policy=policy.HTTP).parsebytes(head.encode("latin-1", "replace") + octets)
    if not message.is_multipart():
        raise Unreadable
    form: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for part in list(message.iter_parts())[:_FIELDS_MAX]:
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        if part.get_filename() is not None:
            files.setdefault(name, content)
        elif len(content) <= _TEXT_OCTETS_MAX:
            form.setdefault(name, content.decode("utf-8", "replace"))
    return Body(form, files)


def _json(octets: bytes) -> Body:
    try:
        data = json.loads(octets)
    except (ValueError, RecursionError) as fault:
        raise Unreadable from fault
    if not isinstance(data, dict):
        raise Unreadable
    return Body({name: str(value) for name, value in data.items()}, {}, is_json=True)
