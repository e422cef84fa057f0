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

const LOST = { code: "lost", message: "The dashboard does not answer.", hint: "Run `everkey dashboard` again." };

export async function call(path, body, { method = "POST", signal } = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      signal,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble(LOST);
  }
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Trouble({ ...(said || {}), status: answer.status });
  return said;
}

// The HTML of a live region.
export async function region(path) {
  let answer;
  try {
    answer = await fetch(path, { headers: { Accept: "text/html" } });
  } catch {
    throw new Trouble(LOST);
  }
  if (!answer.ok) throw new Trouble({ status: answer.status, message: `The dashboard answered ${answer.status}.` });
  return answer.text();
}
