# SPDX-License-Identifier: Apache-2.0
"""Real nodes on this machine: start, stop, kill, speak to them as staff do.

A test is a function that takes a World; run(tests) runs them all, each in a
folder of its own, and closes with "N passed, N failed".  Nothing sleeps and
hopes: what should come is waited for, with a bound that only a hang reaches.
"""
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODE = os.environ.get("BALSAM_E2E_MODE", "plain")  # or san, tsan
BIN = os.environ.get("BALSAM_BIN", os.path.join(TOP, f"build/{MODE}/bin"))
HANG_S = int(os.environ.get("BALSAM_E2E_WAIT", "90"))


# A sandboxed daemon cannot be traced, so leaks are the unit tests' business;
# the clock is moved by a library that is loaded before the sanitizer.
os.environ.setdefault("ASAN_OPTIONS",
                      "detect_leaks=0:verify_asan_link_order=0:exitcode=99")
os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
os.environ.setdefault("TSAN_OPTIONS", "halt_on_error=0:exitcode=99:suppressions="
                      + os.path.join(TOP, "tests/federation/tsan.supp"))


class Skipped(Exception):
    """What this build or machine cannot show."""


class Failed(Exception):
    """What was expected did not happen."""


def check(condition, what):
    if not condition:
        raise Failed(what)


def wait_for(what, probe, seconds=HANG_S):
    """Call probe until it gives something true; give that back."""
    end = time.monotonic() + seconds
    pause = 0.02
    while True:
        got = probe()
        if got:
            return got
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)


def preloaded(env, library, **more):
    """The environment of a program with one of our libraries before it, and
    those that the whole suite has."""
    mine = os.path.join(TOP, "build/lib", library)
    others = [p for p in os.environ.get("LD_PRELOAD", "").split(":")
              if p and p != mine]
    return dict(env, LD_PRELOAD=":".join([mine] + others), **more)


def clock_moved(seconds, **more):
    """The environment of a program that lives that many seconds from now; a
    whole suite may live at another time itself (tests/README.md)."""
    suite = int(os.environ.get("BALSAM_TEST_CLOCK_S", 0))
    return preloaded(dict(os.environ, **more), "moved_clock.so",
                     BALSAM_TEST_CLOCK_S=str(suite + seconds))


class Hours:
    """Hours by which programs are ahead, turned while they run."""

    def __init__(self, world, name):
        self.path = os.path.join(world.dir, name)
        self.seconds = 0
        # a new file: who has mapped the one of before keeps it
        with open(self.path + ".new", "wb") as f:
            f.write(struct.pack("=q", 0))
        os.rename(self.path + ".new", self.path)

    def put(self):
        # never shorter, not even for a moment: programs have it mapped
        with open(self.path, "r+b") as f:
            f.write(struct.pack("=q", self.seconds))

    def go(self, hours):
        """So many hours go by at once."""
        self.seconds += hours * 3600
        self.put()


class Clock(Hours):
    """A clock for several programs."""

    def __init__(self, world):
        super().__init__(world, "clock")

    def env(self, **more):
        """For what lives by this clock."""
        return clock_moved(0, BALSAM_TEST_CLOCK_FILE=self.path, **more)


class Uptime(Hours):
    """How long a program is up, by itself: what waits for that sees it."""

    def env(self, env):
        return dict(env, BALSAM_TEST_UP_FILE=self.path)


# Below the ports that the kernel gives to who dials: one of those may be
# another program's before ours listens on it.
PORTS = range(10000, 32000)
held_ports = []  # one file each, locked until this suite ends


def free_port():
    """A port that nobody has, no other suite gets, and nobody dials from."""
    folder = os.path.join(tempfile.gettempdir(), f"balsam-test-ports-{os.getuid()}")
    os.makedirs(folder, exist_ok=True)
    for port in random.SystemRandom().sample(PORTS, 1000):
        lock = open(os.path.join(folder, str(port)), "w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        held_ports.append(lock)
        return port
    raise Failed("no port is free")


class Answer:
    """What the command line said."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError:
            raise Failed(f"not JSON: {self.out[:300]!r} {self.err[:300]!r}")


class Node:
    def __init__(self, world, name, init=(), host="127.0.0.1", tool="balsam"):
        self.world, self.name, self.tool = world, name, tool
        self.dir = os.path.join(world.dir, name.replace(" ", "-").lower())
        self.port, self.host = free_port(), host
        self.listen = self.port  # another one behind a proxy
        self.log = self.dir + ".log"
        self.process = None
        self.program = "balsamd"
        self.env = dict(world.env)
        self.flags = []
        self.sheet = self.dir + ".sheet"
        a = self.cli("init", "--name", name, "--member", "Dr. " + name,
                     "--address", f"{host}:{self.port}",
                     "--sheet", self.sheet, *init)
        check(a.code == 0, f"init: {a.err}")
        world.nodes.append(self)

    def cli(self, *args, stdin="", expect=None):
        p = subprocess.run([os.path.join(BIN, self.tool), "--data", self.dir,
                            *args], input=stdin, text=True, env=self.env,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=HANG_S * 2)
        if expect is not None and p.returncode != expect:
            raise Failed(f"{self.name}: balsam {' '.join(args)}: exit "
                         f"{p.returncode}\n{p.stdout}{p.stderr}")
        return Answer(p.returncode, p.stdout, p.stderr)

    def do(self, *args, stdin=""):
        """A command that must succeed; its JSON."""
        return self.cli(*args, "--json", stdin=stdin, expect=0).json

    def start(self, *flags):
        check(self.process is None, "already running")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(BIN, self.program), "--data", self.dir, "--listen",
                 f"{self.host}:{self.listen}", *self.flags, *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env)
        self.world.running.append(self)
        wait_for(f"{self.name} to start", self.answers)
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise Failed(f"{self.name} ended with {self.process.returncode}: "
                         + self.log_text()[-2000:])
        return self.cli("status", "--json").code == 0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=HANG_S)
        self.gone()
        check(code == 0, f"{self.name} stopped with {code}: "
              + self.log_text()[-2000:])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.gone()

    def gone(self):
        self.process = None
        self.world.running.remove(self)

    def log_text(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log, errors="replace") as f:
            return f.read()


class Patient:
    """A patient's app: each command connects, fetches, does its work, ends."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.dir = os.path.join(world.dir,
                                "app-" + name.replace(" ", "-").lower())
        self.env = dict(world.env)
        self.program = "balsam-patient"

    def argv(self, *args):
        return [os.path.join(BIN, self.program), "--data", self.dir, *args]

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

    def watch(self):
        """Stay connected, as an app in somebody's hand."""
        log = open(self.dir + ".log", "ab")
        process = subprocess.Popen(self.argv("watch"), env=self.env,
                                   stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log)
        log.close()
        return process


class World:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="balsam-e2e-")
        self.env = dict(os.environ)  # of what is made from now on
        self.running = []
        self.nodes = []

    def node(self, name, *init, host="127.0.0.1", tool="balsam"):
        return Node(self, name, init, host, tool)

    def patient(self, name):
        return Patient(self, name)

    def end(self):
        for n in list(self.running):
            n.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


def run(tests):
    words = sys.argv[1:]
    passed = failed = skipped = 0
    for test in tests:
        if words and not any(w in test.__name__ for w in words):
            continue
        world = World()
        start = time.monotonic()
        try:
            test(world)
            passed += 1
            print(f"ok {test.__name__} ({time.monotonic() - start:.1f} s)",
                  flush=True)
        except Skipped as why:
            skipped += 1
            print(f"skipped: {test.__name__}: {why}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"FAIL {test.__name__}", flush=True)
            traceback.print_exc(file=sys.stdout)
            for n in world.nodes:
                print(f"--- {n.name}:\n{n.log_text()[-3000:]}")
        finally:
            world.end()
    print(f"{passed} passed, {failed} failed"
          + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 0)
