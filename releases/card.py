"""Writes a version's dataset card, README.md: YAML for the Hub and `datasets`, then prose rendered from the facts.

Where the Hub has no id for the licence of the rows, LICENSE.md says what it is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from typing import Any

from huggingface_hub import DatasetCardData
from jinja2 import Environment, StrictUndefined, Template

from generators.dataset import DEFAULT
from releases.draft import Draft
from releases.licences import LICENCE_FILE, forbidden, hub_licence, licences_in, words
from releases.manifest import Manifest
from releases.showing import shown
from releases.trl import lines, readers

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
)

_SETTINGS = 20  # changed settings that the card prints; the manifest has all
_LIST = 8  # the longest list that the card prints in full
_POLICY = "path/to/the/policy"
_CELL = 300  # characters of a value in an example row


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAddress:
    """A version's address on the Hub: its repository, and the URLs of related datasets by name."""

    repository: str
    related: Mapping[str, str] = field(default_factory=dict)


def write_card(draft: Draft, manifest: Manifest, address: HubAddress | None = None) -> str:
    """Render the card of `draft` as the version `manifest`, on the Hub or, without `address`, in a folder."""
    first, *_ = _order(draft)
    return _template("card.md.jinja").render(
        yaml=card_data(draft).to_yaml(),
        draft=draft,
        about=draft.card,
        facts=draft.facts,
        restricted=forbidden({source.name: source.licence for source in draft.facts.sources}),
        manifest=manifest,
        address=address,
        examples=shown(draft.examples, (), longest=_CELL) if draft.examples.width else "",
        licence_file=LICENCE_FILE if _is_other(draft) else None,
        settings=json.dumps(_shortened(draft.facts.settings), indent=2, sort_keys=True, ensure_ascii=False),
        shown_changes=_SETTINGS,
        is_screened="problems" in draft.facts.settings,
        embedding_models=sorted(set(filter(None, _named(draft.facts.settings, "embedding_model")))),
        configs={name: draft.tables[name] for name in _order(draft)},
        first_config=first,
        default_config=DEFAULT,
        main_config=next(iter(draft.tables)),
        load=partial(_load, draft, manifest, address),
        readers=readers,
        lines=lines,
        model=draft.facts.policy if "/" in draft.facts.policy else _POLICY,
        first_split=next(iter(draft.tables[first].splits)),
    )


def _load(draft: Draft, manifest: Manifest, address: HubAddress | None, config: str, split: str) -> str:
    """The call that loads a split of a config."""
    if address is None:
        return f'load_dataset("{draft.dataset}/{manifest.version}", "{config}", split="{split}")'
    return f'load_dataset("{address.repository}", "{config}", split="{split}", revision="{manifest.version}")'


def write_licence(draft: Draft) -> str | None:
    """Render the page on the licence of the rows; None if the Hub has an id for it."""
    if not _is_other(draft):
        return None
    licences = list(licences_in(draft.facts.licence or ""))
    return _template("licence.md.jinja").render(facts=draft.facts, licences=licences)


def card_data(draft: Draft) -> DatasetCardData:
    """The card's metadata: configs with their files, size, licence, languages, source datasets, tasks and tags."""
    main, *_ = draft.tables
    sources = draft.facts.sources
    licence = hub_licence(draft.facts.licence)
    return DatasetCardData(
        pretty_name=draft.card.pretty_name,
        license=licence.id,
        license_name=licence.name,
        license_link=licence.link,
        language=sorted({source.language for source in sources if source.language}) or None,
        source_datasets=sorted({source.hub_dataset for source in sources if source.hub_dataset}) or None,
        size_categories=[_size(sum(draft.tables[main].rows.values()))],
        task_categories=list(draft.card.task_categories),
        tags=["stepmill", *draft.card.tags],
        annotations_creators=["machine-generated"],
        configs=[_config(draft, name) for name in _order(draft)],
    )


def _is_other(draft: Draft) -> bool:
    """Whether the Hub has no id for the licence of the rows."""
    return hub_licence(draft.facts.licence).id == "other"


def _order(draft: Draft) -> list[str]:
    """The configs in the order of the card: what trainers read comes before everything."""
    return sorted(draft.tables, key=lambda name: name != DEFAULT)


def _config(draft: Draft, name: str) -> dict[str, Any]:
    splits = draft.tables[name].splits
    config: dict[str, Any] = {"config_name": name}
    if name == DEFAULT:
        config["default"] = True
    # `datasets` caches a local folder by its name and its card's configs. Without this description, loading v0.1.0 from
    # one registry would return the cached rows of v0.1.0 from another.
    config["description"] = f"{draft.tables[name].purpose} (rows {draft.content[:16]})"
    config["data_files"] = [{"split": split, "path": f"data/{name}/{split}-*.parquet"} for split in splits]
    return config


def _template(name: str) -> Template:
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["cell"] = _cell
    environment.filters["figure"] = _figure
    environment.filters["setting"] = _setting
    environment.filters["terms"] = words
    return environment.from_string(files("releases").joinpath(name).read_text("utf-8"))


def _size(rows: int) -> str:
    return next((name for bound, name in _SIZES if rows < bound), "1B<n<10B")


def _named(settings: Any, name: str) -> list[Any]:
    """Every value that nested settings hold under a name, slice by slice."""
    if not isinstance(settings, Mapping):
        return []
    own = [settings[name]] if name in settings else []
    return own + [value for part in settings.values() for value in _named(part, name)]


def _shortened(settings: Any) -> Any:
    """The settings, with long lists such as the weights of a prior replaced by a note."""
    if isinstance(settings, Mapping):
        return {name: _shortened(value) for name, value in settings.items()}
    if isinstance(settings, list | tuple) and len(settings) > _LIST:
        return f"{len(settings)} items, in manifest.json"
    return settings


def _figure(value: float | None) -> str:
    """Format a count as an integer, a share with two decimals, and a missing value as a dash."""
    return "–" if value is None else f"{value:.2f}" if value != int(value) else str(int(value))


def _setting(value: Any) -> str:
    """Format a setting as JSON, and a missing one as a dash."""
    return "–" if value is None else json.dumps(value, ensure_ascii=False)


def _cell(value: object) -> str:
    """Escape text so that it cannot break out of its table cell."""
    return str(value).replace("|", "\\|").replace("\n", " ")
