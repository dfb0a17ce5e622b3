"""Golden PDUs: every command of SMPP 3.4, its octets typed by hand from the layouts of §4.

No two neighbouring fields hold the same value where that could hide a swap. The first is the
standard's own sample of a bind_transmitter (§3.2). Every sequence number is 1.
"""

from smsd.smpp import pdu
from smsd.smpp.pdu import Body, Tlv

PHONE, PHONE_HEX = "994000000001", "39393430303030303030303100"
AFTER_2_S = "000000020000000R"
AFTER_2_S_HEX = "3030303030303032303030303030305200"

# fmt: off
TYPED: list[tuple[Body, int, str]] = [
    (
        pdu.BindTransmitter("SMPP3TEST", "secret08", "SUBMIT1", 0, 1, 1),
        0,
        "0000002f 00000002 00000000 00000001"
        "534d50503354455354 00 7365637265743038 00 5355424d495431 00 00 01 01 00",
    ),
    (
        pdu.BindReceiver("8103", "pw", "", 0x34, 1, 2, "8103"),
        0,
        "00000021 00000001 00000000 00000001 3831303300 707700 00 34 01 02 3831303300",
    ),
    (
        pdu.BindTransceiver("esme", "secret", "sms"),
        0,
        "00000024 00000009 00000000 00000001 65736d6500 73656372657400 736d7300 34 00 00 00",
    ),
    (
        pdu.BindTransmitterResp("smsc"),
        0,
        "00000015 80000002 00000000 00000001 736d736300",
    ),
    (pdu.BindReceiverResp(), 0x0D, "00000011 80000001 0000000d 00000001 00"),
    (
        pdu.BindTransceiverResp("smsc", (Tlv(0x0210, b"\x34"),)),
        0,
        "0000001a 80000009 00000000 00000001 736d736300 0210 0001 34",
    ),
    (
        pdu.Outbind("smsc", "pw"),
        0,
        "00000018 0000000b 00000000 00000001 736d736300 707700",
    ),
    (pdu.Unbind(), 0, "00000010 00000006 00000000 00000001"),
    (pdu.UnbindResp(), 0, "00000010 80000006 00000000 00000001"),
    (pdu.GenericNack(), 3, "00000010 80000000 00000003 00000001"),
    (
        pdu.SubmitSm(
            "CMT", 3, 9, "8103", 1, 6, PHONE, 0x40, 0x7F, 2, "", AFTER_2_S, 0x11, 1, 8, 5,
            b"\x04\x31", (Tlv(0x0204, b"\x00\x07"),),
        ),
        0,
        "0000004c 00000004 00000000 00000001 434d5400 03 09 3831303300 01 06"
        + PHONE_HEX + "40 7f 02 00" + AFTER_2_S_HEX + "11 01 08 05 02 0431 0204 0002 0007",
    ),
    (pdu.SubmitSmResp("a1b2"), 0, "00000015 80000004 00000000 00000001 6131623200"),
    (
        pdu.SubmitMulti(
            "", 5, 0, "8103", (pdu.SmeAddress(1, 2, PHONE), pdu.DistributionList("crew")),
            3, 4, 1, "", "", 2, 0, 3, 0, b"hi",
        ),
        0,
        "0000003b 00000021 00000000 00000001 00 05 00 3831303300 02 01 01 02" + PHONE_HEX
        + "02 6372657700 03 04 01 00 00 02 00 03 00 02 6869",
    ),
    (
        pdu.SubmitMultiResp("m1", (pdu.UnsuccessSme(1, 2, PHONE, 0x0B),)),
        0,
        "00000027 80000021 00000000 00000001 6d3100 01 01 02" + PHONE_HEX + "0000000b",
    ),
    (
        pdu.DeliverSm("", 1, 2, PHONE, 3, 4, "8103", short_message=b"2 AZE 1111111"),
        0,
        "0000003e 00000005 00000000 00000001 00 01 02" + PHONE_HEX + "03 04 3831303300"
        "00 00 00 00 00 00 00 00 00 0d 3220415a452031313131313131",
    ),
    (pdu.DeliverSmResp(), 0, "00000011 80000005 00000000 00000001 00"),
    (
        pdu.DataSm("WAP", 1, 2, PHONE, 3, 4, "8103", 0x40, 1, 4, (Tlv(0x0424, b"abc"),)),
        0,
        "00000034 00000103 00000000 00000001 57415000 01 02" + PHONE_HEX + "03 04 3831303300"
        "40 01 04 0424 0003 616263",
    ),
    (
        pdu.DataSmResp("m2", (Tlv(0x0425, b"\x01"),)),
        0xFE,
        "00000018 80000103 000000fe 00000001 6d3200 0425 0001 01",
    ),
    (
        pdu.QuerySm("m3", 1, 2, PHONE),
        0,
        "00000022 00000003 00000000 00000001 6d3300 01 02" + PHONE_HEX,
    ),
    (
        pdu.QuerySmResp("m3", "200405101500016+", 2, 7),
        0,
        "00000026 80000003 00000000 00000001 6d3300"
        "3230303430353130313530303031362b 00 02 07",
    ),
    (
        pdu.CancelSm("CMT", "m4", 5, 0, "8103", 1, 2, PHONE),
        0,
        "0000002d 00000008 00000000 00000001 434d5400 6d3400 05 00 3831303300 01 02" + PHONE_HEX,
    ),
    (pdu.CancelSmResp(), 0, "00000010 80000008 00000000 00000001"),
    (
        pdu.ReplaceSm("m5", 5, 0, "8103", "", AFTER_2_S, 1, 6, b"x"),
        0,
        "00000030 00000007 00000000 00000001 6d3500 05 00 3831303300 00" + AFTER_2_S_HEX
        + "01 06 01 78",
    ),
    (pdu.ReplaceSmResp(), 0, "00000010 80000007 00000000 00000001"),
    (pdu.EnquireLink(), 0, "00000010 00000015 00000000 00000001"),
    (pdu.EnquireLinkResp(), 0, "00000010 80000015 00000000 00000001"),
    (
        pdu.AlertNotification(1, 2, PHONE, 3, 4, "8103", (Tlv(0x0422, b"\x01"),)),
        0,
        "0000002b 00000102 00000000 00000001 01 02" + PHONE_HEX + "03 04 3831303300"
        "0422 0001 01",
    ),
]
# fmt: on

GOLDEN = [(body, status, bytes.fromhex(octets)) for body, status, octets in TYPED]
