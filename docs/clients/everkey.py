"""everkey's agent from Python 3.9 or newer, with nothing but the standard library. Copy this file; README.md shows how
to use it.

    import everkey
    print(everkey.connect().whoami()["email"])

The agent keeps the sign-ins and refreshes; nothing here stores or writes anything. Each call opens a connection of its
own, so an `Agent` may be shared by threads, and an agent that has died is started again by the next call.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import stat
import struct
import subprocess
import time
from dataclasses import dataclass, field
from typing import Callable, Iterator, Optional, Union

HELLO_SECS = 2  # an agent that is alive says hello within this time
REPLY_SECS = 45  # it answers every request within this time, the network included
START_SECS = 12  # an agent may take so long to come, an older one's last work included
REQUEST_CAP = 64 * 1024
REPLY_CAP = 256 * 1024
ADDRESS_CAP = 100  # the longest path that fits into a socket address everywhere
DEFAULT_PROFILE = "failproofai"
# What a service manager tells the service that this program may be part of; the agent is none of its processes.
NOT_FOR_THE_AGENT = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
                     "JOURNAL_STREAM")
STEPS = ("ask", "show", "open", "done")
# What a reply must have to be of use.
NEEDED = {"token": {"access_token"}, "logged_out": {"revocation"}, "error": {"code", "message"},
          "event": {"id", "at", "profile", "event"}, "ask": {"flow", "field"}, "show": {"flow", "url", "user_code"}, "open": {"flow", "url"}}

# What helps, in words; proto/README.md says what each means.
HINTS = {
    "login": "Run `everkey login`.",
    "login_if_refused": "If the server refuses it, run `everkey login`.",
    "whoami": "Run `everkey whoami` to see who is signed in now.",
    "status": "Try again; `everkey status` shows what the agent is doing.",
    "force_refresh": "A token refused so soon is refused for another reason; `everkey refresh --force` gets another.",
    "omit_server": "Name no other server, or run `everkey login --server` to sign in there.",
    "omit_session_file": "Unset FAILPROOFAI_AUTH_DIR, or run `everkey agent stop` and try again with it set.",
    "omit_scheme": "Name no scheme: this profile has one only.",
    "use_scheme": "Sign in by `{0}`.",
    "add_client_id": "Ask whoever runs the server for a client id; add the profile with --client-id.",
    "add_profile": "There is: {0}. `everkey profile add` adds one.",
    "name_reminder_profile": "Name a profile of the provider failproofai.",
    "check_server": "Check the address of the server, or sign in to the network you are on.",
    "check_network": "Check your network, or name another server.",
    "replace_session_file": "Move it away, or run `everkey logout` to remove it; then `everkey login`.",
    "have_session_file_removed": "Have its owner remove it, then run `everkey login`.",
    "stop_other_agent": "Stop the other agent (`everkey agent stop` in its environment).",
    "join_or_replace": "Go on with it (join) or begin anew in its place (replace).",
}


class EverkeyError(Exception):
    """What went wrong: decide by `code` (README.md lists them), show `message` and `hint` to people."""

    def __init__(self, code: str, message: str, hint: str = "", retry_after_secs: Optional[int] = None,
                 under_way: Optional[dict] = None):
        super().__init__(code, message, hint, retry_after_secs, under_way)  # all of them, so that it can be pickled
        self.code, self.message, self.hint, self.retry_after_secs = code, message, hint, retry_after_secs
        self.under_way = under_way  # with `in_progress`: `flow`, `scheme`, `server`, `email`, `started_at` of that sign-in

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class _Unreachable(EverkeyError):
    """There is no way to that socket, so nothing is known of who listens."""


@dataclass(frozen=True)
class Token:
    """An access token. `access_token` is a plain str, because that is what HTTP libraries take; the object around it
    leaves it out of its repr, so that logs and reports of crashes don't show it."""

    access_token: str = field(repr=False)
    expires_at: Optional[int] = None  # unix seconds; None if nobody says
    short: Optional[str] = None  # why it is valid for less than asked: "lifetime" or "no_refresh"
    session_ended: Optional[str] = None  # why its session has ended, if so: it works to its end, no other follows it


def connect(profile: Optional[str] = None, server: Optional[str] = None, client: str = "everkey.py") -> Agent:
    """The agent, started if none runs. `client` is your program's name, for the agent's access log."""
    agent = Agent(profile, server, client)
    agent._open().close()
    return agent


class Agent:
    """One profile at the agent. Every method raises EverkeyError."""

    def __init__(self, profile: Optional[str], server: Optional[str], client: str):
        profile = profile or os.environ.get("EVERKEY_PROFILE") or None
        folder = None
        if (profile or DEFAULT_PROFILE) == DEFAULT_PROFILE:
            server = server or os.environ.get("FAILPROOF_API_URL") or os.environ.get("FAILPROOFAI_API_URL") or None
            folder = os.environ.get("FAILPROOFAI_AUTH_DIR")
        # What this program counts on: an agent that uses another server or file says so instead of using the wrong one.
        self._expect = {"profile": profile, "server": server,
                        "session_file": os.path.join(os.path.abspath(folder), "auth.json") if folder else None}
        self._client = client

    def whoami(self) -> Optional[dict]:
        """`id` and `email` of who is signed in; None where the server does not say who. Needs no network."""
        return _user(self._ask(("whoami",), "whoami"))

    def status(self) -> dict:
        """Everything there is to show about the profile, no secrets: `state`, `server`, `access_expires_at`, ..."""
        return self._ask(("status",), "status")

    def token(self, min_validity: int = 0) -> Token:
        """An access token, valid for at least so many seconds if the server gives such."""
        return _token(self._ask(("token",), "token", min_validity_secs=min_validity))

    def better_than(self, token: Union[Token, str]) -> Token:
        """Another token than this one, to which a server has answered 401. However many callers report the same
        token, it is refreshed once."""
        text = token.access_token if isinstance(token, Token) else token
        return _token(self._ask(("token",), "better", than=hashlib.sha256(text.strip().encode()).hexdigest()))

    def logout(self) -> str:
        """Signs out here at once. What the server knows of it: `revoked`, `queued`, `not_confirmed`, ..."""
        return self._ask(("logged_out",), "logout")["revocation"]

    def login(self, prompt: Callable[[dict], Optional[str]], scheme: Optional[str] = None,
              join: Optional[int] = None, replace: Optional[int] = None) -> Optional[dict]:
        """Signs in and returns who it is, as whoami() does. `prompt` is called with each step, by step["reply"]:

        ask   return what the person typed for step["field"] (email, code, second_factor or token), or None to give up;
              step.get("again") says why it is asked again, step["tries"] how many tries are left
        show  tell the person to open step["url"] on any device and to type step["user_code"]; return None
        open  open step["url"] in a browser on this machine; return None, or the address that the browser ended at if
              it runs on another one

        Where somebody else's sign-in is under way, the error `in_progress` says whose in `under_way`; call again with
        join or replace, its `flow`, to take part in it or to begin anew in its place.
        """
        step, told = self._ask(STEPS, "login", scheme=scheme, join=join, replace=replace), None
        while step["reply"] != "done":
            asks, here = step["reply"] == "ask", (step["reply"], step.get("url"), step.get("user_code"))
            # The step that is waited for comes again every few seconds; the person is told once.
            answer = prompt(step) if asks or here != told else None
            told = here
            if answer is not None:
                step = self._ask(STEPS, "answer", flow=step["flow"], **_entry(step, answer))
            elif asks:
                self._ask(("logged_out",), "leave", flow=step["flow"])
                raise EverkeyError("cancelled", "The sign-in was given up.", "Begin again.")
            else:
                step = self._ask(STEPS, "wait", flow=step["flow"])
        return _user(step.get("user") or {})

    def events(self, past: bool = False) -> Iterator[dict]:
        """What happens to any profile, as it happens: `id`, `at` (unix seconds), `profile`, `event` (README.md lists the
        kinds) and what belongs to it. With `past`, what the agent remembers comes first. It goes on until you break
        off; EverkeyError says that the agent has ended (`no_agent`, `busy`) or that you read too slowly (`busy`)."""
        with self._open() as agent:
            try:
                agent.settimeout(REPLY_SECS)
                agent.sendall(_encode({"request": "events", "past": past}))
                lines = agent.makefile("rb")
                _checked(_decode(lines.readline(REPLY_CAP)), ("following",))
                agent.settimeout(None)  # however long nothing happens
                while True:
                    line = lines.readline(REPLY_CAP)
                    if not line:
                        raise EverkeyError("no_agent", "The agent has ended.", "Try again.")
                    event = _checked(_decode(line), ("event",))
                    yield {name: value for name, value in event.items() if name != "reply"}
            except OSError as e:
                raise EverkeyError("no_agent", f"The connection to the agent broke ({e}).", "Try again.") from None

    def _ask(self, expected: tuple, request: str, **fields) -> dict:
        message = {"request": request, **self._expect, **fields}
        line = _encode({key: value for key, value in message.items() if value is not None})
        if len(line) > REQUEST_CAP:
            raise EverkeyError("bad_request", "That is too long for a request.", "Nothing was sent.")
        with self._open() as agent:
            try:
                reply = _exchange(agent, line, REPLY_SECS)
            except socket.timeout:
                raise EverkeyError("no_agent", "The agent did not answer in time.", "Try again.") from None
            except OSError as e:
                raise EverkeyError("no_agent", f"The connection to the agent broke ({e}).", "Try again.") from None
        return _checked(reply, expected)

    def _open(self) -> socket.socket:
        """A connection on which hellos have been exchanged."""
        deadline = time.monotonic() + START_SECS
        while True:
            named, recorded, usual = _places()
            trouble = None
            # Whoever holds the lock has written down where it listens, whatever environment it was started in. While
            # nobody holds it, what stands there is of no account.
            for path in [named] if named else [recorded, usual]:
                try:
                    agent = _hello(path, self._client) if path else None
                except EverkeyError as e:
                    if path != recorded and not isinstance(e, _Unreachable):
                        raise
                    agent, trouble = None, trouble or e
                if agent:
                    return agent
            try:
                elsewhere = _hello(recorded, self._client) if named and recorded else None
            except EverkeyError:
                elsewhere = None
            if elsewhere:
                elsewhere.close()
                raise EverkeyError("no_agent", f"Nobody answers at {named}; your agent is at {recorded}.",
                                   "Unset EVERKEY_SOCKET, or run `everkey agent stop` without it.")
            left = deadline - time.monotonic()
            if left <= 0:
                raise EverkeyError("no_agent", f"Nobody answers at {named or usual}.",
                                   "Run `everkeyd --foreground` to see what it says.")
            if not _start(left) and trouble:
                raise trouble
            time.sleep(0.05)  # one that is dying still holds the lock, so the new one may have left again


def _checked(reply: dict, expected: tuple) -> dict:
    """The reply, if it is one of the expected kinds."""
    kind = reply.get("reply")
    if kind not in (*expected, "error") or not NEEDED.get(kind, set()) <= reply.keys():
        raise EverkeyError("version", "The agent's answer does not fit the question.", "Upgrade everkey.")
    if kind == "error":
        raise EverkeyError(reply["code"], reply["message"], _hint(reply.get("hint")), reply.get("retry_after_secs"),
                           reply.get("under_way"))
    return reply


def _hint(hint) -> str:
    """A hint in words: it comes as a word, or as an object with the word as its one name."""
    word, value = next(iter(hint.items()), ("", "")) if isinstance(hint, dict) else (hint, "")
    if word == "advice":
        return value
    value = ", ".join(value.get("known", ())) if isinstance(value, dict) else value
    return HINTS.get(word, "").format(value)


def _user(fields: dict) -> Optional[dict]:
    return {"id": fields["id"], "email": fields["email"]} if fields.get("id") is not None else None


def _entry(step: dict, answer: str) -> dict:
    """What was typed, as the agent takes it: a code goes with the address that it was sent to, whatever is asked now."""
    sent = step.get("sent")
    if step.get("field") == "code" and sent and "@" not in answer:
        return {"email": sent["to"], "code": answer}
    return {"text": answer}


def _token(reply: dict) -> Token:
    return Token(reply["access_token"], reply.get("expires_at"), reply.get("short"), reply.get("session_ended"))


def _places() -> tuple:
    """Where the agent may listen: what EVERKEY_SOCKET names, what its lock file records, and the usual place."""
    def absolute(name: str) -> Optional[str]:
        path = os.environ.get(name)
        if path and not os.path.isabs(path):
            raise EverkeyError("storage", f"{name} must be an absolute path.", "Set it to one, or unset it.")
        return path or None

    def xdg(name: str) -> Optional[str]:
        path = os.environ.get(name, "")
        return path if os.path.isabs(path) else None  # the specification: a relative one is to be ignored

    root, named = absolute("EVERKEY_HOME"), absolute("EVERKEY_SOCKET")
    if root:
        state, usual = os.path.join(root, "state"), os.path.join(root, "run/agent.sock")
    else:
        home = absolute("HOME")
        if not home:
            raise EverkeyError("storage", "Neither HOME nor EVERKEY_HOME is set.", "Set HOME.")
        _check_owners(home, xdg)
        state = os.path.join(xdg("XDG_STATE_HOME") or os.path.join(home, ".local/state"), "everkey")
        runtime = next(filter(_is_private, (xdg("XDG_RUNTIME_DIR"), f"/run/user/{os.geteuid()}")), None)
        usual = os.path.join(runtime, "everkey/agent.sock") if runtime else os.path.join(state, "run/agent.sock")
    recorded = _recorded(os.path.join(state, "agent.lock"))
    return named, recorded if recorded not in (named, usual) else None, usual


def _check_owners(home: str, xdg: Callable[[str], Optional[str]]) -> None:
    """Nobody works in a home of somebody else, and root in no folder of somebody else."""
    me, others = os.geteuid(), ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "FAILPROOFAI_AUTH_DIR")
    for name, path in [("HOME", home), *((name, xdg(name)) for name in others)]:
        nearest = path
        while nearest and not os.path.isdir(nearest) and nearest != os.path.dirname(nearest):
            nearest = os.path.dirname(nearest)
        owner = os.stat(nearest).st_uid if nearest else me
        if owner != me and (me == 0 or (name == "HOME" and nearest == path)):
            raise EverkeyError("storage", f"{name} is {nearest}, which belongs to user {owner}, and you are user {me}.",
                               f"Run this as that user, set {name} to a folder of your own, or set EVERKEY_HOME if you "
                               "mean it, as in a container.")


def _is_private(folder: Optional[str]) -> bool:
    """Whether it is what the specification demands of a runtime folder; any other is passed over."""
    try:
        found = os.stat(folder) if folder else None
    except (OSError, ValueError):
        return False
    return bool(found) and stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _recorded(path: str) -> Optional[str]:
    """The socket's path in the agent's lock file, if it can be one: anybody may have written there."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as lock:
            found = os.fstat(lock.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                return None
            recorded = os.fsdecode(lock.read(4096))
    except OSError:
        return None
    return recorded if os.path.isabs(recorded) and "\0" not in recorded else None


def _hello(path: str, client: str) -> Optional[socket.socket]:
    """A connection to who listens at this path; None if nobody does."""
    agent, folder, kept = socket.socket(socket.AF_UNIX), None, False
    try:
        agent.settimeout(HELLO_SECS)
        address = path
        if len(os.fsencode(path)) > ADDRESS_CAP:
            folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            address = f"/proc/self/fd/{folder}/{os.path.basename(path)}"
        _connect(agent, address)
        if not _is_ours(agent, path):
            raise EverkeyError("no_agent", f"What listens at {path} is another user's program.",
                               "Nothing was sent to it. Set EVERKEY_SOCKET to a path in a folder of your own.")
        line = _encode({"hello": {"oldest": 1, "newest": 1, "client": client}})
        hello = _exchange(agent, line, HELLO_SECS).get("hello")
        if not isinstance(hello, dict) or hello.get("chosen") != 1:
            raise EverkeyError("version", "This client and the agent have no version of the protocol in common.",
                               "Upgrade everkey and this client, then run `everkey agent stop`.")
        kept = True
        return agent
    except (FileNotFoundError, ConnectionError):  # no socket, nobody there, or it is dying and hung up
        return None
    except socket.timeout:
        raise EverkeyError("no_agent", f"The agent at {path} does not answer; it is stopped or stuck.",
                           "Try again; if it stays so, kill the everkeyd process. Your sessions are safe.") from None
    except OSError as e:
        raise _Unreachable("no_agent", f"Could not reach the agent at {path}: {e}.",
                           "Look at the folder's permissions.") from None
    finally:
        if folder is not None:
            os.close(folder)
        if not kept:
            agent.close()


def _connect(agent: socket.socket, address: str) -> None:
    """Waits for a place among the callers that the agent has not taken yet, but not for ever."""
    deadline = time.monotonic() + HELLO_SECS
    while True:
        try:
            return agent.connect(address)
        except BlockingIOError:  # Linux does not wait for it where there is a timeout
            if time.monotonic() > deadline:
                raise socket.timeout() from None
            time.sleep(0.05)


def _is_ours(agent: socket.socket, path: str) -> bool:
    """Whether this user's program listens; asked before a byte is sent."""
    if hasattr(socket, "SO_PEERCRED"):
        peer = agent.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
        return struct.unpack("iII", peer)[1] == os.geteuid()
    # Where the kernel can't be asked: nobody else could have put the socket there.
    places = [os.lstat(path), os.lstat(os.path.dirname(path))]
    return all(found.st_uid == os.geteuid() and not found.st_mode & 0o022 for found in places)


def _encode(message: dict) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _exchange(agent: socket.socket, line: bytes, secs: float) -> dict:
    """Sends a line and reads one, all of it within `secs`."""
    deadline, reply = time.monotonic() + secs, bytearray()
    agent.settimeout(secs)
    agent.sendall(line)
    while not reply.endswith(b"\n"):
        agent.settimeout(max(deadline - time.monotonic(), 0.001))
        part = agent.recv(65536)
        if not part:
            raise ConnectionResetError("it hung up")
        reply += part
        if len(reply) > REPLY_CAP:
            raise EverkeyError("no_agent", "The agent's answer is too long.", "Is it everkey's agent?")
    return _decode(reply)


def _decode(line: bytes) -> dict:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None  # raised below: this error would carry the line, and with it perhaps a token
    if not isinstance(message, dict):
        raise EverkeyError("no_agent", "The agent's answer makes no sense.", "Is it everkey's agent?")
    return message


def _start(secs: float) -> bool:
    """Runs `everkeyd --detach`, which returns once the agent answers; False if another runs already."""
    beside = os.path.join(os.path.dirname(os.path.realpath(__file__)), "everkeyd")
    program = beside if os.path.exists(beside) else shutil.which("everkeyd")
    if not program:
        raise EverkeyError("no_agent", "No agent runs, and there is no everkeyd to start.",
                           "Install everkey, and put everkeyd into a folder of the PATH.")
    environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_THE_AGENT}
    if environment.get("FAILPROOFAI_AUTH_DIR"):  # the agent has another working folder
        environment["FAILPROOFAI_AUTH_DIR"] = os.path.abspath(environment["FAILPROOFAI_AUTH_DIR"])
    try:
        done = subprocess.run([program, "--detach"], env=environment, timeout=secs, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    except subprocess.TimeoutExpired:
        return True  # the caller's time is over, too
    except OSError as e:
        raise EverkeyError("no_agent", f"Could not run {program}: {e}.", "Install everkey again.") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().rstrip(".") or f"everkeyd ended with {done.returncode}"
        raise EverkeyError("no_agent", f"The agent did not start: {said}.",
                           "Run `everkeyd --foreground` to see what it says.")
    return not done.stdout.startswith(b"everkeyd is already running")
