"""What a request carries is read whatever it is, or refused; never half."""

import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.desk.web.reading import TooLong, Unreadable, cookies_in, query_in, read_body

URLENCODED = "application/x-www-form-urlencoded"
FORM_BYTES_MAX = 100_000

read = partial(read_body, form_bytes_max=FORM_BYTES_MAX)


def multipart(*parts: tuple[str, str | None, bytes]) -> tuple[str, bytes]:
    """A form with uploads as browsers send it: name, file name or None, content."""
    body = b""
    for name, file, content in parts:
        file_part = "" if file is None else f'; filename="{file}"\r\nContent-Type: text/plain'
        head = f'--frontier\r\nContent-Disposition: form-data; name="{name}"{file_part}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return "multipart/form-data; boundary=frontier", body + b"--frontier--\r\n"


def test_a_form_gives_its_fields_once() -> None:
    """Of a name given twice the first counts, so that nothing can be smuggled in behind it."""
    body = read(URLENCODED, b"reason=t%C9%99cili&reason=other&empty=&a=1+2")
    assert body.form == {"reason": "təcili", "empty": "", "a": "1 2"}
    assert not body.is_json


def test_an_upload_comes_with_its_octets_and_the_fields_beside_it() -> None:
    """A file is octets, whatever they are; a field is text."""
    content = b"\xff\x00line\r\nline\n\n"
    body = read(*multipart(("csrf", None, b"token"), ("file", "a.toml", content)))
    assert body.form == {"csrf": "token"}
    assert body.files == {"file": content}


@given(st.binary(max_size=300).filter(lambda content: b"--frontier" not in content))
def test_every_upload_comes_as_it_was_sent(content: bytes) -> None:
    """Line ends, NULs and dashes included."""
    body = read(*multipart(("file", "a", content)))
    assert body.files["file"] == content


def test_json_is_a_form_too() -> None:
    """A program sends an object; its values are told as text."""
    body = read("application/json; charset=utf-8", b'{"reference": "7KQ2M4", "n": 3}')
    assert body.form == {"reference": "7KQ2M4", "n": "3"}
    assert body.is_json


@pytest.mark.parametrize(
    ("content_type", "octets"),
    [
        ("text/plain", b"csrf=1"),
        ("", b"csrf=1"),
        ("application/json", b"[1, 2]"),
        ("application/json", b"{"),
        ("application/json", b"\xff"),
        ("application/json", b"[" * 100_000),
        ("application/json", b'{"reference": "\\ud800"}'),
        ("application/json", b'{"\\ud800": 1}'),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n1"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n1\r\n" * 201 + b"--x--"),
        (URLENCODED, b"&".join(b"%d=1" % number for number in range(201))),
    ],
)
def test_what_no_form_sends_is_refused(content_type: str, octets: bytes) -> None:
    """text/plain above all: a stranger's page can send it without asking."""
    with pytest.raises(Unreadable):
        read(content_type, octets)


@pytest.mark.parametrize(
    ("content_type", "begin", "end"),
    [(URLENCODED, b"reason=", b""), ("application/json", b'{"reason": "', b'"}')],
)
def test_only_a_file_may_be_long(content_type: str, begin: bytes, end: bytes) -> None:
    """To read a long form takes the reactor its time, and a stranger may send one."""
    longest = FORM_BYTES_MAX - len(begin) - len(end)
    assert read(content_type, begin + b"x" * longest + end).form == {"reason": "x" * longest}
    with pytest.raises(TooLong):
        read(content_type, begin + b"x" * (longest + 1) + end)
    content = b"x" * (FORM_BYTES_MAX + 1)
    assert read(*multipart(("file", "a.toml", content))).files == {"file": content}


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Disposition: form-data; name=" + b"(" * 20_000,
        b'Content-Disposition: form-data; name="' + b'\\"' * 200_000,
        b"Content-Disposition: form-data" + b"; name*0=a" * 20_000,
        b"Content-Disposition: ; =; ",
        b"Content-Type: message/rfc822\r\n\r\n" * 2_000,
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (each, each)
            for each in range(2_000)
        ),
        b"a: b\r\n" * 100_000,
    ],
    ids=["comments", "quotes", "continued", "odd", "messages", "nested", "headers"],
)
def test_a_part_that_no_browser_sends_is_no_field(head: bytes) -> None:
    """Mail knows them all; whoever is not signed in yet sends them, and must not cost anything."""
    body = b"--x\r\n" + head + b"\r\n\r\n1\r\n--x--\r\n"
    found = read("multipart/form-data; boundary=x", body)
    assert "csrf" not in found.form
    assert not found.files


@given(
    st.binary(max_size=200),
    st.sampled_from([URLENCODED, "application/json", "multipart/form-data; boundary=b"]),
)
def test_any_octets_are_read_or_refused(octets: bytes, content_type: str) -> None:
    """No body is a fault of ours."""
    try:
        body = read(content_type, octets)
    except Unreadable:
        return
    json.dumps(dict(body.form))


def test_cookies_and_queries_are_read_leniently() -> None:
    """What is odd in them is left out or stands as it is; the first of a name counts."""
    assert cookies_in("a=1; b=2=3;c; a=4;  d = 5") == {"a": "1", "b": "2=3", "d ": " 5"}
    assert query_in(b"lang=ru&lang=az&x=%ff&y") == {"lang": "ru", "x": "\ufffd", "y": ""}
