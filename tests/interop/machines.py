"""An authorization server that others wrote (Authlib), for clients that sign in as themselves: by a secret, or by an
assertion that their key signs (RFC 6749 section 4.4, RFC 7523). Takes a folder, writes the clients' secret and key there,
and prints its address. What no real server has is below /test/."""

import json
import os
import sys
import threading
import time
from pathlib import Path

from authlib.common.security import generate_token
from authlib.oauth2 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc.jwk import ECKey
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, but on loopback only
folder = Path(sys.argv[1])
key = ECKey.generate_key("P-256")
(folder / "key.pem").write_bytes(key.as_pem(private=True))
(folder / "secret").write_text("right\n")
lock = threading.RLock()
tokens, asked, used = {}, [], set()
state = {"expires_in": 3600, "secret": "right", "down": False}


class Client(ClientMixin):
    def __init__(self, client_id, method):
        self.client_id, self.method = client_id, method

    def get_client_id(self):
        return self.client_id

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_client_secret(self, secret):
        return secret == state["secret"]

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.method

    def check_grant_type(self, kind):
        return kind == "client_credentials"


clients = {one.client_id: one for one in (Client("by-secret", "client_secret_basic"), Client("by-key", "private_key_jwt"))}


class FormRequest(OAuth2Request):
    def __init__(self, request):
        super().__init__(request.method, request.url, headers=request.headers)
        self.payload, self._form = BasicOAuth2Payload(request.form.to_dict()), request.form

    @property
    def form(self):
        return self._form


class Server(AuthorizationServer):
    def query_client(self, client_id):
        return clients.get(client_id)

    def save_token(self, token, request):
        tokens[token["access_token"]] = time.time() + token["expires_in"]

    def create_oauth2_request(self, request):
        return request if isinstance(request, OAuth2Request) else FormRequest(request)

    def handle_response(self, status, body, headers):
        return Response(json.dumps(body) if isinstance(body, dict) else body, status, dict(headers))

    def send_signal(self, name, *args, **kwargs):
        pass


class Assertion(JWTBearerClientAssertion):
    CLIENT_AUTH_METHOD = "private_key_jwt"

    def get_audiences(self):
        return [f"{base}/token"]

    def validate_jti(self, claims, jti):
        new = jti not in used
        used.add(jti)
        return new

    def resolve_client_public_key(self, client):
        return key


class Grant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "private_key_jwt"]


server = Server()
server.register_token_generator(
    "default", BearerTokenGenerator(lambda **_: generate_token(42), None, lambda *_: state["expires_in"])
)
server.register_grant(Grant)
server.register_client_auth_method("private_key_jwt", Assertion())


def say(value, status=200):
    return Response(json.dumps(value), status, mimetype="application/json")


@Request.application
def app(request):
    with lock:
        match request.path:
            case "/.well-known/oauth-authorization-server":
                methods = ["client_secret_basic", "private_key_jwt"]
                ends = {"issuer": base, "token_endpoint": f"{base}/token"}
                return say({**ends, "token_endpoint_auth_methods_supported": methods})
            case "/token" if state["down"]:
                return Response("<html>Bad Gateway</html>", 502, mimetype="text/html")
            case "/token":
                asked.append(request.form.to_dict())
                return server.create_token_response(request)
            case "/whoami":
                token = request.headers.get("Authorization", "").removeprefix("Bearer ")
                return say({}, 200 if tokens.get(token, 0) > time.time() else 401)
            case "/test/set":
                state.update(request.get_json())
                return say(state)
            case "/test/asked":
                return say([{"grant_type": one.get("grant_type"), "scope": one.get("scope")} for one in asked])
            case _:
                return Response("Not found", 404, mimetype="text/plain")


class Quiet(WSGIRequestHandler):
    def log_request(self, *_):
        pass


listener = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
base = f"http://127.0.0.1:{listener.server_port}"
print(base, flush=True)
listener.serve_forever()
