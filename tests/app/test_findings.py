"""What a person reads of findings."""

from app.import_findings import MOST_ALIKE, rows_of
from core.found import Finding


def test_what_is_good_to_know_of_many_files_is_one_row() -> None:
    many = [Finding("info", f"/set/t{n}.tif", "2 bands are used") for n in range(MOST_ALIKE + 1)]
    other = Finding("info", "/set/t9.tif", "60 x 60 pixels, resampled from /set/a")
    assert rows_of([*many, other], "/set/") == [
        {
            "level": "info",
            "where": f"t0.tif and {MOST_ALIKE} more",
            "message": "2 bands are used",
        },
        {"level": "info", "where": "t9.tif", "message": "60 x 60 pixels, resampled from a"},
    ]


def test_few_findings_and_all_that_need_a_look_keep_a_row_each() -> None:
    few = [Finding("info", f"t{n}.tif", "said") for n in range(MOST_ALIKE)]
    wrong = [Finding("warning", f"t{n}.tif", "broken") for n in range(9)]
    assert len(rows_of([*wrong, *few], "")) == 9 + MOST_ALIKE
