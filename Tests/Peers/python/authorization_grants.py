"""The authorization server itself: Authlib's, with the grants, clients and users that the tests know.

POST /token and POST /token-rotating take these grants (RFC 6749 and RFC 7523):

client_credentials    the confidential clients
password              "alice"; any client; comes with a refresh token
refresh_token         /token keeps the refresh token and sends none; /token-rotating sends a new one, and the old one
                      is good for nothing from then on
urn:ietf:params:oauth:grant-type:jwt-bearer
                      "iss" is a client, "sub" a user or a client, "aud" the address that the assertion is sent to, or
                      the server's name; signed with the registered key; each "jti" is taken once

Clients authenticate by client_secret_basic or client_secret_post; "app" has no secret and sends its client_id alone.
The scopes are "read" and "write"; "read" is given to whoever asks for none. Access tokens are JWTs (RFC 9068, RS256).
"""

import base64
import binascii
import hmac
import math
import secrets
import time
import urllib.parse

import flask
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError, InvalidGrantError, TokenMixin, grants
from authlib.oauth2.rfc7523 import JWTBearerGrant
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc import jwk, jwt
from joserfc.errors import JoseError

ISSUER = "https://authorization.test"
AUDIENCE = "lws-tests"
USERS = {"alice": "correct horse & battery"}
SECRETS = {"service": "s3cr3t-of-service", "odd:client": "p@ss %w+rd&ü=:/", "app": None}
METHODS = ["client_secret_basic", "client_secret_post", "none"]


def same(one, other):
    return hmac.compare_digest(one.encode(), other.encode())


class Client(ClientMixin):
    def __init__(self, identifier):
        self.identifier, self.secret = identifier, SECRETS[identifier]

    def get_client_id(self):
        return self.identifier

    def get_allowed_scope(self, scope):
        return scope or "read"

    def check_client_secret(self, secret):
        return self.secret is not None and same(self.secret, secret)

    def check_endpoint_auth_method(self, method, endpoint):
        return (method == "none") == (self.secret is None)

    def check_grant_type(self, grant_type):
        return self.secret is not None or grant_type in ["password", "refresh_token"]


class User:
    def __init__(self, name):
        self.name = name

    def get_user_id(self):
        return self.name


class RefreshToken(TokenMixin):
    def __init__(self, token, values):
        self.token, self.values = token, values

    def check_client(self, client):
        return client.get_client_id() == self.values["client"]

    def get_scope(self):
        return self.values["scope"]


def query_client(identifier):
    return Client(identifier) if identifier in SECRETS else None


def authenticate_basic(query_client, request):
    """Authlib's own leaves a "+" as it is, but the two parts are form-urlencoded (RFC 6749, section 2.3.1)."""
    kind, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        parts = base64.b64decode(credentials, validate=True).decode().split(":")
        identifier, secret = (urllib.parse.unquote_plus(part, errors="strict") for part in parts)
    except (binascii.Error, ValueError):
        raise InvalidClientError(status_code=401, description="Malformed credentials.") from None
    client = query_client(identifier)
    return client if client and client.check_client_secret(secret) else None


class TokenGenerator(JWTBearerTokenGenerator):
    def __init__(self, state):
        super().__init__(
            ISSUER,
            refresh_token_generator=lambda **_: secrets.token_urlsafe(36),
            expires_generator=lambda client, grant_type: state.expires_in,
        )
        self.state = state
        self.key = jwk.RSAKey.import_key(state.signing_key)

    def get_jwks(self):
        return self.key

    def get_audiences(self, client, user, scope):
        return AUDIENCE

    def get_jti(self, *arguments):
        identifier = super().get_jti(*arguments)
        self.state.issued(identifier)
        return identifier

    def get_extra_claims(self, *arguments):
        return {"exp": math.ceil(time.time() + self.state.expires_in)}


def make_grants(state):
    class ClientCredentials(grants.ClientCredentialsGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    class Password(grants.ResourceOwnerPasswordCredentialsGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = METHODS

        def authenticate_user(self, username, password):
            if username in USERS and same(USERS[username], password):
                return User(username)
            # Authlib would say invalid_request, RFC 6749 (section 5.2) says this.
            raise InvalidGrantError("Wrong username or password.")

    class Refresh(grants.RefreshTokenGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = METHODS

        def authenticate_refresh_token(self, token):
            values = state.refresh_token(token)
            return RefreshToken(token, values) if values else None

        def authenticate_user(self, token):
            return User(token.values["user"])

        def revoke_old_credential(self, token):
            if self.INCLUDE_NEW_REFRESH_TOKEN:
                state.revoke_refresh_token(token.token)

    class RotatingRefresh(Refresh):
        INCLUDE_NEW_REFRESH_TOKEN = True

        @classmethod
        def check_token_endpoint(cls, request):
            return super().check_token_endpoint(request) and flask.request.path == "/token-rotating"

    class Assertion(JWTBearerGrant):
        LEEWAY = 0

        def get_audiences(self):
            return [ISSUER, self.request.uri]

        def resolve_issuer_client(self, issuer):
            return query_client(issuer)

        def authenticate_user(self, subject):
            return User(subject) if subject in USERS or subject in SECRETS else None

        def has_granted_permission(self, client, user):
            return True

        def process_assertion_claims(self, assertion):
            """Authlib's own takes any algorithm that joserfc recommends (not RS512, ES384, ...), and no other."""
            _, claims = self.extract_assertion(assertion)
            if not state.registered or not query_client(claims.get("iss")):
                raise InvalidGrantError("No such issuer.")
            algorithm, _, key = state.registered
            try:
                claims = jwt.decode(assertion, key, algorithms=[algorithm]).claims
            except (JoseError, ValueError) as error:
                raise InvalidGrantError(f"Invalid assertion: {error}") from error
            self.verify_claims(claims)
            if "jti" in claims and not state.is_first_use(claims["jti"]):
                raise InvalidGrantError("The assertion was used before.")
            return claims

    # The first one that fits is taken.
    return [ClientCredentials, Password, RotatingRefresh, Refresh, Assertion]


def make_application(state):
    def save_token(token, request):
        if "refresh_token" in token:
            user = request.user.get_user_id()
            scope = token.get("scope")
            state.issued_refresh_token(token["refresh_token"], request.client.get_client_id(), user, scope)

    application = flask.Flask(__name__, static_folder=None)
    application.config["OAUTH2_SCOPES_SUPPORTED"] = ["read", "write"]
    server = AuthorizationServer(application, query_client, save_token)
    server.register_token_generator("default", TokenGenerator(state))
    server.register_client_auth_method("client_secret_basic", authenticate_basic)
    for grant in make_grants(state):
        server.register_grant(grant)
    for path in ["/token", "/token-rotating"]:
        application.add_url_rule(path, path, server.create_token_response, methods=["POST"])
    return application
