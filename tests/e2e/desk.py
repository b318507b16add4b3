# SPDX-License-Identifier: Apache-2.0
"""What staff do and see at a clinic's desk, in the words of the tests."""
from harness import Failed, check, wait_for

A, B, C = "Riverside Clinic", "Hillside Practice", "Third Clinic"


def link(node, *flags):
    return node.do("link", "create", *flags)


def clinic_names(node):
    return sorted(c["name"] for c in node.do("clinics")["clinics"]
                  if c["state"] == "connected")


def connected(world, *flags, before=None):
    """Riverside and Hillside, running and connected by Riverside's link;
    before is called with Riverside before it starts."""
    a = world.node("Riverside Clinic")
    if before:
        before(a)
    a.start()
    b = world.node("Hillside Practice").start()
    b.do("connect", link(a, *flags)["link"], "--yes")
    wait_for("both to be connected",
             lambda: clinic_names(a) == ["Hillside Practice"]
             and clinic_names(b) == ["Riverside Clinic"])
    return a, b


def thread_of(node, other):
    """The conversation with another clinic, once it is there."""
    def probe():
        found = [c for c in node.do("inbox")["conversations"]
                 if c["title"] == other]
        check(len(found) < 2, f"two conversations with {other}")
        return found and found[0]
    return wait_for(f"a conversation with {other}", probe)


def messages(node, other):
    return node.do("thread", "show", other, "--limit", "5000")["messages"]


def texts(node, other):
    return [m["text"] for m in messages(node, other) if m.get("text")]


def wait_texts(node, other, want):
    try:
        wait_for("messages", lambda: texts(node, other) == want)
    except Exception:
        got = texts(node, other)
        raise Failed(f"{node.name} shows {got[-10:]} ({len(got)}), "
                             f"want {want[-10:]} ({len(want)})") from None


def three(world, before=None):
    """Three clinics, each connected with both others."""
    a, b = connected(world, before=before)
    c = world.node(C).start()
    for node in (a, b):
        c.do("connect", link(node)["link"], "--yes")
    wait_for("all to be connected", lambda: clinic_names(a) == [B, C]
             and clinic_names(b) == [A, C] and clinic_names(c) == [B, A])
    return a, b, c


def shown(node, other):
    """Messages of people in a conversation, without titles."""
    return [m for m in messages(node, other) if m["kind"] == "text"]


def invitation(node, *words):
    """The link of a new invitation."""
    return node.do("invite", *words)["invitations"][0]["link"]


def joined(world, node, name="Ann Miller", *flags):
    """A patient who has joined by an invitation shown in person."""
    p = world.patient(name)
    p.cli("join", invitation(node, name, "--in-person"), "--name", name,
          "--yes", *flags)
    wait_for(f"{name} to be enrolled", lambda: enrolled(p) == [node.name])
    wait_for(f"a conversation of {name}", lambda: talks(p, node.name))
    return p


def enrolled(p):
    return sorted(c["name"] for c in p.do("clinics")["clinics"]
                  if c["state"] == "enrolled")


def talks(p, title):
    """The patient's conversations of this title that are open."""
    return [t for t in p.do("threads")["threads"]
            if t["title"] == title and t["state"] == "active"]


def said(p, title, *flags):
    """What the patient's app shows in a conversation."""
    found = [t for t in p.do("threads", *flags)["threads"]
             if t["title"] == title]
    if len(found) != 1:
        return []
    shown_there = p.do("show", str(found[0]["number"]), *flags)["messages"]
    return [m["text"] for m in shown_there if m["kind"] == "text"]


def told(node, conversation):
    """What staff see of people's words in a conversation."""
    return [m["text"] for m in shown(node, conversation)]
