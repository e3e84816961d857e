"""What a column of a user's table holds, judged from all its cells."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from engine.data.user.cell_values import (
    FALSE,
    FORMS,
    MARKS,
    NUMBER_MARKS,
    TRUE,
    date_number,
    day_first,
    fits_form,
    is_chosen_mark,
    plain_number,
    split_affix,
)
from engine.data.user.columns import ENDLESS
from engine.data.user.scanned_column import DISTINCT, ScannedColumn

_FAST = frozenset("0123456789.+-eE")
ODD, RARELY = 3, 3  # most different texts among numbers; numbers per such text
SENTINELS = frozenset(
    sign * value for value in (9.0, 99.0, 999.0, 9999.0, 99999.0) for sign in (1, -1)
)


@dataclass
class ColumnScan:
    """Running summary of a column, whose cells are added in pieces."""

    name: str
    missing_marks: frozenset[str] = frozenset()
    rows: int = 0
    texts: Counter[str] = field(default_factory=Counter)
    many: bool = False
    numbers: int = 0
    forms: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FORMS, 0))
    affixes: set[str] = field(default_factory=set)
    marks: Counter[str] = field(default_factory=Counter)
    empties: int = 0
    dates: int = 0
    words: int = 0
    odd: str = ""
    odd_count: int = 0
    endless: str = ""
    odd_texts: dict[str, int] = field(default_factory=dict)
    low: dict[str, float] = field(default_factory=dict)
    high: dict[str, float] = field(default_factory=dict)
    counts: bool = True
    start: int = -1

    def add_cells(self, cells: Sequence[str], lines: Sequence[int]) -> None:
        """Add the cells that are on these lines of the file."""
        if len(self.texts) <= DISTINCT:
            self.texts.update(cells)
        if frozenset("".join(cells)) <= _FAST and self._add_if_plain(cells):
            return
        for cell, line in zip(cells, lines, strict=True):
            self._add_cell(cell.strip(), line)

    def _add_if_plain(self, cells: Sequence[str]) -> bool:
        """Add cells if all are plain finite numbers; return whether they were."""
        if self.missing_marks:
            return False
        try:
            values = list(map(float, cells))
        except ValueError:
            return False
        if not all(map(math.isfinite, values)):
            return False
        if not all(map(str.isdecimal, cells)):
            if all(fits_form(cell, "comma") for cell in cells):
                return False  # 1.234 may have a thousands separator
            self.forms["plain"] += len(cells)
            if max(map(abs, values)) < 1000:  # no separator to see
                self.forms["grouped"] += len(cells)
                self.forms["spaced"] += len(cells)
            self.counts = False
        else:
            for form in self.forms:
                self.forms[form] += len(cells)
            self._count_rows(values)
        self.affixes.add("")
        for form in FORMS:
            self._note_range(form, min(values), max(values))
        self.numbers += len(cells)
        self.rows += len(cells)
        return True

    def _count_rows(self, values: Sequence[float]) -> None:
        if self.start < 0:
            self.start = int(values[0])
        wanted = range(self.start + self.rows, self.start + self.rows + len(values))
        in_step = self.start <= 1 and list(values) == list(wanted)
        self.counts = self.counts and in_step

    def _note_range(self, form: str, low: float, high: float) -> None:
        self.low[form] = min(self.low.get(form, low), low)
        self.high[form] = max(self.high.get(form, high), high)

    def _add_cell(self, cell: str, line: int) -> None:
        mark = cell.casefold()
        if mark in NUMBER_MARKS or is_chosen_mark(cell, self.missing_marks):
            if cell:
                self.marks[cell] += 1
            else:
                self.empties += 1
            self.counts = False
        elif ENDLESS.fullmatch(cell):
            self.endless = self.endless or f"line {line} has {cell[:20]!r}"
            self._note_odd(cell)
        elif not self._add_number(cell):
            self.dates += date_number(cell, True) is not None or (
                date_number(cell, False) is not None
            )
            self.words += mark in TRUE or mark in FALSE
            self.odd = self.odd or f"line {line} has {cell[:20]!r}"
            self.odd_count += 1
            self.counts = False
            self._note_odd(cell)
        self.rows += 1

    def _note_odd(self, cell: str) -> None:
        """Count a text that is no finite number, and may be a mark of a gap."""
        if len(self.odd_texts) <= ODD:
            self.odd_texts[cell] = self.odd_texts.get(cell, 0) + 1

    def _add_number(self, cell: str) -> bool:
        core, affix = split_affix(cell)
        fitting = [form for form in self.forms if fits_form(core, form)]
        for form in fitting:
            value = float(plain_number(cell, form))
            if not math.isfinite(value):
                self.endless = self.endless or f"a cell is {cell[:20]!r}"
                self._note_odd(cell)
                return True
            self.forms[form] += 1
            self._note_range(form, value, value)
        self.affixes |= {affix} if fitting else set()
        self.numbers += bool(fitting)
        if len(fitting) == len(self.forms) and not affix:
            self._count_rows([float(core)])
        else:
            self.counts = False
        return bool(fitting)

    def form(self, decimal_commas: bool) -> str:
        """Return the way of writing that fits all numbers; empty if none does.

        Args:
            decimal_commas: Whether other columns of the file have decimal commas.
        """
        order = ("plain", "comma", "grouped", "spaced")
        if not decimal_commas:
            order = ("plain", "grouped", "comma", "spaced")
        elif self.forms["comma"] == self.numbers:
            return "comma"
        return next((f for f in order if self.forms[f] == self.numbers), "")

    @property
    def has_decimal_commas(self) -> bool:
        """Whether the numbers can only be written with decimal commas."""
        full, of = self.numbers, self.forms
        sole = of["plain"] < full and of["grouped"] < full
        return self.may_have_decimal_commas and sole

    @property
    def may_have_decimal_commas(self) -> bool:
        """Whether the numbers can be written with decimal commas, and have commas."""
        full, of = self.numbers, self.forms
        return not self.odd_count and of["comma"] == full > of["plain"]

    def column(self, decimal_commas: bool = False) -> ScannedColumn:
        """Return the summary of all cells.

        Args:
            decimal_commas: Whether other columns of the file have decimal commas.
        """
        form = self.form(decimal_commas) if len(self.affixes) <= 1 else ""
        kind = self._kind(form)
        marks = dict(self.marks)
        if kind != "number":
            marks = {mark: n for mark, n in marks.items() if self._is_usual(mark)}
        marks |= {"": self.empties} if self.empties else {}
        numeric = kind == "number"
        values = {t: n for t, n in self.texts.items() if t.strip() not in marks}
        return ScannedColumn(
            name=self.name,
            kind=kind,
            form=form if numeric else "",
            missing=sum(marks.values()),
            marks=marks,
            distinct=min(len(values), DISTINCT + 1),
            texts=values,
            low=self.low.get(form) if numeric else None,
            high=self.high.get(form) if numeric else None,
            count=numeric and self.counts and self.rows > 2,
            note=self._note(kind, form, marks),
            odd=() if numeric else self._odd_marks(),
        )

    def _odd_marks(self) -> tuple[str, ...]:
        """Return the few texts among numbers that may stand for a missing value."""
        count = sum(self.odd_texts.values())
        few = len(self.odd_texts) <= ODD and RARELY * count <= self.numbers
        return tuple(self.odd_texts) if count and few else ()

    def _kind(self, form: str) -> str:
        values = self.numbers + self.odd_count
        if self.numbers and not self.odd_count and form and not self.endless:
            return "number"
        if values and self.words == values:
            return "boolean"
        if values and self.dates == values:
            return "date"
        return "text" if values or self.endless or self.marks else "empty"

    def _note(self, kind: str, form: str, marks: Collection[str]) -> str:
        if kind == "number":
            return self._number_note(form)
        if kind == "empty":
            return "every cell is empty"
        if self.endless:
            return f"is not all finite numbers: {self.endless}"
        if kind == "boolean":
            return "is 1 for yes or true, 0 for no or false"
        if kind == "date":
            first = "day" if day_first(self.texts) else "month"
            slashes = any("/" in text for text in self.texts)
            return (
                f"holds dates, read with the {first} first"
                if slashes
                else ("holds dates")
            )
        if self.numbers and len(self.affixes) > 1:
            return f"mixes units: {', '.join(sorted(map(repr, self.affixes)))}"
        if self.numbers and not self.odd_count:
            return "has numbers written in more than one way"
        if self.numbers:
            times = f", {self.odd_count:,} such cells" if self.odd_count > 1 else ""
            return f"is not all numbers: {self.odd}{times}"
        return "holds text"

    def _number_note(self, form: str) -> str:
        if self.low.get(form) == self.high.get(form):
            return "every cell is the same"
        words = {
            "comma": "has decimal commas",
            "grouped": "has thousands separators",
            "spaced": "has blanks or apostrophes between thousands",
        }
        affix = next(iter(self.affixes), "")
        parts = [words.get(form, ""), f"is in {affix}" if affix else "", self._far()]
        return "; ".join(filter(None, parts))

    def _far(self) -> str:
        """Return a remark on a number that may stand for a missing value."""
        if len(self.texts) > DISTINCT:
            return ""
        pairs = [
            (float(plain_number(text, self.form(False) or "plain")), count)
            for text, count in self.texts.items()
            if self._is_value(text)
        ]
        for value, count in pairs:
            others = [abs(v) for v, _ in pairs if v != value]
            far = others and abs(value) > 5 * max(others)
            if value in SENTINELS and count > 1 and far:
                return f"{value:g} may stand for a missing value: {count:,} cells"
        return ""

    def _is_value(self, text: str) -> bool:
        mark = text.strip().casefold()
        return mark not in NUMBER_MARKS and not is_chosen_mark(text, self.missing_marks)

    def _is_usual(self, mark: str) -> bool:
        """Return whether a mark is one of missing values in a column of texts, too."""
        return mark.casefold() in MARKS or is_chosen_mark(mark, self.missing_marks)
