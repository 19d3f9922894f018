"""Seeded mutations of files: of bytes, and of the structure of JSON, safetensors, ZIP and PNG."""

from __future__ import annotations

import copy
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Rng = np.random.Generator
Mutation = Callable[[bytes, Rng], bytes]

HEAD = 128
"""Bytes at the beginning of a file, where most formats have their sizes and counts."""
LONGEST_RUN = 512
DEPTH = 100_000
"""Brackets in a row, deeper than any parser may recurse."""
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**31, 2**63, 10**400, 0.5, -0.0, 1e-320, 1e308),
    *(float("inf"), float("nan"), "", "x", "\ud800", "../../x", "/etc/hosts", "1e999", "x" * 5000),
    *([], [[]], {}, {"": None}, [1, "x"]),
)
TOKENS = {
    ".txt": (
        *("0:08", "[0:08]", "(", "]", "/", " / ", "|", ";", "\n", "1:00:00", "-", "0:08.5.5"),
        *("9" * 400, "0:" * 50, "." * 100, "\uff1a", "\u0663", "\u00b2", "\u2028", "\0", "\u2192"),
    ),
    ".yaml": (
        *("&a ", "*a", "<<: *a\n", "- ", ": ", "? ", "{", "[", "\t", "\n", "---\n", "0x", "1_0"),
        *("!!binary x", "!!set {a}", "!!float x", "!!int x", "!!timestamp x", ".inf", ".nan"),
        *(
            "2024-99-99",
            "190:20:30",
            "1e400",
            "9" * 400,
            "!!python/object/apply:os.mkdir [executed]",
        ),
    ),
    ".json": (
        *("NaN", "Infinity", "-", "1e999", "9" * 5000, "\\ud800", "\ufeff", "null", ",", "]"),
    ),
}
TOKENS[".jsonl"] = TOKENS[".json"]
TOKENS[".beats"] = TOKENS[".csv"] = (
    *(",", ";", "\t", "\n", "\r", "#", '"', "\\", "-", ".", "nan", "inf", "1e999", "1_0", "\0"),
    *("9" * 400, "time", "\u0663", "\u00b2", "\u2028", "\ufeff", "x" * 200_000, "\n" * 1000),
)


def mutate(name: str, data: bytes, rng: Rng) -> bytes:
    """`data` of a file called `name` with one or more random mutations."""
    suffix = Path(name).suffix
    kinds = STRUCTURED.get(suffix, ())
    if kinds and rng.random() < 0.6:
        data = kinds[rng.integers(len(kinds))](data, rng)
        if rng.random() < 0.8:
            return data
    for _ in range(rng.integers(1, 5)):
        data = BYTES[rng.integers(len(BYTES))](data, rng)
    return data


def _position(data: bytes, rng: Rng) -> int:
    """A random position, half of the time near the beginning."""
    return int(rng.integers(max(1, min(len(data), HEAD) if rng.random() < 0.5 else len(data))))


def _run(data: bytes, rng: Rng) -> tuple[int, int]:
    begin = _position(data, rng)
    return begin, begin + int(rng.integers(1, LONGEST_RUN))


def truncate(data: bytes, rng: Rng) -> bytes:
    return data[: _position(data, rng)]


def flip_bits(data: bytes, rng: Rng) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.integers(1, 16) if data else 0):
        changed[_position(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def splice(data: bytes, rng: Rng) -> bytes:
    """Copies a run of bytes over another place."""
    (begin, end), at = _run(data, rng), _position(data, rng)
    run = data[begin:end]
    return data[:at] + run + data[at + len(run) :]


def zero_run(data: bytes, rng: Rng) -> bytes:
    begin, end = _run(data, rng)
    return data[:begin] + bytes(len(data[begin:end])) + data[end:]


def delete_run(data: bytes, rng: Rng) -> bytes:
    begin, end = _run(data, rng)
    return data[:begin] + data[end:]


def repeat_run(data: bytes, rng: Rng) -> bytes:
    begin, end = _run(data, rng)
    return data[:end] + data[begin:end] * int(rng.integers(1, 5)) + data[end:]


def set_integer(data: bytes, rng: Rng) -> bytes:
    """Writes an extreme integer of 1, 2, 4 or 8 bytes, as damaged length fields have."""
    size, at = int(2 ** rng.integers(4)), _position(data, rng)
    value = int(rng.choice([0, 1, 2, -1, -2, 1 << 31 % (8 * size)])) % (1 << 8 * size)
    if rng.random() < 0.5:
        value = int(rng.integers(1 << min(8 * size, 62))) >> int(rng.integers(8 * size))
    field = value.to_bytes(size, "little" if rng.random() < 0.5 else "big")
    return data[:at] + field + data[at + size :]


BYTES: tuple[Mutation, ...] = (
    *(truncate, flip_bits, splice, zero_run, delete_run, repeat_run, set_integer),
)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a JSON value with each of its keys."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def mutate_value(value: Any, rng: Rng) -> Any:
    """A JSON value with one entry replaced, removed, repeated or scaled; JSON in texts as well."""
    value = copy.deepcopy(value)
    places = list(_places(value)) if isinstance(value, (dict, list)) else []
    odd = ODD_VALUES[rng.integers(len(ODD_VALUES))]
    if not places:
        return odd
    container, key = places[rng.integers(len(places))]
    old = container[key]
    if isinstance(old, str) and old.startswith("{") and rng.random() < 0.9:
        container[key] = json.dumps(mutate_value(json.loads(old), rng))
        return value
    kind = rng.integers(5)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, list):
        container.insert(key, copy.deepcopy(old))
    elif kind == 1:
        container[f"{key}x"] = copy.deepcopy(old)
    elif kind == 2 and isinstance(old, (int, float)):
        container[key] = old * float(2.0 ** rng.integers(-60, 60)) * int(rng.choice([-1, 1]))
    elif kind == 3:
        other, name = places[rng.integers(len(places))]
        container[key] = copy.deepcopy(other[name]) if other is not old else odd
    else:
        container[key] = odd
    return value


def json_structure(data: bytes, rng: Rng) -> bytes:
    return json.dumps(mutate_value(json.loads(data), rng)).encode()


def json_lines(data: bytes, rng: Rng) -> bytes:
    """Mutates one line, or writes it a second time."""
    lines = data.decode().splitlines()
    at = int(rng.integers(len(lines)))
    if rng.random() < 0.1:
        lines.insert(at, lines[at])
    else:
        lines[at] = json_structure(lines[at].encode(), rng).decode()
    return "\n".join(lines).encode()


def yaml_structure(data: bytes, rng: Rng) -> bytes:
    """Mutates the values; the result is JSON, which YAML reads."""
    import yaml

    return json.dumps(mutate_value(yaml.safe_load(data), rng)).encode()


def insert_token(suffix: str) -> Mutation:
    """Inserts texts that mean something in files with this suffix."""

    def insert(data: bytes, rng: Rng) -> bytes:
        text = data.decode()
        for _ in range(rng.integers(1, 6)):
            at, token = int(rng.integers(len(text) + 1)), TOKENS[suffix]
            text = text[:at] + token[rng.integers(len(token))] + text[at:]
        return text.encode()

    return insert


def nest(data: bytes, rng: Rng) -> bytes:
    """Inserts brackets deeper than a parser can recurse."""
    at, bracket = _position(data, rng), [b"[", b'{"a":', b"("][rng.integers(3)]
    return data[:at] + bracket * DEPTH + data[at:]


def safetensors_header(data: bytes, rng: Rng) -> bytes:
    """Mutates the JSON of names, shapes, offsets and metadata; its length field fits again."""
    size = int.from_bytes(data[:8], "little")
    header = json_structure(data[8 : 8 + size], rng)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def safetensors_values(data: bytes, rng: Rng) -> bytes:
    """Mutates the weights alone, at the same length."""
    begin = 8 + int.from_bytes(data[:8], "little")
    changed = bytearray(data)
    at = int(rng.integers(begin, len(data)))
    changed[at : at + 64] = rng.bytes(len(changed[at : at + 64]))
    return bytes(changed)


def zip_member(data: bytes, rng: Rng) -> bytes:
    """Mutates, renames or drops one member; checksums fit again."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        members = [(info.filename, file.read(info)) for info in file.infolist()]
    at = int(rng.integers(len(members)))
    name, content = members[at]
    kind = rng.random()
    if kind < 0.8:
        members[at] = name, BYTES[rng.integers(len(BYTES))](content, rng)
    elif kind < 0.9:
        members[at] = f"{name}x", content
    else:
        del members[at]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for name, content in members:
            file.writestr(name, content)
    return target.getvalue()


def png_chunk(data: bytes, rng: Rng) -> bytes:
    """Mutates one chunk, or drops or repeats it; checksums fit again."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    chosen, kind = int(rng.integers(len(chunks))), rng.random()
    name, content = chunks[chosen]
    if kind < 0.8:
        chunks[chosen] = name, BYTES[rng.integers(len(BYTES))](content, rng)
    elif kind < 0.9:
        chunks.insert(chosen, chunks[chosen])
    else:
        del chunks[chosen]
    return data[:8] + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


STRUCTURED: dict[str, tuple[Mutation, ...]] = {
    ".json": (json_structure, json_structure, insert_token(".json"), nest),
    ".jsonl": (json_lines, json_lines, insert_token(".jsonl"), nest),
    ".yaml": (yaml_structure, insert_token(".yaml"), nest),
    ".txt": (insert_token(".txt"),),
    ".beats": (insert_token(".beats"),),
    ".csv": (insert_token(".csv"),),
    ".safetensors": (safetensors_header, safetensors_header, safetensors_values),
    ".ckpt": (zip_member,),
    ".npz": (zip_member,),
    ".png": (png_chunk,),
}
