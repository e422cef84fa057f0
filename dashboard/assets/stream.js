// One stream of events for all tabs together: a browser opens six connections to a host at most, and a stream in each tab
// would use them up. The tab that has the lock listens and tells the others; when it goes, the next one listens.

const NAMES = ["happened", "past", "agent", "open", "error"];

export function follow(hear) {
  const tabs = new BroadcastChannel("everkey-events");
  tabs.addEventListener("message", ({ data: { name, data } }) => hear(name, data));
  const listen = () =>
    new Promise((gone) => {
      const stream = new EventSource("/events");
      for (const name of NAMES) {
        stream.addEventListener(name, ({ data }) => {
          tabs.postMessage({ name, data });
          hear(name, data);
        });
      }
      addEventListener("pagehide", () => {
        stream.close();
        gone();
      });
    });
  // Without locks each tab listens for itself.
  if (navigator.locks) navigator.locks.request("everkey-events", listen);
  else listen();
}
