"""Tables that have an address in place of a path: of BigQuery, of the Hugging Face hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tables import bigquery_table, hub_dataset
from tables.row import TableError, TableSource


class RemoteSource(TableSource, Protocol):
    """One opened table of a service."""

    total_bytes: int


@dataclass(frozen=True)
class RemoteTable:
    """A table of a service, by its address; nothing is fetched before a method is called."""

    address: str

    def __str__(self) -> str:
        return self.address

    @property
    def name(self) -> str:
        """The whole address, in place of the last part of a path."""
        return self.address

    def open(self) -> RemoteSource:
        """Its rows; raises TableError without the address."""
        if self.address.startswith(bigquery_table.SCHEME):
            return bigquery_table.BigQueryRows(self.address)
        return hub_dataset.open_hub_dataset(self.address)

    def version(self) -> dict[str, Any]:
        """Plain JSON that changes when the table does; raises TableError."""
        try:
            if self.address.startswith(bigquery_table.SCHEME):
                return bigquery_table.version(self.address)
            return hub_dataset.version(self.address)
        except TableError as error:
            raise TableError(f"{self}: {error}") from None


TableLocation = Path | RemoteTable


def table_location(text: str) -> TableLocation:
    """A table as a person names it: bq://..., hf://... or the path of a file or folder."""
    is_remote = text.startswith((bigquery_table.SCHEME, hub_dataset.SCHEME))
    return RemoteTable(text) if is_remote else Path(text)
