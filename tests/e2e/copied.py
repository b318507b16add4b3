# SPDX-License-Identifier: Apache-2.0
"""A node's folder, copied."""
import shutil
import signal


def snapshot(node, to):
    """All files of a running node as they are at one instant."""
    node.process.send_signal(signal.SIGSTOP)
    try:
        shutil.copytree(node.dir, to, symlinks=True, ignore=lambda d, names: [
            n for n in names if n == "control"])
    finally:
        node.process.send_signal(signal.SIGCONT)
