// npm's smpp as an ESME that echoes: node esme.js MODULE STYLE PORT. See ../peer.py.
'use strict';

const { bodies, join, tell } = require('./text');

const [, , module_, style, port] = process.argv;
const smpp = require(module_);
const RECEIPT = smpp.ESM_CLASS.MC_DELIVERY_RECEIPT;
let reference = 0;

function connect(password, bound) {
  const session = smpp.connect({ host: '127.0.0.1', port: Number(port) });
  session.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  session.on('connect', () =>
    session.bind_transceiver({ system_id: 'smsd', password }, (answer) => bound(session, answer)));
}

async function echo(session, pdu, text) {
  let id;
  for (const body of bodies(smpp, text, ++reference, style)) {
    id = await new Promise((taken) => session.submit_sm({
      source_addr: pdu.destination_addr,
      dest_addr_ton: smpp.TON.INTERNATIONAL,
      destination_addr: pdu.source_addr,
      registered_delivery: smpp.REGISTERED_DELIVERY.FINAL,
      ...body,
    }, (answer) => taken(answer.message_id)));
  }
  tell('taken', { id });
}

function deliver(session, pdu) {
  session.deliver_sm_resp({ sequence_number: pdu.sequence_number });
  if (pdu.esm_class & RECEIPT) {
    const state = /stat:(\w+)/.exec(pdu.short_message.message)[1];
    tell('receipt', { id: pdu.receipted_message_id, state });
    return;
  }
  const whole = join(pdu);
  if (!whole) return;
  if (whole.text === 'bye') {
    session.unbind(() => session.close(again));
    return;
  }
  tell('text', { phone: pdu.source_addr, number: pdu.destination_addr, ...whole });
  echo(session, pdu, whole.text);
}

function again() {
  connect('secret', (session) => {
    session.on('enquire_link', (pdu) => session.send(pdu.response()));
    session.on('unbind', (pdu) => {
      session.send(pdu.response());
      session.close(() => process.exit(0));
    });
  });
}

connect('wrong', (refused) => {
  refused.destroy();
  connect('secret', (session) => {
    session.on('deliver_sm', (pdu) => deliver(session, pdu));
    session.on('enquire_link', (pdu) => session.send(pdu.response()));
    session.enquire_link();
  });
});
