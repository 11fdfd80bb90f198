"""A status client as those of Buildbot 0.8, on Twisted's own Perspective Broker: prints what it is told and what it asks, a line each.

Words: port, user, password, mode, builder to wait for. It ends when a build of that builder has ended.
"""
import json
import sys

from twisted.cred import credentials
from twisted.internet import defer, reactor
from twisted.spread import pb

PORT, USER, PASSWORD, MODE, BUILDER = sys.argv[1:6]


def say(*words):
    print(json.dumps(words, default=repr), flush=True)


class Client(pb.Referenceable):
    def connected(self, remote):
        self.remote = remote
        return remote.callRemote("subscribe", MODE, 5, self)

    def remote_builderAdded(self, buildername, builder):
        say("builderAdded", buildername)
        d = builder.callRemote("getState")
        d.addCallback(lambda state: say("getState", buildername, state[0], state[1], len(state[2])))

    def remote_builderRemoved(self, buildername):
        say("builderRemoved", buildername)

    def remote_builderChangedState(self, buildername, state, eta):
        say("builderChangedState", buildername, state, eta)

    def remote_buildStarted(self, buildername, build):
        say("buildStarted", buildername)

    @defer.inlineCallbacks
    def remote_buildFinished(self, buildername, build, results):
        say("buildFinished", buildername, results)
        if buildername != BUILDER:
            return
        number = yield build.callRemote("getNumber")
        text = yield build.callRemote("getText")
        times = yield build.callRemote("getTimes")
        same = yield build.callRemote("waitUntilFinished")
        say("build", number, list(text), len(times), same == build)
        for step in (yield build.callRemote("getSteps")):
            name = yield step.callRemote("getName")
            result = yield step.callRemote("getResults")
            logs = yield step.callRemote("getLogs")
            stdio = yield logs["stdio"].callRemote("getText")
            chunks = yield logs["stdio"].callRemote("getChunks")
            say("step", name, result[0], stdio, sorted(set(channel for channel, _ in chunks)))
        say("pong", (yield self.remote.callRemote("ping")), (yield self.remote.callRemote("getBuilderNames")))
        try:
            yield self.remote.callRemote("getBuilder", "no such")
        except pb.RemoteError as error:
            say("refused", str(error.remoteType))
        except Exception as error:
            say("refused", str(error))
        reactor.callLater(0.2, reactor.stop)

    def remote_buildETAUpdate(self, buildername, build, eta):
        say("buildETAUpdate", buildername, type(eta).__name__)

    def remote_stepStarted(self, buildername, build, stepname, step):
        say("stepStarted", buildername, stepname)

    def remote_stepFinished(self, buildername, build, stepname, step, results):
        say("stepFinished", buildername, stepname, results)

    def remote_stepETAUpdate(self, buildername, build, stepname, step, eta, expectations):
        say("stepETAUpdate", buildername, stepname)

    def remote_logStarted(self, buildername, build, stepname, step, logname, log):
        say("logStarted", buildername, stepname, logname)

    def remote_logFinished(self, buildername, build, stepname, step, logname, log):
        say("logFinished", buildername, stepname, logname)

    def remote_logChunk(self, buildername, build, stepname, step, logname, log, channel, text):
        say("logChunk", buildername, stepname, logname, channel, text)


def refused(why):
    say("login refused", str(why.type))
    reactor.stop()


factory = pb.PBClientFactory()
reactor.connectTCP("127.0.0.1", int(PORT), factory)
login = factory.login(credentials.UsernamePassword(USER.encode(), PASSWORD.encode()))
login.addCallbacks(Client().connected, refused)
login.addErrback(refused)
reactor.run()
