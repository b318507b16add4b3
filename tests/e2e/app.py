# SPDX-License-Identifier: Apache-2.0
"""A patient's app on this machine, as its person uses it."""
import os
import subprocess

from harness import BIN, HANG_S, Answer, Failed, check, wait_for


class Patient:
    def __init__(self, world, name):
        self.name = name
        self.dir = os.path.join(world.dir, "app-" + name.replace(" ", "-").lower())
        self.env = dict(os.environ)

    def argv(self, *args):
        return [os.path.join(BIN, "balsam-patient"), "--data", self.dir, *args]

    def cli(self, *args, stdin="", expect=None):
        p = subprocess.run(self.argv(*args), input=stdin, text=True,
                           env=self.env, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=HANG_S * 2)
        if expect is not None and p.returncode != expect:
            raise Failed(f"{self.name}: balsam-patient {' '.join(args)}: exit "
                         f"{p.returncode}\n{p.stdout}{p.stderr}")
        return Answer(p.returncode, p.stdout, p.stderr)

    def do(self, *args, stdin=""):
        """A command that must succeed; its JSON."""
        return self.cli(*args, "--json", stdin=stdin, expect=0).json

    def join(self, link, name=None):
        return self.do("join", link, "--name", name or self.name, "--yes")

    def threads(self):
        return self.do("threads")["threads"]

    def thread(self):
        """Its one conversation, once it is there."""
        return wait_for(f"{self.name}'s conversation", lambda: next(
            (t for t in self.threads() if t["state"] == "active"), None))

    def messages(self, thread):
        return self.do("show", str(thread), "--limit", "5000")["messages"]

    def texts(self, thread):
        return [m["text"] for m in self.messages(thread)
                if m["kind"] == "text"]

    def wait_texts(self, thread, want):
        try:
            wait_for(f"{self.name} to read", lambda: self.texts(thread) == want)
        except Failed:
            raise Failed(f"{self.name} reads {self.texts(thread)}, "
                         f"not {want}") from None

    def words(self):
        return self.do("code", "show")["words"]

    def devices(self):
        return self.do("devices")["devices"]


def joined(world, node, name="Ann"):
    """A patient with an active conversation with node."""
    p = Patient(world, name)
    p.join(node.do("link", "create")["link"])
    check(p.thread()["number"] >= 1, "no conversation")
    return p


def add_device(old, new, *flags):
    """The two codes, as two people hold two phones."""
    request = new.do("device", "add")["code"]
    grant = old.do("device", "add", request, *flags)["code"]
    new.do("device", "add", grant)
