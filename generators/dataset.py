"""A dataset is what a release publishes: its stage, its configs, and how columns and configs are derived.

`releases` drafts, verifies and compares every dataset by this definition alone. A new dataset registers in
`generators.datasets`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, Self, TypeVar

import polars as pl

from filters.answers.verdicts import Verdict
from filters.rules import Filtered, apply_rules
from filters.schema import Schema
from generators.card import Card
from generators.columns import GOLDS
from generators.formats import Format
from generators.rows import Rows
from generators.stage import Stage
from generators.view import NO_VIEW, View

if TYPE_CHECKING:  # loading it takes half a second, and only a release draws
    from matplotlib.figure import Figure

DEFAULT = "default"  # the config that `load_dataset` gives
IN_TWO_SLICES = "in_two_slices"  # the reason of rows whose problem an earlier slice has
Figures = Mapping[str, Mapping[str, float | None]]  # a row of figures by name for each thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The parameters that rows are derived with from the measured columns, kept in the manifest's `settings.export`."""

    def to_json(self) -> dict[str, Any]:
        """The parameters as JSON data."""
        return {}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError, TypeError or ValueError."""
        return cls()


P = TypeVar("P", bound=Parameters)


class IncompleteParameters(Exception):
    """A parameter that the rows of a slice are derived with is missing; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFacts:
    """How many rows a stage kept, and how many it dropped for each named reason."""

    name: str
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for reason, count in {"kept": self.kept, **self.dropped}.items():
            if count < 0:
                raise ValueError(f"{reason} of stage {self.name} must be at least 0, got {count}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreFacts:
    """Facts of a release that only its dataset knows."""

    stages: tuple[StageFacts, ...] = ()
    tokens: Mapping[str, int] = field(default_factory=dict)
    audit: Figures = field(default_factory=dict)
    figures: Mapping[str, Figures] = field(default_factory=dict)


class Round(Protocol):
    """Every slice of one round, as its tables hold it."""

    @property
    def key(self) -> str: ...

    def rows(self, name: str) -> Rows:
        """The rows of a table, slice by slice; raises StorageError."""
        ...

    def repeated(self, name: str) -> int:
        """How many rows of a table are left out because an earlier slice has their problem."""
        ...

    def recipes(self, stage: str) -> Mapping[str, Mapping[str, Any]]:
        """The recipes of a stage by slice, without the slices that it skipped."""
        ...

    def tokens(self, policies: Sequence[str]) -> Mapping[str, int]:
        """The tokens in the ledgers of some policies, by kind."""
        ...


class Claim(NamedTuple):
    """A verdict that a row states: comparing the answer of `text` with the accepted `golds` gives `verdict`.

    `columns` are those of the verdict, of the extracted answer and of what found it; the last two are None if there is
    no such column.
    """

    row: int
    columns: tuple[str, str | None, str | None]
    text: str
    golds: tuple[str, ...]
    source: str
    verdict: str
    extracted: str | None = None
    found_by: str | None = None


def claims_of_sides(rows: pl.DataFrame, *, source: str, chosen: pl.Expr, rejected: pl.Expr) -> Iterator[Claim]:
    """Two claims a row: the text of `chosen` is right and the text of `rejected` is not."""
    texts = rows.select(GOLDS, pl.col(source), chosen, rejected)
    better, worse = texts.columns[2:]
    for number, (golds, origin, right, wrong) in enumerate(texts.iter_rows()):
        yield Claim(number, (better, None, None), right, tuple(golds), origin, Verdict.EQUAL.value)
        yield Claim(number, (worse, None, None), wrong, tuple(golds), origin, Verdict.DIFFERENT.value)


def claims_of_texts(rows: pl.DataFrame, *, text: pl.Expr) -> Iterator[Claim]:
    """A claim a row: `verdict`, `extracted` and `found_by` are those of `text`."""
    columns = ("verdict", "extracted", "found_by")
    for number, (shown, golds, *values) in enumerate(rows.select(text, GOLDS, "source", *columns).iter_rows()):
        yield Claim(number, columns, shown, tuple(golds), *values)


def keep_all(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """Keep every row as it is."""
    return apply_rules(rows, {})


def no_claims(_rows: pl.DataFrame, _: Parameters) -> Iterator[Claim]:
    """State no verdict."""
    return iter(())


def nothing_derived(rows: pl.DataFrame, _: Parameters) -> pl.DataFrame:
    """No column follows from others."""
    return rows.select()


def no_labels(_: pl.DataFrame) -> dict[str, int]:
    """Count no label."""
    return {}


def no_counts(_: pl.DataFrame) -> dict[str, int]:
    """Count nothing."""
    return {}


def no_more_facts(_round: Round, _rows: Rows, _counts: Mapping[str, int]) -> MoreFacts:
    """Add no fact."""
    return MoreFacts()


def always(_rows: pl.DataFrame, _: Parameters) -> bool:
    """Any rows allow the config."""
    return True


def no_files(_splits: Mapping[str, Rows], _: Parameters) -> dict[str, bytes]:
    """Add no file."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Generic[P]):
    """A choice among all rows of a config, such as a balance of labels: no problem can be decided alone.

    `reasons` gets the `columns` of all rows in one frame, so they must be small. It returns for each row why it is left
    out, null for one that is kept.
    """

    columns: tuple[str, ...]
    reasons: Callable[[pl.DataFrame, P], pl.Series]


@dataclass(frozen=True, kw_only=True)
class Config(Generic[P]):
    """One config of a dataset.

    A measured config names the `table` that it publishes, and `derive` gets that table's rows, sorted by the table's
    key. Each of the `joined` tables adds its further columns to the rows that have its key, and nulls to the others.
    The other configs follow from the published rows of the measured config `base`, the first one if it is None.
    `derive` returns rows with `problem_id` and at least the columns of `schema`, and the dropped ones with reasons. It
    gets some problems at a time, each with all of its rows, and must give the same whichever come together; what
    depends on more than one problem is the `choice` among the rows that it keeps. Where no row of a release `allows`
    the config, the release has none. `format` is the shape that a stock trainer reads, None if no trainer reads
    the config.
    `recompute` derives those columns of a measured config again that follow from its others, one row for each row.
    `lost` names what the dataset measured and the config has no place for. `mislearnt` names what a trainer that reads
    the config learns although it should not; such a config is not exported.
    """

    name: str
    purpose: str
    schema: Schema
    format: Format | None = None
    table: str | None = None
    joined: tuple[Schema, ...] = ()
    base: str | None = None
    derive: Callable[[pl.DataFrame, P], Filtered] = keep_all
    choice: Choice[P] | None = None
    allows: Callable[[pl.DataFrame, P], bool] = always
    recompute: Callable[[pl.DataFrame, P], pl.DataFrame] = nothing_derived
    claims: Callable[[pl.DataFrame, P], Iterator[Claim]] = no_claims
    lost: str = ""
    mislearnt: str = ""

    @property
    def ready(self) -> Format | None:
        """The format, None if a trainer that reads the config would learn what it must not."""
        return None if self.mislearnt else self.format

    def __post_init__(self) -> None:
        lacking = set(self.format.columns if self.format else ()) - self.schema.columns.keys()
        if lacking:
            raise ValueError(f"{self.schema.name} is no {self.format}: its schema lacks {', '.join(sorted(lacking))}")

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that a measured config reads; none for the others."""
        return (self.table, *(schema.name for schema in self.joined)) if self.table else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture on the card: its file's name, its caption, and the function that draws it from rows in blocks."""

    name: str
    caption: str
    draw: Callable[[Rows, "Figure"], None]


@dataclass(frozen=True, kw_only=True)
class Dataset(Generic[P]):
    """A published dataset.

    The first config is measured. `reads` names further stages whose tables it joins. `parameters_of` reads the recipes
    of a round, never the settings of the day; it raises SchemaError where slices disagree. `source` names the column
    that says where a problem came from. `label_counts` of several blocks of rows add up. So do
    `counts`, for what it would be dear to read all rows once more for; `more_facts` gets them. `lengths` are columns
    of the first config whose lengths a comparison shows.
    `attachments` makes files from the rows by split. `view` says how rows are drawn.
    """

    stage: Stage[Any]
    configs: tuple[Config[P], ...]
    card: Card
    reads: tuple[str, ...] = ()
    parameters: type[P] = Parameters  # type: ignore[assignment]
    parameters_of: Callable[[Round], P] = lambda _: Parameters()  # type: ignore[assignment,return-value]
    source: str = "source"
    label_counts: Callable[[pl.DataFrame], Mapping[str, int]] = no_labels
    counts: Callable[[pl.DataFrame], Mapping[str, int]] = no_counts
    more_facts: Callable[[Round, Rows, Mapping[str, int]], MoreFacts] = no_more_facts
    picture: Picture | None = None
    attachments: Callable[[Mapping[str, Rows], P], Mapping[str, bytes]] = no_files
    lengths: tuple[str, ...] = ()
    sample_columns: tuple[str, ...] = ()
    view: View = NO_VIEW

    @property
    def name(self) -> str:
        """The name of the stage, the folder and the Hub repository."""
        return self.stage.name

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that a release needs."""
        return (*self.stage.needs, self.stage.name, *self.reads)

    @property
    def main(self) -> Config[P]:
        """The first config, which holds everything that was measured."""
        return self.configs[0]

    @property
    def measured(self) -> tuple[Config[P], ...]:
        """The configs that publish a table."""
        return tuple(config for config in self.configs if config.table is not None)

    @property
    def derived(self) -> tuple[Config[P], ...]:
        """The configs that follow from measured ones."""
        return tuple(config for config in self.configs if config.table is None)

    def derived_from(self, base: Config[P]) -> tuple[Config[P], ...]:
        """The configs that follow from the measured config `base`."""
        return tuple(config for config in self.derived if (config.base or self.main.name) == base.name)

    def table_schema(self, config: Config[P]) -> Schema:
        """The schema of the table that a measured config publishes."""
        schemas = (self.stage.schema, *self.stage.beside)
        return next(schema for schema in schemas if schema.name == config.table)

    def config(self, name: str) -> Config[P] | None:
        """The config of this name, None if there is none."""
        return next((config for config in self.configs if config.name == name), None)
