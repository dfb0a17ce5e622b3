// A real OpenID Connect provider on loopback, for one client.
//
// It prints {"saw": "listening", "port": …}, reads one line of JSON with the client's settings,
// {"redirect_uri", "secret" or null, "alg", "claims_in": "id_token" or "userinfo"}, and prints
// {"saw": "ready"}. Whoever signs in is who he says he is: an account of people below.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const people = {
  gunel: { preferred_username: "gunel.m", groups: ["desk-agents", "staff"] },
  polad: { preferred_username: "polad.q", groups: ["desk-police"] },
  nobody: { preferred_username: "nobody", groups: ["staff"] },
};

const tell = (seen) => process.stdout.write(JSON.stringify(seen) + "\n");

function keys() {
  const pairs = {
    RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  };
  return Object.entries(pairs).map(([alg, { privateKey }]) => ({
    ...privateKey.export({ format: "jwk" }), kid: alg, alg, use: "sig",
  }));
}

const page = `<!doctype html><html lang="en"><title>Provider</title><form method="post">
<label>Account <input name="account"></label>
<button name="say" value="yes">Sign in</button> <button name="say" value="no">Cancel</button></form>`;

async function body(request) {
  let text = "";
  for await (const piece of request) text += piece;
  return new URLSearchParams(text);
}

// Its one page: who are you; consent goes without saying.
async function interact(provider, request, response) {
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
    return;
  }
  const form = await body(request);
  const { params } = await provider.interactionDetails(request, response);
  if (form.get("say") === "no") {
    await provider.interactionFinished(request, response, { error: "access_denied" });
    return;
  }
  const accountId = form.get("account");
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const grantId = await grant.save();
  await provider.interactionFinished(request, response, {
    login: { accountId }, consent: { grantId },
  });
}

function provide(issuer, settings) {
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "smsd",
      client_secret: settings.secret ?? undefined,
      token_endpoint_auth_method: settings.secret ? "client_secret_basic" : "none",
      redirect_uris: [settings.redirect_uri],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      id_token_signed_response_alg: settings.alg,
    }],
    jwks: { keys: keys() },
    cookies: { keys: ["only for tests"] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
    conformIdTokenClaims: settings.claims_in === "userinfo",
    findAccount: (_, id) => people[id] && {
      accountId: id,
      claims: () => ({ sub: id, ...people[id] }),
    },
  });
  provider.on("server_error", (_, error) => process.stderr.write(`${error.stack}\n`));
  return provider;
}

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  tell({ saw: "listening", port });
  createInterface({ input: process.stdin }).once("line", (line) => {
    const provider = provide(`http://127.0.0.1:${port}`, JSON.parse(line));
    const answer = provider.callback();
    server.on("request", (request, response) => {
      if (!request.url.startsWith("/interaction/")) return answer(request, response);
      interact(provider, request, response).catch((error) => {
        process.stderr.write(`${error.stack}\n`);
        response.writeHead(500).end();
      });
    });
    tell({ saw: "ready" });
  }).once("close", () => process.exit(0));
});
