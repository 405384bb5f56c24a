"""The `stepmill` commands for releases: verify one, compare two, copy one into a folder, show rows.

Each command imports its modules only when it runs. Exit codes: 0 everything is fine, 1 there are findings or
differences, 2 the command failed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from upath import UPath

app = typer.Typer(
    help="Verify, compare, copy and read released datasets.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
_VERSION = Annotated[str | None, typer.Option("--version", help="The version, such as v0.1.0.")]


@app.command()
def verify(
    release: Annotated[str, typer.Argument(help="A version's folder, or <registry>/<dataset> with --version.")],
    version: _VERSION = None,
) -> None:
    """Verify a release without the ledger: files, columns, rules, labels, answers, splits, figures and card."""
    from releases.comparison.text import summary
    from releases.verification.verify import verify as check

    with _explained():
        report = check(_folder(release, version))
    for finding in report.findings:
        typer.echo(finding)
    typer.echo(f"\n{summary(report)}")
    if report.findings:
        raise typer.Exit(1)


@app.command()
def diff(
    first: Annotated[str, typer.Argument(help="The folder of a version.")],
    second: Annotated[str, typer.Argument(help="The folder of another version.")],
    limit: Annotated[int, typer.Option(min=0, help="Rows listed per kind of change.")] = 10,
) -> None:
    """Compare two versions: rows added, removed and changed, with labels and lengths side by side."""
    from releases.comparison.text import comparison
    from releases.comparison.versions import diff as compare

    with _explained():
        difference = compare(_folder(first, None), _folder(second, None))
    typer.echo(comparison(difference, limit=limit))
    if not difference.is_equal:
        raise typer.Exit(1)


@app.command()
def pull(
    dataset: Annotated[str, typer.Argument(help="The dataset's name.")],
    version: Annotated[str, typer.Option(help="The version, such as v0.1.0.")],
    source: Annotated[str, typer.Option("--from", help="The registry: a folder or an object-store URL.")],
    into: Annotated[str, typer.Option(help="The folder to create <dataset>/<version> in.")],
) -> None:
    """Copy a version into a folder, completely or not at all, and check every file on the way."""
    from upath import UPath

    from releases.registry.local import LocalRegistry
    from releases.registry.pull import pull as copy

    with _explained():
        pulled = copy(LocalRegistry(UPath(source)), dataset, version, into=UPath(into))
    typer.echo(f"{dataset} {version} is {'now' if pulled.is_new else 'already'} at {pulled.path}")


@app.command()
def show(
    release: Annotated[str, typer.Argument(help="A version's folder, or <registry>/<dataset> with --version.")],
    version: _VERSION = None,
    config: Annotated[str, typer.Option(help="The config to show rows of.")] = "default",
    rows: Annotated[int, typer.Option(min=1, help="The number of rows to draw.")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed draws the same rows.")] = 0,
    columns: Annotated[str, typer.Option(help="Comma-separated columns; all columns by default.")] = "",
) -> None:
    """Print random rows of a release as Markdown, drawn by seed from all splits."""
    from releases.showing import drawn, shown
    from releases.verification.opened import open_release

    with _explained():
        rows_to_show = drawn(open_release(_folder(release, version)).rows(config), n=rows, seed=seed)
        typer.echo(shown(rows_to_show, [name.strip() for name in columns.split(",") if name.strip()]))


@contextmanager
def _explained() -> Iterator[None]:
    """Print errors that the user can fix as one sentence on standard error, and exit with 2."""
    from generators.sampling.storage import StorageError
    from releases.errors import ReleaseError

    try:
        yield
    except (ReleaseError, StorageError) as error:
        typer.echo(f"stepmill: {error}", err=True)
        raise typer.Exit(2) from error


def _folder(release: str, version: str | None) -> "UPath":
    """The folder of a version; raises UnknownRelease with the known versions if `release` is only a dataset."""
    from upath import UPath

    from releases.errors import UnknownRelease
    from releases.manifest import FILE_NAME
    from releases.registry.local import LocalRegistry

    folder = UPath(release).absolute()
    if version is None and (folder / FILE_NAME).exists():
        return folder
    registry = LocalRegistry(folder.parent)
    if version is None:
        known = ", ".join(registry.versions(folder.name)) or "no versions"
        raise UnknownRelease(f"{release} holds no {FILE_NAME}; name the folder of a version, or --version of: {known}")
    return registry.open(folder.name, version).path


if __name__ == "__main__":
    app()
