# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire to a node, and what it is inside TLS."""
import socket
import struct
import threading

from harness import free_port, preloaded


class Tap:
    """A proxy on a node's port that keeps every byte, both ways."""

    def __init__(self, node):
        self.seen = bytearray()
        self.connections = 0
        self.port, node.listen = node.port, free_port()
        self.to = (node.host, node.listen)
        self.frames = node.dir + ".frames"
        node.env = preloaded(node.env, "frames.so",
                             BALSAM_TEST_FRAMES=self.frames)
        self.server = socket.create_server((node.host, self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.to)
            except OSError:
                near.close()
                continue
            self.connections += 1
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(one, other),
                                 daemon=True).start()

    def carry(self, one, other):
        try:
            while data := one.recv(1 << 16):
                self.seen += data
                other.sendall(data)
        except OSError:
            pass
        for s in (one, other):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def opened(self):
        """Frames as the node sees them, one list for each session and way."""
        with open(self.frames, "rb") as f:
            data = f.read()
        streams, at = {}, 0
        while at + 13 <= len(data):
            session, way, n = struct.unpack_from("=QcI", data, at)
            streams.setdefault((session, way), bytearray())
            streams[(session, way)] += data[at + 13:at + 13 + n]
            at += 13 + n
        return {k: bytes(v) for k, v in streams.items()}


def frames(stream):
    """The frames of one way of a session: u32 length, bytes."""
    at = 0
    while at + 4 <= len(stream):
        n = struct.unpack_from(">I", stream, at)[0]
        yield stream[at + 4:at + 4 + n]
        at += 4 + n


def routed(frame):
    """The item of a DATA frame when it is a ROUTE or ROUTED; or None."""
    if len(frame) < 4 or frame[1:3] != b"\x03\x01":
        return None
    at = 4 + {0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8}.get(frame[3], 0)
    if at >= len(frame) or frame[at] not in (0xc4, 0xc5, 0xc6):
        return None
    item = frame[at + 1 + {0xc4: 1, 0xc5: 2, 0xc6: 4}[frame[at]]:]
    return item if item[1:2] in (b"\x2d", b"\x2e") else None
