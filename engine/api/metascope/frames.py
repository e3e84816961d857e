"""A run's numbers as DataFrames: the rows of metrics.csv, and tidy parts of them."""

import io

import pandas as pd

from engine.export import RunRecord, claims_csv, metrics_csv
from engine.export.long_format import COLUMNS

# What says where a number was measured, in every table.
WHERE = ("learner", "role", "phase", "test_family", "shift", "severity", "metric")
AXES = ("step", "inner_step", "rate", "context", "presentation")
PLACES = COLUMNS[COLUMNS.index("replicate") : COLUMNS.index("value")]


def read_metrics(data: bytes) -> pd.DataFrame:
    """Return metrics.csv as a table.

    Args:
        data: Its bytes.

    Returns:
        Its columns and rows. `severity` and `value` are floats, the places integers
        that may be missing (`Int64`), all others texts.
    """
    texts = [name for name in COLUMNS if name not in (*PLACES, "severity", "value")]
    places = {name: "Float64" if name == "rate" else "Int64" for name in PLACES}
    return pd.read_csv(
        io.BytesIO(data),
        dtype={
            **dict.fromkeys(texts, "str"),
            "severity": "float64",
            "value": "float64",
            **places,
        },
        float_precision="round_trip",  # bit for bit
        keep_default_na=False,
        na_values={name: [""] for name in (*PLACES, "value")},
    )


def metrics_frame(record: RunRecord, *, traces: bool = False) -> pd.DataFrame:
    """Return all numbers of a run in long form, one per row."""
    return read_metrics(metrics_csv(record, traces=traces))


def claims_frame(record: RunRecord) -> pd.DataFrame:
    """Return the comparisons of a run, one per row."""
    texts = ("learner", "against", "test_family", "shift", "metric", "call", "over")
    found = pd.read_csv(
        io.BytesIO(claims_csv(record)),
        dtype=dict.fromkeys(texts, "str"),
        float_precision="round_trip",  # bit for bit
        keep_default_na=False,
        na_values={n: [""] for n in ("difference", "low", "high", "more_replicates")},
    )
    flags = ("primary", "decisive", "by_divergence")
    return found.astype(dict.fromkeys(flags, "bool"))


def curves_frame(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the curves of a run: means over replicates, with their intervals.

    Args:
        metrics: From `metrics_frame`.

    Returns:
        One row per point: where it was measured, `along` (the axis), `x` (the place
        on it), `mean`, `low` and `high`.
    """
    banded = metrics[metrics["statistic"].isin(["mean", "low", "high"])]
    found = []
    for along in AXES:
        rows = banded[banded[along].notna()]
        others = [name for name in PLACES if name != along and rows[name].notna().any()]
        # An inner step within a meta-step belongs to the curve along the meta-steps.
        if along == "step" or "step" not in others:
            found.append(_pivot(rows, along, [n for n in others if n in _SPLITS]))
    held = [table for table in found if len(table)]
    if not held:
        return pd.DataFrame(columns=[*WHERE, "along", "x", "mean", "low", "high"])
    return pd.concat(held, ignore_index=True)


_SPLITS = ("inner_step", "layer", "bin")


def _pivot(rows: pd.DataFrame, along: str, others: list[str]) -> pd.DataFrame:
    at = [*WHERE, *others, along]
    table = rows.pivot_table(
        index=at,
        columns="statistic",
        values="value",
        aggfunc="first",
        sort=False,
        dropna=False,
        observed=True,
    )
    table = table.reindex(columns=["mean", "low", "high"])
    table = table.dropna(how="all").reset_index().rename(columns={along: "x"})
    table.insert(len(WHERE), "along", along)
    table.columns.name = None
    return table.astype({"x": "float64"})


def tasks_frame(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the tests task by task.

    Args:
        metrics: From `metrics_frame`.

    Returns:
        One row per learner, condition, metric, replicate and task, with `value` and
        `status`.
    """
    tested = metrics["phase"].eq("test") & metrics["statistic"].eq("value")
    along = [name for name in PLACES if name not in ("replicate", "task")]
    per_task = (
        metrics["task"].notna()
        & metrics["replicate"].notna()
        & metrics[along].isna().all(axis=1)
    )
    columns = [*(n for n in WHERE if n != "phase"), "replicate", "task"]
    found = metrics.loc[tested & per_task, [*columns, "value", "status"]]
    return found.reset_index(drop=True)
