# SPDX-License-Identifier: Apache-2.0
"""Who carries a conversation lies about it: the daemon that does (liar.c), the
clock that all live by, and what people are told of it."""
import os
import subprocess

from desk import A, B, C, thread_of, three, told
from harness import BIN, Clock, check, wait_for

CASE = "Case of the week"


class Lie:
    """What Riverside does: see liar.c."""

    def __init__(self, world, name="lie"):
        self.path = os.path.join(world.dir, name)
        self.put("-", "0" * 64)

    def put(self, what, who):
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as f:
            f.write(f"{what} {who}".encode())

    def begin(self, world):
        """Everybody lives by one clock, and Riverside lies."""
        clock = Clock(world)
        world.env = clock.env(BALSAM_TEST_LIE=self.path)
        return clock

    def node(self, node):
        node.program = "balsamd-liar"


def all_there(nodes):
    """Connected again after a leap in time."""
    for n in nodes:
        others = sorted(m.name for m in nodes if m is not n)
        wait_for(f"{n.name} to be connected", lambda: sorted(
            p["name"] for p in n.do("peers")["peers"]
            if p["online"]) == others)


def go(clock, nodes, hours):
    clock.go(hours)
    all_there(nodes)


def later(clock, what, probe):
    """It comes in the next hours: who was not connected looks again."""
    def look():
        found = probe()
        if not found:
            clock.go(1)
        return found
    return wait_for(what, look)


def doubts(node):
    return node.do("thread", "show", CASE).get("doubts", [])


def doubted(clock, node, what, who):
    """Told about who, and that Riverside carries; who looks makes the node
    look at its clock."""
    found = later(clock, f"{what} at {node.name}", lambda: [
        d for d in doubts(node) if (d["what"], d["who"]) == (what, who)])
    check(len(found) == 1 and found[0]["carried_by"] == A, found)


def nothing_in_doubt(clock, node):
    later(clock, f"no doubt at {node.name}", lambda: not doubts(node))
    check(not node.do("status")["doubted"], "in status")
    check(carried_well(node), "in doctor")


def carried_well(node):
    found = [f for f in node.do("doctor")["findings"]
             if f["what"] == "how conversations are carried"]
    check(len(found) == 1, found)
    return found[0]["good"]


def case(world):
    """Three clinics in one conversation; Riverside orders it."""
    lie = Lie(world)
    clock = lie.begin(world)
    nodes = three(world, lie.node)
    nodes[0].do("thread", "new", B, C, "--title", CASE)
    for node in nodes:
        thread_of(node, CASE)
        node.do("send", CASE, f"{node.name} is here")
    for node in nodes:
        wait_for("all words", lambda: len(told(node, CASE)) == 3)
    check(nodes[0].do("thread", "show", CASE)["hub_here"], "another hub")
    go(clock, nodes, 3)  # they have been there for a while
    return clock, lie, nodes


class Watch:
    """What a node's watch prints, from now on: it says when it listens."""

    def __init__(self, node):
        self.path = node.dir + ".watch"
        with open(self.path, "wb") as out, open(self.path + ".err", "wb") as err:
            self.process = subprocess.Popen(
                [os.path.join(BIN, "balsam"), "--data", node.dir, "watch"],
                env=node.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        wait_for("the watch",
                 lambda: "as they come" in text_of(self.path + ".err"))

    def says(self, *texts):
        """All of them, sooner or later: it tells by itself."""
        def lacks():
            heard = text_of(self.path)
            return [t for t in texts if t not in heard]
        wait_for(f"{texts} in {self.path}", lambda: not lacks())

    def end(self):
        self.process.terminate()
        self.process.wait()


def text_of(path):
    with open(path) as f:
        return f.read()
