"""One name for one message, whatever bases an SMSC answers and reports in."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.config import SmscSection
from smsd.smpp.message_ids import FORMS, of_receipt, of_response
from smsd.smpp.receipts import Receipt


def same(form: str, response: str, receipt: str, by_tlv: bool = False) -> bool:
    """Whether a receipt is about the message of a response."""
    reported = Receipt(receipt, "DELIVRD", by_tlv=by_tlv)
    return of_response(form)(response) == of_receipt(form)(reported)


@pytest.mark.parametrize(
    ("form", "response", "receipt"),
    [
        ("as_is", "0a1F", "0a1F"),
        ("hex", "000a1F", "A1f"),
        ("decimal", "0012", "12"),
        ("hex_to_decimal", "000000ff", "0000000255"),
        ("hex_to_decimal", "10", "16"),
        ("decimal_to_hex", "0255", "00FF"),
        ("hex_to_decimal", "a-7", "a-7"),  # no number in any base: compared as it is
        ("decimal_to_hex", "9xyz", "9xyz"),
    ],
)
def test_an_smsc_that_names_one_message_in_two_ways(form: str, response: str, receipt: str) -> None:
    """Case and leading zeros count only where nothing else is said."""
    assert same(form, response, receipt)


@pytest.mark.parametrize(
    ("form", "response", "receipt"),
    [
        ("as_is", "0a", "a"),
        ("as_is", "a", "A"),
        ("hex", "10", "16"),
        ("hex_to_decimal", "10", "10"),
        ("decimal_to_hex", "10", "10"),
        ("decimal", "1_0", "10"),  # an underscore that Python takes for a separator
        ("decimal", "-5", "5"),
    ],
)
def test_two_messages_that_must_not_be_taken_for_one(
    form: str, response: str, receipt: str
) -> None:
    """Another base is another number."""
    assert not same(form, response, receipt)


def test_a_tlv_that_stands_alone_is_in_the_form_of_the_response() -> None:
    """§5.3.2.12: the handle that submit_sm_resp gave; the text is the vendor's."""
    assert same("hex_to_decimal", "10", "10", by_tlv=True)
    assert not same("hex_to_decimal", "10", "16", by_tlv=True)


@given(st.sampled_from(sorted(FORMS)), st.text(), st.text(), st.booleans())
def test_names_never_raise(form: str, response: str, receipt: str, by_tlv: bool) -> None:
    """They come from outside."""
    same(form, response, receipt, by_tlv)


@given(st.integers(0, 2**128))
def test_every_number_is_found_again(number: int) -> None:
    """In both directions, padded or not."""
    assert same("hex_to_decimal", f"{number:034X}", str(number))
    assert same("decimal_to_hex", f"{number:040}", f"{number:x}")


def test_every_form_of_the_configuration_is_known() -> None:
    """The names stand in smsd.config, which knows nothing of SMPP."""
    annotation = SmscSection.model_fields["message_id_form"].annotation
    assert set(get_args(annotation)) == FORMS
