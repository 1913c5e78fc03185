"""NUS-WIDE, TagProp, MIRFlickr, MS-COCO and MovieLens: right values, the traps of each, and what is refused."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.data.json_members import members_of


class TestNusWide:
    @pytest.fixture
    def folder(self, tmp_path):
        truth = tmp_path / "Groundtruth"
        for name, content in {
            "AllLabels/Labels_sky.txt": "1\n0\n1\n",
            "AllLabels/Labels_lake.txt": "0\n0\n1\n",
            "TrainTestLabels/Labels_sky_Train.txt": "1\r\n0\r\n",
            "TrainTestLabels/Labels_lake_Train.txt": "0\n-1130179\n",
            "TrainTestLabels/Labels_sky_Test.txt": "1\n",
            "TrainTestLabels/Labels_lake_Test.txt": "1",
        }.items():
            (truth / name).parent.mkdir(parents=True, exist_ok=True)
            (truth / name).write_text(content)
        (tmp_path / "ConceptsList").mkdir()
        (tmp_path / "ConceptsList" / "Concepts81.txt").write_text("sky\nlake\n")
        (tmp_path / "ImageList").mkdir()
        (tmp_path / "ImageList" / "Imagelist.txt").write_text("actor\\0001_1.jpg\nactor\\0002_2.jpg\nzoo\\0001_3.jpg\n")
        (tmp_path / "ImageList" / "TrainImagelist.txt").write_text("actor\\0001_1.jpg\nactor\\0002_2.jpg\n")
        return tmp_path

    def test_all(self, folder):
        for path, options in ((folder, {"part": "all"}), (folder / "Groundtruth" / "AllLabels", {})):
            data = vse.load_dataset(path, **options)
            assert data.to_csr().toarray().tolist() == [[1, 0], [0, 0], [1, 1]]
            assert list(data.label_names) == ["sky", "lake"]
            assert list(data.image_ids) == ["actor/0001_1.jpg", "actor/0002_2.jpg", "zoo/0001_3.jpg"]

    def test_the_part_is_asked(self, folder):
        with pytest.raises(vse.InputError, match="has the parts all, test, train; choose one with --part all"):
            vse.load_dataset(folder)
        test = vse.load_dataset(folder, part="test")
        assert test.to_csr().toarray().tolist() == [[1, 1]]
        assert list(test.image_ids) == ["test-0"]  # there is no list of them

    def test_the_line_that_is_wrong_in_the_original(self, folder):
        with pytest.raises(
            vse.FileFormatError, match=r"lake_Train.txt, line 2: '-1130179' is neither 0 nor 1; .*lenient"
        ):
            vse.load_dataset(folder, part="train")
        with pytest.warns(UserWarning, match=r"line 2: '-1130179' .* read as 0 \(1 such line\(s\)\)"):
            data = vse.load_dataset(folder, part="train", lenient=True)
        assert data.to_csr().toarray().tolist() == [[1, 0], [0, 0]]
        assert list(data.image_ids) == ["actor/0001_1.jpg", "actor/0002_2.jpg"]

    def test_without_lists(self, tmp_path):
        (tmp_path / "Labels_b.txt").write_text("1\n")
        (tmp_path / "Labels_a.txt").write_text("0\n")
        data = vse.load_dataset(tmp_path)
        assert list(data.label_names) == ["a", "b"]
        assert list(data.image_ids) == ["all-0"]

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("AllLabels/Labels_sky.txt", "1\n0\n", r"Labels_lake.txt has 3 lines, but Labels_sky.txt has 2"),
            ("AllLabels/Labels_sky.txt", "1\n\n0\n1\n", "Labels_sky.txt, line 2: '' is neither"),
            ("AllLabels/Labels_sky.txt", "1 0\n1\n", "Labels_sky.txt, line 1: '1 0' is neither"),
            ("AllLabels/Labels_clouds.txt", "1\n0\n1\n", "does not name the concept 'clouds'"),
            (
                "../ConceptsList/Concepts81.txt",
                "sky\nlake\nlakes\n",
                "no file for the concept 'lakes', .*; is it .*lake",
            ),
            ("../ConceptsList/Concepts81.txt", "sky\n\nlake\n", "Concepts81.txt: line 2: the name is missing"),
            ("../ImageList/Imagelist.txt", "a\nb\n", "Imagelist.txt names 2 images, but Labels_sky.txt has 3"),
        ],
    )
    def test_what_is_refused_is_named(self, folder, name, content, message):
        (folder / "Groundtruth" / name).write_text(content)
        with pytest.raises(vse.FileFormatError, match=message):
            vse.load_dataset(folder, part="all")


class TestTagProp:
    def write(self, folder, rows, dtype="<u2", name="corel5k_train_annot.hvecs"):
        (folder / name).write_bytes(np.array(rows, dtype).tobytes())
        return folder / name

    def lists(self, folder, labels=("sky", "sea"), images=("1000/1000", "1000/1001")):
        (folder / "corel5k_dictionary.txt").write_text("".join(f"{one}\n" for one in labels))
        (folder / "corel5k_train_list.txt").write_text("".join(f"{one}\n" for one in images))

    @pytest.mark.parametrize(("dtype", "ending"), [("<u2", "hvecs"), ("<u4", "hvecs32")])
    def test_values(self, tmp_path, dtype, ending):
        self.lists(tmp_path)
        path = self.write(tmp_path, [[2, 1, 0], [2, 0, 0]], dtype, f"corel5k_train_annot.{ending}")
        for source in (path, tmp_path):
            data = vse.load_dataset(source)
            assert data.to_csr().toarray().tolist() == [[1, 0], [0, 0]]
            assert list(data.image_ids) == ["1000/1000", "1000/1001"]
            assert list(data.label_names) == ["sky", "sea"]

    def test_compressed_and_large(self, tmp_path):
        matrix = np.random.default_rng(0).random((5000, 20)) < 0.2
        content = np.insert(matrix.astype("<u2"), 0, 20, axis=1).tobytes()
        with gzip.open(tmp_path / "a.gz", "wb") as file:
            file.write(content)
        with pytest.warns(UserWarning, match="are named by numbers"):
            data = vse.load_dataset(tmp_path / "a.gz")
        assert np.array_equal(data.to_csr().toarray(), matrix)

    def test_names_are_missed(self, tmp_path):
        self.lists(tmp_path)
        (tmp_path / "corel5k_dictionary.txt").unlink()
        path = self.write(tmp_path, [[2, 1, 0], [2, 0, 0]])
        with pytest.warns(UserWarning, match=r"labels are named by numbers, as there is no corel5k_dictionary.txt"):
            assert list(vse.load_dataset(path).label_names) == ["0", "1"]

    def test_parts_and_sets_of_a_folder(self, tmp_path):
        self.write(tmp_path, [[2, 1, 0]])
        self.write(tmp_path, [[2, 1, 0]], name="corel5k_test_annot.hvecs")
        with pytest.raises(vse.InputError, match="has the parts test, train"):
            vse.load_dataset(tmp_path)
        self.write(tmp_path, [[2, 1, 0]], name="iaprtc12_test_annot.hvecs")
        with pytest.raises(vse.InputError, match="has the parts corel5k_test, corel5k_train, iaprtc12_test"):
            vse.load_dataset(tmp_path)

    @pytest.mark.parametrize(
        ("rows", "cut", "message"),
        [
            ([[2, 1, 0], [2, 0, 0], [2, 0, 1]], 2, "the last row is truncated; expected rows of 6 bytes"),
            ([[2, 1, 0]] * 3000 + [[3, 0, 0]], 0, "row 3000 has the length 3, but row 0 has 2"),
            ([[2, 1, 0]] * 3000 + [[2, 7, 0]], 0, "row 3000 has the value 7; expected 0 or 1"),
        ],
    )
    def test_what_is_refused_is_named(self, tmp_path, rows, cut, message):
        self.lists(tmp_path)
        path = self.write(tmp_path, rows)
        path.write_bytes(path.read_bytes()[: -cut or None])
        with pytest.raises(vse.FileFormatError, match=message):
            vse.load_dataset(path)

    def test_lists_of_other_sets(self, tmp_path):
        path = self.write(tmp_path, [[2, 1, 0], [2, 0, 0]])
        self.lists(tmp_path, labels=("sky",))
        with pytest.raises(
            vse.FileFormatError, match=r"dictionary.txt has 1 names, but corel5k_train_annot.hvecs has 2"
        ):
            vse.load_dataset(path)

    def test_what_is_no_such_matrix(self, tmp_path):
        with pytest.raises(vse.FileFormatError, match="is not a file of equally long rows"):
            vse.load_dataset(self.write(tmp_path, [[2, 5, 0]]), format="hvecs")


class TestMirflickr:
    def tags(self, folder, **tags):
        (folder / "meta" / "tags").mkdir(parents=True)
        for name, content in tags.items():
            (folder / "meta" / "tags" / f"{name}.txt").write_text(content)

    def labels(self, folder, **labels):
        (folder / "annotations").mkdir()
        for name, content in labels.items():
            (folder / "annotations" / f"{name}.txt").write_text(content)

    def test_tags_are_sorted_by_number_and_images_without_stay(self, tmp_path):
        self.tags(tmp_path, tags1="blue\nsky\n", tags10="sky\n", tags2="")
        data = vse.load_dataset(tmp_path)
        assert list(data.image_ids) == ["im1.jpg", "im2.jpg", "im10.jpg"]
        assert data.labels_of("im1.jpg") == ["blue", "sky"]
        assert data.labels_of("im2.jpg") == []

    def test_annotations_know_all_images_where_there_are_tags(self, tmp_path):
        self.tags(tmp_path, tags1="", tags2="", tags3="")
        self.labels(tmp_path, baby="1\n3\n", baby_r1="3\n", README="not a label")
        with pytest.raises(vse.InputError, match="has the parts tags, annotations"):
            vse.load_dataset(tmp_path)
        data = vse.load_dataset(tmp_path, part="annotations")
        assert data.to_csr().toarray().tolist() == [[1, 0], [0, 0], [1, 1]]
        assert list(data.label_names) == ["baby", "baby_r1"]

    def test_annotations_alone(self, tmp_path):
        self.labels(tmp_path, baby="1\n3\n", baby_r1="3\n")
        with pytest.warns(UserWarning, match="images without annotations are missing"):
            data = vse.load_dataset(tmp_path / "annotations")
        assert list(data.image_ids) == ["im1.jpg", "im3.jpg"]

    def test_what_is_refused_is_named(self, tmp_path):
        self.tags(tmp_path, tags1="")
        self.labels(tmp_path, baby="1\n2\n", baby_r1="")
        with pytest.raises(vse.FileFormatError, match=r"baby.txt names image 2, which has no tags"):
            vse.load_dataset(tmp_path, part="annotations")
        (tmp_path / "annotations" / "baby.txt").write_text("1\nx\n")
        with pytest.raises(vse.FileFormatError, match=r"baby.txt: line 2: 'x' is not the number of an image"):
            vse.load_dataset(tmp_path, part="annotations")


COCO = {
    "info": {},
    "images": [{"id": 9, "file_name": "a.jpg"}, {"id": 4, "file_name": "b.jpg"}],
    "annotations": [{"image_id": 4, "category_id": 90}, {"image_id": 4, "category_id": 1, "iscrowd": 1}],
    "categories": [{"id": 90, "name": "toothbrush"}, {"id": 1, "name": "person"}, {"id": 3, "name": "car"}],
}


class TestCoco:
    def read(self, folder, changes=(), **options):
        (folder / "instances.json").write_text(json.dumps(COCO | dict(changes)))
        return vse.load_dataset(folder / "instances.json", **options)

    def test_gaps_and_images_without_annotations(self, tmp_path):
        data = self.read(tmp_path)
        assert list(data.label_names) == ["person", "car", "toothbrush"]
        assert list(data.image_ids) == ["a.jpg", "b.jpg"]
        assert data.to_csr().toarray().tolist() == [[0, 0, 0], [1, 0, 1]]

    def test_elements_that_lie_across_blocks(self, tmp_path):
        images = [{"id": i, "file_name": f"{i:012}.jpg", "note": "é" * (i % 50)} for i in range(30_000)]
        annotations = [
            {"image_id": i, "category_id": 3, "segmentation": list(range(i % 40))} for i in range(0, 30_000, 3)
        ]
        data = self.read(tmp_path, {"images": images, "annotations": annotations})
        assert data.n_images == 30_000
        assert data.label_counts.tolist() == [0, 10_000, 0]
        assert data.labels_of("000000029997.jpg") == ["car"]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"images": [{"file_name": "a.jpg"}]}, "'images', element 0: it has no 'id'"),
            ({"images": [{"id": 1}]}, "'images', element 0: it has no 'coco_url'"),
            ({"images": [{"id": 1, "file_name": 7}]}, "'images', element 0: the file name is 7"),
            ({"images": [{"id": "x", "file_name": "a"}]}, "the id 'x' is not a whole number"),
            ({"images": COCO["images"] * 2}, "'images', element 2: the image 9 is listed twice"),
            ({"categories": COCO["categories"][:2] * 2}, "'categories', element 2: the category 90 is listed twice"),
            (
                {"categories": COCO["categories"][1:]},
                r"annotation 0 has the category 90, which is not in the file \(1 such",
            ),
            ({"images": COCO["images"][:1]}, r"annotation 0 has the image 4, which is not in the file \(2 such"),
            ({"annotations": [{"image_id": "4", "category_id": 1}]}, "'annotations', element 0: "),
            ({"annotations": [7]}, "'annotations', element 0: "),
            ({"images": [{"id": i, "file_name": "a.jpg"} for i in (9, 4)]}, "'a.jpg' appears twice"),
        ],
    )
    def test_what_is_refused_is_named(self, tmp_path, changes, message):
        with pytest.raises(vse.FileFormatError, match=message):
            self.read(tmp_path, changes)

    def test_captions_are_no_labels(self, tmp_path):
        with pytest.raises(vse.InputError, match="has captions, not labels; read it with load_caption_set"):
            self.read(tmp_path, {"annotations": [{"image_id": 9, "caption": "a cat"}]})

    def test_a_list_that_is_missing(self, tmp_path):
        (tmp_path / "a.json").write_text('{"images": [], "categories": []}')
        with pytest.raises(vse.FileFormatError, match="has no list of annotations"):
            vse.load_dataset(tmp_path / "a.json")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b'{"images": [{"id": 1}, {"id"', "'images', element 1: not JSON"),
            (b'{"images": [{"id": 1} {"id": 2}]}', "expected ',', found '{'"),
            (b'{"images": [1,]}', "expected an element before ']'"),
            (b'{"images" 3}', "expected ':'"),
            (b"[1]", "at the beginning: not JSON: expected '{'"),
            (b'{"images": ["\xff"]}', "at .*: not JSON: 'utf-8' codec"),
            (b'{"images": [1', "the file ends in the middle"),
        ],
    )
    def test_what_is_no_json(self, tmp_path, content, message):
        (tmp_path / "a.json").write_bytes(content)
        with pytest.raises(vse.FileFormatError, match=message):
            list(members_of(tmp_path / "a.json"))

    def test_members(self, tmp_path):
        (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf {"a": 12, "b": [1, "x", []], "c": {}, "d": []}')
        expected = [("a", None, 12), ("b", 0, 1), ("b", 1, "x"), ("b", 2, []), ("c", None, {}), ("d", None, [])]
        assert list(members_of(tmp_path / "a.json")) == expected


class TestMovieLens:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "ratings.csv").write_text(
            "userId,movieId,rating,timestamp\n1,7,4.0,9\n1,3,3.5,9\n12,3,5,9\n13,8,1,9\n"
        )
        (tmp_path / "movies.csv").write_text(
            "movieId,title,genres\n"
            '3,"Heat, The (2013)",Comedy|Crime\n7,Emma (1996),(no genres listed)\n8,Emma (1996),Romance\n'
        )
        (tmp_path / "tags.csv").write_text(
            'userId,movieId,tag,timestamp\n1,7,Jane Austen,5\n2,7,"a ""b"", c",5\n2,3,funny,6\n'
        )
        return tmp_path

    def test_ratings(self, folder):
        with pytest.raises(vse.InputError, match=r"has ratings from 0.5 to 5; .* such as --threshold 4"):
            vse.load_dataset(folder / "ratings.csv")
        data = vse.load_dataset(folder / "ratings.csv", threshold=4)
        assert list(data.image_ids) == ["1", "12", "13"]
        assert list(data.label_names) == ["Heat, The (2013)", "Emma (1996) [7]", "Emma (1996) [8]"]
        assert data.to_csr().toarray().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]

    def test_films_without_titles(self, folder):
        (folder / "movies.csv").unlink()
        assert list(vse.load_dataset(folder, part="ratings", threshold=3.5).label_names) == ["3", "7", "8"]

    def test_tags_and_genres(self, folder):
        with pytest.raises(vse.InputError, match="has the parts ratings, tags, genres"):
            vse.load_dataset(folder)
        tags = vse.load_dataset(folder, part="tags")
        assert tags.labels_of("7") == ["Jane Austen", 'a "b", c']
        assert tags.titles.tolist() == ["Emma (1996)", "Heat, The (2013)"]
        genres = vse.load_dataset(folder / "movies.csv")
        assert genres.labels_of("3") == ["Comedy", "Crime"]
        assert genres.labels_of("7") == []
        assert genres.titles.tolist() == ["Heat, The (2013)", "Emma (1996)", "Emma (1996)"]

    def test_a_tag_that_is_empty(self, folder):
        (folder / "tags.csv").write_text("userId,movieId,tag,timestamp\n1,7,x,5\n2,7, ,5\n")
        with pytest.warns(UserWarning, match=r"skipped 1 row\(s\) without a tag"):
            assert vse.load_dataset(folder / "tags.csv").n_pairs == 1

    @pytest.mark.parametrize(
        ("name", "row", "message"),
        [
            ("ratings", "1,7,x,9", "ratings.csv, line 3: '1,7,x,9' is not a user, a film, a rating"),
            ("ratings", "1,7,,9", "line 3: '1,7,,9' is not"),
            ("ratings", "1 2,7,4,9", "line 3: '1 2,7,4,9' is not"),
            ("tags", "1,7,x", "tags.csv, line 3: '1,7,x' is not a row of 4 cells"),
            ("tags", "1,x,x,5", "line 3: '1,x,x,5' is not a row of 4 cells with a film number"),
            ("tags", '1,7,"x,5', "line 3: unexpected end of data"),
            ("movies", "x,y,z", "movies.csv, line 3: 'x,y,z' is not a row of 3 cells with a film number"),
        ],
    )
    def test_what_is_refused_is_named(self, folder, name, row, message):
        lines = (folder / f"{name}.csv").read_text().splitlines()
        (folder / f"{name}.csv").write_text("\n".join([*lines[:2], row]))
        with pytest.raises(vse.FileFormatError, match=message):
            vse.load_dataset(folder / f"{name}.csv", threshold=4 if name == "ratings" else None)

    def test_a_header_alone(self, folder):
        for name, options in (("ratings", {"threshold": 4}), ("tags", {})):
            path = folder / f"{name}.csv"
            path.write_text(path.read_text().splitlines()[0] + "\n")
            with pytest.raises(vse.FileFormatError, match="has a header but no r"):
                vse.load_dataset(path, **options)

    def test_a_threshold_is_for_ratings(self, folder):
        with pytest.raises(vse.InputError, match="threshold=4 cannot be used with .*; it is only for tables of scores"):
            vse.load_dataset(folder / "tags.csv", threshold=4)
