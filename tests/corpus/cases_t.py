"""The terminal cases T01–T12 of reliability.md §2.8: foreign text, and how it is to be shown."""

from __future__ import annotations

import re

ESC = "\x1b"
SHOWN = (
    ("T01 title", f"{ESC}]0;X\x07", "␛]0;X␇"),
    ("T01 title, ST", f"{ESC}]0;X{ESC}\\", "␛]0;X␛\\"),
    ("T01 title, unterminated", f"{ESC}]0;X", "␛]0;X"),
    ("T02 wipe", f"{ESC}[2J{ESC}[H", "␛[2J␛[H"),
    ("T02 leave the alternate screen", f"{ESC}[?1049l", "␛[?1049l"),
    ("T02 mouse", f"{ESC}[?1000l", "␛[?1000l"),
    ("T02 reset", f"{ESC}c", "␛c"),
    ("T02 report the cursor", f"{ESC}[6n", "␛[6n"),
    ("T02 report the version", f"{ESC}[>q", "␛[>q"),
    ("T03 set the clipboard", f"{ESC}]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
    ("T03 query the clipboard", f"{ESC}]52;c;?\x07", "␛]52;c;?␇"),
    ("T03 link", f"{ESC}]8;;https://e{ESC}\\x", "␛]8;;https://e␛\\x"),
    ("T03 notification", f"{ESC}]9;hi\x07{ESC}]777;a\x07", "␛]9;hi␇␛]777;a␇"),
    ("T03 iTerm", f"{ESC}]1337;File=:\x07", "␛]1337;File=:␇"),
    ("T03 DCS", f"{ESC}P+q544e{ESC}\\", "␛P+q544e␛\\"),
    ("T03 kitty", f"{ESC}_Ga=T{ESC}\\", "␛_Ga=T␛\\"),
    ("T03 sixel", f"{ESC}Pq#0~{ESC}\\", "␛Pq#0~␛\\"),
    ("T04 CSI", "\x9b31m", "\\u{9b}31m"),
    ("T04 OSC", "\x9d0;x\x9c", "\\u{9d}0;x\\u{9c}"),
    ("T04 DCS", "\x90", "\\u{90}"),
    ("T04 next line", "a\x85b", "a\\u{85}b"),
    ("T05 C0", "\x00\x08\r\x0e\x0f\x7f\x0b\x0c", "␀␈␍␎␏␡␋␌"),
    ("T05 overwritten", "AAAA\rB", "AAAA␍B"),
    ("T05 line feed and tab", "a\nb\tc", "a⏎b⇥c"),
    ("T06 embedding", "\u202a\u202b\u202c\u202d\u202e", "\\u{202a}\\u{202b}\\u{202c}\\u{202d}\\u{202e}"),
    ("T06 isolates", "\u2066\u2067\u2068\u2069", "\\u{2066}\\u{2067}\\u{2068}\\u{2069}"),
    ("T06 marks", "\u200e\u200f\u061c", "\\u{200e}\\u{200f}\\u{61c}"),
    ("T07 zero width", "a\u200bb\u200cc\u2060", "a\\u{200b}b\\u{200c}c\\u{2060}"),
    ("T07 BOM", "\ufeffx", "\\u{feff}x"),
    ("T07 tags", "\U000e0041", "\\u{e0041}"),
    ("T07 variation selectors", "❤\ufe0f\U000e0100", "❤\\u{fe0f}\\u{e0100}"),
    ("T07 line separators", "a\u2028b\u2029", "a\\u{2028}b\\u{2029}"),
    ("T07 blanks that are letters", "\u3164\u115f\xad", "\\u{3164}\\u{115f}\\u{ad}"),
    ("T08 lone surrogates", "\ud800x\udfff", "\\u{d800}x\\u{dfff}"),
    ("T10 emoji codes", ":warning: :smile:", ":warning: :smile:"),
    ("T11 four marks", "e" + "\u0301" * 4 + "x", "e" + "\u0301" * 4 + "x"),
    ("T11 a flood", "e" + "\u0301" * 3000 + "x", "e" + "\u0301" * 4 + "‹+2,996 marks›x"),
    (
        "T11 two floods",
        "a" + "\u0301" * 6 + "b" + "\u0489" * 5,
        "a" + "\u0301" * 4 + "‹+2 marks›b" + "\u0489" * 4 + "‹+1 marks›",
    ),
    ("T11 a mark with nothing under it", "\u0301a", "◌\u0301a"),
    ("T11 ZWJ family", "👨\u200d👩", "👨\\u{200d}👩"),
    ("T12 Markdown", "[x](javascript:alert(1)) <b>", "[x](javascript:alert(1)) <b>"),
    ("plain", "checkout_completed", "checkout_completed"),
    ("empty", "", ""),
    ("other scripts", "日本語 नमस्ते Grüße — ✓ 🎉", "日本語 नमस्ते Grüße — ✓ 🎉"),
)
MARKUP = (
    "[red]x[/red]",
    "x[/]",
    "x[/foo]",
    "[link=https://e]x[/link]",
    "[@click=app.quit]x[/]",
    "[a=b]c",
    "[not_a_style]x",
    "[$primary]",
    "\\[b]",
    ":warning:",
    "[x](javascript:alert(1))",
)
LEAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""What must not be in anything that is drawn or printed."""
TEXTS = (
    *(text for _, text, _ in SHOWN if text),
    *(f"T09 {text}" for text in MARKUP),
    *("T11 " + "x" * 5_000, "T11 " + "日" * 300, "T11 👨\u200d👩\u200d👧" * 30),
    *("x [/oops]", "[@click=app.quit]x[/]", '{"a":"\\u001b"}', "a" * 79 + "日"),
)
"""Every payload, to be put wherever text from outside is shown."""
