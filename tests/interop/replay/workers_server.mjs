// An authorization server that others wrote (@cloudflare/workers-oauth-provider), for what it does with a refresh token
// that is sent twice. Prints one line of JSON when it listens. Whoever opens the authorization page has approved.

import { createHash } from "node:crypto";
import { createRequire, register } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { serve } from "./faults.mjs";

const { values: told } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "access-seconds": { type: "string", default: "3600" }, // from 60
    modules: { type: "string", default: fileURLToPath(new URL(".", import.meta.url)) }, // where node_modules is
  },
});

// Outside Cloudflare nobody has this module; the library only asks whether handlers are made of its class.
const stub = encodeURIComponent("export class WorkerEntrypoint {}");
const hook = `export const resolve = (name, context, next) =>
  name === "cloudflare:workers" ? { url: "data:text/javascript,${stub}", shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
const library = createRequire(`${resolve(told.modules)}/`).resolve("@cloudflare/workers-oauth-provider");
const { OAuthProvider } = await import(pathToFileURL(library));

/** Cloudflare's KV, as far as the library uses it. */
class Store {
  #held = new Map();

  async get(key, { type } = {}) {
    const { value, ends } = this.#held.get(key) ?? { ends: 0 };
    if (ends <= Date.now()) return null;
    return type === "json" ? JSON.parse(value) : value;
  }

  async put(key, value, { expirationTtl = Infinity, expiration = Infinity, metadata } = {}) {
    this.#held.set(key, { value, metadata, ends: Math.min(Date.now() + expirationTtl * 1000, expiration * 1000) });
  }

  async delete(key) {
    this.#held.delete(key);
  }

  async list({ prefix = "" } = {}) {
    const keys = [...this.#held].filter(([name, { ends }]) => name.startsWith(prefix) && ends > Date.now());
    return { keys: keys.map(([name, { metadata }]) => ({ name, metadata })), list_complete: true };
  }
}

/** The authorization page. */
async function page(request, env) {
  if (new URL(request.url).pathname !== "/authorize") return new Response("Not found", { status: 404 });
  const asked = await env.OAUTH_PROVIDER.parseAuthRequest(request);
  const user = { userId: "ada", props: { user: "ada" }, metadata: {} };
  const { redirectTo } = await env.OAUTH_PROVIDER.completeAuthorization({
    request: asked,
    scope: asked.scope,
    ...user,
  });
  return Response.redirect(redirectTo);
}

function provider(base, accessSeconds) {
  const made = new OAuthProvider({
    apiRoute: "/whoami",
    apiHandler: { fetch: (request, env, ctx) => Response.json(ctx.props) },
    defaultHandler: { fetch: page },
    authorizeEndpoint: "/authorize",
    tokenEndpoint: "/token",
    clientRegistrationEndpoint: "/register",
    scopesSupported: ["read", "write", "offline_access"],
    resourceMetadata: { resource: base },
    accessTokenTTL: accessSeconds,
    onError: () => {},
  });
  const env = { OAUTH_KV: new Store() };
  return (request) => made.fetch(request, env, { waitUntil: () => {}, props: {} });
}

/** The client `everkey`, and its first tokens. */
async function signIn(base, handler) {
  const call = (path, method, headers, body) => handler(new Request(base + path, { method, headers, body }));
  const back = "http://127.0.0.1/callback"; // RFC 8252 section 7.3: any port
  const about = { client_name: "everkey", redirect_uris: [back], token_endpoint_auth_method: "none" };
  const json = { "Content-Type": "application/json" };
  const { client_id } = await (await call("/register", "POST", json, JSON.stringify(about))).json();
  const verifier = "v".repeat(43);
  const asked = new URLSearchParams({
    client_id,
    redirect_uri: back,
    response_type: "code",
    scope: "read write",
    state: "s",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const approved = await call(`/authorize?${asked}`, "GET");
  const code = new URL(approved.headers.get("location")).searchParams.get("code");
  const grant = { grant_type: "authorization_code", client_id, code, redirect_uri: back, code_verifier: verifier };
  const { access_token, refresh_token, expires_in } = await (
    await call("/token", "POST", {}, new URLSearchParams(grant))
  ).json();
  return { client_id, access_token, refresh_token, expires_in };
}

const { base, handler } = await serve(Number(told.port), "/token", (at) =>
  provider(at, Number(told["access-seconds"])),
);
const first = await signIn(base, handler);
const ends = { token_endpoint: `${base}/token`, revocation_endpoint: `${base}/token`, whoami: `${base}/whoami` };
console.log(JSON.stringify({ issuer: base, ...ends, ...first }));
