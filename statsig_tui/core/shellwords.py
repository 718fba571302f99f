"""A shell's command line as words: quotes, escapes and pipes, as bash reads them. Nothing is run. Pure."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence

_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_CODED = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})")
_PLAIN = re.compile(r"[^\s'\"\\$|;&<>]+")


class ShellError(ValueError):
    """A command line that does not end, or that does what no words can tell."""


def pipeline(text: str) -> list[list[str]]:
    """The words of each command of a pipeline; bytes that are no UTF-8 are surrogates (surrogateescape).

    Variables and substitutions stay as they are written. What follows `;`, `&` or a redirection is left
    out. Raises ShellError for a quote that never ends.
    """
    commands: list[list[str]] = [[]]
    word: list[str] | None = None
    at = 0
    while at < len(text):
        character = text[at]
        if text.startswith(("\\\n", "\\\r\n"), at):
            at = text.index("\n", at) + 1
        elif character.isspace() or character in "|;&<>":
            if word is not None:
                commands[-1].append("".join(word))
                word = None
            if character == "|":
                commands.append([])
            elif character in ";&<>" or (character == "\n" and commands[-1]):
                break
            at += 1
        else:
            part, at = _part(text, at)
            word = [*(word or []), part]
    if word is not None:
        commands[-1].append("".join(word))
    return commands


def output_of(commands: Sequence[Sequence[str]]) -> bytes | None:
    """What printf, echo and base64 put out, one feeding the next; None where it cannot be known."""
    fed: bytes | None = b""
    for words in commands:
        name, arguments = (words[0], list(words[1:])) if words else ("", [])
        if name == "printf" and arguments[:1] == ["%s"] and len(arguments) == 2:
            fed = raw(arguments[1])
        elif name == "echo" and arguments:
            ends = b"" if arguments[0] == "-n" else b"\n"
            fed = raw(" ".join(arguments[not ends :])) + ends
        elif name == "base64" and arguments and arguments[0] in ("-d", "-D", "--decode") and fed is not None:
            try:
                fed = b64decode(fed)
            except ValueError:
                return None
        else:
            return None
    return fed


def raw(word: str) -> bytes:
    """A word's bytes."""
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return word.encode("utf-8", "surrogatepass")


def _part(text: str, at: int) -> tuple[str, int]:
    if text.startswith("$'", at):
        return _ansi(text, at + 2)
    if text.startswith("'", at):
        end = text.find("'", at + 1)
        if end < 0:
            raise ShellError("a quote is not closed")
        return text[at + 1 : end], end + 1
    if text.startswith('"', at) or text.startswith('$"', at):
        return _double(text, text.index('"', at) + 1)
    if text[at] == "\\":
        return text[at + 1 : at + 2], at + 2
    plain = _PLAIN.match(text, at)
    return (plain[0], plain.end()) if plain is not None else (text[at], at + 1)


def _double(text: str, at: int) -> tuple[str, int]:
    found: list[str] = []
    while at < len(text):
        if text[at] == '"':
            return "".join(found), at + 1
        if text[at] == "\\" and text[at + 1 : at + 2] in ('"', "\\", "$", "`", "\n"):
            found.append(text[at + 1].replace("\n", ""))
            at += 2
            continue
        found.append(text[at])
        at += 1
    raise ShellError("a double quote is not closed")


def _ansi(text: str, at: int) -> tuple[str, int]:
    found = bytearray()
    while at < len(text):
        if text[at] == "'":
            return found.decode("utf-8", "surrogateescape"), at + 1
        if text[at] != "\\":
            found += raw(text[at])
            at += 1
            continue
        coded = _CODED.match(text, at + 1)
        if coded is not None:
            byte, short, long, octal = coded.groups()
            if byte or octal:
                found.append(int(byte, 16) if byte else int(octal, 8) & 0xFF)
            else:
                found += raw(chr(min(int(short or long, 16), 0x10FFFF)))
            at = coded.end()
            continue
        following = text[at + 1 : at + 2]
        found += raw(_ESCAPES.get(following, following if following in "\\'\"?" else f"\\{following}"))
        at += 2
    raise ShellError("a quote is not closed")
