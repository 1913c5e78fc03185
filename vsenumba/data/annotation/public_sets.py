"""The public sets of the catalogue. A file has no checksum here if none is published or if the file changes."""

from __future__ import annotations

from vsenumba.data.annotation.data_set import DataSet, RemoteFile

_MULAN = "https://raw.githubusercontent.com/tsoumakas/mulan/master/data/multi-label/corel5k"
_MOVIELENS = "https://files.grouplens.org/datasets/movielens"
_OPEN_IMAGES = "https://storage.googleapis.com/openimages/v7"
_MOVIELENS_TERMS = "research use, no redistribution; see the README of the set"
_HARPER = (
    "F. M. Harper and J. A. Konstan. The MovieLens Datasets: History and Context. ACM Transactions on Interactive "
    "Intelligent Systems 5(4), 2015"
)
_KUZNETSOVA = "A. Kuznetsova et al. The Open Images Dataset V4. International Journal of Computer Vision 128, 2020"
_BHATIA = "K. Bhatia et al. The Extreme Classification Repository: Multi-label Datasets and Code. 2016"
_HODOSH = (
    "M. Hodosh, P. Young and J. Hockenmaier. Framing Image Description as a Ranking Task. Journal of Artificial "
    "Intelligence Research 47, 2013"
)


def _movielens(name: str, description: str, n_bytes: int | None, checksum: str | None) -> DataSet:
    return DataSet(
        name=name,
        description=description,
        licence=_MOVIELENS_TERMS,
        source="https://grouplens.org/datasets/movielens/",
        files=(RemoteFile(f"{_MOVIELENS}/{name}.zip", n_bytes, checksum),),
        paths={"": name},
        reader="movielens",
        citation=_HARPER,
    )


def _extreme(name: str, description: str) -> DataSet:
    return DataSet(
        name=name,
        description=f"{description}; pass the file of a part to --from",
        licence="research use",
        source="http://manikvarma.org/downloads/XC/XMLRepository.html",
        reader="extreme",
        citation=_BHATIA,
    )


PUBLIC_SETS = (
    DataSet(
        name="corel5k",
        description="5,000 photos with 374 keywords and 499 visual words; parts train, test, all",
        licence="none stated; research use",
        source="https://github.com/tsoumakas/mulan",
        files=(
            RemoteFile(
                f"{_MULAN}/Corel5k-train-sparse.arff",
                339_535,
                "19eb253c447144bea74ffa86b4731a56022addae2ba7d0aab72ad07fdc02e9b3",
            ),
            RemoteFile(
                f"{_MULAN}/Corel5k-test-sparse.arff",
                60_876,
                "e8f8e9cd052c43ba7bdfdf99d242f461fc8c2a03163466d921e576887b51d8a7",
            ),
            RemoteFile(
                f"{_MULAN}/Corel5k-sparse.arff",
                377_579,
                "12c06161d2367f919f6da912089a6c9180c115cfcefa37afacfdeb903930eb7e",
            ),
            RemoteFile(
                f"{_MULAN}/Corel5k.xml",
                11_222,
                "54ef6a6ccb7ca9b77524052b34b306d5d501661a5609b9d1cc7085b2b597679d",
            ),
        ),
        paths={
            "train": "Corel5k-train-sparse.arff",
            "test": "Corel5k-test-sparse.arff",
            "all": "Corel5k-sparse.arff",
        },
        reader="arff",
        citation=(
            "P. Duygulu, K. Barnard, N. de Freitas and D. Forsyth. Object Recognition as Machine Translation: Learning "
            "a Lexicon for a Fixed Image Vocabulary. ECCV 2002"
        ),
    ),
    DataSet(
        name="nus-wide-81",
        description="269,648 Flickr photos with 81 concepts; parts all, train, test",
        licence="research use; the photos belong to their owners",
        source="https://lms.comp.nus.edu.sg/wp-content/uploads/2019/research/nuswide/NUS-WIDE.html",
        reader="nus-wide",
        citation=(
            "T.-S. Chua et al. NUS-WIDE: A Real-World Web Image Database from National University of Singapore. "
            "CIVR 2009"
        ),
    ),
    DataSet(
        name="mirflickr-25k",
        description="annotations of Flickr photos: 24 topics, 14 of them also with relevant images",
        licence="as of each photo, Creative Commons; see the set's page",
        source="https://press.liacs.nl/mirflickr/",
        files=(
            RemoteFile("https://press.liacs.nl/mirflickr/mirflickr25k.v3b/mirflickr25k_annotations_v080.zip", 207_220),
        ),
        reader="mirflickr",
        citation="M. J. Huiskes and M. S. Lew. The MIR Flickr Retrieval Evaluation. ACM MIR 2008",
    ),
    DataSet(
        name="mirflickr-25k-tags",
        description="the tags of 25,000 Flickr photos, in one archive with the photos",
        licence="as of each photo, Creative Commons; see the set's page",
        source="https://press.liacs.nl/mirflickr/",
        files=(
            RemoteFile(
                "https://press.liacs.nl/mirflickr/mirflickr25k.v3b/mirflickr25k.zip",
                3_069_184_257,
                "md5:a23d0a8564ee84cda5622a6c2f947785",
            ),
        ),
        paths={"": "mirflickr/meta/tags"},
        members="mirflickr/meta/tags/",
        reader="mirflickr",
        citation="M. J. Huiskes and M. S. Lew. The MIR Flickr Retrieval Evaluation. ACM MIR 2008",
    ),
    DataSet(
        name="coco-2017",
        description="objects of 80 categories in 118,287 photos (part train) and 5,000 (part val)",
        licence="annotations CC BY 4.0; the photos belong to their owners",
        source="https://cocodataset.org",
        files=(
            RemoteFile(
                "http://images.cocodataset.org/annotations/annotations_trainval2017.zip",
                252_907_541,
                "md5:f4bbac642086de4f52a3fdda2de5fa2c",
            ),
        ),
        paths={part: f"annotations/instances_{part}2017.json" for part in ("train", "val")},
        members="annotations/instances_",
        reader="coco",
        citation="T.-Y. Lin et al. Microsoft COCO: Common Objects in Context. ECCV 2014",
    ),
    *(
        DataSet(
            name=f"open-images-v7-{part}",
            description=f"Open Images, part {part}: human-verified labels and absences",
            licence="annotations CC BY 4.0",
            source="https://storage.googleapis.com/openimages/web/index.html",
            files=(
                RemoteFile(f"{_OPEN_IMAGES}/oidv7-{name}-annotations-human-imagelabels.csv"),
                RemoteFile(f"{_OPEN_IMAGES}/oidv7-class-descriptions.csv"),
            ),
            paths={"": f"oidv7-{name}-annotations-human-imagelabels.csv"},
            reader="open-images",
            citation=_KUZNETSOVA,
        )
        for part, name in (("train", "train"), ("validation", "val"), ("test", "test"))
    ),
    _movielens("ml-latest-small", "100,000 ratings, tags and genres of 9,000 films; changes over time", None, None),
    _movielens(
        "ml-25m",
        "25 million ratings, tags and genres of 62,000 films",
        261_978_986,
        "md5:6b51fb2759a8657d3bfcbfc42b592ada",
    ),
    _movielens(
        "ml-32m",
        "32 million ratings, tags and genres of 88,000 films",
        238_950_008,
        "md5:d472be332d4daa821edc399621853b57",
    ),
    _extreme("eurlex-4k", "15,511 + 3,803 EU documents, 3,956 labels"),
    _extreme("delicious", "12,920 + 3,185 web pages, 983 tags"),
    DataSet(
        name="flickr8k-captions",
        description="five captions for each of 8,092 photos",
        licence="research use",
        source="https://github.com/jbrownlee/Datasets",
        files=(RemoteFile("https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/Flickr8k_text.zip"),),
        paths={"": "Flickr8k.token.txt"},
        members="Flickr8k.token.txt",
        citation=_HODOSH,
        holds="captions",
    ),
    DataSet(
        name="karpathy-captions",
        description="captions of Flickr8k, Flickr30k and MS-COCO with their splits; parts flickr8k, flickr30k, coco",
        licence="research use",
        source="https://cs.stanford.edu/people/karpathy/deepimagesent/",
        files=(RemoteFile("https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip"),),
        paths={name: f"dataset_{name}.json" for name in ("flickr8k", "flickr30k", "coco")},
        members="dataset_",
        citation="A. Karpathy and L. Fei-Fei. Deep Visual-Semantic Alignments for Image Descriptions. CVPR 2015",
        holds="captions",
    ),
)
