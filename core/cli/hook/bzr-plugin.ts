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
    from breezy.urlutils import local_path_from_url
except ImportError:
    from bzrlib.branch import Branch
    from bzrlib.urlutils import local_path_from_url

COMMAND = ${JSON.stringify(argv)}


def tell(params):
    try:
        path = local_path_from_url(params.branch.user_transport.external_url())
        if not os.path.exists(os.path.join(path, ".bzr", "boltbot", "settings.json")):
            return
        words = ["hook", "bzr", "--", path, str(params.old_revno), str(params.new_revno)]
        subprocess.call(COMMAND + words, stdin=subprocess.DEVNULL)
    except Exception as error:
        import sys
        sys.stderr.write("boltbot: the master was not told of this commit: %s\\n" % (error,))


Branch.hooks.install_named_hook("post_change_branch_tip", tell, "Boltbot")
`
