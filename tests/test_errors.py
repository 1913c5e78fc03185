"""The names that a message suggests."""

from vsenumba.errors import near_names


def test_of_names_that_are_as_near_those_that_begin_alike_come_first():
    """Found 2026-11: "1000" was taken for a slip of "1200.0", though there was "1000.0"."""
    names = [f"{number}.0" for number in range(1000, 1302)]
    assert near_names("1000", names)[0] == "1000.0"
    assert near_names("dgo", ["god", "dog", "cat"]) == ["dog", "god"]
    assert near_names("xyz", ["cat"]) == []
    assert near_names("xyz", []) == []
