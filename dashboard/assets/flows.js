// What a sign-in asks and answers, over the two ways that the dashboard offers: steps as the agent tells them.
import { call } from "./api.js";

// The agent's own flow: any profile, any way to sign in.
export function agentFlow(profile, scheme) {
  let flow;
  const keep = (step) => {
    flow = step?.flow ?? flow;
    return step;
  };
  const to = (path, more, signal) => call(`/api/sessions/${path}`, { profile, ...more }, { signal });
  return {
    begin: async (signal) => keep(await to("login", scheme ? { scheme } : {}, signal)),
    answer: async (text, signal) => keep(await to("answer", { flow, text }, signal)),
    resend: async (email, signal) => keep(await to("answer", { flow, text: email }, signal)),
    wait: async (signal) => keep(await to("wait", { flow }, signal)),
    cancel: async () => {
      if (flow !== undefined) await to("cancel", { flow }).catch(() => {});
    },
  };
}

// The way of failproofai's own dashboard: an email address, then the code.
export function contractFlow() {
  let email;
  const ask = (field, more) => ({ reply: "ask", field, ...more });
  const request = async (address, signal) => {
    const said = await call("/api/auth/login-request", { email: address }, { signal }).catch((trouble) => {
      if (trouble.code === "already_signed_in") return null;
      throw trouble;
    });
    if (!said) return { reply: "done", already: true };
    email = address;
    const { expires_in, resend_available_in } = said;
    return ask("code", { sent: { to: email, expires_in, resend_available_in } });
  };
  return {
    begin: async () => ask("email", {}),
    answer: async (text, signal) => {
      if (email === undefined) {
        return request(text, signal).catch((again) => {
          if (again.name === "AbortError" || again.status === 0) throw again;
          return ask("email", { again });
        });
      }
      try {
        const said = await call("/api/auth/login-verify", { email, code: text }, { signal });
        return { reply: "done", user: said.user, already: false };
      } catch (again) {
        if (again.name === "AbortError" || again.status === 0) throw again;
        // A wrong code has tries left. Without any, or where the sign-in is over, another code is needed.
        const over = again.tries === undefined && [400, 401, 409, 410].includes(again.status);
        const to = email;
        if (over) email = undefined;
        return ask(over ? "email" : "code", over ? { again } : { again, tries: again.tries, sent: { to } });
      }
    },
    resend: request,
    other: async () => {
      email = undefined;
      return ask("email", {});
    },
    wait: async () => {
      throw new Error("nothing to wait for");
    },
    cancel: async () => {},
  };
}
