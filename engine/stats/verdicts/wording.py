"""Wording of a sentence: names of learners, numbers, intervals and counts."""

from collections import Counter
from collections.abc import Mapping, Sequence

from engine.contract.learner_appearance import appearances, name_in_words
from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.block_table import is_tuned
from engine.stats.inference.intervals import Interval

# First words that are people's names.
_PROPER = frozenset(
    {"Bayes", "Bayesian", "Bernoulli", "Gaussian", "Gittins", "Thompson"}
)


def learner_names(
    spec: RunSpec, titles: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return each learner's name within a sentence.

    Args:
        spec: The run.
        titles: Titles of parts, by name; a part without one is spelled from its name.

    Returns:
        By label, such as "tuned SGD" or "prototypical networks"; a label that the user
        chose, and every label of learners that would share a name, is kept.
    """
    found = {c.label: _learner_name(c, titles or {}) for c in spec.learners}
    often = Counter(found.values())
    return {
        label: name if often[name] == 1 else name_in_words(label)
        for label, name in found.items()
    }


def name_of(names: Mapping[str, str], label: str) -> str:
    """Return a learner's name within a sentence; one of an old claim may have none.

    Args:
        names: As `learner_names` returns them.
        label: The learner.

    >>> name_of({"maml": "MAML"}, "maml"), name_of({}, "my_net")
    ('MAML', 'my net')
    """
    return names.get(label) or name_in_words(label)


def _learner_name(learner: LearnerChoice, titles: Mapping[str, str]) -> str:
    # Labels that presets and the form give say no more than part and tuning.
    if learner.label not in (learner.name, f"{learner.name}_tuned"):
        return name_in_words(learner.label)
    title = titles.get(learner.name) or _figure_name(learner.name)
    name = to_sentence_case(title or spell_part_name(learner.name))
    schedule = name_in_words(str(learner.knobs.get("schedule", "constant")))
    name = name if schedule == "constant" else f"{name} ({schedule})"
    if is_tuned(learner):
        return f"tuned {name}"
    guessed = learner.role == "baseline" and "tuning" in learner.knobs
    return f"untuned {name}" if guessed else name


def _figure_name(name: str) -> str:
    known = appearances().get(name)
    return known.name if known else ""


def to_sentence_case(title: str) -> str:
    """Return a title in the spelling that it has within a sentence.

    One word is a name and keeps its capital; "and" would look like two learners.

    >>> to_sentence_case("Prototypical networks"), to_sentence_case("Reptile")
    ('prototypical networks', 'Reptile')
    >>> to_sentence_case("MAML with biases"), to_sentence_case("Pretrain and tune")
    ('MAML with biases', 'pretrain + tune')
    >>> to_sentence_case("Gaussian process regression")
    'Gaussian process regression'
    """
    first, _, rest = title.partition(" ")
    plain = bool(rest) and first[1:] == first[1:].lower() and first not in _PROPER
    joined = title.replace(" and ", " + ")
    return joined[:1].lower() + joined[1:] if plain else joined


def conjugate_be(name: str) -> str:
    """Return "are" after several or a plural, "is" after anything else.

    >>> (conjugate_be("matching networks"), conjugate_be("MAML"),
    ...  conjugate_be("SGD and Adam"))
    ('are', 'is', 'are')
    """
    last = name.rpartition(" ")[2]
    # Short words ("bias") and words in "-ss" ("loss") end in s but are singular.
    plural = len(last) > 4 and last.endswith("s") and not last.endswith("ss")
    return "are" if " and " in name or plural else "is"


def capitalize_first(text: str) -> str:
    """Return a text with its first letter capitalized, unless that is a symbol.

    >>> capitalize_first("prototypical networks are better")
    'Prototypical networks are better'
    >>> capitalize_first("ε-greedy is better")
    'ε-greedy is better'
    """
    if text[1:2] == "-":
        return text
    return text[:1].upper() + text[1:]


def spell_part_name(name: str) -> str:
    """Spell a part's name as a title; a word without vowels is an abbreviation.

    >>> (spell_part_name("sgd"), spell_part_name("adam"),
    ...  spell_part_name("hypergradient"))
    ('SGD', 'Adam', 'Hypergradient')
    """
    words = name_in_words(name)
    return words.capitalize() if set(words) & set("aeiouy") else words.upper()


def join_words(words: Sequence[str]) -> str:
    """Join words with commas and a final "and".

    >>> join_words(["1.5", "2", "4"])
    '1.5, 2 and 4'
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def format_number(value: float) -> str:
    """Format a number with as many digits as a reader needs.

    >>> (format_number(21.4), format_number(3.24), format_number(-0.8213),
    ...  format_number(12345.6))
    ('21', '3.2', '−0.82', '12,346')
    """
    size = abs(value)
    digits = 0 if size >= 10 else 1 if size >= 1 else 2
    return f"{value:,.{digits}f}".replace("-", "−")


def format_interval(interval: Interval, unit: str = "") -> str:
    """Format a mean with unit and interval; a single replicate has no interval.

    >>> format_interval(Interval(21.0, 19.0, 24.0, 8), " steps")
    '21 steps [19, 24]'
    >>> format_interval(Interval(21.0, float("nan"), float("nan"), 1))
    '21'
    """
    mean = f"{format_number(interval.mean)}{unit}"
    if interval.n < 2:
        return mean
    return f"{mean} [{format_number(interval.low)}, {format_number(interval.high)}]"


def format_count(n: int, noun: str) -> str:
    """Format a count with its noun in the right number.

    >>> format_count(1, "replicate"), format_count(8, "task")
    ('1 replicate', '8 tasks')
    """
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def format_searches(n: int) -> str:
    """Format a number of searches.

    >>> format_searches(1), format_searches(2000)
    ('1 search', '2,000 searches')
    """
    return f"{n:,} {'search' if n == 1 else 'searches'}"


def spell_family(name: str, titles: Mapping[str, str]) -> str:
    """Return a family's name after "unseen", as a plural.

    Common nouns begin with a small letter: those that the part's own name holds.

    >>> titles = {"gaussian_rows": "Gaussian rows", "own_data": "Own data"}
    >>> spell_family("gaussian_rows", titles), spell_family("own_data", titles)
    ('Gaussian rows', 'own data tasks')
    >>> spell_family("sinusoids", {}), spell_family("iris", {"iris": "Iris"})
    ('sinusoids', 'iris')
    """
    title = titles.get(name) or name_in_words(name)
    first, *rest = title.split()
    plural = title.endswith("s") and not title.endswith("ss")
    common = first[1:] == first[1:].lower() and first.lower() in name
    common = common and first not in _PROPER
    if common and (rest or plural):
        title = title[:1].lower() + title[1:]
    return title if plural else f"{title} tasks"
