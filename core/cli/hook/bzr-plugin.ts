/**
 * The plugin by which Breezy and Bazaar tell of new revisions: they have no hook programs. It does nothing for branches without
 * settings, and never stands in the way of a commit.
 */
export const BZR_PLUGIN = (argv: readonly string[]) => `# Made by "boltbot hook bzr --install".
"""Tells a Boltbot master of new revisions of branches that have .bzr/boltbot/settings.json."""
import os
import subprocess

try:
    from breezy.branch import Branch
    from breezy.errors import NotLocalUrl
except ImportError:
    from bzrlib.branch import Branch
    from bzrlib.errors import NotLocalUrl

COMMAND = ${JSON.stringify(argv)}


def path_of(transport):
    # A server sees its branches below a root of its own.
    while hasattr(transport, "_filter"):
        transport = transport.server.backing_transport.clone(transport._filter("."))
    return transport.local_abspath(".")


def tell(params):
    try:
        path = path_of(params.branch.user_transport)
        if not os.path.exists(os.path.join(path, ".bzr", "boltbot", "settings.json")):
            return
        words = ["hook", "bzr", "--", path, str(params.old_revno), str(params.new_revno)]
        subprocess.call(COMMAND + words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    except NotLocalUrl:
        pass  # its server tells
    except Exception as error:
        import sys
        sys.stderr.write("boltbot: the master was not told of this commit: %s\\n" % (error,))


Branch.hooks.install_named_hook("post_change_branch_tip", tell, "Boltbot")
`
