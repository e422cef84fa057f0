"""An OAuth client that others wrote (Authlib), against the real server. Says on stdout, one JSON object a line, what the
person has to do; everything else is checked here."""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlparse

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, but on loopback only
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
PATIENCE = 60


def say(**words):
    print(json.dumps(words), flush=True)


def discover(url):
    found = requests.get(f"{url}/.well-known/openid-configuration", timeout=PATIENCE).json()
    plain = requests.get(f"{url}/.well-known/oauth-authorization-server", timeout=PATIENCE).json()
    assert found["issuer"] == plain["issuer"] == url, found
    assert found["token_endpoint"] == plain["token_endpoint"], plain
    return found


def register(server, method, grants, redirects):
    wanted = {
        "client_name": f"Authlib ({method})",
        "redirect_uris": redirects,
        "grant_types": grants,
        "token_endpoint_auth_method": method,
        "scope": "openid email",
    }
    answer = requests.post(server["registration_endpoint"], json=wanted, timeout=PATIENCE)
    assert answer.status_code == 201, answer.text
    return answer.json()


def session(client, method, redirect=None):
    return OAuth2Session(
        client["client_id"],
        client.get("client_secret"),
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope="openid email",
        redirect_uri=redirect,
        code_challenge_method="S256",
    )


class Callback(BaseHTTPRequestHandler):
    """The one request that the browser makes of a native app."""

    def do_GET(self):
        if self.path.startswith("/callback"):
            self.server.came = self.path
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Back at the program.")

    def log_message(self, *_):
        pass


def wait_for_browser(listener):
    listener.came = None
    listener.timeout = PATIENCE
    while listener.came is None:
        listener.handle_request()
    return listener.came


def check_identity(server, client, token, nonce):
    keys = KeySet.import_key_set(requests.get(server["jwks_uri"], timeout=PATIENCE).json())
    identity = jwt.decode(token["id_token"], keys, algorithms=["ES256"])
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": server["issuer"]},
        aud={"essential": True, "value": client["client_id"]},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        **({"nonce": {"essential": True, "value": nonce}} if nonce else {}),
    )
    rules.validate(identity.claims)
    return identity.claims


def check_tokens(server, client, oauth, method, sub):
    """What follows a sign-in, however it was done."""
    info = oauth.get(server["userinfo_endpoint"])
    assert info.status_code == 200 and info.json()["sub"] == sub, info.text
    assert info.json()["email"] == "ada@example.com", info.text

    first = dict(oauth.token)
    second = oauth.refresh_token(server["token_endpoint"], refresh_token=first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"], "refresh tokens rotate"
    assert oauth.get(server["userinfo_endpoint"]).status_code == 200

    if method != "none":
        told = oauth.introspect_token(server["introspection_endpoint"], token=second["access_token"])
        assert told.json()["active"] is True and told.json()["sub"] == sub, told.text

    gone = oauth.revoke_token(server["revocation_endpoint"], token=second["refresh_token"])
    assert gone.status_code == 200, gone.text
    assert requests.get(
        server["userinfo_endpoint"], headers={"Authorization": f"Bearer {second['access_token']}"}, timeout=PATIENCE
    ).status_code == 401
    try:
        oauth.refresh_token(server["token_endpoint"], refresh_token=second["refresh_token"])
        raise AssertionError("a revoked token was refreshed")
    except OAuthError as error:
        assert error.error == "invalid_grant", error
    if method != "none":
        told = oauth.introspect_token(server["introspection_endpoint"], token=second["access_token"])
        assert told.json() == {"active": False}, told.text


def by_browser(url, method):
    server = discover(url)
    # Registered without a port, as RFC 8252 section 7.3 lets native apps.
    client = register(server, method, ["authorization_code", "refresh_token"], ["http://127.0.0.1/callback"])
    listener = HTTPServer(("127.0.0.1", 0), Callback)
    here = f"http://127.0.0.1:{listener.server_port}"
    oauth = session(client, method, f"{here}/callback")
    verifier, nonce = generate_token(64), generate_token(20)
    address, state = oauth.create_authorization_url(
        server["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    say(open=address)
    came = wait_for_browser(listener)
    query = parse_qs(urlparse(came).query)
    assert query["iss"] == [server["issuer"]], query
    assert query["state"] == [state], query
    token = oauth.fetch_token(
        server["token_endpoint"], authorization_response=f"{here}{came}", code_verifier=verifier, state=state
    )
    claims = check_identity(server, client, token, nonce)
    check_tokens(server, client, oauth, method, claims["sub"])


def by_device(url, method):
    server = discover(url)
    client = register(server, method, [DEVICE, "refresh_token"], [])
    oauth = session(client, method)
    asked = {"client_id": client["client_id"], "scope": "openid email"}
    auth = (client["client_id"], client["client_secret"]) if "client_secret" in client else None
    grant = requests.post(server["device_authorization_endpoint"], data=asked, auth=auth, timeout=PATIENCE).json()
    assert grant["verification_uri"].startswith(url), grant

    def poll():
        return oauth.fetch_token(
            server["token_endpoint"], grant_type=DEVICE, device_code=grant["device_code"]
        )

    try:
        poll()
        raise AssertionError("a token before anybody approved")
    except OAuthError as error:
        assert error.error == "authorization_pending", error
    say(open=grant["verification_uri"], code=grant["user_code"])
    interval, end = grant.get("interval", 5), time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < end, "nobody approved"
        time.sleep(interval)
        try:
            token = poll()
            break
        except OAuthError as error:
            assert error.error in ("authorization_pending", "slow_down"), error
            interval += 5 if error.error == "slow_down" else 0
    claims = check_identity(server, client, token, None)
    check_tokens(server, client, oauth, method, claims["sub"])


if __name__ == "__main__":
    way, url, method = sys.argv[1:]
    {"browser": by_browser, "device": by_device}[way](url, method)
    say(done=True)
