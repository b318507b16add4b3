# SPDX-License-Identifier: Apache-2.0
"""A node's folder, copied, or made anew from a backup."""
import os
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


def put_back(node):
    """From its backup, as after a disk that broke."""
    if node.process:
        node.stop()
    old = node.dir + ".old"
    os.rename(node.dir, old)
    os.mkdir(node.dir, 0o700)
    for name in ("master.key", "balsam.conf"):
        shutil.copy(os.path.join(old, name), node.dir)
    return node.cli("restore", os.path.join(old, "backup"), expect=0).out


def has_base(a):
    """Whether commits are only in the redo file, but for what the disk may
    have."""
    with open(os.path.join(a.dir, "store", "data.mdb"), "rb") as f:
        f.seek(1024)
        return f.read(8) == b"balsamB1"


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 1]))
