"""A client of everkey's agent with nothing but Python's standard library: python3 json_client.py SOCKET"""

import json
import socket
import sys

with socket.socket(socket.AF_UNIX) as agent:
    agent.connect(sys.argv[1])
    lines = agent.makefile("rw")

    def ask(message):
        lines.write(json.dumps(message) + "\n")
        lines.flush()
        return json.loads(lines.readline())

    hello = ask({"hello": {"oldest": 1, "newest": 1, "client": "json_client.py"}})
    assert hello["hello"]["chosen"] == 1, hello
    whoami = ask({"request": "whoami"})
    assert whoami["reply"] == "whoami", whoami
    token = ask({"request": "token", "min_validity_secs": 60})
    assert token["reply"] == "token", token
    print(whoami["email"], token["access_token"])
