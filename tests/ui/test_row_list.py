"""RowList as a user sees it: keys in, lines on the screen and messages out."""

from __future__ import annotations

from bisect import bisect_right

import pytest
from rich.segment import Segment
from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.content import Content
from textual.filter import LineFilter
from textual.message import Message
from textual.pilot import Pilot

from statsig_tui.tui.text import TerminalNet, content
from statsig_tui.tui.widgets.row_list import RowList
from statsig_tui.tui.widgets.rows import Unfolded

HOSTILE = "\x1b]0;X\x07[@click=app.quit]x[/oops] \x9b31m:warning:\u202e"
SHOWN = "␛]0;X␇[@click=app.quit]x[/oops] \\u{9b}31m:warning:\\u{202e}"


class Numbers:
    """Rows named by their key; each has as many lines below it as its key says modulo 4."""

    def __init__(self, count: int) -> None:
        self.keys: range | list[int] = range(count)
        self.revisions: dict[int, int] = {}
        self.more: dict[int, int] = {}
        self.drawn = 0

    def __len__(self) -> int:
        return len(self.keys)

    def key(self, index: int) -> int:
        return self.keys[index]

    def revision(self, index: int) -> int:
        return self.revisions.get(self.keys[index], 0)

    def line(self, index: int, width: int) -> Text | Content:
        self.drawn += 1
        key = self.keys[index]
        if key == 13:
            return content(HOSTILE, "$text-success")
        if key % 2:
            return Text(f"row {key} r{self.revision(index)}", style="bold")
        return Content.assemble(f"row {key} ", (f"r{self.revision(index)}", "$text-muted"))

    def children(self, index: int) -> int:
        return self.more.get(self.keys[index], self.keys[index] % 4)

    def child(self, index: int, n: int, width: int) -> Text | Content:
        return content(f"{self.keys[index]}.{n}")


class Host(App[None]):
    """One list of 8 rows under a header, and what it told."""

    net = TerminalNet()

    def __init__(self, rows: Numbers, header: bool = True) -> None:
        super().__init__()
        self.rows = rows
        self.has_header = header
        self.told: list[Message] = []

    def get_line_filters(self) -> list[LineFilter]:
        return [*super().get_line_filters(), self.net]

    def compose(self) -> ComposeResult:
        yield RowList(
            self.rows,
            header=(lambda width: content(f"head {width}")) if self.has_header else None,
            empty=Content("nothing yet\ncurl -d @event.json"),
        )

    @on(RowList.Highlighted)
    @on(RowList.Opened)
    @on(RowList.FollowChanged)
    def keep(self, message: Message) -> None:
        self.told.append(message)

    @property
    def row_list(self) -> RowList:
        return self.query_one(RowList)

    @property
    def screen_lines(self) -> list[str]:
        return [self.row_list.render_line(y).text.rstrip() for y in range(self.row_list.size.height)]

    def at_cursor(self) -> tuple[int, str]:
        """Where on the screen the cursor is, and on what."""
        ((y, line),) = ((y, line) for y, line in enumerate(self.screen_lines) if line.startswith("▌"))
        return y, line[3:]

    async def grow(self, pilot: Pilot[None], count: int) -> None:
        """Rows arrive; the list hears of it more than once."""
        keys = self.rows.keys
        assert isinstance(keys, range)
        for _ in range(3):
            self.rows.keys = range(keys.start, keys.stop + count)
            self.row_list.rows_changed()
        await pilot.pause()

    def heard(self, kind: type[Message]) -> list[tuple[object, ...]]:
        fields = {
            RowList.Highlighted: ("key", "child"),
            RowList.Opened: ("key", "child"),
            RowList.FollowChanged: ("following", "behind"),
        }[kind]  # type: ignore[index]
        return [tuple(getattr(each, name) for name in fields) for each in self.told if type(each) is kind]


SIZE = (40, 9)


async def test_no_rows_say_what_to_do() -> None:
    app = Host(Numbers(0))
    async with app.run_test(size=SIZE) as pilot:
        assert app.screen_lines[:3] == ["   nothing yet", "   curl -d @event.json", ""]
        await pilot.press("j", "k", "enter", "right", "left", "G", "g", "pageup", "p", "p")
        assert app.row_list.cursor is None
        assert app.heard(RowList.Opened) == []


async def test_the_first_row_takes_the_place_of_the_hint_and_is_followed() -> None:
    app = Host(Numbers(0))
    async with app.run_test(size=SIZE) as pilot:
        await app.grow(pilot, 2)
        assert app.screen_lines[:3] == ["   head 36", "   row 0 r0", "▌▸ row 1 r0"]
        assert app.heard(RowList.Highlighted) == [(1, None)]


async def test_it_opens_on_the_newest_row() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE):
        assert app.screen_lines[0] == "   head 36"
        assert app.screen_lines[1] == "   row 92 r0"
        assert app.at_cursor() == (8, "row 99 r0")
        assert app.row_list.follow


async def test_it_follows_on_the_newest_row() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        await app.grow(pilot, 5)
        assert app.at_cursor() == (8, "row 104 r0")
        assert app.row_list.held_count == 0
        assert app.heard(RowList.FollowChanged) == []


async def test_moving_away_holds_and_nothing_on_the_screen_moves() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("k", "up")
        before = app.screen_lines
        await app.grow(pilot, 17)
        assert app.screen_lines == before
        assert app.at_cursor() == (6, "row 97 r0")
        assert app.row_list.held_count == 17
        assert app.heard(RowList.FollowChanged) == [(False, 0), (False, 17)]
        assert app.heard(RowList.Highlighted)[-1] == (97, None)


@pytest.mark.parametrize("key", ["G", "end", "p"])
async def test_following_again_goes_to_the_newest(key: str) -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("g")
        await app.grow(pilot, 17)
        await pilot.press(key)
        assert app.at_cursor() == (8, "row 116 r0")
        assert app.heard(RowList.FollowChanged)[-1] == (True, 0)
        await app.grow(pilot, 1)
        assert app.at_cursor() == (8, "row 117 r0")


async def test_p_holds_where_the_cursor_is() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("p")
        before = app.screen_lines
        await app.grow(pilot, 3)
        assert app.screen_lines == before
        assert app.row_list.held_count == 3


async def test_going_down_to_the_newest_row_follows() -> None:
    app = Host(Numbers(10))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("k", "k")
        assert not app.row_list.follow
        await pilot.press("j", "down")
        assert app.row_list.follow


async def test_the_wheel_holds_without_moving_the_cursor() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        app.row_list.scroll_relative(y=-10, animate=False)
        await pilot.pause()
        assert not app.row_list.follow
        before = app.screen_lines
        assert before[1] == "   row 82 r0"
        await app.grow(pilot, 4)
        assert app.screen_lines == before
        assert app.row_list.cursor == (99, None)


async def test_a_million_rows_open_jump_and_unfold() -> None:
    app = Host(Numbers(1_000_000))
    async with app.run_test(size=SIZE) as pilot:
        assert app.at_cursor() == (8, "row 999999 r0")
        await pilot.press("g")
        assert app.at_cursor() == (1, "row 0 r0")
        app.row_list.go(500_002)
        await pilot.press("right")
        await pilot.pause()
        assert "▌▾ row 500002 r0" in app.screen_lines
        assert "     500002.1" in app.screen_lines
        await pilot.press("G", "pageup", "pageup")
        await pilot.pause()
        assert app.at_cursor() == (1, "row 999983 r0")
        assert app.rows.drawn < 200, "only what was seen was drawn"


async def test_pages_move_by_what_is_seen() -> None:
    app = Host(Numbers(100), header=False)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("home", "pagedown")
        await pilot.pause()
        assert app.at_cursor() == (8, "row 9 r0")
        await pilot.press("pageup")
        await pilot.pause()
        assert app.at_cursor() == (0, "row 0 r0")


async def test_unfolding_shows_the_lines_below_and_folding_hides_them() -> None:
    app = Host(Numbers(8))
    async with app.run_test(size=(40, 14)) as pilot:
        await pilot.press("g", "j", "j", "j", "right")
        await pilot.pause()
        assert app.screen_lines[4:9] == ["▌▾ row 3 r0", "     3.0", "     3.1", "     3.2", "   row 4 r0"]
        await pilot.press("right", "j", "enter")
        await pilot.pause()
        assert app.at_cursor() == (6, "  3.1")
        assert app.heard(RowList.Opened) == [(3, 1)]
        assert app.heard(RowList.Highlighted)[-2:] == [(3, 0), (3, 1)]
        await pilot.press("left")
        await pilot.pause()
        assert app.at_cursor() == (4, "row 3 r0")
        await pilot.press("left")
        await pilot.pause()
        assert app.screen_lines[4:6] == ["▌▸ row 3 r0", "   row 4 r0"]
        await pilot.press("enter")
        await pilot.pause()
        assert app.heard(RowList.Opened)[-1] == (3, None)


async def test_only_a_row_with_lines_below_it_unfolds() -> None:
    app = Host(Numbers(5))
    async with app.run_test(size=SIZE) as pilot:
        before = app.screen_lines
        await pilot.press("right")
        assert app.screen_lines == before
        assert app.row_list.follow, "nothing was unfolded to be read"


async def test_unfolding_the_newest_row_holds_so_that_it_can_be_read() -> None:
    app = Host(Numbers(4))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("right")
        await app.grow(pilot, 2)
        assert app.at_cursor() == (4, "row 3 r0")
        assert app.row_list.held_count == 2


async def test_unfolding_at_the_bottom_scrolls_the_lines_in() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("right")
        await pilot.pause()
        assert app.screen_lines[5:] == ["▌▾ row 99 r0", "     99.0", "     99.1", "     99.2"]


@pytest.mark.parametrize("more", [0, 1, 5, 40])
async def test_lines_that_appear_above_do_not_move_the_cursor(more: int) -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        app.row_list.go(47)
        await pilot.press("right", "j", "j", "j", "j", "j")
        await pilot.pause()
        at = app.at_cursor()
        assert at[1] == "row 49 r0"
        app.rows.more[47] = more
        app.row_list.rows_changed()
        await pilot.pause()
        assert app.at_cursor() == at


async def test_a_row_that_changes_is_drawn_anew() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("k")
        drawn = app.rows.drawn
        app.rows.revisions[95] = 7
        app.row_list.rows_changed()
        await pilot.pause()
        assert "   row 95 r7" in app.screen_lines
        assert app.rows.drawn == drawn + 1, "the others come from the cache"


async def test_filtering_keeps_the_cursor_on_its_row_and_its_place() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        app.row_list.go(50)
        await pilot.press("k", "k")
        place, line = app.at_cursor()
        app.rows.keys = [key for key in range(100) if key % 2 == 0]
        app.row_list.refresh_rows()
        await pilot.pause()
        assert app.at_cursor() == (place, line)
        app.rows.keys = range(100)
        app.row_list.refresh_rows()
        await pilot.pause()
        assert app.at_cursor() == (place, line)


@pytest.mark.parametrize(
    ("kept", "nearest"), [([0, 46, 60], 46), ([0, 10, 50], 50), ([90, 95], 90), ([1, 2], 2)]
)
async def test_a_row_that_is_filtered_away_leaves_the_cursor_on_the_nearest(
    kept: list[int], nearest: int
) -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        app.row_list.go(48)
        app.rows.keys = kept
        app.row_list.refresh_rows()
        await pilot.pause()
        assert app.at_cursor()[1] == f"row {nearest} r0"
        assert app.heard(RowList.Highlighted)[-1] == (nearest, None)


async def test_what_is_unfolded_and_chosen_comes_back_after_a_filter() -> None:
    app = Host(Numbers(9))
    async with app.run_test(size=(40, 16)) as pilot:
        app.row_list.go(2)
        await pilot.press("right")
        app.rows.keys = [1, 3, 5]
        app.row_list.refresh_rows()
        assert app.row_list.cursor == (1, None)
        app.rows.keys = [1, 2, 3, 5]
        app.row_list.refresh_rows()
        await pilot.pause()
        assert app.screen_lines[1:5] == ["   row 1 r0", "▌▾ row 2 r0", "     2.0", "     2.1"]


async def test_typing_a_filter_does_not_lose_the_place() -> None:
    app = Host(Numbers(1000))
    async with app.run_test(size=SIZE) as pilot:
        app.row_list.go(500)
        await pilot.press("k", "k", "k")
        at, screen = app.at_cursor(), app.screen_lines
        for keys in (range(900, 1000), [3], [], range(1000)):
            app.rows.keys = keys
            app.row_list.refresh_rows()
            await pilot.pause()
        assert app.at_cursor() == at
        assert app.screen_lines == screen


async def test_a_filter_that_leaves_nothing_forgets_nothing() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        app.row_list.go(48)
        app.rows.keys = []
        app.row_list.refresh_rows()
        await pilot.pause()
        assert app.screen_lines[0] == "   nothing yet"
        assert app.heard(RowList.Highlighted)[-1] == (None, None)
        app.rows.keys = range(100)
        app.row_list.refresh_rows()
        await pilot.pause()
        assert app.at_cursor()[1] == "row 48 r0"
        assert not app.row_list.follow


async def test_a_filter_counts_only_its_own_rows_as_behind() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("k")
        await app.grow(pilot, 20)
        app.rows.keys = [key for key in range(120) if key % 10 == 0]
        app.row_list.refresh_rows()
        assert app.row_list.held_count == 2


async def test_new_rows_from_the_beginning() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("g")
        app.rows.keys = range(200, 230)
        app.row_list.refresh_rows(keep_cursor=False)
        await pilot.pause()
        assert app.at_cursor() == (8, "row 229 r0")
        assert app.row_list.follow


async def test_rows_that_vanish_from_the_front_do_not_move_the_screen() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        app.row_list.go(60)
        before = app.screen_lines
        app.rows.keys = range(30, 130)
        app.row_list.refresh_rows()
        await pilot.pause()
        assert app.screen_lines == before


async def test_hostile_text_is_drawn_literally() -> None:
    app = Host(Numbers(14))
    async with app.run_test(size=(80, 9)) as pilot:
        assert app.at_cursor() == (8, SHOWN)
        await pilot.click(RowList, offset=(22, 8))
        await pilot.pause()
        assert app.is_running
        assert app.heard(RowList.Opened) == [(13, None)], "a click opens, and does nothing else"


async def test_clicks_select_then_open_and_unfold_on_the_mark() -> None:
    app = Host(Numbers(8))
    async with app.run_test(size=(40, 14)) as pilot:
        await pilot.click(RowList, offset=(10, 3))
        assert app.row_list.cursor == (2, None)
        assert app.heard(RowList.Opened) == []
        await pilot.click(RowList, offset=(10, 3))
        await pilot.pause()
        assert app.heard(RowList.Opened) == [(2, None)]
        await pilot.click(RowList, offset=(1, 4))
        await pilot.pause()
        assert app.screen_lines[4:6] == ["▌▾ row 3 r0", "     3.0"]
        await pilot.click(RowList, offset=(10, 0))
        await pilot.click(RowList, offset=(10, 13))
        assert app.row_list.cursor == (3, None), "there is nothing to click on"


async def test_the_highlight_fills_the_row() -> None:
    app = Host(Numbers(3))
    async with app.run_test(size=SIZE) as pilot:
        backgrounds = {style.bgcolor for _, style, _ in app.row_list.render_line(3) if style}
        other = {style.bgcolor for _, style, _ in app.row_list.render_line(2) if style}
        assert len(backgrounds) == 1
        assert backgrounds != other
        assert app.row_list.render_line(3).cell_length == app.row_list.size.width
        app.set_focus(None)
        await pilot.pause()
        assert {style.bgcolor for _, style, _ in app.row_list.render_line(3) if style} not in (
            backgrounds,
            other,
        )


async def test_a_narrower_screen_keeps_the_cursor_in_sight() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.resize_terminal(30, 6)
        assert app.at_cursor() == (5, "row 99 r0")
        await pilot.press("g", "j", "j")
        await pilot.resize_terminal(20, 3)
        assert app.at_cursor()[1] == "row 2 r0"
        for size in ((1, 1), (5, 2), (200, 60)):
            await pilot.resize_terminal(*size)
        assert app.at_cursor()[1] == "row 2 r0"


@pytest.mark.parametrize("keys", [[], ["k", "k"]])
async def test_rows_that_come_while_the_list_is_hidden(keys: list[str]) -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(*keys)
        held = app.screen_lines
        app.row_list.display = False
        await pilot.pause()
        await app.grow(pilot, 30)
        app.row_list.display = True
        await pilot.pause()
        if keys:
            assert app.screen_lines == held
        else:
            assert app.at_cursor() == (8, "row 129 r0")


async def test_rows_that_came_before_the_list_was_mounted() -> None:
    class Early(Host):
        def compose(self) -> ComposeResult:
            (row_list,) = super().compose()
            assert isinstance(row_list, RowList)
            row_list.rows_changed()
            yield row_list

    app = Early(Numbers(20))
    async with app.run_test(size=SIZE):
        assert app.at_cursor() == (8, "row 19 r0")


async def test_every_key_can_be_remapped() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=SIZE) as pilot:
        app.set_keymap({"list.up": "w", "list.hold": "x"})
        await pilot.press("w")
        assert app.row_list.cursor == (98, None)
        await pilot.press("k", "x")
        assert app.row_list.cursor == (99, None)
        assert app.row_list.follow


def test_unfolded_rows_map_to_lines_and_back() -> None:
    counts = {3: 2, 4: 1, 90: 7}
    unfolded = Unfolded(counts.items())
    lines = [(row, child) for row in range(100) for child in (None, *range(counts.get(row, 0)))]
    assert [unfolded.at(line) for line in range(len(lines))] == lines
    assert [unfolded.line(*at) for at in lines] == list(range(len(lines)))
    assert 4 in unfolded
    assert 5 not in unfolded
    assert bisect_right(unfolded.rows, 4) == 2
    assert unfolded.children == 10


async def test_the_scrollbar_always_shows_where_the_list_is() -> None:
    """It is drawn anew only where its thumb moves visibly: what stands there is what a new drawing gives."""
    app = Host(Numbers(20))
    async with app.run_test(size=SIZE) as pilot:

        def bar() -> list[list[Segment]]:
            lines = app.screen._compositor.render_strips(app.size)
            return [list(line.crop(SIZE[0] - 1, SIZE[0])) for line in lines]

        pictures = []
        for keys, more in (([], 1), (["g"], 0), (["pagedown"], 2), ([], 500), (["G"], 3), (["k"] * 12, 40)):
            await pilot.press(*keys)
            await app.grow(pilot, more)
            pictures.append(bar())
            app.row_list.vertical_scrollbar.refresh()
            await pilot.pause()
            assert bar() == pictures[-1]
        assert len({str(picture) for picture in pictures}) > 3
