"""What a file says of its operands is held against how many there are."""

import pytest

from qflow.emulation.op import Unsupported
from qflow.emulation.own.sophgo._operands import of_form


def test_the_form_says_how_many_operands_there_are() -> None:
    assert of_form({"form": "two"}, [(2, 3), (3,)]) == (2, 3)
    assert of_form({"form": "constant"}, [(2, 3)]) == (2, 3)
    for form, shapes in (("two", [(2, 3)]), ("constant", [(2, 3), (3,)])):
        with pytest.raises(Unsupported, match="operands"):
            of_form({"form": form}, shapes)
