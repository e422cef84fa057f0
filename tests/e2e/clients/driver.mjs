// Does what each line of standard input says with docs/clients/everkey.mjs as it stands, and tells what came of it.

import { createInterface } from 'node:readline'
import { inspect } from 'node:util'
import { connect, EverkeyError } from '../../../docs/clients/everkey.mjs'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = line => console.log(JSON.stringify(line))
const hear = async () => { const { value, done } = await lines.next(); return done ? null : JSON.parse(value) }

const prompt = async step => {
  say({ step })
  return (await hear()).answer
}

const plain = token => ({
  access_token: token.accessToken,
  expires_at: token.expiresAt,
  short: token.short,
  printed: [String(token), inspect(token, { showHidden: true }), JSON.stringify(token), inspect([token])]
})

const verbs = {
  whoami: agent => agent.whoami(),
  status: agent => agent.status(),
  logout: agent => agent.logout(),
  token: async (agent, told) => plain(await agent.token(told.min_validity)),
  better: async (agent, told) => plain(await agent.betterThan(told.than)),
  crowd: async (agent, told) => {
    // As a token it got itself, and as a text.
    const refused = await agent.token()
    const crowd = Array.from({ length: told.callers }, (_, i) => agent.betterThan(i % 2 ? told.than : refused))
    return (await Promise.all(crowd)).map(plain)
  },
  events: async (agent, told) => {
    const events = []
    for await (const event of agent.events(told.past)) if (events.push(event) === told.count) break
    return events
  },
  login: (agent, told) => agent.login(prompt, told.scheme)
}

let agent
for (let told; (told = await hear());) {
  try {
    if (told.do === 'connect') {
      agent = await connect(told)
      say({ ok: true })
    } else {
      say({ ok: await verbs[told.do](agent, told) })
    }
  } catch (e) {
    if (!(e instanceof EverkeyError)) throw e
    const { code, message, hint, retryAfterSecs } = e
    const printed = [String(e), inspect(e, { showHidden: true }), JSON.stringify(e)]
    say({ error: { code, message, hint, retry_after_secs: retryAfterSecs }, printed })
  }
}
