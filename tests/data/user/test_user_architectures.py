"""Tables of trainings as people have them: columns, units, seeds, JSON."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract.errors import Refused
from engine.data.user.architecture_columns import TEMPLATE, find_roles
from engine.data.user.architecture_csv import read_architectures
from engine.data.user.architecture_preparation import (
    ArchitectureChoices,
    PreparedArchitectures,
    prepare_architectures,
)
from engine.tasks.search._table_evaluator import TableEvaluator


def rows(*header: str, sets: str = "ab", widths: int = 4) -> list[str]:
    """Write one line per data set and width: dataset, width, accuracy."""
    return [
        ",".join(header),
        *(
            f"{s},{w},{0.5 + 0.1 * w - 0.05 * at}"
            for at, s in enumerate(sets)
            for w in range(widths)
        ),
    ]


def prepared(lines: list[str], **choices: object) -> PreparedArchitectures:
    return prepare_architectures(
        "\n".join(lines).encode(),
        ArchitectureChoices(**choices),  # type: ignore[arg-type]
    )


PLAIN = rows("dataset", "op:width", "validation")


def test_a_table_of_the_form_is_stored_as_it_is_and_the_template_is_one() -> None:
    ready = prepared(PLAIN)
    assert not ready.changed and ready.unit == "share" and ready.table.count == 4
    assert prepare_architectures(TEMPLATE.encode()).table.tasks == ("cifar10",)


def test_the_unit_is_judged_for_each_data_set_and_all_become_shares() -> None:
    mixed = [
        line
        if line[0] != "b"
        else f"b,{line.split(',')[1]},{float(line.split(',')[2]) * 100}"
        for line in PLAIN
    ]
    ready = prepared(mixed)
    np.testing.assert_allclose(
        ready.table.score, prepared(PLAIN).table.score, atol=1e-6
    )
    assert "validation: b in percent, a in shares; stored as shares" in ready.remarks
    percent = prepared(PLAIN, accuracy="percent").table.score
    np.testing.assert_allclose(percent * 100, prepared(PLAIN).table.score, atol=1e-6)


def test_seeds_are_the_noise_of_a_training_and_uneven_ones_weigh_the_same() -> None:
    lines = ["dataset,op:width,seed,validation"]
    lines += [
        f"a,{w},{seed},{0.1 * w + 0.01 * seed}" for w in (1, 2) for seed in range(1 + w)
    ]
    table = prepared(lines).table
    assert table.signal.shape == (2, 1, 1, 6)  # 2 and 3 seeds
    np.testing.assert_allclose(table.score[:, 0], [0.105, 0.21])
    np.testing.assert_allclose(
        table.signal.mean(-1)[:, 0, 0], table.score[:, 0], rtol=1e-6
    )
    assert "seed" not in table.properties
    seen = TableEvaluator(table).measure(
        np.array([0, 0]),
        np.array([[1], [1]], np.int64),
        np.array([0, 0]),
        np.array([0.0, 0.99]),
    )
    np.testing.assert_allclose(seen.signal, [0.2, 0.22], rtol=1e-6)
    with pytest.raises(Refused, match="give each repeated training its seed"):
        prepared([*lines, "a,1,0,0.5"])
    # A column of that name with one training each stays a property, as ever.
    assert "seed" in prepared([lines[0], "a,1,0,0.5", "a,2,0,0.6"]).table.properties


def test_columns_of_other_names_are_found_or_named() -> None:
    ready = prepared(rows("task", "op:width", "val_acc"))
    assert ready.table.tasks == ("a", "b") and ready.changed
    assert "column 'val_acc' is taken as 'validation'" in ready.remarks
    odd = rows("set", "w", "score")
    with pytest.raises(
        Refused, match="no column is the validation accuracy"
    ) as refusal:
        prepared(odd)
    assert refusal.value.field == "validation"
    named = prepared(odd, columns=("dataset=set", "decision=w", "validation=score"))
    assert named.table.positions == ("w",) and named.table.count == 4
    with pytest.raises(Refused, match="is not ROLE=COLUMN"):
        prepared(odd, columns=("validation=nothing",))


def test_architectures_written_as_one_text_are_split_into_decisions() -> None:
    cells = [
        f"|{a}~0|+|skip~0|{b}~1|" for a in ("conv", "pool") for b in ("conv", "skip")
    ]
    ready = prepared(["arch,acc", *(f"{c},{60 + i}" for i, c in enumerate(cells))])
    assert ready.table.positions == ("1←0", "2←0", "2←1")
    assert ready.table.count == 4 and ready.table.score.max() == np.float32(0.63)
    assert "there is no data set column; all rows are of 'data'" in ready.remarks
    with pytest.raises(Refused, match="row 2 has an architecture of 2 decisions"):
        prepared(["arch,acc", "a|b|c,1", "a|b,2"])


def test_json_is_read_as_a_list_or_by_architecture() -> None:
    trainings = [
        {
            "arch": [w, d],
            "metrics": {"val": 0.5 + 0.1 * w, "note": "x"},
            "params": 10 * w,
        }
        for w in (1, 2)
        for d in (3, 4)
    ]
    choices = ArchitectureChoices(("validation=metrics.val",))
    one = prepare_architectures(json.dumps(trainings).encode(), choices)
    assert one.table.count == 4 and one.table.options[1] == ("3", "4")
    assert one.table.properties["params"].tolist() == [[10], [10], [20], [20]]
    assert "columns that are not numbers are left out: metrics.note" in one.remarks
    by_name = {f"{t['arch'][0]}|{t['arch'][1]}": t["metrics"] for t in trainings}  # type: ignore[index]
    two = prepare_architectures(json.dumps(by_name).encode())
    np.testing.assert_array_equal(one.table.score, two.table.score)
    for bad in (b"[1, 2]", b"{", b"[" * 100_000, b"[]"):
        with pytest.raises(Refused):
            prepare_architectures(bad)


def test_json_may_have_the_data_sets_below_each_architecture() -> None:
    cells = {"8": (0.5, 0.25), "16": (0.75, 0.5)}
    trainings = {
        name: {"one": {"valid": one}, "two": {"valid": two}}
        for name, (one, two) in cells.items()
    }
    found = prepare_architectures(json.dumps(trainings).encode()).table
    assert found.tasks == ("one", "two") and found.count == 2


def test_a_unit_behind_a_name_is_no_part_of_it() -> None:
    assert find_roles(["op:a", "Accuracy (%)", "time [s]"]).by_role == {
        "validation": "Accuracy (%)",
        "cost": "time [s]",
    }


@pytest.mark.parametrize("accuracy", ["auto", "percent"])
@pytest.mark.parametrize("cell", ["-72.5", "130"])
def test_what_is_no_percentage_is_told_as_it_is_written(
    accuracy: str, cell: str
) -> None:
    lines = ["dataset,op:width,validation", "a,1,60", f"a,2,{cell}", "a,3,70"]
    with pytest.raises(Refused, match=f"line 3: 'validation' has {cell}; .* 0 to 100"):
        prepared(lines, accuracy=accuracy)


def test_only_what_may_be_percent_is_asked_about() -> None:
    lines = ["dataset,op:width,validation", "a,1,0.6", "a,2,-0.5"]
    with pytest.raises(Refused, match=r"as share are from 0 to 1$"):
        prepared(lines)


def test_ragged_tables_keep_the_common_ones_or_count_the_others_as_failed() -> None:
    ragged = PLAIN[:-1]
    with pytest.raises(
        Refused, match=r"'b' has 3 of 4 architectures; .* or count what is missing as"
    ) as refusal:
        prepared(ragged)
    assert refusal.value.field == "ragged"
    common = prepared(ragged, ragged="common")
    assert common.table.count == 3
    assert any("1 of 4 architectures are left out" in r for r in common.remarks)
    failed = prepared(ragged, ragged="failed")
    assert np.isnan(failed.table.score).sum() == 1 and failed.table.count == 4


def test_costs_that_fall_or_stand_still_are_told() -> None:
    head = "dataset,op:width,epochs,validation,cost"

    def told(costs: tuple[int, int]) -> str:
        lines = [
            f"a,{w},{e},0.{w}{e},{c}"
            for w in (1, 2)
            for e, c in zip((1, 2), costs, strict=True)
        ]
        return " ".join(prepared([head, *lines]).remarks)

    assert "the cost of 2 trainings falls with their length" in told((5, 3))
    assert "the cost of 2 trainings stands still" in told((5, 5))
    assert "falls" not in told((5, 9))


def with_cells(changes: list[tuple[int, int, str]]) -> bytes:
    """Write the plain table with some cells changed."""
    table = [line.split(",") for line in PLAIN]
    for line, column, cell in changes:
        table[line][column] = cell
    return "\n".join(map(",".join, table)).encode()


def test_any_bytes_and_roles_are_taken_or_refused() -> None:
    outcomes = {"taken": 0, "refused": 0, "lines": 0}
    cells = st.sampled_from(["a", "1", "50", "", "?", "|x~0|", "[1, 2]", "1e400", '"'])
    places = st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(0, 2), cells)
    tables = st.lists(places, max_size=3).map(with_cells)

    @settings(max_examples=200)
    @given(
        st.one_of(tables, st.binary(max_size=60).map(b"[".__add__)),
        st.sampled_from(["refuse", "common", "failed"]),
    )
    def check(data: bytes, ragged: str) -> None:
        try:
            ready = prepare_architectures(data, ArchitectureChoices(ragged=ragged))  # type: ignore[arg-type]
        except Refused as refusal:
            outcomes["refused"] += 1
            outcomes["lines"] += "\n" in refusal.message
            return
        outcomes["taken"] += 1
        assert (
            read_architectures(ready.file.data, ready.unit).count == ready.table.count
        )

    check()
    assert outcomes["taken"] and outcomes["refused"] and not outcomes["lines"]
