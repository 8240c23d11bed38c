"""What the authorization server and the WebSocket endpoint remember, and the commands by which tests change it.

Two parties use it, each from threads of its own; all that changes lies under one lock. With a file, the refresh
tokens and the revoked access tokens are kept there, and a server started again knows them.

Commands are JSON objects, one a line, and each is answered with a JSON object; {"error": TEXT} says that one failed:

{"command": "requests"}                   {"requests": [...]}: what came to the token endpoints; see Requests
{"command": "clear"}                      forgets requests and handshakes
{"command": "handshakes"}                 {"handshakes": [...]}: path, authorization (a list of values), status
{"command": "expiresIn", "seconds": N}    how long new access tokens are good for
{"command": "revokeRefreshTokens"}        refuses all refresh tokens issued so far
{"command": "revokeAccessTokens"}         refuses all access tokens issued so far
{"command": "hold"}                       requests that come from now on wait, for 120 s at most
{"command": "waiting", "atLeast": N}      {"waiting": COUNT}, as soon as that many wait, after 15 s in any case
{"command": "release"}                    answers the requests that wait, and does not hold further ones
{"command": "registerKey", "algorithm": NAME, "pem": PUBLIC KEY or "secret": BASE64}
                                          the key of the assertions, and of the tokens for /jwt
{"command": "refuseUpgrades", "count": N} answers the next N upgrades with 401, whatever they carry
{"command": "dropConnections"}            {"dropped": COUNT}: drops TCP under all WebSocket connections
"""

import base64
import collections
import json
import os
import threading
import time

from joserfc import jwk

KEY_TYPES = {"HS": "oct", "RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


class State:
    def __init__(self, file, expires_in, signing_key, verification_key):
        self.changed = threading.Condition()
        self.file = file
        self.expires_in = expires_in
        self.signing_key, self.verification_key = signing_key, verification_key
        self.requests = collections.deque(maxlen=10_000)
        self.handshakes = collections.deque(maxlen=10_000)
        self.holding = False
        self.waiting = 0
        self.ends = {}  # of access tokens, by their jti, to the millisecond
        self.revoked = set()  # the same
        self.refresh_tokens = {}  # those that are good: the token, and client, user and scope
        self.assertions = set()  # the jti of those that were used
        self.registered = None  # algorithm, key for PyJWT, key for joserfc
        self.refusals = 0
        self.drop_connections = lambda: 0
        if file and os.path.exists(file):
            with open(file) as kept:
                values = json.load(kept)
            self.refresh_tokens, self.revoked = values["refreshTokens"], set(values["revoked"])
            self.ends = dict.fromkeys(values["issued"], float("inf"))

    def save(self):
        """With the lock held. A server that ends in the midst of this leaves the old file."""
        if self.file:
            values = {
                "refreshTokens": self.refresh_tokens,
                "revoked": sorted(self.revoked),
                "issued": sorted(self.ends),
            }
            with open(self.file + ".new", "w") as kept:
                json.dump(values, kept)
            os.replace(self.file + ".new", self.file)

    # Tokens

    def issued(self, identifier):
        """The claim "exp" has whole seconds, and would end a token before the promised time is over."""
        with self.changed:
            self.ends[identifier] = time.time() + self.expires_in
            self.save()

    def is_good(self, identifier):
        with self.changed:
            return identifier not in self.revoked and time.time() < self.ends.get(identifier, float("inf"))

    def issued_refresh_token(self, token, client, user, scope):
        with self.changed:
            self.refresh_tokens[token] = {"client": client, "user": user, "scope": scope}
            self.save()

    def refresh_token(self, token):
        with self.changed:
            return self.refresh_tokens.get(token)

    def revoke_refresh_token(self, token):
        with self.changed:
            self.refresh_tokens.pop(token, None)
            self.save()

    def is_first_use(self, identifier):
        with self.changed:
            is_first = identifier not in self.assertions
            self.assertions.add(identifier)
            return is_first

    def is_refusing(self):
        with self.changed:
            refused = self.refusals > 0
            self.refusals -= refused
            return refused

    def hold_request(self):
        with self.changed:
            if self.holding:
                self.waiting += 1
                self.changed.notify_all()
                self.changed.wait_for(lambda: not self.holding, timeout=120)
                self.waiting -= 1

    # Commands

    def run(self, line):
        try:
            fields = json.loads(line)
            return getattr(self, "run_" + fields.pop("command"))(**fields) or {}
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def run_requests(self):
        with self.changed:
            return {"requests": [dict(request) for request in self.requests]}

    def run_handshakes(self):
        with self.changed:
            return {"handshakes": list(self.handshakes)}

    def run_clear(self):
        with self.changed:
            self.requests.clear()
            self.handshakes.clear()

    def run_expiresIn(self, seconds):
        self.expires_in = int(seconds)

    def run_revokeRefreshTokens(self):
        with self.changed:
            self.refresh_tokens.clear()
            self.save()

    def run_revokeAccessTokens(self):
        with self.changed:
            self.revoked |= self.ends.keys()
            self.save()

    def run_hold(self):
        with self.changed:
            self.holding = True

    def run_release(self):
        with self.changed:
            self.holding = False
            self.changed.notify_all()

    def run_waiting(self, atLeast=0):
        with self.changed:
            self.changed.wait_for(lambda: self.waiting >= atLeast, timeout=60)
            return {"waiting": self.waiting}

    def run_registerKey(self, algorithm, pem=None, secret=None):
        key = base64.b64decode(secret) if secret is not None else pem
        self.registered = algorithm, key, jwk.import_key(key, KEY_TYPES[algorithm[:2]])

    def run_refuseUpgrades(self, count):
        with self.changed:
            self.refusals = int(count)

    def run_dropConnections(self):
        return {"dropped": self.drop_connections()}
