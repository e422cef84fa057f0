"""Does what each line of standard input says with docs/clients/everkey.py as it stands, and tells what came of it."""

import json
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import everkey


def say(**line):
    print(json.dumps(line), flush=True)


def prompt(step):
    say(step=step)
    return json.loads(sys.stdin.readline())["answer"]


def plain(token):
    printed = [str(token), repr(token), f"{token}", repr([token])]
    return {"access_token": token.access_token, "expires_at": token.expires_at, "short": token.short, "printed": printed}


def do(agent, what, told):
    if what == "token":
        return plain(agent.token(**told))
    if what == "better":
        return plain(agent.better_than(told["than"]))
    if what == "crowd":
        # As a token it got itself, and as a text.
        refused = [agent.token(), told["than"]] * (told["callers"] // 2)
        with ThreadPoolExecutor(told["callers"]) as crowd:
            return [plain(token) for token in crowd.map(agent.better_than, refused)]
    if what == "login":
        return agent.login(prompt, **told)
    if what == "events":
        return [event for _, event in zip(range(told["count"]), agent.events(told["past"]))]
    return getattr(agent, what)()


agent = None
for line in sys.stdin:
    told = json.loads(line)
    what = told.pop("do")
    try:
        if what == "connect":
            agent = everkey.connect(**told)
            say(ok=True)
        else:
            say(ok=do(agent, what, told))
    except everkey.EverkeyError as e:
        printed = [str(e), repr(e), traceback.format_exc(), repr(e.__context__), repr(vars(e.__context__ or e))]
        error = {"code": e.code, "message": e.message, "hint": e.hint, "retry_after_secs": e.retry_after_secs}
        say(error=error, printed=printed)
