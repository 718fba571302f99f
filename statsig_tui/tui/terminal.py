"""The terminal's input: what is pasted arrives as text, whatever is in it, and presses no key.

Textual 8.2.8 parses escape sequences within a bracketed paste and hands on what follows an unknown one as
keys: a pasted line feed would be ctrl+j, and send.
"""

from __future__ import annotations

import os
import selectors
import signal
from codecs import getincrementaldecoder
from collections.abc import Iterator

from textual._xterm_parser import BRACKETED_PASTE_END as END
from textual._xterm_parser import BRACKETED_PASTE_START as START
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Paste
from textual.message import Message

LONGEST = 2_000_000
"""Characters of a paste; of a longer one only its length is handed on."""
PAUSE_SECONDS = 0.1
"""Without input for so long, whatever came in one go is complete."""
_LOST = 50
"""Pauses after which the end of a paste is no longer waited for."""
_BLOCK = 64 * 1024
_HUNG_UP = 128 + signal.SIGHUP


class PasteRefused(Message):
    """A paste was too long: so many characters were not handed on."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length


class InputParser:
    """Takes pastes out of the terminal's input, and leaves everything else to Textual's parser.

    An end marker within a pasted text looks like the paste's end. So what follows an end without a pause is
    held back: where another end follows, it was pasted too; otherwise it was keys.
    """

    def __init__(self, keys: XTermParser) -> None:
        self._keys = keys
        self._tail = ""
        """The last characters, which may be the beginning of a marker."""
        self._kept: list[str] = []
        self._length = 0
        """Characters since the paste or its last end, kept or not."""
        self._taken = 0
        """Characters of the paste that were handed on."""
        self._refused = 0
        """Characters of it that were not: once it is too long, all that follows."""
        self._is_collecting = False
        self._has_ended = False
        """Whether the paste may be over, and what is collected may be keys."""
        self._pauses = 0

    def feed(self, data: str) -> Iterator[Message]:
        """What this piece of input means, as far as it can be told."""
        self._pauses = 0
        if self._is_collecting:
            yield from self._collect(data)
        else:
            yield from self._press(data)

    def pause(self) -> Iterator[Message]:
        """What it means that nothing came for a while."""
        yield from self._keys.tick()
        self._pauses += 1
        if not self._is_collecting:
            return
        if self._has_ended:
            length, held = self._take()
            self._is_collecting = False
            if length > LONGEST:
                self._refused += length  # nobody has pressed so many keys
                held = ""
            yield from self._say_refused()
            yield from self._press(held)
        elif self._pauses >= _LOST:
            # Without this a lost marker would leave the app deaf.
            yield from self._hand_on(*self._take())
            yield from self._say_refused()
            self._is_collecting = False

    def close(self) -> None:
        """No more input will come."""
        for _ in self._keys.feed(""):
            pass

    def _press(self, data: str) -> Iterator[Message]:
        if not data:
            return  # to Textual's parser nothing is the end
        seen = self._tail + data
        at = seen.find(START)
        if at < 0:
            self._tail = seen[-(len(START) - 1) :]
            yield from self._keys.feed(data)
            return
        begins = at + len(START) - len(self._tail)
        self._tail = ""
        # Textual's parser sees an empty paste: so it knows the sequence, which may have begun before.
        for message in self._keys.feed(data[:begins] + END):
            if not isinstance(message, Paste):
                yield message
        self._is_collecting, self._has_ended = True, False
        yield from self._collect(data[begins:])

    def _collect(self, data: str) -> Iterator[Message]:
        buffer = self._tail + data
        while (at := buffer.find(END)) >= 0:
            self._tail = ""
            self._keep(buffer[:at])
            length, text = self._take()
            if self._has_ended and text.startswith(START):
                yield from self._say_refused()
                yield from self._hand_on(length - len(START), text.removeprefix(START))
            elif self._has_ended:
                yield from self._hand_on(len(END) + length, END + text)
            else:
                yield from self._hand_on(length, text)
            self._has_ended = True
            buffer = buffer[at + len(END) :]
        split = max(0, len(buffer) - len(END) + 1)
        self._keep(buffer[:split])
        self._tail = buffer[split:]

    def _keep(self, text: str) -> None:
        if self._length <= LONGEST:
            self._kept.append(text)
        self._length += len(text)

    def _take(self) -> tuple[int, str]:
        """How long it was, and what is kept of it."""
        text, length = "".join(self._kept) + self._tail, self._length + len(self._tail)
        self._kept.clear()
        self._tail, self._length = "", 0
        return length, text

    def _hand_on(self, length: int, text: str) -> Iterator[Message]:
        """A piece of the paste, unless it is too long by now."""
        if self._refused or self._taken + length > LONGEST:
            self._refused += length
        else:
            self._taken += length
            yield Paste(text)

    def _say_refused(self) -> Iterator[Message]:
        """The paste is over."""
        if self._refused:
            yield PasteRefused(self._refused)
        self._taken = self._refused = 0


class TerminalDriver(LinuxDriver):
    """Textual's driver for terminals, reading its input through an InputParser."""

    def run_input_thread(self) -> None:
        """Read until the app ends, or the terminal does; bytes that are no UTF-8 are shown as such."""
        parser = InputParser(XTermParser(self._debug))
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if not selector.select(PAUSE_SECONDS):
                    self._hand_on(parser.pause())
                elif data := self._read():
                    self._hand_on(parser.feed(decode(data)))
                else:
                    self._app.call_later(self._app.exit, return_code=_HUNG_UP)
                    break
        parser.close()

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _BLOCK)
        except OSError:
            return b""  # the terminal is gone

    def _hand_on(self, messages: Iterator[Message]) -> None:
        for message in messages:
            self.process_message(message)
