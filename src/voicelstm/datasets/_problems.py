"""Everything that is wrong with a corpus, said at once."""

from collections.abc import Iterable

from voicelstm.exceptions import DatasetError

__all__ = ["Problems", "shortened"]

MOST_SHOWN = 20


class Problems:
    """Problems by kind, in the order in which the kinds were met; `source` opens the message."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._kinds: dict[str, tuple[str, list[str]]] = {}

    def __bool__(self) -> bool:
        """Tell whether any was noted."""
        return bool(self._kinds)

    def add(self, kind: str, where: str, remedy: str) -> None:
        """Note one more problem of a kind; the first remedy given for a kind is the one printed."""
        self._kinds.setdefault(kind, (remedy, []))[1].append(where)

    def add_part(self, name: str, part: "Problems") -> None:
        """Note the problems of a part of the source, with its name before each place.

        A remedy of its own, such as what the header of one of several tables has, follows the place.
        """
        for kind, (remedy, places) in part._kinds.items():
            first, _ = self._kinds.get(kind, (remedy, []))
            for place in places:
                self.add(kind, f"{name} {place}{'' if remedy == first else f'. {remedy}'}", remedy)

    def error(self) -> DatasetError:
        """Return what was noted as an error: every kind, what to do, and up to 20 places of each."""
        lines = [f"{self.source} cannot be used as it is:"]
        for kind, (remedy, places) in self._kinds.items():
            lines.append(f"- {kind} ({len(places)}). {remedy}")
            lines.extend(f"    {place}" for place in places[:MOST_SHOWN])
            if len(places) > MOST_SHOWN:
                lines.append(f"    and {len(places) - MOST_SHOWN} more")
        return DatasetError("\n".join(lines))

    def raise_any(self) -> None:
        """Raise what was noted, if anything was."""
        if self:
            raise self.error()


def shortened(values: Iterable[object]) -> str:
    """Write values in one line, at most 20 of them."""
    shown = [repr(value) for value in values]
    rest = len(shown) - MOST_SHOWN
    return ", ".join(shown[:MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
