"""Design principles: significant motifs in sentences, with their evidence."""

from collections.abc import Sequence

from engine.stats.search.motifs import SIGNIFICANCE, Motif, MotifEffect

MOST = 8  # sentences about effects; half as many about failures


def describe_principles(found: Sequence[Motif], names: Sequence[str] = ()) -> list[str]:
    """Return design principles in sentences, each with its evidence.

    Args:
        found: Motifs, from `find_motifs`.
        names: Names of the tasks, by number; used where an effect differs by task.

    Returns:
        At most eight sentences about significant effects, simple motifs before
        pairs, then at most four about failures.
    """
    sure = [
        m
        for m in found
        if m.is_significant and (m.kind != "pair" or _has_interaction(m))
    ]
    sure.sort(key=lambda m: (m.kind == "pair", -abs(m.effect.mean)))
    risky = [m for m in found if m.failing.p < SIGNIFICANCE and m.failing.low > 1.0]
    risky.sort(key=lambda m: (m.kind == "pair", -m.failing.ratio))
    told = [_sentence(m, names) for m in sure[:MOST]]
    return told + [_warning(m) for m in risky[: MOST // 2]]


def _has_interaction(motif: Motif) -> bool:
    """Return whether a pair has a significant interaction."""
    return motif.surplus is not None and motif.surplus.p < SIGNIFICANCE


def _sentence(motif: Motif, names: Sequence[str]) -> str:
    effect = motif.effect
    verb = "Prefer" if effect.mean > 0 else "Avoid"
    words = f"{verb} {motif.words}: {_format_points(effect)} (n = {effect.n} with, "
    words += f"{effect.rest} without)"
    if motif.kind == "pair" and motif.surplus is not None:
        words += f"; beyond its two options {_format_points(motif.surplus)}"
    if len(motif.tasks) < 2:
        return words + "."
    if motif.universal_sign:
        return words + f"; the same on each of {len(motif.tasks)} tasks."
    against = [
        names[t] if t < len(names) else f"task {t + 1}"
        for t, each in motif.tasks.items()
        if each.mean * effect.mean <= 0
    ]
    agree = len(motif.tasks) - len(against)
    other = (
        f", not on {', '.join(against[:3])}"
        if against
        else ", not significant on every task"
    )
    return words + f"; the same sign on {agree} of {len(motif.tasks)} tasks{other}."


def _format_points(effect: MotifEffect) -> str:
    low, high = 100 * effect.low, 100 * effect.high
    return f"{100 * effect.mean:+.2f} points, 95 % from {low:+.2f} to {high:+.2f}"


def _warning(motif: Motif) -> str:
    failing = motif.failing
    return (
        f"Failures: {motif.words} is in {failing.share:.0%} of them and in "
        f"{failing.elsewhere:.0%} of the others, {failing.ratio:.1f} times as often "
        f"(95 % from {failing.low:.1f} to {failing.high:.1f})."
    )
