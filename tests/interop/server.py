"""An OAuth 2 and OpenID Connect server that others wrote (Authlib), for everkey's agent to sign in to. Prints its address
on stdout. What no real server has is below /test/: what went on is read there, and what shall go wrong is set."""

import json
import os
import threading
import time
from collections import defaultdict

from authlib.common.security import generate_token
from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request, ResourceProtector
from authlib.oauth2.rfc6749 import ClientMixin, JsonPayload, JsonRequest, OAuth2Payload, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenGenerator, BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7591 import ClientRegistrationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant, DeviceCredentialDict
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode, OpenIDToken
from joserfc.jwk import RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, but on loopback only
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES = ["openid", "email", "profile", "offline_access"]
USER = {"sub": "user-1", "name": "Ada Lovelace", "email": "ada@example.com", "email_verified": True}


class World:
    """What the server knows and how it is told to behave."""

    def __init__(self):
        self.lock = threading.RLock()
        self.key = RSAKey.generate_key(2048)
        self.clients, self.codes, self.devices, self.grants, self.tokens = {}, {}, {}, {}, []
        self.seen = []
        self.set = {
            "rotate": True,  # whether a refresh token is good for one use
            "expires_in": 3600,
            "interval": 1,
            "auth": ["none", "client_secret_basic", "client_secret_post"],
            "id_token": True,
            "place": "openid-configuration",  # where the metadata is
            "metadata": {},  # what it says in place of the truth
            "claims": {},  # what an id_token says in place of the truth
            "fault": {},  # path: what is answered there
        }


world = World()


class Client(ClientMixin):
    def __init__(self, info, metadata):
        self.client_id, self.secret = info["client_id"], info["client_secret"]
        self.client_metadata = metadata

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return (self.client_metadata.get("redirect_uris") or [None])[0]

    def get_allowed_scope(self, scope):
        allowed = self.client_metadata.get("scope", "").split()
        return " ".join(one for one in (scope or "").split() if one in allowed)

    def check_redirect_uri(self, uri):
        return uri in self.client_metadata.get("redirect_uris", [])

    def check_client_secret(self, secret):
        return self.secret == secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.client_metadata.get("token_endpoint_auth_method", "client_secret_basic")

    def check_response_type(self, kind):
        return kind in self.client_metadata.get("response_types", ["code"])

    def check_grant_type(self, kind):
        return kind in self.client_metadata.get("grant_types", ["authorization_code"])


class Token(TokenMixin):
    def __init__(self, client, user, token):
        self.client, self.user, self.scope = client, user, token.get("scope", "")
        self.access, self.refresh = token["access_token"], token.get("refresh_token")
        self.expires_at, self.revoked, self.spent = time.time() + token["expires_in"], False, False

    def check_client(self, client):
        return self.client.client_id == client.client_id

    def get_scope(self):
        return self.scope

    def is_expired(self):
        return self.expires_at < time.time()

    def is_revoked(self):
        return self.revoked

    def get_user(self):
        return self.user

    def get_client(self):
        return self.client


class Payload(OAuth2Payload):
    def __init__(self, request):
        self.request = request

    @property
    def data(self):
        return self.request.values

    @property
    def datalist(self):
        values = defaultdict(list)
        for name in self.data:
            values[name].extend(self.data.getlist(name))
        return values


class FormRequest(OAuth2Request):
    def __init__(self, request):
        super().__init__(request.method, request.url, headers=request.headers)
        self.request, self.payload = request, Payload(request)

    @property
    def args(self):
        return self.request.args

    @property
    def form(self):
        return self.request.form


class Document(JsonPayload):
    def __init__(self, data):
        self._data = data

    @property
    def data(self):
        return self._data


class Server(AuthorizationServer):
    def query_client(self, client_id):
        return world.clients.get(client_id)

    def save_token(self, token, request):
        world.tokens.append(Token(request.client, request.user, token))

    def create_oauth2_request(self, request):
        return request if isinstance(request, OAuth2Request) else FormRequest(request)

    def create_json_request(self, request):
        made = JsonRequest(request.method, request.url, request.headers)
        made.payload = Document(request.get_json())
        return made

    def handle_response(self, status, body, headers):
        return Response(json.dumps(body) if isinstance(body, dict) else body, status, dict(headers))

    def send_signal(self, name, *args, **kwargs):
        pass


class Code(dict):
    """An authorization code with what it was asked for."""

    def __getattr__(self, name):
        return self.get(name)

    def get_redirect_uri(self):
        return self["redirect_uri"]

    def get_scope(self):
        return self["scope"]

    def get_nonce(self):
        return self.get("nonce")

    def get_auth_time(self):
        return int(time.time())

    def get_acr(self):
        return None

    def get_amr(self):
        return None


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post"]

    def save_authorization_code(self, code, request):
        data = request.payload.data
        kept = {name: data.get(name) for name in ("redirect_uri", "scope", "nonce", "code_challenge", "code_challenge_method")}
        world.codes[code] = Code(kept, code=code, client=request.client.client_id)

    def query_authorization_code(self, code, client):
        found = world.codes.get(code)
        return found if found and found["client"] == client.client_id else None

    def delete_authorization_code(self, code):
        world.codes.pop(code["code"], None)

    def authenticate_user(self, code):
        return USER


class Device(DeviceCodeGrant):
    def query_device_credential(self, code):
        return world.devices.get(code)

    def query_user_grant(self, user_code):
        return world.grants.get(user_code)

    def should_slow_down(self, credential):
        return False


class Refresh(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post"]

    @property
    def INCLUDE_NEW_REFRESH_TOKEN(self):
        return world.set["rotate"]

    def authenticate_refresh_token(self, text):
        token = next((one for one in world.tokens if one.refresh == text), None)
        if token and token.spent:
            # RFC 9700, 4.14.2: somebody else may have it, so nobody keeps it.
            world.seen.append({"replay": text})
            for one in world.tokens:
                one.revoked = True
        return token if token and not token.revoked else None

    def authenticate_user(self, token):
        return token.user

    def revoke_old_credential(self, token):
        token.spent = world.set["rotate"]


def person(scope):
    info = UserInfo(USER)
    return info.filter(scope) if "openid" in scope else UserInfo(sub=USER["sub"])


class Identity:
    def resolve_client_private_key(self, client):
        return world.key

    def get_client_claims(self, client):
        return {"iss": issuer(), "aud": [client.client_id]}

    def generate_user_info(self, user, scope):
        return {**person(scope), **world.set["claims"]}

    def exists_nonce(self, nonce, request):
        return any(code.get("nonce") == nonce for code in world.codes.values())

    def process_token(self, grant, response):
        return super().process_token(grant, response) if world.set["id_token"] else response[1]


class IdCode(Identity, OpenIDCode):
    pass


class IdToken(Identity, OpenIDToken):
    pass


class Begin(DeviceAuthorizationEndpoint):
    @property
    def INTERVAL(self):
        return world.set["interval"]

    def get_verification_uri(self):
        return f"{base}/device"

    def save_device_credential(self, client_id, scope, data):
        kept = DeviceCredentialDict(data, client_id=client_id, scope=scope)
        world.devices[data["device_code"]] = kept


class Register(ClientRegistrationEndpoint):
    def authenticate_token(self, request):
        return True

    def get_server_metadata(self):
        return metadata()

    def save_client(self, info, claims, request):
        client = Client(info, claims)
        world.clients[client.client_id] = client
        return client


class Revoke(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post"]

    def query_token(self, text, hint):
        return next((one for one in world.tokens if text in (one.access, one.refresh)), None)

    def revoke_token(self, token, request):
        for one in world.tokens:
            one.revoked = one.revoked or one.client.client_id == token.client.client_id


class Issuer(IssuerParameter):
    def get_issuer(self):
        return issuer()


class Validator(BearerTokenValidator):
    def authenticate_token(self, text):
        return next((one for one in world.tokens if one.access == text), None)


server = Server(SCOPES)
server.register_token_generator(
    "default",
    BearerTokenGenerator(
        lambda **_: generate_token(42), lambda **_: generate_token(48), lambda *_: world.set["expires_in"]
    ),
)
server.register_grant(CodeGrant, [CodeChallenge(required=True), IdCode()])
server.register_grant(Device, [IdToken()])
server.register_grant(Refresh, [IdToken()])
for endpoint in (Begin, Register, Revoke):
    server.register_endpoint(endpoint)
server.register_extension(lambda it: Issuer()(it))
resource = ResourceProtector()
resource.register_token_validator(Validator())


def issuer():
    return world.set["metadata"].get("issuer", base)


def metadata():
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "device_authorization_endpoint": f"{base}/device_authorization",
        "registration_endpoint": f"{base}/register",
        "revocation_endpoint": f"{base}/revoke",
        "userinfo_endpoint": f"{base}/userinfo",
        "jwks_uri": f"{base}/jwks",
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", DEVICE],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": world.set["auth"],
        "authorization_response_iss_parameter_supported": True,
        **world.set["metadata"],
    }


PAGE = """<!doctype html><html lang="en"><title>Allow?</title><h1>Allow {name}?</h1>
<form method="post"><button name="answer" value="yes">Allow</button><button name="answer" value="no">Deny</button></form>"""


def authorize(request):
    try:
        grant = server.get_consent_grant(request, end_user=USER)
    except OAuth2Error as error:
        return server.handle_error_response(server.create_oauth2_request(request), error)
    if request.method == "GET":
        page = PAGE.format(name=grant.client.client_metadata.get("client_name"))
        return Response(page, 200, mimetype="text/html")
    user = USER if request.form.get("answer") == "yes" else None
    return server.create_authorization_response(request, grant_user=user, grant=grant)


def userinfo(request):
    try:
        made = server.create_oauth2_request(request)
        token = resource.validate_request(["openid"], made)
    except OAuth2Error as error:
        return server.handle_error_response(made, error)
    return say(person(token.scope))


def say(value):
    return Response(json.dumps(value), 200, mimetype="application/json")


def test(request, what):
    """What no real server has."""
    if what == "set":
        world.set.update(request.get_json())
    elif what == "device":
        told = request.get_json()
        world.grants[told["user_code"]] = (USER, told["approved"])
    elif what == "forget":
        world.seen.clear()
    sessions = [{"access": one.access, "refresh": one.refresh, "revoked": one.revoked} for one in world.tokens]
    return say({"seen": world.seen, "sessions": sessions})


FAULTS = {
    "redirect": lambda: Response("", 302, {"Location": "http://127.0.0.1:9/elsewhere"}),
    "html": lambda: Response("<html>Welcome to the Wi-Fi</html>", 200, mimetype="text/html"),
    "error": lambda: Response("<html>Internal Server Error</html>", 500, mimetype="text/html"),
    "missing": lambda: Response("<html>Not found</html>", 404, mimetype="text/html"),
    "refused": lambda: Response('{"error":"invalid_client_metadata"}', 400, mimetype="application/json"),
}


def answer(request):
    path = request.path
    if path.startswith("/test/"):
        return test(request, path.removeprefix("/test/"))
    kept = ("grant_type", "token_type_hint", "scope", "prompt")
    form = {name: request.form[name] for name in kept if name in request.form}
    basic = request.headers.get("Authorization", "").startswith("Basic ")
    world.seen.append({"path": path, "basic": basic, **form})
    fault = world.set["fault"].get(path)
    if fault in FAULTS:
        return FAULTS[fault]()
    if path == f"/.well-known/{world.set['place']}":
        return say(metadata())
    match path:
        case "/authorize":
            return authorize(request)
        case "/token":
            return server.create_token_response(request)
        case "/device_authorization":
            return server.create_endpoint_response("device_authorization", request)
        case "/register":
            return server.create_endpoint_response("client_registration", request)
        case "/revoke":
            return server.create_endpoint_response("revocation", request)
        case "/userinfo":
            return userinfo(request)
        case _:
            return FAULTS["missing"]()


@Request.application
def app(request):
    with world.lock:
        return answer(request)


class Quiet(WSGIRequestHandler):
    def log_request(self, *_):
        pass


listener = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
base = f"http://127.0.0.1:{listener.server_port}"
print(f"listening on {base}", flush=True)
listener.serve_forever()
