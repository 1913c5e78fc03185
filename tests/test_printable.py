"""Names as people may see them."""

from hypothesis import given
from hypothesis import strategies as st

from vsenumba.printable import printable


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_printable_can_be_printed(name):
    shown = printable(name)
    shown.encode()
    assert printable(shown) == shown
    assert not set(shown) & {chr(i) for i in (*range(32), *range(127, 160))}
    if name.isprintable():
        assert shown == name
