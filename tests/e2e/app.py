# SPDX-License-Identifier: Apache-2.0
"""A patient's app on this machine, as its person uses it."""
import harness
from harness import Failed, check, wait_for


class Patient(harness.Patient):
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
    request = new.do("device", "add")
    check("that you have" in request["next"], f"{request}")
    grant = old.do("device", "add", request["code"], *flags)
    check("On the new device" in grant["next"], f"{grant}")
    new.do("device", "add", grant["code"])
