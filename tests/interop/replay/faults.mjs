// What faults.py is, for a handler from Request to Response. Says there how it is told what to do.

import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";

/** Listens on loopback and returns the address; `load` makes the handler for it. */
export async function serve(port, tokenPath, load) {
  const seen = [];
  const queue = [];

  function control(request, body) {
    if (request.url === "/_test/next") {
      const told = { times: 1, on: "refresh", ...JSON.parse(body) };
      queue.push(...Array(told.times).fill(told));
    }
    const counts = {};
    for (const { grant_type } of seen) counts[grant_type] = (counts[grant_type] ?? 0) + 1;
    return Response.json({ counts, requests: seen, queued: queue.length });
  }

  function faultFor(isRefresh) {
    const at = queue.findIndex((fault) => isRefresh || fault.on === "any");
    return at < 0 ? {} : queue.splice(at, 1)[0];
  }

  function madeUp({ status = 503, body = "Service Unavailable", content_type = "text/html", retry_after }) {
    const headers = { "Content-Type": content_type };
    if (retry_after !== undefined) headers["Retry-After"] = retry_after;
    return new Response(body, { status, headers });
  }

  async function answer(request, response) {
    const body = await buffer(request);
    if (request.url.startsWith("/_test/")) return send(control(request, body), response);
    const form = new URLSearchParams(request.method === "POST" ? body.toString() : "");
    const grant = request.url === tokenPath ? form.get("grant_type") : null;
    const fault = faultFor(grant === "refresh_token");
    const told = { grant_type: grant, refresh_token: form.get("refresh_token"), fault: fault.do ?? null };
    if (grant) seen.push(told);
    if (fault.do === "answer") return send(madeUp(fault), response);
    const made = await handler(
      new Request(`http://${request.headers.host}${request.url}`, {
        method: request.method,
        headers: request.headers,
        body: body.length ? body : undefined,
      }),
    );
    told.status = made.status;
    if (fault.do === "lose") return request.socket.destroy();
    return send(made, response, fault.do === "cut");
  }

  async function send(made, response, cut) {
    const body = Buffer.from(await made.arrayBuffer());
    response.writeHead(made.status, { ...Object.fromEntries(made.headers), "Content-Length": body.length });
    if (!cut) return response.end(body);
    response.write(body.subarray(0, body.length / 2), () => response.socket.destroy());
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });
  await new Promise((listening) => server.listen(port, "127.0.0.1", listening));
  const base = `http://127.0.0.1:${server.address().port}`;
  const handler = load(base);
  return { base, handler };
}
