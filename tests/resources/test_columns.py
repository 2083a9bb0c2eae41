"""Tables of figures in a terminal: no line too long, no figure cut, no figure lost."""

import pytest

from resources.columns import COLUMNS, Column, tables, text_lines

STAGES = ("extracted_text", "lance_document_clusters", "summaries")
COUNTS = [Column(name, ["10,000", "9,999", "1"]) for name in ("total", "reused", "computed", "failed", "seconds")]
COSTS = [Column(name, ["", "", "1,234,567"]) for name in ("requests", "tokens", "dollars")]


def test_columns_that_fit_stand_side_by_side() -> None:
    """A person compares what is in one line."""
    assert tables(STAGES, [COUNTS[:2], COSTS[:1]], 79) == [[*COUNTS[:2], *COSTS[:1]]]


def test_groups_stand_below_each_other_if_together_they_are_too_wide() -> None:
    assert tables(STAGES, [COUNTS, COSTS], 79) == [COUNTS, COSTS]
    assert tables(STAGES, [COUNTS, COSTS], 200) == [[*COUNTS, *COSTS]]


def test_a_group_that_is_too_wide_by_itself_is_divided() -> None:
    found = tables(STAGES, [COUNTS], 40)
    assert [column for part in found for column in part] == COUNTS
    assert len(found) > 1


def test_no_columns_give_no_table() -> None:
    assert tables(STAGES, [[], []], 79) == []
    assert text_lines("stage", STAGES, []) == []
    assert text_lines("stage", [], [[Column("total", [])]]) == ["stage        total"]


@pytest.mark.parametrize("width", [40, COLUMNS, 200])
@pytest.mark.parametrize("names", [STAGES, tuple(f"a_stage_with_a_very_long_name_{i}" * 3 for i in range(3))])
def test_every_figure_is_there_in_lines_that_fit(names: tuple[str, ...], width: int) -> None:
    """`1,234,567` that is shown as `1,234…` is worse than no figure."""
    lines = text_lines("stage", names, [COUNTS, COSTS], width)
    assert max(map(len, lines)) <= width
    words = [word for line in lines for word in line.split()]
    for column in (*COUNTS, *COSTS):
        assert words.count(column.heading) == 1
        for cell in filter(None, column.cells):
            assert words.count(cell) >= sum(one.cells.count(cell) for one in (*COUNTS, *COSTS))


def test_a_table_leaves_out_rows_of_which_it_says_nothing() -> None:
    """Twenty stages without a request, below the two that sent any."""
    lines = text_lines("stage", STAGES, [COUNTS, COSTS])
    below = lines[lines.index("") + 1 :]
    assert [line.split()[0] for line in below] == ["stage", "summaries"]
