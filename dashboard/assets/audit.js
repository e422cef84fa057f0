// The re-audit page: sets, changes and clears the reminder; signs in first where nobody is.
import { call, telling } from "./api.js";
import { signIn } from "./sign_in.js";

function asked(form) {
  const when = new FormData(form).get("when");
  if (when !== "date") return { in_days: Number(when) };
  const [year, month, day] = form.elements.day.value.split("-").map(Number);
  if (!year) return null;
  return { at: Math.floor(new Date(year, month - 1, day, 9).getTime() / 1000) };
}

export function audit({ region, say, refresh }) {
  const complain = (message) => {
    const alert = document.getElementById("reminder-alert");
    if (!alert) return;
    alert.hidden = !message;
    alert.textContent = message || "";
  };

  async function set(form) {
    const body = asked(form);
    const day = form.elements.day;
    if (!body || !day.validity.valid) {
      complain(body ? "Choose a day from tomorrow on, at most a year ahead." : "Choose a day first.");
      return day.focus();
    }
    complain("");
    const send = () => put(body);
    const button = document.getElementById("set-reminder");
    button.setAttribute("aria-disabled", "true");
    try {
      const isIn = document.getElementById("audit").dataset.session === "in";
      const said = isIn
        ? await send().catch((trouble) => (trouble.status === 401 ? enter(send) : Promise.reject(trouble)))
        : await enter(send);
      if (said) say(said);
    } catch (trouble) {
      complain(telling(trouble));
    } finally {
      button.removeAttribute("aria-disabled");
      await refresh();
    }
  }

  async function put(body) {
    await call("/api/auth/reminder", body);
    return "The reminder is set.";
  }

  // Signs in first. Whoever could not see the reminder there was is told what became of it.
  async function enter(send) {
    let sent;
    const then = () => {
      sent = replacing(send);
      return sent;
    };
    const about = "To set the reminder, with a code by email.";
    const { email } = document.getElementById("audit").dataset;
    return (await signIn({ profile: "failproofai", about, email, then })) && sent;
  }

  async function replacing(send) {
    const { reminder } = await call("/api/auth/reminder", undefined, { method: "GET" });
    const said = await send();
    if (!reminder) return said;
    const day = new Date(reminder.next_audit_at * 1000);
    const date = day.toLocaleDateString("en-GB", { day: "numeric", month: "long" });
    return `${said.slice(0, -1)}, in place of the one for ${date}.`;
  }

  async function clear() {
    try {
      await call("/api/auth/reminder", undefined, { method: "DELETE" });
      say("The reminder is cleared.");
    } catch (trouble) {
      complain(telling(trouble));
    }
    await refresh();
    document.getElementById("set-reminder")?.focus();
  }

  region.addEventListener("submit", (event) => {
    if (event.target.id !== "reminder-form") return;
    event.preventDefault();
    if (document.getElementById("set-reminder").getAttribute("aria-disabled") !== "true") set(event.target);
  });
  region.addEventListener("click", (event) => {
    if (event.target.closest("#clear-reminder")) clear();
  });
  // Whoever chooses a day wants it chosen.
  region.addEventListener("input", (event) => {
    if (event.target.id === "day") document.getElementById("on-date").checked = true;
  });
  region.addEventListener("change", (event) => {
    if (event.target.id === "on-date") document.getElementById("day").focus();
  });
}
