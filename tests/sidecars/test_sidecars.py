"""Sidecars: only what is added is written, everything else stays, and undoing gives back what was there."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import names as any_names

from vsenumba.errors import FileFormatError, InputError
from vsenumba.sidecars import Packet, Sidecars, elements, packet, tag_sidecars, undo_sidecars

RDF, DC = packet.RDF, "http://purl.org/dc/elements/1.1/"
# As a program that edits pictures writes them.
LIGHTROOM = """\ufeff<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\r
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">\r
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\r
  <!-- mine -->\r
  <rdf:Description rdf:about=""\r
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"\r
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"\r
   xmp:Rating="3 &gt; 2">\r
   <dc:subject>\r
    <rdf:Bag>\r
     <rdf:li>Cat</rdf:li>\r
     <rdf:li><![CDATA[a & b]]></rdf:li>\r
    </rdf:Bag>\r
   </dc:subject>\r
   <lr:hierarchicalSubject>\r
    <rdf:Bag>\r
     <rdf:li>animal|Cat</rdf:li>\r
    </rdf:Bag>\r
   </lr:hierarchicalSubject>\r
  </rdf:Description>\r
 </rdf:RDF>\r
</x:xmpmeta>\r
<?xpacket end="w"?>"""


def subjects(content):
    """Return the tags, read by another reader."""
    root = ElementTree.fromstring(content)  # noqa: S314  # it is the test's own
    return ["".join(item.itertext()) for one in root.iter(f"{{{DC}}}subject") for item in one.iter(f"{{{RDF}}}li")]


xml_names = any_names.filter(lambda name: not packet._NOT_XML.search(name) and "\r" not in name and "]]>" not in name)


@st.composite
def sidecar_texts(draw):
    """Draw a sidecar as some program may write it, and its tags."""
    line = draw(st.sampled_from(["", " ", "\n", "\n  ", "\r\n\t"]))
    rdf, dc = draw(st.sampled_from(["rdf", "r"])), draw(st.sampled_from(["dc", "d"]))
    comment = draw(st.sampled_from(["", "<!-- <rdf:li> -->", "<?other program?>"]))
    tags = draw(st.lists(xml_names, max_size=3, unique_by=str.casefold))
    items = "".join(f"{line}<{rdf}:li>{packet._escaped(tag).decode()}</{rdf}:li>" for tag in tags)
    kind = draw(st.sampled_from(["Bag", "Seq"]))
    lists = f"<{rdf}:{kind}>{comment}{items}{line}</{rdf}:{kind}>"
    if not tags:
        lists = draw(st.sampled_from([lists, f"<{rdf}:{kind}/>", f"<{rdf}:{kind} ></{rdf}:{kind}>"]))
    subject = f"<{dc}:subject>{line}{lists}</{dc}:subject>"
    if not tags:
        subject = draw(st.sampled_from([subject, ""]))
    about = draw(st.sampled_from([f' {rdf}:about=""', "", f" {rdf}:about='uuid:&quot;1&quot;'", ' about="x"']))
    other = draw(st.sampled_from(["", "<o:p xmlns:o='urn:o'> 1 &lt; <o:q/> </o:p>"]))
    description = (
        f"<{rdf}:Description{about} xmlns:{dc}='{DC}' a='>'>{other}{line}{subject}{comment}</{rdf}:Description>"
    )
    content = draw(st.sampled_from(["all", "apart", "none" if not tags else "all"]))
    if content == "apart":
        description = f"<{rdf}:Description{about}/>{line}{description}"
    inner = f">{comment}{line}{description}{line}{comment}</{rdf}:RDF>"
    if content == "none":
        inner = draw(st.sampled_from(["/>", f">{line}</{rdf}:RDF>"]))
    text = f'<{rdf}:RDF xmlns:{rdf}="{RDF}"{inner}'
    if draw(st.booleans()):
        text = f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{line}{text}{line}</x:xmpmeta>'
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    declared = draw(st.sampled_from(["", f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?>"]))
    text = declared + text + draw(st.sampled_from(["", "\n", "  "]))
    return text.encode(encoding), tags


more_names = st.lists(xml_names, min_size=1, max_size=3)


@given(sidecar_texts(), more_names, more_names)
def test_tags_are_added_once_and_undoing_gives_the_bytes_back(drawn, new, newer):
    original, tags = drawn
    once = Packet(original).with_tags(new)
    expected = list(tags)
    for tag in new:
        if tag.casefold() not in map(str.casefold, expected):
            expected.append(tag)
    assert sorted(subjects(once)) == sorted(expected)
    assert Packet(once).tags == subjects(once)
    assert Packet(once).with_tags(new) == once
    twice = Packet(once).with_tags(newer)
    assert Packet(twice).added == [tag for tag in subjects(twice) if tag not in tags]
    for changed in (once, twice):
        undone = Packet(changed).without_added()
        assert subjects(undone) == tags
        assert Packet(undone).added == []
        assert _canonical(undone) == _canonical(original)
        if not re.search(rb"(Bag|Seq|RDF [^>]*)/>", original.replace(b"\0", b"")):
            assert undone == original


@given(sidecar_texts(), more_names)
def test_undoing_works_when_another_program_has_written_the_file_anew(drawn, new):
    original, tags = drawn
    tagged = Packet(original).with_tags(new)
    # Other prefixes, no comments, no indentation.
    rewritten = ElementTree.tostring(ElementTree.fromstring(tagged), encoding="utf-8")  # noqa: S314
    undone = Packet(rewritten).without_added()
    assert subjects(undone) == tags
    assert b"<ns" not in undone or packet.ADDED.encode() not in undone
    assert Packet(undone).added == []


@given(more_names, more_names)
def test_a_sidecar_made_for_tags_is_gone_when_they_are(new, newer):
    content = Packet(Packet().with_tags(new)).with_tags(newer)
    assert Packet(content).tags == Packet(content).added == subjects(content)
    assert Packet(content).without_added() is None


def _canonical(content):
    return ElementTree.canonicalize(
        content.decode("utf-16" if content[:1] in b"\xfe\xff" else "utf-8-sig"), with_comments=True
    )


def test_what_is_added_stands_where_people_would_put_it():
    tagged = Packet(LIGHTROOM.encode()).with_tags(["dog", "cat", "Dog", "a & b"]).decode()
    items = "     <rdf:li><![CDATA[a & b]]></rdf:li>\r\n"
    block = (
        f'  <rdf:Description rdf:about="" xmlns:dc="{DC}" xmlns:vsenumba="vsenumba:ns:1.0/">\r\n'
        "   <vsenumba:added>\r\n    <rdf:Bag>\r\n     <rdf:li>dog</rdf:li>\r\n    </rdf:Bag>\r\n"
        "   </vsenumba:added>\r\n  </rdf:Description>\r\n"
    )
    expected = LIGHTROOM.replace(items, items + "     <rdf:li>dog</rdf:li>\r\n")
    assert tagged == expected.replace(" </rdf:RDF>", block + " </rdf:RDF>")
    assert Packet(tagged.encode()).without_added() == LIGHTROOM.encode()


def test_a_tag_that_people_took_away_is_not_added_again_and_one_that_they_had_stays():
    tagged = Packet(LIGHTROOM.encode()).with_tags(["dog", "pet"]).decode()
    without = re.sub(r"\s*<rdf:li>dog</rdf:li>", "", tagged, count=1).encode()
    assert Packet(without).with_tags(["dog", "Cat"]) == without
    assert subjects(Packet(without).without_added()) == ["Cat", "a & b"]


def test_what_others_add_to_a_sidecar_that_was_made_stays():
    content = Packet().with_tags(["cat"])
    rated = content.replace(b"rdf:about", b'xmlns:xmp="urn:xmp" xmp:Rating="3" rdf:about')
    assert b'xmp:Rating="3"' in Packet(rated).without_added()
    assert Packet(Packet(rated).without_added()).tags == []
    tagged = content.replace(b"<rdf:li>cat", b"<rdf:li>mine</rdf:li><rdf:li>cat", 1)
    assert Packet(Packet(tagged).without_added()).tags == ["mine"]
    remark = content.replace(b" <rdf:Description", b" <!-- keep --><rdf:Description")
    assert b"<!-- keep -->" in Packet(remark).without_added()


def xmp(inner, about='rdf:about=""'):
    return (
        f"<rdf:RDF xmlns:rdf='{RDF}' xmlns:dc='{DC}' xmlns:v='{packet.OURS}'>"
        f"<rdf:Description {about}>{inner}</rdf:Description></rdf:RDF>"
    ).encode()


LAUGHS = b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><r>&b;</r>'
TWO_ABOUTS = xmp("").replace(b"</rdf:RDF>", b"<rdf:Description rdf:about='b'/></rdf:RDF>")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not well-formed XML: no element found in line 1"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not valid UTF-8"),
        (b"\xff\xfea", "not valid UTF-16-LE"),
        (b"<html><body/></html>", "XML, but not XMP"),
        (b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", "XML, but not XMP"),
        (xmp("")[:-4], "not well-formed XML"),
        (xmp("<dc:subject>cat</dc:subject>"), "its dc:subject is not a list of tags"),
        (xmp("<dc:subject><rdf:Bag><b/></rdf:Bag></dc:subject>"), "its dc:subject is not a list of tags"),
        (xmp("", "dc:subject='cat'"), "its dc:subject is not a list of tags"),
        (xmp("<v:added/>"), "its vsenumba:added is not a list of tags"),
        (xmp("&other;"), "not well-formed XML: undefined entity"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?>" + xmp(""), "encoded in ISO-8859-1; save it in UTF-8"),
        (LAUGHS, "declares a document type"),
        (b"<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r/>", "declares a document type"),
        (xmp("<a>" * 600 + "</a>" * 600), "more than 500,000 elements, or more than 500 nested"),
        (TWO_ABOUTS, "its descriptions have different rdf:about values"),
    ],
)
def test_what_is_no_xmp_is_named_and_left_alone(tmp_path, content, message):
    sidecar, good = tmp_path / "a.jpg.xmp", tmp_path / "b.jpg"
    sidecar.write_bytes(content)
    for write in (False, True):
        bad, other = tag_sidecars([(tmp_path / "a.jpg", ["dog"]), (good, ["dog"])], write=write)
        assert message in bad.problem
        assert str(sidecar) in bad.problem
        assert "\n" not in bad.problem
        assert (bad.tags, other.problem) == ([], "")
    assert sidecar.read_bytes() == content


def test_a_broken_file_is_a_problem_of_undoing_only_if_it_is_ours(tmp_path):
    (tmp_path / "a.xmp").write_bytes(b"no XML")
    (tmp_path / "b.xmp").write_bytes(b"no XML, but vsenumba:ns:1.0/")
    (tmp_path / "c.xmp").write_bytes(LIGHTROOM.encode())
    (change,) = undo_sidecars([tmp_path], write=True)
    assert "b.xmp" in change.problem
    assert (tmp_path / "a.xmp").read_bytes() == b"no XML"


def test_too_large_a_file_is_no_sidecar(tmp_path, monkeypatch):
    monkeypatch.setattr(elements, "MAX_ELEMENTS", 1000)
    assert Packet(xmp("<a/>" * 998)).tags == []
    with pytest.raises(FileFormatError, match="more than 1,000 elements"):
        Packet(xmp("<a/>" * 999))
    monkeypatch.setattr(packet, "MAX_BYTES", 1 << 20)
    (tmp_path / "a.xmp").write_bytes(xmp(" " * (1 << 20)))
    with pytest.raises(FileFormatError, match=r"a\.xmp is too large for a sidecar: it has more than 1 MB"):
        Packet.read(tmp_path / "a.xmp")


@pytest.mark.parametrize("tag", ["a\0", "a\x1b", "\ud800", "\uffff"])
def test_what_xml_cannot_hold_is_named(tmp_path, tag):
    with pytest.raises(InputError, match=r"the character U\+[0-9A-F]{4}, which XML does not allow"):
        Packet().with_tags(["b", tag])
    (change,) = tag_sidecars([(tmp_path / "a.jpg", ["b", tag])], write=True)
    assert str(tmp_path / "a.jpg.xmp") in change.problem
    assert list(tmp_path.iterdir()) == []


def test_a_carriage_return_and_markup_come_back_as_they_were():
    tags = ["a\rb", "<script>", "&amp;", "]]>", "\"'", "猫"]
    assert subjects(Packet().with_tags(tags)) == tags


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_nothing_is_written_without_being_asked(tmp_path):
    (tmp_path / "b.xmp").write_text(LIGHTROOM)
    before = files(tmp_path)
    tags = [(tmp_path / "a.jpg", ["cat"]), (tmp_path / "b.jpg", ["cat", "dog"]), (tmp_path / "b.jpg", ["cat"])]
    changes = list(tag_sidecars(tags))
    assert [(one.sidecar.name, one.tags, one.whole_file, one.problem) for one in changes] == [
        ("a.jpg.xmp", ["cat"], True, ""),
        ("b.xmp", ["dog"], False, ""),
        ("b.xmp", [], False, ""),
    ]
    assert files(tmp_path) == before
    assert list(tag_sidecars(tags, write=True)) == changes
    after = files(tmp_path)
    assert after != before
    assert [one.tags for one in tag_sidecars(tags, write=True)] == [[], [], []]
    would = list(undo_sidecars([tmp_path]))
    assert files(tmp_path) == after
    assert list(undo_sidecars([tmp_path], write=True)) == would
    assert [(one.sidecar.name, one.tags, one.whole_file) for one in would] == [
        ("a.jpg.xmp", ["cat"], True),
        ("b.xmp", ["dog"], False),
    ]
    assert files(tmp_path) == before
    assert list(undo_sidecars([tmp_path], write=True)) == []


def test_pictures_are_never_touched_and_undoing_takes_pictures_and_folders(tmp_path):
    for name in ("one/a.jpg", "one/b.png", "two/c.jpg", "two/d.gif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    before = files(tmp_path)
    pictures = [tmp_path / name for name in before]
    list(tag_sidecars([(one, ["cat"]) for one in pictures], write=True))
    assert {name: files(tmp_path)[name] for name in before} == before
    undone = list(undo_sidecars([tmp_path / "one", tmp_path / "two/c.jpg", tmp_path / "two/d.gif.xmp"], write=True))
    assert [one.sidecar.name for one in undone] == ["a.jpg.xmp", "b.png.xmp", "c.jpg.xmp", "d.gif.xmp"]
    assert files(tmp_path) == before
    with pytest.raises(InputError, match="does not exist"):
        list(undo_sidecars([tmp_path / "three"]))
    assert list(undo_sidecars([pictures[0]])) == []


def place(folder, *there, picture="x.jpg"):
    for name in there:
        (folder / name).write_bytes(LIGHTROOM.encode())
    return Sidecars().of(folder / picture).name


def test_the_sidecar_is_the_one_that_is_there(tmp_path):
    assert place(tmp_path) == "x.jpg.xmp"
    assert place(tmp_path, "x.jpg") == "x.jpg.xmp"
    assert place(tmp_path, "x.xmp") == "x.xmp"
    assert place(tmp_path, "x.jpg.xmp") == "x.jpg.xmp"
    assert place(tmp_path, "y.XMP", picture="y.png") == "y.XMP"
    assert place(tmp_path, "z.png.XMP", picture="z.png") == "z.png.XMP"


def test_a_sidecar_that_may_be_another_pictures_is_not_taken(tmp_path):
    with pytest.raises(
        InputError, match=r"x\.xmp may belong to x\.jpg or to x\.cr2; rename it to x\.jpg\.xmp or x\.cr2"
    ):
        place(tmp_path, "x.jpg", "x.cr2", "x.xmp")
    says = LIGHTROOM.replace(
        'xmp:Rating="',
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:SidecarForExtension="CR2" xmp:Rating="',
    )
    (tmp_path / "x.xmp").write_text(says)
    assert Sidecars().of(tmp_path / "x.jpg").name == "x.jpg.xmp"
    assert Sidecars().of(tmp_path / "x.cr2").name == "x.xmp"
    (tmp_path / "x.xmp").write_bytes(
        xmp("<p:SidecarForExtension xmlns:p='http://ns.adobe.com/photoshop/1.0/'>jpg</p:SidecarForExtension>")
    )
    assert Sidecars().of(tmp_path / "x.jpg").name == "x.xmp"
    (change,) = tag_sidecars([(tmp_path / "x.png", ["cat"])])
    assert change.sidecar.name == "x.png.xmp"


def test_protected_places_are_named(tmp_path, monkeypatch):
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(LIGHTROOM.encode())
    monkeypatch.setattr("os.access", lambda *_: False)
    for write in (False, True):
        (change,) = tag_sidecars([(tmp_path / "a.jpg", ["dog"])], write=write)
        assert f"cannot write {sidecar}" in change.problem
    assert sidecar.read_bytes() == LIGHTROOM.encode()
    (change,) = tag_sidecars([(tmp_path / "nowhere" / "a.jpg", ["dog"])])
    assert "cannot write" in change.problem
    (tmp_path / "b.jpg.xmp").mkdir()
    (change,) = tag_sidecars([(tmp_path / "b.jpg", ["dog"])], write=True)
    assert "Is a directory" in change.problem


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.xmp").write_bytes(LIGHTROOM.encode())
    link = tmp_path / "a.jpg.xmp"
    link.symlink_to("real.xmp")
    list(tag_sidecars([(tmp_path / "a.jpg", ["dog"])], write=True))
    assert link.is_symlink()
    assert "dog" in Packet.read(tmp_path / "real.xmp").tags


def test_a_killed_writer_leaves_the_old_sidecar(tmp_path, monkeypatch):
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(LIGHTROOM.encode())

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    (change,) = tag_sidecars([(Path(tmp_path) / "a.jpg", ["dog"])], write=True)
    assert "No space left" in change.problem
    assert files(tmp_path) == {"a.jpg.xmp": LIGHTROOM.encode()}


def test_what_is_large_takes_no_longer_than_it_must():
    """Each step once looked at every other tag."""
    many = [f"tag {i}" for i in range(3_000)]
    content = Packet(LIGHTROOM.encode()).with_tags(many)
    assert Packet(content).added == many
    assert Packet(content).without_added() == LIGHTROOM.encode()
