"""Twisted's own Banana and jelly on the bytes of a file: prints their pace as JSON, in MB a second of CPU."""
import json
import sys
import time

from twisted.spread import banana, jelly

READ = 64 * 1024
ROUNDS = 3
REPEATS = 5
data = open(sys.argv[1], "rb").read()


class Transport:
    disconnecting = 0

    def write(self, data):
        pass

    def loseConnection(self):
        pass


def decode(values):
    decoder = banana.Banana()
    decoder.makeConnection(Transport())
    decoder.currentDialect = b"pb"
    decoder.expressionReceived = lambda sexp: take(sexp, values)
    for at in range(0, len(data), READ):
        decoder.dataReceived(data[at : at + READ])


def take(sexp, values):
    if isinstance(sexp, list):
        for part in sexp:
            if isinstance(part, list):
                values.append(jelly.unjelly(part))


# Objects of the other end are their numbers, as there is no broker.
jelly.unjellyableRegistry[b"remote"] = lambda unjellier, rest: rest[0]


def encode(values):
    encoder = banana.Banana()
    encoder.makeConnection(Transport())
    encoder.currentDialect = b"pb"
    for value in values:
        encoder.sendEncoded(jelly.jelly(value))


def pace(act):
    best = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REPEATS):
            act()
        best.append(len(data) * REPEATS / 1e6 / (time.process_time() - began))
    return sorted(best)[len(best) // 2]


values = []
decode(values)
print(json.dumps({"decode": pace(lambda: decode([])), "encode": pace(lambda: encode(values))}))
