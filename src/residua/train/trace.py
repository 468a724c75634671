"""Which bytes the units of a net keep for the backward pass, seen in one forward pass."""

from dataclasses import dataclass, field, replace

from torch import Tensor

from residua.train.shorten import Unit


@dataclass
class Trace:
    """What is seen of one pass of a net through its units."""

    own: set[int] = field(default_factory=set)
    units: list[Unit] = field(default_factory=list)
    ends: list[tuple[Tensor | None, Tensor | None]] = field(default_factory=list)
    owner: dict[int, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    current: int = -1

    def save(self, tensor: Tensor) -> Tensor:
        """Note a tensor that autograd keeps; storages are counted once, for the first to ask."""
        key = key_of(tensor)
        if key and key not in self.own and key not in self.sizes:
            if self.current < 0 and (not self.units or self.units[-1].index >= 0):
                self.add(Unit(fixed=True), None, None)
            self.owner[key] = self.current if self.current >= 0 else len(self.units) - 1
            self.sizes[key] = tensor.untyped_storage().nbytes()
        return tensor

    def add(self, unit: Unit, x: Tensor | None, y: Tensor | None) -> int:
        """Note a unit; return its number."""
        self.units.append(unit)
        self.ends.append((x, y))
        return len(self.units) - 1

    def table(self) -> list[Unit]:
        """Return the units with the bytes that they keep."""
        inside = [0] * len(self.units)
        for key, owner in self.owner.items():
            inside[owner] += self.sizes[key]
        return [self._counted(number, inside[number]) for number in range(len(self.units))]

    def _counted(self, number: int, inside: int) -> Unit:
        unit, (x, y) = self.units[number], self.ends[number]
        follows = number + 1 < len(self.units) and self.units[number + 1].index > 0
        output = keeps = 0
        if unit.index > 0 and x is not None:
            keeps = self.owner.get(key_of(x), -1) in (number, number - 1)
            inside -= self.sizes[key_of(x)] if self.owner.get(key_of(x)) == number else 0
        if (
            follows
            and y is not None
            and self.owner.get(key_of(y)) == number
            and key_of(y) != key_of(x)
        ):
            output = self.sizes[key_of(y)]
        return replace(unit, inside=inside - output, keeps_input=bool(keeps), output=output)


def key_of(tensor: Tensor | None) -> int:
    """Return what tensors that share their memory have in common; 0 for none."""
    return 0 if tensor is None else tensor.untyped_storage().data_ptr()
