"""Number formats as frozen values: bits and the range of their integer grid."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DType:
    """A number format. `qmin` and `qmax` are None for floats."""

    name: str
    """The word in the language: `int8`."""
    bits: int
    is_float: bool = False
    signed: bool = True

    @property
    def qmin(self) -> int:
        """Smallest integer of the grid. Raises TypeError for a float."""
        return -(1 << (self._integer_bits - 1)) if self.signed else 0

    @property
    def qmax(self) -> int:
        """Largest integer of the grid. Raises TypeError for a float."""
        return (1 << (self._integer_bits - self.signed)) - 1

    @property
    def _integer_bits(self) -> int:
        if self.is_float:
            raise TypeError(f"{self.name} has no integer grid")
        return self.bits

    def __str__(self) -> str:
        return self.name


qint4 = DType("int4", 4)
qint8 = DType("int8", 8)
quint8 = DType("uint8", 8, signed=False)
qint16 = DType("int16", 16)
qint32 = DType("int32", 32)
float16 = DType("float16", 16, is_float=True)
float32 = DType("float32", 32, is_float=True)

DTYPES: dict[str, DType] = {
    d.name: d for d in (qint4, qint8, quint8, qint16, qint32, float16, float32)
}
