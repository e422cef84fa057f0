// Keeps the page in step with the agent: one stream of events, each of which has the page's region fetched anew.
import { Trouble, call, here, region as fetchRegion, telling } from "./api.js";
import { audit } from "./audit.js";
import { morph } from "./morph.js";
import { signIn } from "./sign_in.js";
import { follow as followEvents } from "./stream.js";
import { countDown, tick, words } from "./time.js";

const region = document.getElementById("region");
const news = document.getElementById("news");
const toast = document.getElementById("toast");
const lost = document.getElementById("lost");
const agentMark = document.getElementById("agent");
const agentWords = document.getElementById("agent-words");
const pause = document.getElementById("pause");
const places = document.querySelector("header nav");

// Fetching

let filter = location.search;
let asked = 0;
let due = 0;

async function refresh() {
  clearTimeout(due);
  due = 0;
  const mine = ++asked;
  try {
    const html = await fetchRegion(region.dataset.fragment + filter);
    if (mine !== asked) return;
    swap(html);
    found();
  } catch (trouble) {
    if (mine === asked) missing(trouble);
  }
}

function soon(ms = 150) {
  due ||= setTimeout(refresh, ms);
}

function swap(html) {
  const focused = document.activeElement;
  const id = region.contains(focused) ? focused.id : "";
  const group = focused.closest("li[id]")?.id;
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const wanted = region.cloneNode(false);
  wanted.append(...parsed.body.childNodes);
  morph(region, wanted);
  agentFound();
  tick(region);
  if (id && document.activeElement !== focused) focusNear(id, group);
}

// Whoever was at a button that is gone goes on beside it.
function focusNear(id, group) {
  const beside = group && document.getElementById(group)?.querySelector("button, a");
  const next = document.getElementById(id) ?? beside ?? document.getElementById("content");
  next.focus({ preventScroll: true });
}

// The dashboard itself may be gone, or this browser's cookie.
function missing(trouble) {
  const said = trouble.status === 401 || trouble.status === 403
    ? "This page's link is over. Run everkey dashboard for another."
    : "The dashboard has stopped. Run everkey dashboard to open it again.";
  if (lost.hidden) {
    lost.hidden = false;
    document.getElementById("lost-words").textContent = said;
  }
  region.classList.add("waits");
  places.inert = true;
  hush();
  agentMark.dataset.state = "unknown";
  agentWords.textContent = "Agent unknown";
}

function found() {
  if (lost.hidden) return;
  lost.hidden = true;
  region.classList.remove("waits");
  places.inert = false;
  if (agentMark.dataset.state !== "unknown") return;
  agentMark.dataset.state = wasReachable ? "here" : "gone";
  agentWords.textContent = wasReachable ? "Agent running" : "Agent not running";
}

// Words at the foot of the page

let hide = 0;
let stopCount = () => {};

function hush() {
  stopCount();
  clearTimeout(hide);
  toast.hidden = true;
}

function say(text, { bad = false, wait = 0 } = {}) {
  hush();
  // That the dashboard has stopped is all there is to say then.
  if (!lost.hidden) return;
  const place = document.getElementById("toast-words");
  toast.classList.toggle("bad", bad);
  toast.hidden = false;
  place.textContent = text;
  if (wait > 0) {
    const left = document.createElement("span");
    left.setAttribute("aria-hidden", "true");
    place.append(" ", left);
    const write = (secs) => (left.textContent = `${words(secs)} left.`);
    stopCount = countDown(wait, write, () => (left.textContent = "Now it can be tried again."));
  }
  document.getElementById("toast-close").hidden = !bad;
  if (!bad) hide = setTimeout(() => (toast.hidden = true), 8000);
}

// Where the person was last, to go back to.
let pressed = { id: "content" };

document.getElementById("toast-close").addEventListener("click", () => {
  hush();
  focusNear(pressed.id, pressed.group);
});

function wrong(trouble) {
  if (!(trouble instanceof Trouble)) throw trouble;
  if (trouble.code === "lost") return missing(trouble);
  const message = trouble.wait > 0 ? trouble.message.replace(/[;:,]? *wait \d+ (s|seconds)\.?$/, ".") : trouble.message;
  const hint = trouble.wait > 0 ? "" : trouble.hint;
  say(telling({ message, hint }), { bad: true, wait: trouble.wait });
}

// Buttons

const REVOKED = {
  nothing_to_do: "Nobody was signed in.",
  revoked: "Signed out, and the server has ended the session.",
  queued: "Signed out here. The server can't be reached; it is told again for seven days.",
  not_confirmed: "Signed out here. The server did not confirm that it ended the session.",
  impossible: "Signed out here. This server has no way to be told.",
};

const confirmation = document.getElementById("confirm");

function sure(title, text, yes) {
  document.getElementById("confirm-title").textContent = title;
  document.getElementById("confirm-words").textContent = text;
  document.getElementById("confirm-yes").textContent = yes;
  confirmation.returnValue = "";
  confirmation.showModal();
  document.getElementById("confirm-no").focus();
  return new Promise((resolve) =>
    confirmation.addEventListener("close", () => resolve(confirmation.returnValue === "yes"), { once: true }),
  );
}

const actions = {
  async login({ profile, ways, server }) {
    await signIn({ profile, about: server, ways: (ways || "").split(" ").filter(Boolean) });
  },
  async logout({ profile }) {
    const text = "Programs on this machine get no more tokens for it until somebody signs in again.";
    if (!(await sure(`Sign out of ${profile}?`, text, "Sign out"))) return;
    const said = await call("/api/sessions/logout", { profile });
    const again = said.why ? ` ${said.why} It is asked again for seven days.` : "";
    say((REVOKED[said.revocation] ?? "Signed out.") + again);
  },
  async refresh({ profile }) {
    await call("/api/sessions/refresh", { profile, force: false });
    say(`${profile} has a fresh token.`);
  },
  async start() {
    await call("/api/agent/start", {});
  },
  async look() {},
};

const BUSY = { refresh: "Refreshing…", start: "Starting…", look: "Looking…" };

region.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-action]");
  if (!button || button.getAttribute("aria-disabled") === "true") return;
  const { action } = button.dataset;
  const group = button.closest("li[id]")?.id;
  pressed = { id: button.id, group };
  const label = button.textContent;
  const busy = BUSY[action];
  button.setAttribute("aria-disabled", "true");
  if (busy) {
    button.dataset.busy = "";
    button.textContent = busy;
  }
  try {
    await actions[action](button.dataset);
  } catch (trouble) {
    wrong(trouble);
  } finally {
    button.removeAttribute("aria-disabled");
    delete button.dataset.busy;
    if (busy && button.textContent === busy) button.textContent = label;
  }
  await refresh();
  if (document.activeElement === document.body) focusNear(button.id, group);
});

// A link would lead to whoever has the port now.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[href]");
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !plain || link.origin !== location.origin || link.hash) return;
  event.preventDefault();
  try {
    await here();
    location.assign(link.href);
  } catch (trouble) {
    wrong(trouble);
  }
});

// The filter of the Access page works by its address alone; here it follows the typing.
let typed = 0;
function follow(form, ms) {
  clearTimeout(typed);
  typed = setTimeout(() => {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    filter = query.size > 0 ? `?${query}` : "";
    history.replaceState(null, "", location.pathname + filter);
    refresh();
  }, ms);
}
region.addEventListener("input", (event) => {
  const form = event.target.closest("#filter");
  if (form) follow(form, 200);
});
region.addEventListener("submit", (event) => {
  if (event.target.id !== "filter") return;
  event.preventDefault();
  follow(event.target, 0);
});

// Events

const LOUD = {
  signed_in: "signed in",
  signed_out: "signed out",
  needs_login: "needs a new sign-in",
  adopted: "was signed in by another program",
  reminder_due: "has a reminder that is due",
  file_trouble: "has trouble with a file",
};

let paused = false;
let missed = 0;
let quiet = [];
let speaking = 0;

// What a screen reader hears: little, and never more than once in ten seconds.
function announce(text) {
  if (!text) return;
  quiet.push(text);
  if (speaking) return;
  speaking = setTimeout(() => {
    speaking = 0;
    news.textContent = quiet.length > 3 ? `${quiet.length} things happened, the last: ${quiet.at(-1)}` : quiet.join(" ");
    quiet = [];
    speaking = setTimeout(() => {
      speaking = 0;
      if (quiet.length > 0) announce(quiet.pop());
    }, 10000);
  }, 500);
}

function happened(event) {
  const what = LOUD[event.event];
  if (what) announce(`${event.profile} ${what}.`);
  const handed = event.event === "handed";
  if (handed && !/access|activity/.test(region.dataset.fragment)) return;
  if (!paused) return soon(handed ? 1000 : 150);
  missed += 1;
  document.getElementById("paused").textContent = missed === 1 ? "One new" : `${missed} new`;
}

// What the region was made of decides what the header says, so that the two agree.
const AGENT = {
  here: "Agent running",
  gone: "Agent not running",
  stuck: "Agent does not answer",
  odd: "Agent can't be asked",
};
let wasReachable = document.getElementById("agent").dataset.state === "here";
// What the stream said last. While the region says otherwise, one of the two is out of date.
let saidReachable = wasReachable;
function agentFound() {
  const found = region.querySelector("[data-agent]")?.dataset.agent ?? "here";
  const reachable = found === "here";
  document.getElementById("agent").dataset.state = reachable ? "here" : "gone";
  document.getElementById("agent-words").textContent = AGENT[found];
  if (wasReachable !== reachable) announce(reachable ? "The agent is back." : `${AGENT[found]}.`);
  wasReachable = reachable;
}

function agentIs({ reachable, version }) {
  // Events prove nothing; the region does, which is fetched because of them.
  const known = /^[\w.+-]{1,40}$/.test(version) ? version : "";
  document.getElementById("agent-version").textContent = known && `Agent ${known}.`;
  saidReachable = reachable;
  if (wasReachable !== reachable) soon(0);
}

const heard = {
  happened: (data) => happened(JSON.parse(data)),
  past: () => soon(400),
  agent: (data) => agentIs(JSON.parse(data)),
  open: () => soon(),
  error: () => soon(1000),
};
followEvents((name, data) => heard[name](data));
addEventListener("pageshow", (event) => {
  if (event.persisted) here().then(() => location.reload(), missing);
});

pause?.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? "Go on" : "Pause";
  document.getElementById("paused").textContent = paused ? "Nothing moves" : "";
  missed = 0;
  if (!paused) soon(0);
});

// Every second; and a look now and then for what has no event.
setInterval(() => {
  if (!paused && lost.hidden && tick()) soon(700);
}, 1000);
// What is being worked on without an event at its end.
setInterval(() => {
  const unsettled = region.querySelector("[data-unsettled]") || saidReachable !== wasReachable;
  if (unsettled && document.visibilityState === "visible") soon(0);
}, 3000);
setInterval(() => {
  if (!paused && document.visibilityState === "visible") soon(0);
}, 60000);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && !paused) soon(0);
});
tick();
audit({ region, say, refresh });
// From here on the buttons work.
document.documentElement.dataset.ready = "";
