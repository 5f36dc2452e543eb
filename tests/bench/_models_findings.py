"""What the tables of the benchmark of models say, in sentences made from the runs themselves."""

from collections.abc import Callable, Iterable
from statistics import mean

from tests.bench._models_pairs import (
    Runs,
    decided,
    differences,
    gains,
    half_interval,
    of_row,
    rival_of,
)
from tests.bench._models_rows import EARLY, FUSIONS, LONGER, ROWS, SAR_ONLY, STYLE, Row


def findings(table: str, runs: Runs) -> list[str]:
    """Return the sentences of one table; none where its rows were not run twice at least."""
    rows = [row for row in ROWS if row.table == table]
    return [*_SAYS[table](rows, runs)] if table in _SAYS else []


def _labels(rows: list[Row], runs: Runs) -> Iterable[str]:
    """Yield which gains have the published sign."""
    found: dict[str, list[str]] = {"As published": [], "The other way": [], "Undecided": []}
    for row in rows:
        rival, values = rival_of(row), gains(runs, row)
        if rival is None or row.published is None or rival.published is None or len(values) < 2:
            continue
        same = (mean(values) > 0) == (row.published > rival.published)
        kind = "Undecided" if not decided(values) else "As published" if same else "The other way"
        sign = "" if decided(values) else f" (mean {'as published' if same else 'the other way'})"
        found[kind].append(row.name + sign)
    for kind, names in found.items():
        if names:
            yield f"Sign of the gain over P. {kind}: {'; '.join(names)}."


def _clouds(rows: list[Row], runs: Runs) -> Iterable[str]:
    """Yield what is asked of a network under clouds, and whether it came true."""
    named = {row.name: row for row in rows}
    lost = {
        name: mean(run["shown"]["lost"] for run in of_row(runs, named[name]))
        for name in FUSIONS
        if of_row(runs, named[name])
    }
    if len(lost) > 1:
        order = sorted(lost, key=lambda name: lost[name])
        told = ", ".join(f"{name} {100 * lost[name]:.1f}" for name in order)
        answer = "loses least" if order[0] == STYLE else "does not lose least"
        yield f"Points lost from a clear sky to full cover, least first: {told}: {STYLE} {answer}."
    full = _full_cover(runs, named[STYLE])
    asked = (
        (STYLE, SAR_ONLY, full, "at full cover"),
        (LONGER, SAR_ONLY, full, "at full cover"),
        (STYLE, EARLY, "", "on average"),
        (LONGER, EARLY, "", "on average"),
    )
    for name, rival, column, where in asked:
        values = differences(runs, named[name], named[rival], column)
        half = half_interval(values)
        if half is not None:
            beyond = "beyond" if decided(values) else "within"
            yield (
                f"{name} against {rival} {where}: {mean(values):+.1f} ± {half:.1f} points, "
                f"{beyond} its interval."
            )


def _full_cover(runs: Runs, row: Row) -> str:
    """Return the column of the highest cloud level."""
    levels = [name for run in of_row(runs, row) for name in run["shown"] if name.endswith("%")]
    return max(levels, key=lambda level: float(level.partition("-")[0]), default="")


def _noise(rows: list[Row], runs: Runs) -> Iterable[str]:
    """Yield which losses and recipes differ from their rival by more than chance."""
    better: list[str] = []
    worse: list[str] = []
    undecided: list[str] = []
    for row in rows:
        values = gains(runs, row)
        if len(values) > 1:
            side = undecided if not decided(values) else better if mean(values) > 0 else worse
            side.append(row.name)
    for says, names in (("Better", better), ("Worse", worse), ("No different", undecided)):
        if names:
            yield f"{says} than cross entropy, by the interval: {', '.join(names)}."


def _damage(rows: list[Row], runs: Runs) -> Iterable[str]:
    """Yield mIoU by held-out event: a seed is another event here, so that a mean hides both."""
    events: dict[str, list[str]] = {}
    for row in rows:
        for run in of_row(runs, row):
            events.setdefault(run["event"], []).append(f"{row.name} {100 * run['main']:.1f}")
    for event, scores in events.items():
        yield f"{event}, mIoU: {', '.join(scores)}."


_SAYS: dict[str, Callable[[list[Row], Runs], Iterable[str]]] = {
    "labels": _labels,
    "clouds": _clouds,
    "noise": _noise,
    "damage": _damage,
}
