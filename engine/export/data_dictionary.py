"""DATA_DICTIONARY.md: what every column and field of a run's files means."""

import functools

from engine.contract.metrics import METRICS, Metric

_HEAD = """# The files of a run

Written by Metascope beside the files that it describes. Texts are UTF-8, numbers have a
decimal point. All numbers of metrics.csv are as they were computed; no file is rounded.

| file | content |
|---|---|
| metrics.csv | every result in long form, one number per row |
| claims.csv | the calls: one comparison of two learners per row |
| summary.json | statistics, calls and diagnosis; the verdict in words |
| config.json | the complete spec, which `run` computes again |
| timings.csv | seconds and counts; they differ between machines |
| run.zip | all of the run; `runs import` opens it in the lab |

## metrics.csv

`pandas.read_csv("metrics.csv")` reads it; `float_precision="round_trip"` reads the last
bit of each number, too. Columns of texts are never empty, so grouping
by them loses no row; columns of places are empty where a number has no such place
(`groupby(…, dropna=False)` keeps those rows, too).

| column | type | meaning |
|---|---|---|
| run | text | the run's key |
| learner | text | the learner's label in the spec; `none` where none applies |
| role | text | `chosen` or `baseline`; `none` where there is no learner |
| phase | text | `tune`, `train`, `validate` or `test` |
| test_family | text | the family tested on; `none` for the one trained on |
| shift | text | the shift; `none` without one |
| severity | number | of the shift, in its own unit; 0 without one |
| metric | text | what was measured; see below |
| statistic | text | what `value` is; see below |
| replicate | place | the replicate, from 0: a meta-training with a seed of its own |
| task | place | the test task, from 0; the same for all learners |
| step | place | step of the base learner, inner step of an episode, evaluation of a \
search (from 1), or meta-step of a training |
| inner_step | place | inner step within a meta-step |
| layer | place | layer of the net, from 0 |
| rate | place | learning rate that was tried |
| bin | place | a twentieth of a predicted distribution or a tenth of confidence, \
from 0 |
| context | place | number of examples that an answer may use |
| presentation | place | how often the class was shown so far in its episode |
| value | number | the number; empty where there is none |
| status | text | why it is as it is; see below |

One `statistic` never stands for another: choose one before averaging.

| statistic | `value` is |
|---|---|
| value | as measured, on one task or of one replicate |
| task_mean | the mean over the tasks of one replicate |
| mean | the mean over replicates of those; of a strategy that was never trained, over \
all its searches |
| low, high | the ends of the 95 % interval of that mean |

Metrics whose `mean` is geometric (below) are averaged on the log scale. In a mean a
diverged task counts as the metric's worst value, or is left out if it has none.

| status | meaning |
|---|---|
| ok | measured |
| censored | the level was never reached; `value` is the horizon or the whole budget |
| diverged | the loss was not finite; no value |
| never | it did not diverge, so there is no step at which it did |
| unmeasured | there was nothing to measure: the budget of a search was spent, its \
training failed, or no query is in a bin |
| k of n diverged | of a mean: so many of its tasks diverged |
| k of n unmeasured | of a mean: so many of its tasks have no number |

## claims.csv

| column | meaning |
|---|---|
| learner, against | labels of the two learners that are compared |
| test_family, shift, severity | where; as in metrics.csv |
| metric | what is compared; less is better for every metric that is |
| call | `better`, `worse`, `equal` or `can't tell yet` |
| difference | mean of the learner minus that of the other |
| low, high | interval of the difference at `level`; empty where there is none |
| level | confidence of that interval: 95 % is divided among the looks, and among all \
claims but the primary one by Holm's steps |
| margin | largest difference that does not matter |
| primary | 1 for the question that the run is about |
| decisive | 1 where the metric decides in this kind of task |
| n_replicates, n_tasks | replicates, and test tasks of each |
| over | what the interval is over: `replicates` or `tasks` |
| probability_of_improvement | share of pairs in which the learner is the better one |
| diverged, diverged_against | tasks of either that diverged |
| by_divergence | 1 where diverged tasks alone decided the call |
| more_replicates | about how many more replicates decide it; empty where unknown |

The call follows from the row: `equal` if −margin < low and high < margin; else
`better` if high < 0, `worse` if low > 0, and otherwise `can't tell yet`. Where
`by_divergence` is 1, the learner with significantly fewer diverged tasks is the
better one, whatever the interval. `difference` is that of the two rows of metrics.csv
with `statistic` = `mean`, the same place and metric; of a metric whose mean is
geometric, of their logarithms.

## summary.json

| field | meaning |
|---|---|
| run | the run's key |
| headline, sentence | the call on the primary question, in words |
| notes | what a reader must know to judge it |
| replicates | how many were computed |
| threshold | the level of "steps to threshold" |
| claims | the rows of claims.csv; `diverged` holds both numbers |
| conditions | for every condition (family, shift, severity), of every learner and \
metric: `mean`, and `low` and `high` of its 95 % interval |
| diagnosis | checks for known failures: `name`, `learner`, `flagged`, `evidence`, \
`remedy` |
| ledger | gradient or search evaluations of each learner in `tune`, `train`, `test` |
| rates | the learning rate that each learner was tested with |
| tuned_rates | the rate of every replicate, where it was tuned |
| fingerprint | device, processor, threads and versions that it was computed with |
| format | version of this structure |

Kinds of task add fields of their own, such as `final` or `search`.

## timings.csv

`run`, `learner`, `stage`, `seconds`; `count`, gradients of a base learner in that time;
`peak`, largest memory in bytes, 0 where it was not measured.

## Metrics

| metric | label | unit | better | mean | meaning |
|---|---|---|---|---|---|
"""
_BETTER = {-1: "less", 0: "", 1: "more"}


@functools.cache
def data_dictionary() -> bytes:
    """Return the dictionary as Markdown; the same for every run."""
    rows = "".join(map(_metric_row, METRICS.values()))
    return (_HEAD + rows).encode()


def _metric_row(metric: Metric) -> str:
    cells = (
        metric.name,
        metric.label,
        metric.unit,
        _BETTER[metric.direction],
        metric.mean,
        metric.help,
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"
