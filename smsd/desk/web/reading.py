"""What a request carries: cookies, a query, a form, an upload; bounded, and never trusted."""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

__all__ = ["Body", "TooLong", "Unreadable", "cookies_in", "query_in", "read_body"]

_FIELDS_MAX = 200
_TEXT_OCTETS_MAX = 1 << 20
# RFC 2046 §5.1.1; and of RFC 7578 what browsers send: parameters in quotes, a " in them as %22.
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_DISPOSITION = re.compile(rb"^content-disposition:[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(rb';\s*(name|filename)="([^"]*)"', re.IGNORECASE)


class Unreadable(Exception):
    """A body is not what its Content-Type says."""


class TooLong(Exception):
    """A form without a file is longer than it may be."""


class Body(NamedTuple):
    """What was sent. form: of values given twice the first; files: what a multipart form carried.

    is_json: it came as a JSON object, so no form of ours sent it.
    """

    form: Mapping[str, str]
    files: Mapping[str, bytes]
    is_json: bool = False


def query_in(query: bytes) -> dict[str, str]:
    """A query string; of a name given twice the first. One of far too many names says nothing."""
    try:
        return _pairs(query)
    except Unreadable:
        return {}


def cookies_in(header: str) -> dict[str, str]:
    """The Cookie header; of a name given twice the first."""
    found: dict[str, str] = {}
    for pair in header.split(";"):
        name, mark, value = pair.strip().partition("=")
        if mark:
            found.setdefault(name, value)
    return found


def read_body(content_type: str, octets: bytes, form_bytes_max: int) -> Body:
    """A body by its Content-Type.

    form_bytes_max: of one that carries no file. To undo its escapes takes the reactor 0.1 s a
    mebibyte, and whoever sends it is not known yet.

    Raises:
        TooLong: it carries no file, and more than that.
        Unreadable: it is of no kind that a form sends, or broken.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not octets and not kind:
        return Body({}, {})
    if kind == "multipart/form-data":
        return _multipart(content_type, octets)
    if len(octets) > form_bytes_max:
        raise TooLong
    if kind == "application/x-www-form-urlencoded":
        return Body(_pairs(octets), {})
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
    """Cut at the boundary, all of it outside Python: whoever sends this is not known yet."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Unreadable
    delimiter = f"\r\n--{found[1] or found[2]}".encode("latin-1", "replace")
    _, *parts = (b"\r\n" + octets).split(delimiter, _FIELDS_MAX + 1)
    if not parts or not parts.pop().startswith(b"--"):
        raise Unreadable
    form: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for part in parts:
        head, _, content = part.partition(b"\r\n\r\n")
        line = _DISPOSITION.search(head)
        if line is None:
            continue
        told = {key.lower(): value for key, value in _PARAMETER.findall(line[0])}
        name = told.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in told:
            files.setdefault(name, content)
        elif len(content) <= _TEXT_OCTETS_MAX:
            form.setdefault(name, content.decode("utf-8", "replace"))
    return Body(form, files)


def _json(octets: bytes) -> Body:
    try:
        data = json.loads(octets)
        if not isinstance(data, dict):
            raise Unreadable
        form = {name: str(value) for name, value in data.items()}
        "".join((*form, *form.values())).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as fault:
        raise Unreadable from fault
    return Body(form, {}, is_json=True)
