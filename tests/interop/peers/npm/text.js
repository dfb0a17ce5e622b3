// Texts as npm's smpp has them on the wire: cut into parts, joined again, told to the tests.
'use strict';

const PART_SEPTETS = 153; // 3GPP TS 23.040: 140 octets less a UDH of six
const PART_UNITS = 67;

exports.tell = (saw, fields) => console.log(JSON.stringify({ saw, ...fields }));

exports.isGsm = (smpp, text) => smpp.encodings.ASCII.match(text);

// What goes into the PDUs of a text: short_message with a UDH for each part, or one payload;
// style is UDH, payload or data_sm.
// data_coding 0 is named, since the library's own guess marks GSM 03.38 as IA5 (1).
exports.bodies = (smpp, text, reference, style) => {
  const gsm = exports.isGsm(smpp, text);
  const data_coding = gsm ? 0 : smpp.ENCODING.UCS2;
  if (text.length <= (gsm ? 160 : 70)) return [{ data_coding, short_message: text }];
  if (style !== 'UDH') return [{ data_coding, message_payload: text }];
  const room = gsm ? PART_SEPTETS : PART_UNITS;
  const total = Math.ceil(text.length / room);
  return Array.from({ length: total }, (_, at) => ({
    data_coding,
    short_message: {
      udh: Buffer.from([5, 0, 3, reference, total, at + 1]),
      message: text.slice(at * room, (at + 1) * room),
    },
  }));
};

const held = new Map();

// The whole text that a PDU completes, as {text, parts}; else undefined.
exports.join = (pdu) => {
  const { udh, message } = pdu.message_payload || pdu.short_message;
  const part = (udh || []).find((element) => element[0] === 0);
  if (!part) return { text: message, parts: 1 };
  const [, , reference, total, index] = part;
  const key = [pdu.source_addr, pdu.destination_addr, reference].join();
  const parts = held.get(key) || [];
  held.set(key, parts);
  parts[index - 1] = message;
  if (Object.keys(parts).length < total) return undefined;
  held.delete(key);
  return { text: parts.join(''), parts: total };
};
