"""Tables by name that a new entry joins in one place: its own."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from jaxdistort.errors import choose

T = TypeVar("T")
Entry = TypeVar("Entry")


class Registry(Mapping[str, T], Generic[T]):
  """A read-only mapping with a door: `register` adds an entry, in the order of arrival.

  Args:
    what: an entry is, in the singular, for messages: "data source".
  """

  def __init__(self, what: str):
    self._what = what
    self._entries: dict[str, T] = {}

  def __getitem__(self, name: str) -> T:
    return self._entries[name]

  def __iter__(self) -> Iterator[str]:
    return iter(self._entries)

  def __len__(self) -> int:
    return len(self._entries)

  @overload
  def register(self, name: str, value: T) -> T: ...
  @overload
  def register(self, name: str) -> Callable[[Entry], Entry]: ...
  def register(self, name: str, value: Any = None) -> Any:
    """Adds an entry; without a value, a decorator that adds what it stands above.

    Raises:
      ValueError: the name is taken.
    """
    if name in self._entries:
      raise ValueError(f"{self._what} {name!r} is registered already")

    def add(entry: T) -> T:
      self._entries[name] = entry
      return entry

    return add if value is None else add(value)

  def unregister(self, name: str) -> None:
    """Takes an entry out again."""
    del self._entries[name]

  def find(self, name: str, what: str | None = None) -> T:
    """The entry of a name that a person gave.

    Args:
      name: as given.
      what: names the field or argument that it was given in; else what an entry is.

    Raises:
      InputError: there is none; names those that there are, and the nearest.
    """
    return self._entries[choose(what or self._what, name, self._entries)]
