"""A view of ids shows what asking every id by itself would, whatever is done to it and in which order."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from statsig_tui.tui.widgets.id_view import IdView

Step = tuple[str, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["append", "mark", "clear", "restore", "only", "filter", "forget"]),
        st.integers(0, 12),
    ),
    max_size=25,
)


@given(steps)
def test_it_shows_what_a_list_of_all_asked_one_by_one_would(taken: list[Step]) -> None:
    view, ids = IdView(), list[int]()
    marked, cleared, only, filtered = set[int](), 0, False, False
    for step, number in taken:
        match step:
            case "append":
                new = (ids[-1] if ids else 0) + number + 1
                view.append(new)
                ids.append(new)
                view.fit([new] if new % 2 else [])
            case "mark" if ids:
                view.mark(ids[number % len(ids)])
                marked ^= {ids[number % len(ids)]}
            case "clear":
                view.clear()
                cleared = ids[-1] if ids else 0
            case "restore":
                view.restore()
                cleared = 0
            case "only":
                only = view.only_marked = not only
            case "filter":
                filtered = not filtered
                view.restrict(array("q", (each for each in ids if each % 2)) if filtered else None)
            case "forget" if ids:
                view.forget_before(ids[number % len(ids)])
                ids = ids[number % len(ids) :]
                marked &= set(ids)
        assert [view[index] for index in range(len(view))] == [
            each
            for each in ids
            if (not filtered or each % 2)
            and (each in marked if only else each > cleared or each in marked)
        ]  # fmt: skip
        assert view.total == len(ids)
