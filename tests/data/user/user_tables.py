"""Tables of the user, made for tests."""

from engine.data.user.table_plan import TableChoices
from engine.data.user.table_preparation import PreparedTable, prepare_table
from engine.data.user.table_reader import ReadOptions, UserTable, read_table


def lines(*header: str, count: int = 60, row: str = "{a},{b},{kind}") -> str:
    """Write rows: a is any number, b a decimal one, kind alder, birch or cedar."""
    return "\n".join(
        [
            *header,
            *(
                row.format(
                    a=(i * 37) % 101,
                    b=f"{(i * 53) % 97 / 8:.3f}",
                    c=f"{(i * 53) % 97 / 8:.3f}".replace(".", ","),
                    kind=("alder", "birch", "cedar")[i % 3],
                    i=i,
                )
                for i in range(count)
            ),
            "",
        ]
    )


PLAIN = lines("a,b,kind")


def prepared(
    source: str | bytes,
    target: str = "kind",
    options: ReadOptions | None = None,
    **choices: object,
) -> PreparedTable:
    data = source.encode() if isinstance(source, str) else source
    return prepare_table(read_table(data, options), TableChoices(target, **choices))  # type: ignore[arg-type]


def table(source: str, **options: object) -> UserTable:
    return read_table(source.encode(), ReadOptions(**options))  # type: ignore[arg-type]
