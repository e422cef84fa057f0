// One sign-in at the agent: its requests, and whether there is still something to give up.
import { call } from "./api.js";

const ENDED = new Set(["cancelled", "flow_gone", "offline", "rate_limited", "refused", "storage"]);

// A sign-in as the agent runs it: its requests answer with the next step.
export function agentFlow(profile, scheme) {
  let flow;
  let open = false;
  // Nothing of it is left to give up. What is typed is still sent with its name: the agent says that it is gone.
  let over = false;
  const keep = (step) => {
    open = step?.reply === "open";
    flow = step?.flow ?? flow;
    over = false;
    return step;
  };
  const to = (path, more, signal) => call(`/api/sessions/${path}`, { profile, ...more }, { signal });
  // With its failure a flow is over; a wrong address of a browser's ends nothing.
  const toEnd = (request) =>
    request.catch((trouble) => {
      if (ENDED.has(trouble.code) && !(open && trouble.code === "refused")) over = true;
      throw trouble;
    });
  return {
    // `underWay` says what becomes of somebody else's sign-in: `{ join }` or `{ replace }`.
    begin: async (signal, underWay = {}) => keep(await to("login", { ...(scheme ? { scheme } : {}), ...underWay }, signal)),
    // An entry is `{ text }`, `{ email }` or `{ email, code }`.
    answer: async (entry, signal) => keep(await toEnd(to("answer", { flow, ...entry }, signal))),
    // For an agent that was started anew since the code was sent: the code is tried all the same.
    anew: async (entry, signal) => {
      const step = keep(await to("login", scheme ? { scheme } : {}, signal));
      return step.reply === "ask" && step.field !== "token" ? keep(await toEnd(to("answer", { flow, ...entry }, signal))) : step;
    },
    wait: async (signal) => keep(await toEnd(to("wait", { flow }, signal))),
    cancel: async () => {
      if (flow !== undefined && !over) await to("cancel", { flow }).catch(() => {});
    },
  };
}
