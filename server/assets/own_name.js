// Goes on to the name that this browser has for itself. It is kept in the storage of this origin, which no other port can read.
const link = document.getElementById("on");
const url = new URL(link.href);
try {
  const kept = localStorage.getItem("everkey-name");
  if (/^everkey-[0-9a-f]{32}\.localhost$/.test(kept)) {
    url.hostname = kept;
  } else {
    localStorage.setItem("everkey-name", url.hostname);
  }
} catch {
  // Without storage the name is a new one each time.
}
link.href = url.href;
location.replace(url.href);
