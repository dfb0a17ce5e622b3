// npm's smpp as an SMSC: node smsc.js MODULE STYLE TEXTS. See ../peer.py.
'use strict';

const { bodies, join, tell } = require('./text');

const [, , module_, style, texts] = process.argv;
const smpp = require(module_);

function deliver(session, fields) {
  const command = style === 'data_sm' && fields.message_payload ? 'data_sm' : 'deliver_sm';
  return new Promise((answered) => session[command](
    { source_addr_ton: smpp.TON.INTERNATIONAL, destination_addr: '8103', ...fields }, answered));
}

function report(session, pdu, id) {
  return deliver(session, {
    source_addr: pdu.destination_addr,
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2604060000 done date:2604060000`
      + ' stat:DELIVRD err:000 text:',
    receipted_message_id: id,
    message_state: smpp.MESSAGE_STATE.DELIVERED,
  });
}

async function play(session) {
  let replied;
  let messages = 0;
  session.on('submit_sm', (pdu) => {
    const id = `npm-${++messages}`;
    session.send(pdu.response({ message_id: id }));
    const whole = join(pdu);
    if (!whole) return;
    tell('text', { phone: pdu.destination_addr, number: pdu.source_addr, ...whole });
    replied(() => report(session, pdu, id));
  });
  session.enquire_link();
  for (const [at, [phone, text]] of JSON.parse(texts).entries()) {
    const reply = new Promise((resolve) => { replied = resolve; });
    let id;
    for (const body of bodies(smpp, text, at, style)) {
      const answer = await deliver(session, { source_addr: phone, ...body });
      if (answer.command_status) throw Error(`${answer.command} ${answer.command_status}`);
      id = answer.message_id;
    }
    tell('taken', { id });
    const reportIt = await reply;
    if (at === 0) tell('reported', { status: (await reportIt()).command_status });
  }
  session.unbind(() => session.close());
}

let played = false;

const server = smpp.createServer((session) => {
  session.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  session.on('bind_transceiver', (pdu) => {
    const known = pdu.system_id === 'smsd' && pdu.password === 'secret';
    session.send(pdu.response(known ? { system_id: 'npm' }
      : { command_status: smpp.ESME_RINVPASWD }));
    if (known && !played) play(session);
    played = known;
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close(() => process.exit(0));
  });
});
server.listen(0, '127.0.0.1', () => tell('listening', { port: server.address().port }));
