// The sign-in dialog: shows a step, sends the answer, shows the next. What others wrote goes in as text only.
import { agentFlow } from "./agent_flow.js";
import { sentence, telling } from "./api.js";
import { FIELDS, WAYS } from "./sign_in_words.js";
import { countDown, now, words } from "./time.js";

const dialog = document.getElementById("sign-in");
const title = document.getElementById("sign-in-title");
const where = document.getElementById("sign-in-where");
const place = document.getElementById("sign-in-step");
const status = document.getElementById("sign-in-status");

let current = null;

// Opens the dialog. Resolves with the last step once somebody is signed in, and with null if it was given up.
// `then` is what the sign-in is for: it is done at once, without waiting for the person, and resolves with what to say.
export function signIn({ profile, about = "", ways = [], email = "", then = null }) {
  if (current) return Promise.resolve(null);
  return new Promise((resolve) => {
    current = { profile, ways, email, then, resolve, finished: null, stops: [], abort: new AbortController() };
    title.textContent = `Sign in to ${profile}`;
    where.textContent = about;
    dialog.showModal();
    start(undefined);
  });
}

async function start(scheme, underWay) {
  const mine = current;
  mine.scheme = scheme;
  mine.flow = agentFlow(mine.profile, scheme);
  mine.codes = null;
  put("step-busy");
  title.focus();
  await go(() => mine.flow.begin(mine.abort.signal, underWay));
}

// Runs one request and shows what comes of it, unless the dialog is another's by then.
async function go(request) {
  const mine = current;
  try {
    const step = await request();
    if (mine === current && step) show(step);
  } catch (trouble) {
    if (mine !== current || trouble.name === "AbortError") return;
    if (trouble.underWay) underWay(trouble);
    else failed(trouble);
  }
}

function show(step) {
  switch (step.reply) {
    case "ask":
      return ask(step);
    case "show":
      return shown(step);
    case "open":
      return opened(step);
    case "done":
      return done(step);
    default:
      return failed({ message: "The agent answered something else.", hint: "", wait: 0 });
  }
}

function put(template) {
  for (const stop of current.stops.splice(0)) stop();
  place.replaceChildren(document.getElementById(template).content.cloneNode(true));
  current.step = template;
  const slots = {};
  for (const slot of place.querySelectorAll("[data-slot]")) slots[slot.dataset.slot] = slot;
  return slots;
}

function ask(step) {
  const slots = put("step-ask");
  const kind = FIELDS[step.field] ?? FIELDS.token;
  const form = place.querySelector("form");
  const input = form.elements.answer;
  slots.label.textContent = kind.label;
  slots.submit.textContent = kind.submit;
  Object.assign(input, { type: kind.type, inputMode: kind.inputMode, autocomplete: kind.autocomplete, className: kind.klass });
  input.spellcheck = false;
  input.autocapitalize = "none";
  slots.hint.textContent = kind.hint;
  if (step.field === "email") input.value = current.email;
  if (step.field === "code") code(step, slots);
  if (step.again) {
    complain(slots.alert, input, step.again, step.tries);
    // Where another code can't be sent yet, the one that was sent is as good as before.
    if (!current.resending) wait(step.again, slots.submit, slots.alert);
  }
  current.resending = false;
  input.setAttribute("aria-describedby", "answer-alert answer-hint");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (slots.submit.disabled) return;
    if (!text || (step.field === "email" && !input.validity.valid)) {
      const what = text ? "That is not an email address." : `The ${kind.label.toLowerCase()} is missing.`;
      complain(slots.alert, input, { message: what });
      return input.focus();
    }
    if (step.field === "email") {
      current.email = text;
      return answer(slots.submit, { email: text }, { email: text });
    }
    if (step.field !== "code") return answer(slots.submit, { text }, null);
    const code = text.replace(/\D/g, "");
    // What could be no code at all is nothing to begin anew with.
    answer(slots.submit, { text }, step.sent && code.length === 6 ? { email: step.sent.to, code } : null);
  });
  offerWays(step.field === "email" || step.field === "token");
  input.focus();
  watch(step);
}

// Somebody else may answer the question, or take the place of this sign-in: the dialog shows that at once.
async function watch(step) {
  const mine = current;
  const stop = new AbortController();
  mine.stops.push(() => stop.abort());
  const same = (next) => next.reply === "ask" && next.field === step.field && next.tries === step.tries && next.sent?.to === step.sent?.to;
  try {
    let next;
    do next = await mine.flow.wait(stop.signal);
    while (same(next));
    if (!stop.signal.aborted) show(next);
  } catch (trouble) {
    // An agent that was started anew knows nothing of it; what is typed here can be tried all the same.
    if (!stop.signal.aborted && ["cancelled", "refused", "timeout"].includes(trouble.code)) failed(trouble);
  }
}

// Somebody else's sign-in is in the way.
function underWay({ message, underWay: other }) {
  const slots = put("step-under-way");
  const clock = new Date(other.started_at * 1000).toLocaleTimeString();
  slots.words.textContent = `${sentence(message)} It began at ${clock}, ${words(Math.max(now() - other.started_at, 0))} ago.`;
  slots.hint.textContent = "If it is yours, go on with it. If you begin anew, that one ends.";
  const mine = current;
  const here = other.scheme === (mine.scheme ?? mine.ways[0] ?? other.scheme);
  const join = place.querySelector("[data-do=join]");
  join.hidden = !here;
  join.addEventListener("click", () => start(mine.scheme, { join: other.flow }));
  place.querySelector("[data-do=replace]").addEventListener("click", () => start(mine.scheme, { replace: other.flow }));
  (here ? join : place.querySelector("[data-do=replace]")).focus();
}

// `anew` is the same entry for a sign-in that begins again, where this one is not known any more.
function answer(button, entry, anew) {
  const { flow, abort } = current;
  // What comes of the answer is the next step.
  for (const stop of current.stops.splice(0)) stop();
  button.disabled = true;
  button.textContent = "One moment…";
  go(() =>
    flow.answer(entry, abort.signal).catch((trouble) => {
      if (trouble.code !== "flow_gone" || !anew) throw trouble;
      return flow.anew(anew, abort.signal);
    }),
  );
}

function code(step, slots) {
  const { sent } = step;
  if (!sent) {
    slots.hint.textContent = "It was sent by email.";
    return;
  }
  const fresh = !step.again || !current.codes;
  if (fresh) current.codes = { ends: now() + (sent.expires_in ?? 0), free: now() + (sent.resend_available_in ?? 0) };
  if (current.resending && step.again?.retry_after_secs) current.codes.free = now() + step.again.retry_after_secs;
  const { ends, free } = current.codes;
  slots.sent.hidden = slots.more.hidden = slots.other.hidden = false;
  slots.sent.append(fresh && current.resending ? "We sent another code to " : "We sent a code to ", bold(sent.to), ".");
  const life = document.createElement("span");
  slots.hint.replaceChildren(life, "Look into the spam folder too.");
  if (ends > now()) {
    const over = () => (life.textContent = "It works no longer. ");
    current.stops.push(countDown(ends - now(), (secs) => (life.textContent = `It works for ${words(secs)}. `), over));
  }
  if (fresh && current.resending) status.textContent = "Another code was sent.";

  const resend = slots.more.querySelector("button");
  resend.addEventListener("click", () => {
    current.resending = true;
    answer(resend, { email: sent.to }, { email: sent.to });
  });
  if (free > now()) {
    resend.disabled = true;
    const over = () => {
      resend.disabled = false;
      slots["resend-wait"].textContent = "";
    };
    const say = (left) => (slots["resend-wait"].textContent = `in ${words(left)}`);
    current.stops.push(countDown(free - now(), say, over));
  }
  slots.other.querySelector("button").addEventListener("click", async () => {
    const mine = current;
    await mine.flow.cancel();
    if (mine === current) start(mine.scheme);
  });
}

function bold(text) {
  const node = document.createElement("strong");
  node.textContent = text;
  return node;
}

function complain(alert, input, trouble, tries) {
  alert.hidden = false;
  const left = tries === 1 ? " One try left." : tries > 1 ? ` ${tries} tries left.` : "";
  alert.textContent = `${sentence(trouble.message)}${left}`;
  input.setAttribute("aria-invalid", "true");
}

// Counts the seconds of a rate limit down beside the words and keeps the button shut until then.
function wait(trouble, button, alert) {
  // A step's own failure has the agent's words for it.
  const secs = trouble.wait || trouble.retry_after_secs || 0;
  if (secs <= 0) return;
  const before = button.textContent;
  button.disabled = true;
  alert.textContent = sentence(trouble.message).replace(/: wait \d+ seconds\.?$/, ".");
  const said = document.createElement("span");
  said.setAttribute("aria-hidden", "true");
  alert.append(" ", said);
  const say = (left) => {
    said.textContent = `Try again in ${words(left)}.`;
    button.textContent = `Try again in ${words(left)}`;
  };
  const free = () => {
    button.disabled = false;
    button.textContent = before;
    said.textContent = "You can try again now.";
    status.textContent = "You can try again now.";
  };
  status.textContent = `Try again in ${words(secs)}.`;
  current.stops.push(countDown(secs, say, free));
}

// Only web pages are opened, whatever a server says.
function isPage(url) {
  try {
    return ["https:", "http:"].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}

function link(node, url, text) {
  if (text !== undefined) node.textContent = text;
  if (isPage(url)) node.href = url;
}

function left(node, expires) {
  const secs = Math.max(expires - now(), 0);
  current.stops.push(countDown(secs, (rest) => (node.textContent = words(rest)), () => (node.textContent = "no longer")));
}

function shown(step) {
  const key = `show ${step.user_code}`;
  if (current.step !== key) {
    const slots = put("step-show");
    current.step = key;
    slots.code.textContent = step.user_code;
    link(slots.link, step.url, step.url);
    link(slots.open, step.complete_url || step.url);
    left(slots.left, step.expires_at);
    const copy = place.querySelector("[data-do=copy]");
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(step.user_code);
        copy.textContent = status.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(slots.code);
        copy.textContent = "Press Ctrl+C";
      }
    });
    offerWays(true);
    slots.open.focus();
  }
  again();
}

function opened(step) {
  const key = `open ${step.url}`;
  if (current.step !== key) {
    const slots = put("step-open");
    current.step = key;
    link(slots.open, step.url);
    left(slots.left, step.expires_at);
    slots.callback.textContent = `http://127.0.0.1:${step.port}/`;
    const form = place.querySelector("form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { flow, abort } = current;
      const text = form.elements.answer.value.trim();
      if (text) go(() => flow.answer({ text }, abort.signal));
    });
    offerWays(true);
    slots.open.focus();
  }
  again();
}

// The agent answers a wait after some seconds with the same step; so it is asked again, one at a time.
function again() {
  const mine = current;
  if (mine.waiting) return;
  mine.waiting = true;
  const free = () => (mine.waiting = false);
  go(() => mine.flow.wait(mine.abort.signal).finally(free));
}

async function done(step) {
  const slots = put("step-done");
  const mine = current;
  mine.finished = step;
  const who = step.user?.email || step.user?.id;
  const so = step.already ? "Already signed in" : "Signed in";
  const short = who ? `${so} as ${who}` : so;
  slots.words.textContent = `${short}.`;
  place.querySelector("[data-do=close]").focus();
  if (mine.then) {
    slots.words.textContent = `${short}. ${await mine.then().catch(telling)}`;
    if (mine !== current) return;
  }
  status.textContent = slots.words.textContent;
}

function failed(trouble) {
  const slots = put("step-failed");
  const retry = place.querySelector("[data-do=again]");
  slots.words.textContent = sentence(trouble.message);
  const secs = trouble.wait || 0;
  slots.hint.textContent = secs > 0 ? "" : trouble.hint || "";
  offerWays(true);
  if (secs > 0) wait(trouble, retry, slots.words);
  (retry.disabled ? place.querySelector("[data-do=close]") : retry).focus();
}

function offerWays(fits) {
  const { ways, scheme } = current;
  // The first is the one that runs where none was chosen.
  const others = ways.filter((way) => way !== (scheme ?? ways[0]) && WAYS[way]);
  if (!fits || others.length === 0) return;
  const row = document.getElementById("ways").content.cloneNode(true);
  const slot = row.querySelector("[data-slot=ways]");
  for (const way of others) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = WAYS[way];
    button.addEventListener("click", async () => {
      const mine = current;
      await mine.flow.cancel();
      if (mine === current) start(way);
    });
    slot.append(button, " ");
  }
  place.append(row);
}

place.addEventListener("click", (event) => {
  const what = event.target.closest("[data-do]")?.dataset.do;
  if (what === "cancel" || what === "close") dialog.close();
  if (what === "again" && current) start(current.scheme);
});

// Esc, the buttons and the end all come here.
dialog.addEventListener("close", () => {
  const mine = current;
  if (!mine) return;
  current = null;
  for (const stop of mine.stops) stop();
  mine.abort.abort();
  if (!mine.finished) mine.flow?.cancel();
  place.replaceChildren();
  status.textContent = "";
  mine.resolve(mine.finished);
});
