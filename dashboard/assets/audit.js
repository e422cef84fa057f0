// The re-audit page: sets, changes and clears the reminder; signs in first where nobody is.
import { call } from "./api.js";
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
    const button = document.getElementById("set-reminder");
    button.setAttribute("aria-disabled", "true");
    try {
      if (document.getElementById("audit").dataset.session !== "in" && !(await enter())) return;
      try {
        await call("/api/auth/reminder", body);
      } catch (trouble) {
        if (trouble.status !== 401 || !(await enter())) throw trouble;
        await call("/api/auth/reminder", body);
      }
      say("The reminder is set.");
    } catch (trouble) {
      complain(`${trouble.message} ${trouble.hint}`.trim());
    } finally {
      button.removeAttribute("aria-disabled");
      await refresh();
    }
  }

  const enter = () => {
    const about = "To set the reminder, with a code by email.";
    return signIn({ profile: "failproofai", about, email: document.getElementById("audit").dataset.email });
  };

  async function clear() {
    try {
      await call("/api/auth/reminder", undefined, { method: "DELETE" });
      say("The reminder is cleared.");
    } catch (trouble) {
      complain(`${trouble.message} ${trouble.hint}`.trim());
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
