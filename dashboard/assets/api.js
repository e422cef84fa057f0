// Requests to the dashboard. What fails is thrown as `Trouble`: a sentence, what to do, and how long to wait.

export class Trouble extends Error {
  constructor({ status = 0, code, message, hint, retry_after_secs, under_way }) {
    super(message || "That did not work.");
    this.status = status;
    this.code = code || `http_${status}`;
    this.hint = hint || "";
    this.underWay = under_way || null;
    this.wait = Number.isFinite(retry_after_secs) ? retry_after_secs : 0;
  }
}

// The agent's words as a sentence of this page.
export function sentence(text) {
  const whole = /[.!?]$/.test(text) ? text : `${text}.`;
  return text && whole[0].toUpperCase() + whole.slice(1);
}

// All that a trouble says.
export const telling = ({ message, hint }) => `${sentence(message)} ${hint || ""}`.trim();

// Once the dashboard has ended, another user of the machine may answer in its place: what does not prove that it was made
// by the dashboard that made this page is not read, and nothing that was typed is sent before somebody has proved it.
// Browsers without WebCrypto can't look.
const given = document.querySelector("meta[name=everkey-proof-key]");
const encoded = (text) => new TextEncoder().encode(text);
const hash = { name: "HMAC", hash: "SHA-256" };
const key = globalThis.crypto?.subtle?.importKey("raw", encoded(given.content), hash, false, ["verify"]);
given.remove();

async function isProved(answer, nonce, body) {
  if (!key) return true;
  const proof = answer.headers.get("Everkey-Proof") ?? "";
  if (!/^[0-9a-f]{64}$/.test(proof)) return false;
  const bytes = Uint8Array.from(proof.match(/../g), (pair) => Number.parseInt(pair, 16));
  const said = new Blob([`${nonce} ${answer.status}\n`, body]);
  return crypto.subtle.verify(hash, await key, bytes, await said.arrayBuffer());
}

async function ask(path, { headers, ...options } = {}) {
  const nonce = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16)).join("");
  let answer;
  let body;
  try {
    answer = await fetch(path, { ...options, redirect: "error", headers: { ...headers, "Everkey-Nonce": nonce } });
    body = await answer.arrayBuffer();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble(LOST);
  }
  if (await isProved(answer, nonce, body)) return { answer, text: new TextDecoder().decode(body) };
  throw new Trouble({ ...LOST, status: answer.status });
}

// Fails unless the dashboard that made this page is there.
export const here = () => ask("/api/here");

const LOST = { code: "lost", message: "The dashboard does not answer.", hint: "Run `everkey dashboard` again." };

const TYPED = ["text", "code", "email"];

export async function call(path, body, { method = "POST", signal } = {}) {
  if (body && TYPED.some((field) => field in body)) await here();
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const { answer, text } = await ask(path, { method, signal, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  let said = null;
  try {
    said = JSON.parse(text);
  } catch {
    // It says nothing then.
  }
  if (!answer.ok) throw new Trouble({ ...(said || {}), status: answer.status });
  return said;
}

// The HTML of a live region.
export async function region(path) {
  const { answer, text } = await ask(path, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Trouble({ status: answer.status, message: `The dashboard answered ${answer.status}.` });
  return text;
}
