"""Dumps built by hand, byte by byte, for tests: what stands in them is known without any server."""
import struct


def length(n):
    if n < 64:
        return bytes([n])
    if n < 16384:
        return bytes([0x40 | n >> 8, n & 255])
    return b"\x80" + struct.pack(">I", n) if n < 1 << 32 else b"\x81" + struct.pack(">Q", n)


def text(s):
    return length(len(s)) + s


def aux(name, value):
    return b"\xfa" + text(name) + text(value)


def select(db):
    return b"\xfe" + length(db)


def resize(keys, expires):
    return b"\xfb" + length(keys) + length(expires)


def expire(ms):
    return b"\xfc" + struct.pack("<q", ms)


def idle(seconds):
    return b"\xf8" + length(seconds)


def freq(counter):
    return b"\xf9" + bytes([counter])


def string(key, value):
    return b"\x00" + text(key) + text(value)


def plain_list(key, items):
    return b"\x01" + text(key) + length(len(items)) + b"".join(map(text, items))


def plain_set(key, items):
    return b"\x02" + text(key) + length(len(items)) + b"".join(map(text, items))


def zset(key, pairs):
    body = b"".join(text(member) + struct.pack("<d", score) for member, score in pairs)
    return b"\x05" + text(key) + length(len(pairs)) + body


def plain_hash(key, pairs):
    return b"\x04" + text(key) + length(len(pairs)) + b"".join(text(f) + text(v) for f, v in pairs)


CTIME = 1700000000


def dump(*records, version=11, magic=b"REDIS", ver=b"7.2.6", ctime=CTIME, extra=b""):
    """A whole file with its checksum switched off."""
    head = magic + b"%04d" % version
    head += aux(b"redis-ver", ver) + aux(b"redis-bits", b"64") + aux(b"ctime", b"%d" % ctime) + extra
    return head + b"".join(records) + b"\xff" + bytes(8)
