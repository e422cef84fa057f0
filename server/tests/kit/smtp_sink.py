"""A real SMTP server for the tests: aiosmtpd on a free port of 127.0.0.1.

    smtp_sink.py BEHAVIOUR [PORT]

Prints its port, then each message it took as one JSON object a line. BEHAVIOUR is one of
  accepts   takes everything
  refuses   550 for every recipient, for ever
  busy      451 for the first two recipients, then takes everything
  dies      drops the connection in the middle of the first message, then takes everything
  slow      takes each message after it was told to on stdin (a line each)
"""

import asyncio
import json
import sys

from aiosmtpd.smtp import SMTP


class Handler:
    def __init__(self, behaviour):
        self.behaviour = behaviour
        self.recipients = 0
        self.messages = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.recipients += 1
        if self.behaviour == "refuses":
            return "550 5.1.1 <%s>: no such mailbox" % address
        if self.behaviour == "busy" and self.recipients <= 2:
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.messages += 1
        if self.behaviour == "dies" and self.messages == 1:
            server.transport.abort()
            return "250 never seen"
        if self.behaviour == "slow":
            say({"waits": envelope.rcpt_tos})
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        say({"from": envelope.mail_from, "to": envelope.rcpt_tos, "data": envelope.content.decode("ascii")})
        return "250 taken"


def say(what):
    print(json.dumps(what), flush=True)


async def main():
    handler = Handler(sys.argv[1])
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, loop=loop), "127.0.0.1", port)
    say({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


asyncio.run(main())
