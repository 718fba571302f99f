"""JsonView as a user sees it: a body and keys in, lines on the screen out."""

from __future__ import annotations

import json

import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.json_views import AT_ONCE

EVENT = (
    b'{"data":[{"eventName":"checkout_completed","value":1.0,"exp":1e3,"big":12345678901234567890,'
    b'"dup":1,"dup":2,"lone":"\\ud800","yes":true,"none":null,"metadata":{"currency":"EUR","items":"3"},'
    b'"agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 like Gecko","empty":{}}]}'
)
TREE = """\
▌ ▾ data                          1 item
    ▾ 0                          12 keys
        eventName  "checkout_completed"
        value      1.0
        exp        1e3
        big        12345678901234567890
        dup        1
        dup        2
        lone       "\\ud800"
        yes        true
        none       null
      ▸ metadata   { currency: …  2 keys
      ▸ agent      "Mozilla/5.0 (X11; L…
        empty      {}"""


def counted(left: str, right: str, width: int) -> str:
    """A line whose count is at the right edge, before the scrollbar."""
    return left + right.rjust(width - 1 - len(left))


class Host(App[None]):
    def __init__(self, raw: bytes = b"{}") -> None:
        super().__init__()
        self.raw = raw
        self.views: list[str] = []
        self.found: list[tuple[int, int, bool]] = []

    def compose(self) -> ComposeResult:
        yield JsonView()

    def on_mount(self) -> None:
        self.body.load(self.raw)

    @on(JsonView.ViewChanged)
    def keep(self, message: JsonView.ViewChanged) -> None:
        self.views.append(message.view)

    @on(JsonView.Found)
    def count(self, message: JsonView.Found) -> None:
        self.found.append((message.at, message.total, message.is_done))

    @property
    def body(self) -> JsonView:
        return self.query_one(JsonView)

    @property
    def screen_lines(self) -> list[str]:
        lines = [self.body.render_line(y).text.rstrip() for y in range(self.body.size.height)]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def at_cursor(self) -> str:
        (line,) = (line for line in self.screen_lines if line.startswith("▌"))
        return line[2:].strip()

    async def prepared(self, pilot: Pilot[None]) -> None:
        await self.workers.wait_for_complete()
        await pilot.pause()


async def test_a_tree_keeps_every_spelling_and_every_key() -> None:
    app = Host(EVENT)
    async with app.run_test(size=(41, 20)) as pilot:
        await pilot.pause()
        assert "\n".join(app.screen_lines) == TREE


async def test_what_the_cursor_is_on_can_be_copied() -> None:
    app = Host(EVENT)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        seen = []
        for _ in range(14):
            seen.append((app.body.path_at_cursor(), app.body.value_at_cursor()))
            await pilot.press("j")
        assert seen[0] == ("data", EVENT[8:-1].decode())
        assert seen[1] == ("data[0]", EVENT[9:-2].decode())
        assert seen[2:9] == [
            ("data[0].eventName", "checkout_completed"),
            ("data[0].value", "1.0"),
            ("data[0].exp", "1e3"),
            ("data[0].big", "12345678901234567890"),
            ("data[0].dup", "1"),
            ("data[0].dup", "2"),
            ("data[0].lone", "\\ud800"),
        ]
        assert seen[11] == ("data[0].metadata", '{"currency":"EUR","items":"3"}')
        assert seen[13] == ("data[0].empty", "{}")


@pytest.mark.parametrize(("unfold", "fold"), [("enter", "enter"), ("space", "space"), ("right", "left")])
async def test_containers_fold_and_unfold(unfold: str, fold: str) -> None:
    app = Host(b'{"a":{"b":{"c":[1,2],"d":3}},"e":5}')
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("j")
        await pilot.pause()
        assert [line[2:].split("  ")[0] for line in app.screen_lines[:1]] == ["▾ a"]
        assert "▸ c  [ 1, 2 ]" in "\n".join(app.screen_lines)
        await pilot.press("j", unfold)
        await pilot.pause()
        assert [line.strip() for line in app.screen_lines[3:5]] == ["0  1", "1  2"]
        await pilot.press("k", fold)
        await pilot.pause()
        assert app.screen_lines[1:] == [counted("▌   ▸ b  { c: […], d: 3 }", "2 keys", 40), "    e  5"]


async def test_left_goes_to_the_container_and_right_into_it() -> None:
    app = Host(b'{"a":{"b":{"c":[1,2],"d":3}},"e":5}')
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("j", "j", "j")
        assert app.body.path_at_cursor() == "a.b.d"
        await pilot.press("left")
        assert app.body.path_at_cursor() == "a.b"
        await pilot.press("right")
        assert app.body.path_at_cursor() == "a.b.c"
        await pilot.press("G", "left")
        assert app.body.path_at_cursor() == "e", "the whole value has no line to go to"


async def test_a_long_value_opens_into_rows() -> None:
    app = Host(EVENT)
    async with app.run_test(size=(44, 20)) as pilot:
        await pilot.press("G", "k", "enter")
        await pilot.pause()
        rows = [line[19:] for line in app.screen_lines[12:15]]
        assert "".join(rows) == '"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 like Gecko"'
        assert "▾ agent" in app.screen_lines[12]
        await pilot.press("j", "j")
        assert app.body.path_at_cursor() == "data[0].agent"
        await pilot.resize_terminal(120, 20)
        await pilot.pause()
        assert app.at_cursor().startswith("▾ agent"), "the cursor stays on the value"
        await pilot.press("left")
        await pilot.pause()
        assert app.screen_lines[-1].split() == ["empty", "{}"]


async def test_the_views_keep_the_place() -> None:
    app = Host(EVENT)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("j", "j", "j", "j", "w")
        await pilot.pause()
        assert '"value":1.0,"e' in app.at_cursor()
        await pilot.press("h")
        await pilot.pause()
        assert app.at_cursor().endswith('e":1.0,"'), "the row in which the member starts"
        await pilot.press("t")
        await pilot.pause()
        assert app.body.path_at_cursor() == "data[0].exp", "going through the views leads back"
        await pilot.press("v", "v", "v")
        await pilot.pause()
        assert app.views == ["raw", "hex", "tree", "raw", "hex", "tree"]


async def test_raw_is_the_exact_text_by_lines() -> None:
    app = Host(b'{\r\n\t"a": 1.0,\n\n"b": "\xe6\x97\xa5\xe6\x9c\xac"}')
    async with app.run_test(size=(40, 8)) as pilot:
        await pilot.press("w")
        await pilot.pause()
        assert [line[2:] for line in app.screen_lines] == ["{␍", '⇥"a": 1.0,', "", '"b": "日本"}']
        await pilot.press("G")
        assert app.body.value_at_cursor() == '"b": "日本"}'


async def test_hex_shows_every_byte_and_fits_the_width() -> None:
    raw = bytes(range(256))
    app = Host(raw)
    async with app.run_test(size=(82, 20)) as pilot:
        await pilot.press("h")
        await pilot.pause()
        assert app.screen_lines[4] == (
            "  00000040  40 41 42 43 44 45 46 47  48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO"
        )
        shown = "".join(line[12:61] for line in app.screen_lines).replace("▌", " ")
        assert bytes.fromhex(shown) == raw
        assert app.body.value_at_cursor() == "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f"
        await pilot.resize_terminal(50, 20)
        await pilot.pause()
        assert app.screen_lines[1] == "  00000008  08 09 0a 0b 0c 0d 0e 0f  ········"


@pytest.mark.parametrize(
    ("raw", "said", "first"),
    [
        (b'{"a":1,\n "b":}', "not JSON at line 2, column 6: expecting a value", '▌ {"a":1,'),
        (b"eventName=x", "not JSON at line 1, column 1: expecting a value", "▌ eventName=x"),
        (b'{"a":"\xff"}', "not UTF-8 from byte 6", '▌ {"a":"\\xff"}'),
        (b"", "the body is empty", ""),
    ],
)
async def test_what_is_no_json_is_shown_raw_with_its_place(raw: bytes, said: str, first: str) -> None:
    app = Host(raw)
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.pause()
        assert [*app.screen_lines, ""][:2] == [f"  {said}", first]
        assert app.views == ["raw"]
        await pilot.press("t", "enter", "space", "left", "right", "j", "G")
        assert app.body.shown_view == "raw"
        assert app.body.path_at_cursor() == ""
        app.body.load(b'{"a":1}')
        await pilot.pause()
        assert app.screen_lines == ["▌   a  1"], "the next body is a tree again"


async def test_hostile_text_is_drawn_literally_in_every_view() -> None:
    hostile = "[@click=app.quit]x[/oops]\u202e\x9b31m :warning:"
    app = Host(json.dumps({hostile: hostile}, ensure_ascii=False).encode())
    async with app.run_test(size=(150, 8)) as pilot:
        await pilot.pause()
        shown = "[@click=app.quit]x[/oops]\\u{202e}\\u{9b}31m :warning:"
        assert app.screen_lines == [f'▌   {shown}  "{shown}"']
        await pilot.press("w")
        await pilot.pause()
        assert app.screen_lines == [f'▌ {{"{shown}": "{shown}"}}']
        await pilot.press("h")
        await pilot.pause()
        assert all(line.isprintable() for line in app.screen_lines)
        app.body.load(b"\x1b]0;X\x07")
        await pilot.press("w")
        await pilot.pause()
        assert app.screen_lines[1] == "▌ ␛]0;X␇"


async def test_a_5_mb_body_opens_and_scrolls() -> None:
    events = [{"eventName": f"event {n}", "value": n, "user": {"userID": f"u{n}"}} for n in range(70_000)]
    raw = json.dumps({"data": events}).encode()
    assert len(raw) > 5_000_000
    app = Host(raw)
    async with app.run_test(size=(60, 12)) as pilot:
        await app.prepared(pilot)
        assert app.screen_lines[0] == counted("▌ ▾ data", "70,000 items", 60)
        await pilot.press("G")
        await pilot.pause()
        assert app.at_cursor().startswith('▸ user       { userID: "u69999" }')
        assert app.body.path_at_cursor() == "data[69999].user"
        await pilot.press("pageup", "pageup")
        await pilot.pause()
        assert app.body.path_at_cursor() == "data[69993].user"
        await pilot.press("w")
        await app.prepared(pilot)
        assert "event 69993" in "".join(app.screen_lines)
        await pilot.press("G")
        await pilot.pause()
        assert app.at_cursor().endswith('"u69999"}}]}')
        await pilot.press("g", "t")
        await pilot.pause()
        assert app.body.path_at_cursor() == "data"


async def test_a_large_body_is_looked_through_a_slice_at_a_time() -> None:
    raw = json.dumps({"n": ["hay"] * 100_000 + ["needle", "needle"]}).encode()
    app = Host(raw)
    async with app.run_test(size=(60, 12)) as pilot:
        await app.prepared(pilot)
        app.body.find("needl", 0)
        app.body.find("needle", 0)
        while not app.found or not app.found[-1][2]:
            await pilot.pause()
        assert app.found[-1] == (1, 2, True)
        assert (1, 2, True) not in app.found[:-1], "what is no longer looked for is not gone to"
        assert app.found[0] == (0, 0, False)
        assert app.body.path_at_cursor() == "n[100000]"
        await pilot.press("n")
        await app.prepared(pilot)
        assert app.body.path_at_cursor() == "n[100001]"
        app.body.load(b'{"a":"Needle"}')
        await pilot.pause()
        assert app.found[-1] == (0, 1, True), "another body is counted, and nothing is gone to"


async def test_what_is_looked_for_is_seen_in_its_line() -> None:
    app = Host(b'{"first":1,"note":"a needle, more"}')
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        app.body.find("NEEDLE", 0)
        for key in ("t", "w"):
            await pilot.press(key)
            lines = [app.body.render_line(y) for y in range(2)]
            parts = {each.text: each.style for line in lines for each in line if each.style}
            assert parts["needle"].bgcolor != parts[', more"' if key == "t" else ', more"}'].bgcolor


async def test_the_head_of_a_large_body_is_there_before_the_rest() -> None:
    raw = b'{"n":[' + b",\n".join(b"%d" % n for n in range(30_000)) + b"]}"
    assert len(raw) > AT_ONCE
    app = Host()
    async with app.run_test(size=(40, 8)) as pilot:
        app.body.load(raw)
        assert app.screen_lines[:2] == [counted("▌ ▾ n", "…", 40), "      0      0"]
        await pilot.press("j", "j", "j")
        await app.prepared(pilot)
        assert app.screen_lines[0] == counted("  ▾ n", "30,000 items", 40)
        assert app.at_cursor().split() == ["2", "2"]


async def test_who_scrolls_while_the_rest_is_prepared_stays_there() -> None:
    raw = b'{"n":[' + b",\n".join(b"%d" % n for n in range(30_000)) + b"]}"
    app = Host()
    async with app.run_test(size=(40, 8)) as pilot:
        app.body.load(raw)
        app.body.scroll_to_line(200)
        before = app.screen_lines
        assert before[0].split() == ["199", "199"]
        await app.prepared(pilot)
        assert app.screen_lines == before


async def test_a_large_body_that_breaks_late_turns_raw() -> None:
    app = Host(b"[" + b"1,\n" * AT_ONCE + b"!]")
    async with app.run_test(size=(60, 8)) as pilot:
        await app.prepared(pilot)
        assert app.screen_lines[0] == f"  not JSON at line {AT_ONCE + 1}, column 1: expecting a value"
        assert app.screen_lines[1] == "▌ [1,"


async def test_another_body_while_one_is_being_prepared() -> None:
    app = Host(b"[" + b"1," * AT_ONCE + b"1]")
    async with app.run_test(size=(40, 8)) as pilot:
        app.body.load(b'{"a":1}')
        await pilot.pause()
        assert app.screen_lines == ["▌   a  1"]


async def test_a_body_that_comes_while_the_view_is_hidden() -> None:
    app = Host(EVENT)
    async with app.run_test(size=(40, 8)) as pilot:
        await pilot.press("G")
        app.body.display = False
        await pilot.pause()
        app.body.load(b'{"a":1}')
        app.body.display = True
        await pilot.pause()
        assert app.screen_lines == ["▌   a  1"]
        await pilot.press("j", "G")
        assert app.at_cursor() == "a  1"


async def test_a_huge_value_is_shown_raw() -> None:
    app = Host(b'{"a":"' + b"x" * (2 * AT_ONCE) + b'","b":1}')
    async with app.run_test(size=(40, 8)) as pilot:
        await app.prepared(pilot)
        assert app.screen_lines[0].endswith("xxx…")
        await pilot.press("enter")
        await app.prepared(pilot)
        assert app.body.shown_view == "raw"
        assert app.at_cursor().startswith('{"a":"xxx')


@pytest.mark.parametrize(
    "raw", [b"5", b'"x"', b"null", b"{}", b"[]", b"[[]]", b'[{"":1}]', b"[" * 900 + b"]" * 900]
)
async def test_every_kind_of_body_can_be_walked(raw: bytes) -> None:
    app = Host(raw)
    async with app.run_test(size=(20, 6)) as pilot:
        for view in ("t", "w", "h"):
            await pilot.press(view, "j", "enter", "right", "left", "G", "pageup")
            assert app.screen_lines
        for size in ((1, 1), (4, 2), (200, 50)):
            await pilot.resize_terminal(*size)
        assert app.screen_lines


async def test_keys_are_shown_only_for_other_views() -> None:
    app = Host(b"{}")
    async with app.run_test() as pilot:
        await pilot.pause()

        def offered() -> list[str]:
            bindings = app.screen.active_bindings.values()
            return [
                each.binding.description for each in bindings if each.binding.show and each.node is app.body
            ]

        assert offered() == ["Raw", "Hex"]
        await pilot.press("h")
        assert offered() == ["Tree", "Raw"]
        app.body.load(b"no")
        await pilot.pause()
        assert offered() == ["Raw"]


async def test_clicks_select_and_fold() -> None:
    app = Host(b'{"a":{"b":{"c":[1,2],"d":3}},"e":5}')
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.click(JsonView, offset=(10, 4))
        assert app.body.path_at_cursor() == "e"
        await pilot.click(JsonView, offset=(4, 1))
        await pilot.pause()
        assert "▸ b" in app.at_cursor()
        await pilot.click(JsonView, offset=(12, 1))
        await pilot.pause()
        assert "▾ b" in app.at_cursor()


async def test_every_key_can_be_remapped() -> None:
    app = Host(EVENT)
    async with app.run_test() as pilot:
        app.set_keymap({"body.raw": "x", "list.down": "n"})
        await pilot.press("n", "x")
        assert app.body.shown_view == "raw"
