"""A FreshCVS daemon as CVSToys has one, on the Perspective Broker of the real Twisted: clients log in and are told of commits.

Usage: freshcvs-daemon.py new|old PORT USER PASSWORD
  new: newcred (CVSToys 1.0.10 and later); old: oldcred (1.0.9 and earlier), whose texts are the byte strings of Python 2.
Prints {"port": N}; then each line of standard input is a command, answered by a line:
  {"commit": {"user": …, "message": …, "files": [[folder, name, kind], …]}} -> {"told": [result of each client]}
  {"clients": true} -> {"clients": N};  {"goodbye": true}: tells clients that it stops;  {"drop": true}: cuts all links
"""

import json
import sys
import types
from hashlib import md5
from os import urandom

from twisted.cred import checkers, error, portal
from twisted.internet import defer, reactor, stdio
from twisted.protocols import basic
from twisted.spread import pb
from zope.interface import implementer

style, port, user, password = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), sys.argv[4].encode()
clients = []

# What travels is named by the module of its class.
common = types.ModuleType("cvstoys.common")
sys.modules["cvstoys"] = types.ModuleType("cvstoys")
sys.modules["cvstoys.common"] = common


def copied(name):
    class Thing(pb.Copyable):
        def __init__(self, pathname, filename):
            self.fields = {"pathname": pathname, "filename": filename, "r1": "1.3", "r2": "1.4"}

        def getStateToCopy(self):
            if style == "new":
                return self.fields
            return {key.encode(): value.encode() for key, value in self.fields.items()}

    Thing.__name__ = Thing.__qualname__ = name
    Thing.__module__ = "cvstoys.common"
    setattr(common, name, Thing)
    return Thing


KINDS = {"file": copied("VersionedPatch"), "folder": copied("Directory"), "other": copied("Import")}


class Perspective(pb.Avatar):
    def __init__(self, mind):
        self.mind = mind

    def perspective_setFilter(self, *_):
        return None

    def attached(self):
        clients.append(self)
        self.mind.broker.notifyOnDisconnect(self.logout)

    def logout(self):
        if self in clients:
            clients.remove(self)


@implementer(portal.IRealm)
class Realm:
    def requestAvatar(self, avatarId, mind, *interfaces):
        avatar = Perspective(mind)
        avatar.attached()
        return pb.IPerspective, avatar, avatar.logout


class OldRoot(pb.Root):
    """The root object of oldcred."""

    def remote_username(self, name):
        challenge = urandom(16)
        return challenge, OldChallenger(name, challenge)


class OldChallenger(pb.Referenceable):
    def __init__(self, name, challenge):
        self.name, self.challenge = name, challenge

    def remote_respond(self, response):
        right = md5(md5(password).digest() + self.challenge).digest()
        if self.name != user or response != right:
            raise error.UnauthorizedLogin("incorrect password")
        return OldIdentity()


class OldIdentity(pb.Referenceable):
    def remote_attach(self, service, perspective, client):
        if (service, perspective) != (b"cvstoys.notify", user):
            raise KeyError(service)
        avatar = Perspective(client)
        avatar.attached()
        return pb.AsReferenceable(avatar, "perspective")


def text(value):
    return value if style == "new" else value.encode()


class Commands(basic.LineReceiver):
    delimiter = b"\n"
    MAX_LENGTH = 1 << 26

    def say(self, what):
        self.sendLine(json.dumps(what).encode())

    def lineReceived(self, line):
        self.obey(line)  # its Deferred must not be returned: the rest would be left unread

    @defer.inlineCallbacks
    def obey(self, line):
        command = json.loads(line)
        if "commit" in command:
            commit = command["commit"]
            files = [KINDS[kind](folder, name) for folder, name, kind in commit["files"]]
            arguments = (text("/cvsroot"), files, text(commit["message"]), text(commit["user"]))
            told = yield defer.DeferredList(
                [one.mind.callRemote("notify", *arguments) for one in clients], consumeErrors=True
            )
            self.say({"told": [result if good else result.getErrorMessage() for good, result in told]})
        elif "clients" in command:
            self.say({"clients": len(clients)})
        elif "goodbye" in command:
            yield defer.DeferredList([one.mind.callRemote("goodbye", text("going down")) for one in clients])
            self.say({"said": True})
        elif "drop" in command:
            for one in list(clients):
                one.mind.broker.transport.abortConnection()
            self.say({"dropped": True})

    def connectionLost(self, reason):
        reactor.callFromThread(reactor.stop)


if style == "new":
    factory = pb.PBServerFactory(
        portal.Portal(Realm(), [checkers.InMemoryUsernamePasswordDatabaseDontUse(**{user.decode(): password})])
    )
else:
    factory = pb.PBServerFactory(OldRoot())

commands = Commands()
stdio.StandardIO(commands)
listening = reactor.listenTCP(port, factory, interface="127.0.0.1")
commands.say({"port": listening.getHost().port})
reactor.run()
