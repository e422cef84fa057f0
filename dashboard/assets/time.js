// Times that tick. The server has written them already; `dashboard/src/pages/clock.rs` says the same words.

export const now = () => Math.floor(Date.now() / 1000);

export function words(secs) {
  const minutes = Math.floor(secs / 60);
  if (secs < 60) return `${secs} s`;
  if (secs < 7200) return `${minutes} min`;
  if (secs < 172800) {
    const rest = minutes % 60;
    return rest === 0 ? `${Math.floor(secs / 3600)} h` : `${Math.floor(secs / 3600)} h ${rest} min`;
  }
  return `${Math.floor(secs / 86400)} days`;
}

// By days of the calendar, as this browser's clock has them, to begin a sentence.
export function ahead(unix, from = now()) {
  const day = (secs) => {
    const at = new Date(secs * 1000);
    return Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) / 86400000;
  };
  const at = new Date(unix * 1000);
  const clock = [at.getHours(), at.getMinutes()].map((n) => String(n).padStart(2, "0")).join(":");
  const days = day(unix) - day(from);
  if (days > 1) return `In ${days} days, at ${clock}`;
  return days === 1 ? `Tomorrow at ${clock}` : `Today at ${clock}`;
}

export function counter(secs) {
  if (secs >= 172800) return words(secs);
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(secs / 3600);
  const minutes = Math.floor(secs / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(secs % 60)}` : `${minutes}:${two(secs % 60)}`;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Brings every time on the page up to now. Returns whether one of them has just run out.
export function tick(root = document) {
  const at = now();
  let over = false;
  for (const node of root.querySelectorAll("time[data-at]")) {
    const left = Number(node.dataset.at) - at;
    if (node.dataset.form === "counter") {
      if (left <= 0 && node.textContent !== "expired") over = true;
      write(node, left > 0 ? counter(left) : "expired");
    } else {
      if (left === 0) over = true;
      write(node, node.dataset.form === "ahead" ? ahead(Number(node.dataset.at), at) : words(Math.abs(left)));
    }
  }
  for (const line of root.querySelectorAll("svg.life[data-at]")) {
    const place = (unix) => Math.min(Math.max(((unix - at) / Number(line.dataset.stretch)) * 100, 0), 100);
    line.querySelector(".left").setAttribute("width", place(Number(line.dataset.at)).toFixed(1));
    const next = line.querySelector(".next");
    if (next && line.dataset.refresh) {
      const x = place(Number(line.dataset.refresh));
      next.setAttribute("x", x.toFixed(1));
      next.setAttribute("width", x > 0 ? ".8" : "0");
    }
  }
  return over;
}

// Calls `say` with the seconds left, each second, and `done` at the end. Returns how to stop it.
export function countDown(secs, say, done) {
  const end = Date.now() + secs * 1000;
  let timer;
  const step = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left > 0) return say(left);
    clearInterval(timer);
    done?.();
  };
  timer = setInterval(step, 1000);
  step();
  return () => clearInterval(timer);
}
