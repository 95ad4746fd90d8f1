#!/usr/bin/env python3
"""A minimal client of landline.v1, written from docs/protocol.md with Python's standard library alone.

    minimal.py publish ws://localhost:8080/ws ROOM speech.opus --name Ann
    minimal.py save    ws://localhost:8080/ws ROOM packets.bin --from Ann

publish sends the packets of an Ogg Opus file in real time. save writes the packets of the first audio track of the named
member to a file, each behind its length as four big-endian bytes, until the track ends.
"""
import argparse, base64, hashlib, json, os, select, socket, struct, sys, time
from urllib.parse import urlsplit

CHUNK, ACK, END = 0x10, 0x11, 0x14
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def now_us():
    return time.monotonic_ns() // 1000


class Session:
    """One WebSocket (RFC 6455), and the acknowledgements of section 8."""

    def __init__(self, url):
        u = urlsplit(url)
        self.sock = socket.create_connection((u.hostname, u.port or 80), timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall(f"GET {u.path} HTTP/1.1\r\nHost: {u.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                          f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                          f"Sec-WebSocket-Protocol: landline.v1\r\n\r\n".encode())
        self.buf = b""
        while b"\r\n\r\n" not in self.buf:
            self.fill()
        head, self.buf = self.buf.split(b"\r\n\r\n", 1)
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        if b" 101 " not in head.split(b"\r\n")[0] or accept not in head:
            sys.exit("no WebSocket: " + head.decode("latin-1").split("\r\n")[0])
        self.parts = None               # of a message that comes in fragments: opcode and payload
        self.received, self.at = 0, 0   # payload bytes of all messages, and when the last of them came
        self.acked, self.acked_at = 0, 0
        self.fresh = False              # anything but acks came since our last ack
        self.every = 0.1                # seconds between acks
        self.sent, self.covered = 0, 0  # payload bytes sent, and how many of them the server has acknowledged

    def fill(self):
        data = self.sock.recv(65536)
        if not data:
            sys.exit("the server has hung up")
        self.buf += data

    def send_frame(self, opcode, payload):
        n, mask = len(payload), os.urandom(4)  # nothing here is longer than 65,535 bytes
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | n) if n < 126 else struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, n)
        pad = (mask * (n // 4 + 1))[:n]
        body = (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(n, "big")
        self.sock.sendall(head + mask + body)
        if opcode in (TEXT, BINARY):
            self.sent += n

    def send(self, **message):
        self.send_frame(TEXT, json.dumps(message).encode())

    def take_frame(self):
        """Cuts one frame off the buffer, or returns None."""
        if len(self.buf) < 2:
            return None
        n, start = self.buf[1] & 0x7F, 2
        if n == 126:
            n, start = int.from_bytes(self.buf[2:4], "big"), 4
        elif n == 127:
            n, start = int.from_bytes(self.buf[2:10], "big"), 10
        if len(self.buf) < start or len(self.buf) < start + n:
            return None
        first, payload, self.buf = self.buf[0], self.buf[start:start + n], self.buf[start + n:]
        return first & 0x80, first & 0x0F, payload

    def messages(self, until):
        """Gives the messages that come until a moment of time.monotonic(): dicts, and bytes for binary ones."""
        while True:
            self.ack_if_due()
            frame = self.take_frame()
            if frame is None:
                wait = until - time.monotonic()
                if wait <= 0:
                    return
                if select.select([self.sock], [], [], min(wait, self.every))[0]:
                    self.fill()
                continue
            fin, opcode, payload = frame
            if opcode == PING:
                self.send_frame(PONG, payload)
            elif opcode == CLOSE:
                self.send_frame(CLOSE, payload[:2])
                if payload[:2] == b"\x03\xe8":  # 1000
                    return
                sys.exit(f"closed: {int.from_bytes(payload[:2], 'big')} {payload[2:].decode()}")
            elif opcode in (0, TEXT, BINARY):
                self.parts = (opcode, payload) if opcode else (self.parts[0], self.parts[1] + payload)
                if fin:
                    (opcode, payload), self.parts = self.parts, None
                    yield from self.message(opcode, payload)

    def message(self, opcode, payload):
        self.received, self.at = self.received + len(payload), now_us()
        if opcode == BINARY and payload[0] == ACK:
            self.covered = struct.unpack(">Q", payload[4:12])[0]
            return
        self.fresh = True
        if opcode == BINARY:
            yield payload
            return
        message = json.loads(payload)
        if message["type"] == "ackInterval":
            self.every = message["ms"] / 1000
        elif message["type"] == "error":
            sys.exit(f"error: {message['code']}: {message['text']}")
        yield message

    def ack_if_due(self):
        waited = time.monotonic() - self.acked_at
        if self.received - self.acked >= 65536 or self.fresh and waited >= self.every:
            self.fresh, self.acked, self.acked_at = False, self.received, time.monotonic()
            self.send_frame(BINARY, struct.pack(">BBHQQ", ACK, 0, 0, self.received, self.at))

    def join(self, decode, **join):
        self.send(type="hello", version=1, agent="minimal.py", decode={"ws": decode})
        self.send(type="join", **{k: v for k, v in join.items() if v})
        for message in self.messages(time.monotonic() + 10):
            if isinstance(message, dict) and message["type"] == "joined":
                return message
        sys.exit("no answer to join")

    def idle(self, until):
        for _ in self.messages(until):
            pass

    def leave(self):
        self.send(type="bye")
        self.idle(time.monotonic() + 10)


def ogg_packets(data):
    """The packets of an Ogg file with one track (RFC 3533 section 6)."""
    packet, at = b"", 0
    while data[at:at + 4] == b"OggS":
        lacing = data[at + 27:at + 27 + data[at + 26]]
        at += 27 + len(lacing)
        for n in lacing:
            packet, at = packet + data[at:at + n], at + n
            if n < 255:
                yield packet
                packet = b""


def duration_us(packet):
    """How long an Opus packet sounds (RFC 6716 section 3.1)."""
    config, code = packet[0] >> 3, packet[0] & 3
    silk, hybrid, celt = (10000, 20000, 40000, 60000), (10000, 20000), (2500, 5000, 10000, 20000)
    frame = silk[config & 3] if config < 12 else hybrid[config & 1] if config < 16 else celt[config & 3]
    return frame * (1 if code == 0 else 2 if code < 3 else packet[1] & 0x3F)


def publish(args):
    with open(args.file, "rb") as f:
        head, _tags, *packets = ogg_packets(f.read())
    start_us = now_us()
    track = {"id": "speech", "kind": "audio", "source": "file", "codec": "opus", "codecString": "opus", "sampleRate": 48000,
             "channels": head[9], "config": base64.b64encode(head).decode(),
             "clock": {"us": start_us, "wallUs": time.time_ns() // 1000}}
    session = Session(args.url)
    joined = session.join([], room=args.room, name=args.name, token=args.token, publish=[track])
    alias = joined["self"]["tracks"][0]["layers"][0]["alias"]
    begin, at, group = time.monotonic(), 0, 0
    for group, packet in enumerate(packets, 1):
        session.idle(begin + at / 1e6 / args.speed)
        while session.sent - session.covered > 128 << 10:
            session.idle(time.monotonic() + 0.01)
        session.send_frame(BINARY, struct.pack(">BBHIHHIBBBB", CHUNK, 0x03, alias, group, 0, 0, (start_us + at) & 0xFFFFFFFF,
                                               0x7F, 0, 0, 0) + packet)
        at += duration_us(packet)
    session.send_frame(BINARY, struct.pack(">BBHIHH", END, 0, alias, group, 1, 0))
    ended = session.sent
    while session.covered < ended:
        session.idle(time.monotonic() + 0.01)
    session.leave()
    print(f"published {len(packets)} packets")


def save(args):
    session = Session(args.url)
    joined = session.join(["opus"], room=args.room, name=args.name, token=args.token,
                          subscribe=[{"name": args.speaker, "maxAgeMs": 10000}])
    print("joined", flush=True)
    names, alias, saved = {}, None, 0

    def meet(member, tracks):
        nonlocal alias
        for track in tracks:
            if alias is None and names[member] == args.speaker and track["kind"] == "audio":
                alias = track["layers"][0]["alias"]

    for member in joined["members"]:
        names[member["id"]] = member["name"]
        meet(member["id"], member["tracks"])
    with open(args.file, "wb") as out:
        for message in session.messages(float("inf")):
            if isinstance(message, dict):
                if message["type"] == "memberJoined":
                    names[message["member"]["id"]] = message["member"]["name"]
                elif message["type"] == "trackAdded":
                    meet(message["member"], [message["track"]])
            elif struct.unpack(">H", message[2:4])[0] == alias:
                if message[0] == CHUNK:  # an Opus packet is never so long that it takes two chunks
                    out.write(struct.pack(">I", len(message) - 20) + message[20:])
                    saved += 1
                elif message[0] == END:
                    break
    session.leave()
    print(f"saved {saved} packets")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["publish", "save"])
    p.add_argument("url")
    p.add_argument("room")
    p.add_argument("file")
    p.add_argument("--name", default="minimal.py")
    p.add_argument("--from", dest="speaker", help="save: the name of the member to save")
    p.add_argument("--token")
    p.add_argument("--speed", type=float, default=1, help="publish: so many times real time")
    args = p.parse_args()
    (publish if args.what == "publish" else save)(args)


main()
