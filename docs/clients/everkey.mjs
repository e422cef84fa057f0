// everkey's agent from Node 18 or newer, without dependencies. Copy this file; README.md shows how to use it.
//
//     import { connect } from './everkey.mjs'
//     console.log((await (await connect()).whoami()).email)
//
// The agent keeps the sign-ins and refreshes; nothing here stores or writes anything. Each call opens a connection of
// its own, so calls may run side by side, and an agent that has died is started again by the next call.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const HELLO_MS = 2_000 // an agent that is alive says hello within this time
const REPLY_MS = 45_000 // it answers every request within this time, the network included
const START_MS = 12_000 // an agent may take so long to come, an older one's last work included
const REQUEST_CAP = 64 * 1024
const REPLY_CAP = 256 * 1024
const ADDRESS_CAP = 100 // the longest path that fits into a socket address everywhere
const DEFAULT_PROFILE = 'failproofai'
// What a service manager tells the service that this program may be part of; the agent is none of its processes.
const NOT_FOR_THE_AGENT = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'LISTEN_PID', 'LISTEN_FDS',
  'LISTEN_FDNAMES', 'JOURNAL_STREAM']
const STEPS = ['ask', 'show', 'open', 'done']
// What a reply must have to be of use.
const NEEDED = { token: ['access_token'], logged_out: ['revocation'], error: ['code', 'message'],
  event: ['id', 'at', 'profile', 'event'], ask: ['flow', 'field'], show: ['flow', 'url', 'user_code'], open: ['flow', 'url'] }

// What helps, in words; proto/README.md says what each means.
const HINTS = {
  login: 'Run `everkey login`.',
  login_if_refused: 'If the server refuses it, run `everkey login`.',
  whoami: 'Run `everkey whoami` to see who is signed in now.',
  status: 'Try again; `everkey status` shows what the agent is doing.',
  force_refresh: 'A token refused so soon is refused for another reason; `everkey refresh --force` gets another.',
  omit_server: 'Name no other server, or run `everkey login --server` to sign in there.',
  omit_session_file: 'Unset FAILPROOFAI_AUTH_DIR, or run `everkey agent stop` and try again with it set.',
  omit_scheme: 'Name no scheme: this profile has one only.',
  use_scheme: 'Sign in by `{0}`.',
  add_client_id: 'Ask whoever runs the server for a client id; add the profile with --client-id.',
  add_profile: 'There is: {0}. `everkey profile add` adds one.',
  name_reminder_profile: 'Name a profile of the provider failproofai.',
  check_server: 'Check the address of the server, or sign in to the network you are on.',
  check_network: 'Check your network, or name another server.',
  replace_session_file: 'Move it away, or run `everkey logout` to remove it; then `everkey login`.',
  have_session_file_removed: 'Have its owner remove it, then run `everkey login`.',
  stop_other_agent: 'Stop the other agent (`everkey agent stop` in its environment).',
  join_or_replace: 'Go on with it (join) or begin anew in its place (replace).'
}

/** What went wrong: decide by `code` (README.md lists them), show `message` and `hint` to people. */
export class EverkeyError extends Error {
  constructor (code, message, hint = '', retryAfterSecs = null, underWay = null) {
    super(message)
    // With `in_progress`, underWay has `flow`, `scheme`, `server`, `email` and `started_at` of that sign-in.
    Object.assign(this, { name: 'EverkeyError', code, hint, retryAfterSecs, underWay })
  }
}

/** An access token. `accessToken` is a plain string, because that is what fetch takes; it is private to the object
 *  around it, so that console.log, JSON.stringify and reports of crashes don't show it. */
export class Token {
  #text
  constructor (text, expiresAt, short, sessionEnded) {
    this.#text = text
    this.expiresAt = expiresAt // unix seconds; null if nobody says
    this.short = short // why it is valid for less than asked: 'lifetime' or 'no_refresh', else null
    this.sessionEnded = sessionEnded // why its session has ended, else null: it works to its end, no other follows it
  }

  get accessToken () { return this.#text }
}

/** The agent, started if none runs. `client` is your program's name, for the agent's access log. */
export async function connect ({ profile, server, client = 'everkey.mjs' } = {}) {
  const agent = new Agent(profile, server, client)
  ;(await open(client)).destroy()
  return agent
}

/** One profile at the agent. Every method rejects with EverkeyError. */
class Agent {
  #expect
  #client

  constructor (profile = process.env.EVERKEY_PROFILE || undefined, server, client) {
    const { FAILPROOF_API_URL, FAILPROOFAI_API_URL, FAILPROOFAI_AUTH_DIR } = process.env
    let file
    if ((profile ?? DEFAULT_PROFILE) === DEFAULT_PROFILE) {
      server ??= FAILPROOF_API_URL || FAILPROOFAI_API_URL || undefined
      file = FAILPROOFAI_AUTH_DIR ? path.resolve(FAILPROOFAI_AUTH_DIR, 'auth.json') : undefined
    }
    // What this program counts on: an agent that uses another server or file says so instead of using the wrong one.
    this.#expect = { profile, server, session_file: file }
    this.#client = client
  }

  /** `id` and `email` of who is signed in; null where the server does not say who. Needs no network. */
  async whoami () { return user(await this.#ask(['whoami'], 'whoami')) }

  /** Everything there is to show about the profile, no secrets: `state`, `server`, `access_expires_at`, ... */
  async status () { return this.#ask(['status'], 'status') }

  /** An access token, valid for at least so many seconds if the server gives such. */
  async token (minValidity = 0) { return token(await this.#ask(['token'], 'token', { min_validity_secs: minValidity })) }

  /** Another token than this one, to which a server has answered 401. However many callers report the same token,
   *  it is refreshed once. */
  async betterThan (refused) {
    const text = refused instanceof Token ? refused.accessToken : refused
    const than = createHash('sha256').update(text.trim()).digest('hex')
    return token(await this.#ask(['token'], 'better', { than }))
  }

  /** Signs out here at once. What the server knows of it: `revoked`, `queued`, `not_confirmed`, ... */
  async logout () { return (await this.#ask(['logged_out'], 'logout')).revocation }

  /** Signs in and resolves to who it is, as whoami() does. `prompt`, which may be async, is called with each step,
   *  by step.reply:
   *
   *  ask   return what the person typed for step.field (email, code, second_factor or token), or nothing to give up;
   *        step.again says why it is asked again, step.tries how many tries are left
   *  show  tell the person to open step.url on any device and to type step.user_code; return nothing
   *  open  open step.url in a browser on this machine; return nothing, or the address that the browser ended at if it
   *        runs on another one
   *
   *  Where somebody else's sign-in is under way, the error `in_progress` says whose in `underWay`; call again with
   *  { join } or { replace }, its `flow`, to take part in it or to begin anew in its place.
   */
  async login (prompt, scheme, { join, replace } = {}) {
    let step = await this.#ask(STEPS, 'login', { scheme, join, replace })
    let told
    while (step.reply !== 'done') {
      const flow = step.flow
      const asks = step.reply === 'ask'
      const here = JSON.stringify([step.reply, step.url, step.user_code])
      // The step that is waited for comes again every few seconds; the person is told once.
      const answer = asks || here !== told ? await prompt(step) : undefined
      told = here
      if (answer != null) {
        step = await this.#ask(STEPS, 'answer', { flow, ...entry(step, answer) })
      } else if (asks) {
        await this.#ask(['logged_out'], 'leave', { flow })
        throw new EverkeyError('cancelled', 'The sign-in was given up.', 'Begin again.')
      } else {
        step = await this.#ask(STEPS, 'wait', { flow })
      }
    }
    return user(step.user ?? {})
  }

  /** What happens to any profile, as it happens: `id`, `at` (unix seconds), `profile`, `event` (README.md lists the
   *  kinds) and what belongs to it. With `past`, what the agent remembers comes first. It goes on until you break off;
   *  EverkeyError says that the agent has ended (`no_agent`, `busy`) or that you read too slowly (`busy`). */
  async * events (past = false) {
    const agent = await open(this.#client)
    const silent = setTimeout(() => agent.destroy(), REPLY_MS)
    try {
      agent.write(encode({ request: 'events', past }))
      let expected = 'following'
      let rest = Buffer.alloc(0)
      for await (const part of agent) {
        rest = Buffer.concat([rest, part])
        for (let end; (end = rest.indexOf(0x0a)) >= 0;) {
          const { reply, ...event } = checked(decode(rest.subarray(0, end)), [expected])
          rest = rest.subarray(end + 1)
          if (reply === 'event') yield event
          clearTimeout(silent) // from now on, nothing may happen for however long
          expected = 'event'
        }
        if (rest.length > REPLY_CAP) throw nonsense('is too long')
      }
      throw new EverkeyError('no_agent', 'The agent has ended.', 'Try again.')
    } catch (e) {
      if (e instanceof EverkeyError) throw e
      throw new EverkeyError('no_agent', `The connection to the agent broke (${e.code}).`, 'Try again.')
    } finally {
      clearTimeout(silent)
      agent.destroy()
    }
  }

  async #ask (expected, request, fields = {}) {
    const line = encode({ request, ...this.#expect, ...fields })
    if (Buffer.byteLength(line) > REQUEST_CAP) {
      throw new EverkeyError('bad_request', 'That is too long for a request.', 'Nothing was sent.')
    }
    const agent = await open(this.#client)
    let reply
    try {
      reply = await exchange(agent, line, REPLY_MS)
    } catch (e) {
      if (e instanceof EverkeyError) throw e
      const what = e.code === 'ETIMEDOUT' ? 'The agent did not answer in time.' : `The connection to the agent broke (${e.code}).`
      throw new EverkeyError('no_agent', what, 'Try again.')
    } finally {
      agent.destroy()
    }
    return checked(reply, expected)
  }
}

/** The reply, if it is one of the expected kinds. */
function checked (reply, expected) {
  const kind = reply.reply
  if (![...expected, 'error'].includes(kind) || !(NEEDED[kind] ?? []).every(name => name in reply)) {
    throw new EverkeyError('version', "The agent's answer does not fit the question.", 'Upgrade everkey.')
  }
  if (kind === 'error') {
    throw new EverkeyError(reply.code, reply.message, hintText(reply.hint), reply.retry_after_secs, reply.under_way)
  }
  return reply
}

/** What was typed, as the agent takes it: a code goes with the address that it was sent to, whatever is asked now. */
function entry ({ field, sent }, answer) {
  return field === 'code' && sent && !answer.includes('@') ? { email: sent.to, code: answer } : { text: answer }
}

/** A hint in words: it comes as a word, or as an object with the word as its one name. */
function hintText (hint) {
  const [word, value] = typeof hint === 'object' && hint !== null ? Object.entries(hint)[0] ?? [] : [hint, '']
  if (word === 'advice') return value
  return (HINTS[word] ?? '').replace('{0}', value?.known?.join(', ') ?? value)
}

const nonsense = what => new EverkeyError('no_agent', `The agent's answer ${what}.`, "Is it everkey's agent?")

function decode (line) {
  let message
  try {
    message = JSON.parse(line.toString())
  } catch { /* told below: this error would carry a part of the line, and with it perhaps a token */ }
  if (message === null || typeof message !== 'object') throw nonsense('makes no sense')
  return message
}

const user = fields => fields.id == null ? null : { id: fields.id, email: fields.email }
const token = reply => new Token(
  reply.access_token, reply.expires_at ?? null, reply.short ?? null, reply.session_ended ?? null)
const encode = message => JSON.stringify(message) + '\n'

/** A connection on which hellos have been exchanged; the agent is started if none runs. */
async function open (client) {
  const deadline = Date.now() + START_MS
  for (;;) {
    const { named, recorded, usual } = places()
    let trouble
    // Whoever holds the lock has written down where it listens, whatever environment it was started in. While nobody
    // holds it, what stands there is of no account.
    for (const place of named ? [named] : [recorded, usual]) {
      try {
        const agent = place && await hello(place, client)
        if (agent) return agent
      } catch (e) {
        if (place !== recorded && !e.unreachable) throw e
        trouble ??= e
      }
    }
    const elsewhere = named && recorded && await hello(recorded, client).catch(() => null)
    if (elsewhere) {
      elsewhere.destroy()
      throw new EverkeyError('no_agent', `Nobody answers at ${named}; your agent is at ${recorded}.`,
        'Unset EVERKEY_SOCKET, or run `everkey agent stop` without it.')
    }
    const left = deadline - Date.now()
    if (left <= 0) {
      throw new EverkeyError('no_agent', `Nobody answers at ${named ?? usual}.`,
        'Run `everkeyd --foreground` to see what it says.')
    }
    if (!await start(left) && trouble) throw trouble
    await sleep(50) // one that is dying still holds the lock, so the new one may have left again
  }
}

/** Where the agent may listen: what EVERKEY_SOCKET names, what its lock file records, and the usual place. */
function places () {
  const absolute = name => {
    const value = process.env[name] || undefined
    if (value && !path.isAbsolute(value)) {
      throw new EverkeyError('storage', `${name} must be an absolute path.`, 'Set it to one, or unset it.')
    }
    return value
  }
  // The specification: a relative one is to be ignored.
  const xdg = name => path.isAbsolute(process.env[name] ?? '') ? process.env[name] : undefined
  const root = absolute('EVERKEY_HOME')
  let state, usual
  if (root) {
    state = path.join(root, 'state')
    usual = path.join(root, 'run/agent.sock')
  } else {
    const home = absolute('HOME')
    if (!home) throw new EverkeyError('storage', 'Neither HOME nor EVERKEY_HOME is set.', 'Set HOME.')
    checkOwners(home, xdg)
    state = path.join(xdg('XDG_STATE_HOME') ?? path.join(home, '.local/state'), 'everkey')
    const runtime = [xdg('XDG_RUNTIME_DIR'), `/run/user/${process.geteuid()}`].find(isPrivate)
    usual = runtime ? path.join(runtime, 'everkey/agent.sock') : path.join(state, 'run/agent.sock')
  }
  const named = absolute('EVERKEY_SOCKET')
  const recorded = recordedIn(path.join(state, 'agent.lock'))
  return { named, recorded: [named, usual].includes(recorded) ? undefined : recorded, usual }
}

/** What the system says of a folder; undefined if there is none. */
function folderAt (place) {
  try {
    const found = fs.statSync(place)
    return found.isDirectory() ? found : undefined
  } catch { /* told by what becomes of it */ }
}

/** Nobody works in a home of somebody else, and root in no folder of somebody else. */
function checkOwners (home, xdg) {
  const me = process.geteuid()
  for (const name of ['HOME', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'FAILPROOFAI_AUTH_DIR']) {
    const place = name === 'HOME' ? home : xdg(name)
    if (!place) continue
    let nearest = place
    while (!folderAt(nearest) && nearest !== path.dirname(nearest)) nearest = path.dirname(nearest)
    const owner = folderAt(nearest)?.uid ?? me
    if (owner !== me && (me === 0 || (name === 'HOME' && nearest === place))) {
      throw new EverkeyError('storage', `${name} is ${nearest}, which belongs to user ${owner}, and you are user ${me}.`,
        `Run this as that user, set ${name} to a folder of your own, or set EVERKEY_HOME if you mean it, as in a container.`)
    }
  }
}

/** Whether it is what the specification demands of a runtime folder; any other is passed over. */
function isPrivate (place) {
  const found = place && folderAt(place)
  return found && found.uid === process.geteuid() && (found.mode & 0o077) === 0
}

/** The socket's path in the agent's lock file, if it can be one: anybody may have written there. */
function recordedIn (lock) {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants
  let file
  try {
    file = fs.openSync(lock, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
    const found = fs.fstatSync(file)
    if (!found.isFile() || found.uid !== process.geteuid()) return undefined
    const bytes = Buffer.alloc(4096)
    const place = bytes.subarray(0, fs.readSync(file, bytes)).toString()
    return path.isAbsolute(place) && !place.includes('\0') ? place : undefined
  } catch { /* no agent has ever run here */ } finally {
    if (file !== undefined) fs.closeSync(file)
  }
}

/** A connection to who listens at this place; null if nobody does. */
async function hello (place, client) {
  let folder, agent
  let kept = false
  try {
    // Node can't ask the kernel who listens (SO_PEERCRED). So, before a byte is sent: the socket is this user's, and
    // nobody else can have put another one into its folder.
    for (const one of [place, path.dirname(place)]) {
      const found = fs.lstatSync(one)
      if (found.uid !== process.geteuid() || (found.mode & 0o022) !== 0) {
        throw new EverkeyError('no_agent', `What listens at ${place} may be another user's program.`,
          'Nothing was sent to it. Set EVERKEY_SOCKET to a path in a 0700 folder of your own.')
      }
    }
    let address = place
    if (Buffer.byteLength(place) > ADDRESS_CAP) {
      folder = fs.openSync(path.dirname(place), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
      address = `/proc/self/fd/${folder}/${path.basename(place)}`
    }
    const line = encode({ hello: { oldest: 1, newest: 1, client } })
    const deadline = Date.now() + HELLO_MS
    let answer
    while (!answer) {
      agent = net.connect(address).on('error', () => {}) // a broken connection is told by what waits for it
      answer = await exchange(agent, line, HELLO_MS).catch(e => {
        // The agent has not taken the callers before this one yet: waits for a place among them, but not for ever.
        if (e.code !== 'EAGAIN') throw e
        if (Date.now() > deadline) throw Object.assign(e, { code: 'ETIMEDOUT' })
      })
      if (!answer) await sleep(50)
    }
    if (answer.hello?.chosen !== 1) {
      throw new EverkeyError('version', 'This client and the agent have no version of the protocol in common.',
        'Upgrade everkey and this client, then run `everkey agent stop`.')
    }
    kept = true
    return agent
  } catch (e) {
    if (e instanceof EverkeyError) throw e
    // No socket, nobody there, or it is dying and hung up.
    if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(e.code)) return null
    if (e.code === 'ETIMEDOUT') {
      throw new EverkeyError('no_agent', `The agent at ${place} does not answer; it is stopped or stuck.`,
        'Try again; if it stays so, kill the everkeyd process. Your sessions are safe.')
    }
    const trouble = `Could not reach the agent at ${place}: ${e.code}.`
    throw Object.assign(new EverkeyError('no_agent', trouble, "Look at the folder's permissions."), { unreachable: true })
  } finally {
    if (folder !== undefined) fs.closeSync(folder)
    if (!kept) agent?.destroy()
  }
}

/** Sends a line and reads one, all of it within `ms`. */
function exchange (agent, line, ms) {
  return new Promise((resolve, reject) => {
    const parts = []
    let size = 0
    const trouble = (code) => Object.assign(new Error(code), { code })
    const settle = (how, what) => {
      clearTimeout(timer)
      agent.off('data', data).off('error', error).off('close', close)
      how(what)
    }
    const timer = setTimeout(() => settle(reject, trouble('ETIMEDOUT')), ms)
    const error = e => settle(reject, trouble(e.code))
    const close = () => settle(reject, trouble('ECONNRESET'))
    const data = part => {
      parts.push(part)
      size += part.length
      if (size > REPLY_CAP) return settle(reject, nonsense('is too long'))
      if (part.at(-1) !== 0x0a) return
      try {
        settle(resolve, decode(Buffer.concat(parts)))
      } catch (e) {
        settle(reject, e)
      }
    }
    if (agent.destroyed) return close() // between two lines, when nobody listened for it
    agent.on('data', data).on('error', error).on('close', close)
    agent.write(line)
  })
}

/** Runs `everkeyd --detach`, which returns once the agent answers; false if another runs already. */
function start (ms) {
  const beside = path.join(path.dirname(fileURLToPath(import.meta.url)), 'everkeyd')
  const program = fs.existsSync(beside) ? beside : 'everkeyd'
  const env = { ...process.env }
  for (const name of NOT_FOR_THE_AGENT) delete env[name]
  // The agent has another working folder.
  if (env.FAILPROOFAI_AUTH_DIR) env.FAILPROOFAI_AUTH_DIR = path.resolve(env.FAILPROOFAI_AUTH_DIR)
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['--detach'], { env, timeout: ms, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    let told = ''
    child.stdout.setEncoding('utf8').on('data', text => { told = (told + text).slice(0, 4096) })
    child.stderr.setEncoding('utf8').on('data', text => { said = (said + text).slice(0, 4096) })
    child.on('error', e => reject(e.code === 'ENOENT'
      ? new EverkeyError('no_agent', 'No agent runs, and there is no everkeyd to start.',
        'Install everkey, and put everkeyd into a folder of the PATH.')
      : new EverkeyError('no_agent', `Could not run ${program}: ${e.code}.`, 'Install everkey again.')))
    child.on('close', (code, signal) => {
      // A signal: the caller's time is over, too.
      if (code === 0 || signal) return resolve(!told.startsWith('everkeyd is already running'))
      const why = said.trim().replace(/\.$/, '') || `everkeyd ended with ${code}`
      reject(new EverkeyError('no_agent', `The agent did not start: ${why}.`,
        'Run `everkeyd --foreground` to see what it says.'))
    })
  })
}
