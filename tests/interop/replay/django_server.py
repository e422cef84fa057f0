"""An authorization server that others wrote (django-oauth-toolkit), for what it does with a refresh token that is sent
twice. Prints one line of JSON when it listens. Whoever opens the authorization page is signed in and has approved."""

import argparse
import json
from datetime import timedelta
from uuid import uuid4

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db.models.signals import pre_save
from django.http import JsonResponse
from django.urls import include, path
from django.utils import timezone

from faults import Server

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=0)
settings_known = ["strict_reject", "grace", "reuse_protection", "not_rotated", "signs_out_everywhere"]
parser.add_argument("--setting", choices=settings_known, required=True)
parser.add_argument("--grace-seconds", type=int, default=10)
parser.add_argument("--access-seconds", type=int, default=3600)
told = parser.parse_args()

settings.configure(
    SECRET_KEY="for tests only",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    # The common one tells the length of an answer, so that a client sees whether it was cut.
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", f"{__name__}.signed_in"],
    # Shared by the threads, and there as long as this one has it open.
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:replay?mode=memory&cache=shared"}},
    MIGRATION_MODULES={"auth": None, "contenttypes": None, "oauth2_provider": None},
    LOGGING_CONFIG=None,
    OAUTH2_PROVIDER={
        "ACCESS_TOKEN_EXPIRE_SECONDS": told.access_seconds,
        "ROTATE_REFRESH_TOKEN": told.setting != "not_rotated",
        "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": told.grace_seconds if told.setting == "grace" else 0,
        "REFRESH_TOKEN_REUSE_PROTECTION": told.setting == "reuse_protection",
        "OAUTH2_VALIDATOR_CLASS": f"{__name__}.SignsOutEverywhere"
        if told.setting == "signs_out_everywhere"
        else "oauth2_provider.oauth2_validators.OAuth2Validator",
        "OAUTH2_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": ["none"],
        "DCR_ENABLED": True,
        "DCR_REGISTRATION_PERMISSION_CLASSES": ["oauth2_provider.dcr.AllowAllDCRPermission"],
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402  (models need the settings)
from oauth2_provider.decorators import protected_resource  # noqa: E402
from oauth2_provider.models import AccessToken, Application, RefreshToken  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402


class SignsOutEverywhere(OAuth2Validator):
    """The worst that a second use can cost, which no setting of the toolkit has: every session of the user ends."""

    def validate_refresh_token(self, refresh_token, *args, **kwargs):
        used = RefreshToken.objects.filter(token=refresh_token, revoked__isnull=False).first()
        if used:
            RefreshToken.objects.filter(user=used.user, revoked=None).update(revoked=timezone.now())
            AccessToken.objects.filter(user=used.user).delete()
        return super().validate_refresh_token(refresh_token, *args, **kwargs)


def signed_in(get_response):
    def middleware(request):
        request.user = User.objects.get()
        return get_response(request)

    return middleware


def approve(instance, **_):
    instance.skip_authorization = True


@protected_resource(advertise_metadata=True)
def whoami(request):
    return JsonResponse({"user": request.resource_owner.username})


pre_save.connect(approve, sender=Application)
urlpatterns = [path("whoami", whoami), path("", include("oauth2_provider.urls"))]

call_command("migrate", run_syncdb=True, verbosity=0)
ada = User.objects.create(username="ada")
client = Application.objects.create(
    name="everkey",
    client_type=Application.CLIENT_PUBLIC,
    authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
    redirect_uris="http://127.0.0.1/callback",  # RFC 8252 section 7.3: any port
)
expires = timezone.now() + timedelta(seconds=told.access_seconds)
access = AccessToken.objects.create(user=ada, application=client, token="access-0", expires=expires, scope="read write")
# Without a family, protection would have nothing to revoke.
RefreshToken.objects.create(user=ada, application=client, token="refresh-0", access_token=access, token_family=uuid4())

server = Server(told.port, "/token/")
server.set_app(get_wsgi_application())
first = {
    "issuer": server.base,
    "token_endpoint": f"{server.base}/token/",
    "revocation_endpoint": f"{server.base}/revoke_token/",
    "whoami": f"{server.base}/whoami",
    "client_id": client.client_id,
    "access_token": "access-0",
    "refresh_token": "refresh-0",
    "expires_in": told.access_seconds,
}
print(json.dumps(first), flush=True)
server.serve_forever()
