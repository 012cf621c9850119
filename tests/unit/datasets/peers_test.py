"""peers_test.py READ_DATASET: folders, shards and text files as people have them. Where Python has a reader (tarfile, csv, json,
codecs, Pillow's list of formats), it says what is right."""
import codecs
import csv
import io
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile
import unittest

try:
    from PIL import Image
except ImportError:
    print("skipped: no Pillow (tests/python.txt)")
    sys.exit(0)

READER = subprocess.Popen(sys.argv[1:2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def png(red):
    """A picture that its first value tells from others."""
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (red, 7, 9)).save(file, "png")
    return file.getvalue()


class Case(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.addCleanup(self.temporary.cleanup)

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def images(self, *names):
        for red, name in enumerate(names):
            self.write(name, png(red))

    def read(self, kind, **keys):
        values = {"folder": str(self.folder), "size": 4, **keys}
        READER.stdin.write(json.dumps({"use": kind, "values": values}) + "\n")
        READER.stdin.flush()
        return json.loads(READER.stdout.readline())

    def folder_of(self, **keys):
        return self.read("image-folder", **{"labels": "none", **keys})

    def shards(self, **keys):
        return self.read("webdataset", **keys)

    def reds(self, read):
        self.assertEqual("", read["error"])
        return [sample["colour"][0] for sample in read["samples"]]

    def captions(self, read):
        self.assertEqual("", read["error"])
        return [sample["caption"] for sample in read["samples"]]

    def says(self, read, *parts):
        for part in parts:
            self.assertTrue(any(part in line for line in read["warnings"]), (part, read["warnings"]))

    def refuses(self, read, *parts):
        self.assertNotIn("samples", read)
        for part in parts:
            self.assertIn(part, read["error"])


class Folders(Case):
    def test_ordinary_folders_say_nothing(self):
        self.images("a.png", "b.png", "notes.md")
        self.write("a.txt", "one")
        self.write("b.txt", "")
        read = self.folder_of(captions="txt")
        self.assertEqual((["one", ""], []), (self.captions(read), read["warnings"]))

    def test_hidden_names_are_passed_over_and_said(self):
        self.images("cat/1.png", "dog/2.png", ".ipynb_checkpoints/3.png", "__MACOSX/cat/._1.png", "cat/@eaDir/1.png/thumb.jpg",
                    "cat/._1.jpg", ".hidden.png")
        self.write(".DS_Store", "x")
        read = self.read("image-folder")
        self.assertEqual([(0, 0), (1, 1)], [(s["colour"][0], s["label"]) for s in read["samples"]])
        self.says(read, "hidden names (.x, __MACOSX, @eaDir) (5, such as .hidden.png)")

    def test_every_ending_that_pillow_knows_is_read_or_said(self):
        Image.init()
        documents = {".pdf", ".ps", ".mpg", ".mpeg", ".h5", ".hdf", ".bufr", ".grib"}
        ours = {e for e, kind in Image.registered_extensions().items() if kind in ("PNG", "JPEG", "WEBP")}
        others = set(Image.registered_extensions()) - ours - documents | {".HEIC", ".jxl", ".svg"}
        for ending in ours | {e.upper() for e in ours} | others:
            self.write("x" + ending, png(1))
        read = self.folder_of()
        self.assertEqual(2 * len(ours), len(read["samples"]))
        self.says(read, f"images that are neither PNG nor JPEG nor WebP ({len(others)}, such as ")

    def test_only_other_formats_are_named_where_nothing_is_left(self):
        self.write("1.bmp", b"BM")
        self.refuses(self.folder_of(), "holds no image", "(1: 1.bmp)")

    def test_links_that_lead_up_are_passed_over(self):
        self.images("data/1.png", "data/sub/2.png", "beside.png")
        for name, target in (("again", "."), ("up", ".."), ("root", "/"), ("sub/back", "../sub"), ("self", "self")):
            (self.folder / "data" / name).symlink_to(target)
        read = self.folder_of(folder=str(self.folder / "data"))
        self.assertEqual([0, 1], self.reds(read))
        self.says(read, "links that lead to a folder above them (4, such as again)", "links that lead to no file (1: self)")

    def test_links_elsewhere_are_read_and_cannot_loop(self):
        self.images("data/1.png", "other/2.png", "other/deep/3.png")
        (self.folder / "data/there").symlink_to("../other")
        (self.folder / "other/deep/home").symlink_to("../../data")
        (self.folder / "other/deep/parent").symlink_to("..")
        read = self.folder_of(folder=str(self.folder / "data"))
        self.assertEqual([0, 1, 2], self.reds(read))
        self.says(read, "above them (2, such as there/deep/home)")

    def test_a_folder_that_two_links_name_is_read_twice_and_said(self):
        self.images("data/a/1.png")
        (self.folder / "data/b").symlink_to("a")
        read = self.folder_of(folder=str(self.folder / "data"))
        self.assertEqual([0, 0], self.reds(read))
        self.says(read, "so that their files are read again (1: b)")

    def test_links_that_multiply_are_refused(self):
        for level in range(12):
            (self.folder / f"out/{level}").mkdir(parents=True)
            for name in "ab":
                (self.folder / f"out/{level}/{name}").symlink_to(f"../{level + 1}")
        (self.folder / "out/12").mkdir()
        (self.folder / "data").mkdir()
        (self.folder / "data/x").symlink_to("../out/0")
        self.refuses(self.folder_of(folder=str(self.folder / "data")), "more than 8 links follow each other")

    def test_what_is_named_like_an_image_and_is_none(self):
        self.images("1.png", "folder.png/2.png")
        (self.folder / "linked.png").symlink_to("folder.png")
        (self.folder / "gone.png").symlink_to("nowhere.png")
        (self.folder / "gone").symlink_to("/nowhere/at/all")
        (self.folder / "zero.png").symlink_to("/dev/zero")
        os.mkfifo(self.folder / "pipe.png")
        read = self.folder_of()
        self.assertEqual([0, 1, 1], self.reds(read))
        self.says(read, "links that lead to no file (3, such as gone)", "neither files nor folders (1: pipe.png)")

    def test_a_file_that_becomes_a_device_is_refused(self):
        self.images("1.png")
        (self.folder / "metadata.csv").symlink_to("/dev/zero")
        self.refuses(self.folder_of(captions="metadata"), "metadata.csv: is no regular file")

    def test_names_that_are_no_utf8_are_shown(self):
        self.images("1.png")
        with open(os.fsencode(self.folder) + b"/caf\xe9\x1b.bmp", "wb"):
            pass
        self.says(self.folder_of(), "caf\\xe9\\x1b.bmp")

    def test_hard_links_count_as_files(self):
        self.images("1.png")
        os.link(self.folder / "1.png", self.folder / "2.png")
        self.assertEqual([0, 0], self.reds(self.folder_of()))


class Captions(Case):
    def texts(self, *contents, **keys):
        for i, content in enumerate(contents):
            self.write(f"{i}.png", png(i))
            self.write(f"{i}.txt", content)
        return self.folder_of(captions="txt", **keys)

    def test_encodings_are_read_as_python_reads_them(self):
        text = "un caf\u00e9 \U0001f600"
        encoded = [text.encode(), text.encode("utf-8-sig"), codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
                   codecs.BOM_UTF16_BE + text.encode("utf-16-be"), (text + "\r\n").encode(), (text + "\r").encode()]
        self.assertEqual([text] * len(encoded), self.captions(self.texts(*encoded)))

    def test_what_is_no_text_is_refused_with_its_place(self):
        bad = {b"one\r\nun caf\xe9": ("0.txt:2:7: ", "0xE9"), b"a\x00b": ("0.txt:1:2: ", "NUL"), b"\xc0\xaf": ("0.txt:1:1: ",),
               b"\xed\xa0\x80": ("0.txt:1:1: ",), b"a\rb\n\xf4\x90\x80\x80": ("0.txt:3:1: ",), b"\xe2\x82": ("0.txt:1:1: ",),
               codecs.BOM_UTF16_LE + b"a\0b": ("0.txt:1:2: ", "ends within"), "\ud800a".encode("utf-16-le", "surrogatepass"): ("0.txt",),
               codecs.BOM_UTF16_LE + b"a\0\0\xd8": ("0.txt:1:2: ", "half a character"), "ab".encode("utf-16-le"): ("UTF-16 without its mark",),
               codecs.BOM_UTF32_LE + "ab".encode("utf-32-le"): ("UTF-32",)}
        for content, parts in bad.items():
            with self.subTest(content):
                self.refuses(self.texts(content), *parts)

    def test_utf8_is_what_python_takes_for_it(self):
        random.seed(14)
        for _ in range(40):
            content = bytes(random.choice(b"a\x7f\x80\x9f\xa0\xbf\xc2\xdf\xe0\xed\xef\xf0\xf4\xf5\xff") for _ in range(random.randint(1, 4)))
            try:
                right = content.decode()
            except UnicodeDecodeError:
                right = None
            read = self.texts(b"x" + content + b"x")
            self.assertEqual(right is None, bool(read["error"]), content)
            if right is not None:
                self.assertEqual(["x" + right + "x"], self.captions(read))

    def test_a_caption_too_long_is_cut_at_a_character_and_counted(self):
        read = self.texts("\u00e9" * 10, "short", "\U0001f600" * 3, caption_bytes=7)
        self.assertEqual(["\u00e9" * 3, "short", "\U0001f600"], self.captions(read))
        self.says(read, "2 of 3 captions are cut to caption_bytes = 7; the longest has 20 bytes")
        read = self.texts("\u00e9" * 10, caption_bytes=20)
        self.assertEqual((["\u00e9" * 10], []), (self.captions(read)[:1], read["warnings"]))

    def test_a_huge_caption_file_is_refused(self):
        self.refuses(self.texts(b"x" * ((1 << 20) + 1)), "0.txt", "more than the 1048576")

    def test_an_image_without_a_text_and_a_text_without_an_image_are_counted(self):
        self.images("a.png", "b.png", "c.jpg")
        self.write("a.TXT", "one")
        self.write("lone.txt", "two")
        read = self.folder_of(captions="txt")
        self.assertEqual(["one"], self.captions(read))
        self.says(read, "images without a caption (2, such as b.png)", "captions without an image (1: lone.txt)")
        (self.folder / "a.TXT").unlink()
        self.refuses(self.folder_of(captions="txt"), "holds no image with a caption", "(3, such as a.png)")

    def test_two_texts_of_one_image_are_refused(self):
        self.images("a.png")
        self.write("a.TXT", "one")
        self.write("a.txt", "two")
        self.refuses(self.folder_of(captions="txt"), "a.txt", "second caption")


class Metadata(Case):
    def rows(self, data, name="metadata.csv"):
        for old in ("metadata.csv", "metadata.jsonl"):
            (self.folder / old).unlink(missing_ok=True)
        self.write(name, data)
        return self.folder_of(captions="metadata")

    def test_tables_are_read_as_python_reads_them(self):
        self.images("1.png", "2.png")
        pairs = [("plain", 'a "red" tile, flat'), ("two\nlines", "semi; colon"), (" blanks ", "tab\tin"), ("it's", "'single'"), ("\u00e9", "x\r\ny")]
        for (one, two), delimiter, end in itertools.product(pairs, ",;\t", ("\n", "\r\n")):
            table = io.StringIO(newline="")
            csv.writer(table, delimiter=delimiter, lineterminator=end).writerows(
                [["text", "file_name", "more"], [one, "1.png", ""], [], [two, "2.png", "x"]])
            table.seek(0)
            peer = {row["file_name"]: row["text"] for row in csv.DictReader(table, delimiter=delimiter)}
            self.assertEqual([peer["1.png"], peer["2.png"]], self.captions(self.rows(table.getvalue())), table.getvalue())

    def test_marks_and_line_ends_of_other_programs(self):
        self.images("1.png", "2.png")
        plain = "file_name,text\n1.png,one\n2.png,two\n"
        for data in (plain.encode("utf-8-sig"), plain.encode("utf-16"), plain.replace("\n", "\r").encode(), plain.replace("\n", "\r\n\r\n").encode(),
                     plain.replace("file_name,text", ' "file_name" , text ').encode(), (plain + ",\n , \n").encode(), plain.rstrip().encode()):
            self.assertEqual(["one", "two"], self.captions(self.rows(data)), data)

    def test_what_is_no_table_is_refused_with_its_place(self):
        self.images("1.png", "2.png")
        head = "file_name,text\n"
        for data, *parts in (('file_name,text\n2.png,a dog\n1.png,"a cat\n2.png,a bird\n', "metadata.csv:3:7: ", "never closed"),
                             (head + '1.png,"a cat\n2.png,"a bird"\n', "metadata.csv:2:7: ", "closes at", "metadata.csv:3:7"),
                             (head + '1.png,"a cat\n2.png,x\n3.png,"\n', "metadata.csv:2:7: ", "holds a row (2.png)"),
                             (head + '1.png,"a \\"red\\" tile"\n', "metadata.csv:2:7: "), (head + '1.png, "a, b"\n', "metadata.csv:2:7: ", "blanks"),
                             (head + "1.png,a,b\n", "metadata.csv:2:1: 3 columns"), (head + "1.png\n", "metadata.csv:2:1: 1 columns"),
                             (head + "1.png,a\n./1.png,b\n", "metadata.csv:3: ", "in line 2"), (head + ",a\n", "metadata.csv:2:1: no file_name"),
                             ("file_name,text,text\n1.png,a,b\n", "metadata.csv:1:1: two columns"), ("sep=;\nfile_name;text\n", '"sep="'),
                             ("file;text\n1.png;a\n", "metadata.csv:1:1: ", '"file", "text"'), ("", "metadata.csv:1:1: "),
                             (b"file_name,text\n1.png,caf\xe9\n", "metadata.csv:2:10: ", "0xE9"), (b"file_name,text\n1.png,a\0b\n", "metadata.csv:2:8: ")):
            with self.subTest(data):
                self.refuses(self.rows(data), *parts)

    def test_lines_of_json_are_read_as_python_reads_them(self):
        self.images("1.png", "2.png")
        for text in ("plain", "\u00e9\U0001f600", 'a "red" tile', "two\nlines", "", " blanks "):
            for ascii_only, encoding, end in itertools.product((True, False), ("utf-8", "utf-8-sig", "utf-16"), ("\n", "\r\n", "\r")):
                lines = [json.dumps({"file_name": f"{i}.png", "n": {"deep": [1, {}]}, "text": text}, ensure_ascii=ascii_only) for i in (1, 2)]
                if ascii_only and encoding != "utf-8":
                    continue
                self.assertEqual([text, text], self.captions(self.rows(end.join([*lines, "", ""]).encode(encoding), "metadata.jsonl")))

    def test_lines_that_are_none_are_refused_with_their_place(self):
        self.images("1.png")
        good = '{"file_name": "1.png", "text": "x"}'
        for data, *parts in ((good + ",\n", "metadata.jsonl:1:36: ", "syntax error"), (good + "\n[" + good + "]", "metadata.jsonl:2:1: no object"),
                             ('"x"', ":1:1: no object"), ("3", ":1:1: no object"), ('{"file_name": "1.png"}', ':1:1: no "text"'), ("{}", ':1:1: no "file_name"'),
                             ('{"file_name": "1.png", "caption": "x"}', 'there is caption, file_name'), ('{"file_name": "1.png", "text": 3}', '"text" is no text'),
                             ('{"file_name": "1.png", "text": null}', '"text" is no text'), ('{"file_name": "1.png", "text": ["a"]}', '"text" is no text'),
                             ('{"file_name": "1.png", "text": {"a": "b"}}', '"text" is no text'), ('{"text": "a", "file_name": "1.png", "text": "b"}', 'the key "text" twice'),
                             ('{"file_name": "1.png", "text": "a\\u0000b"}', '"text" holds a NUL'), ('{"file_name": "1.png", "text": "\\ud800"}', ":1:"),
                             ('{"file_name": "1.png", "x": ' + "[" * 100000, "nested deeper than 64"), ('{"x":' * 100000, "nested deeper than 64"),
                             (good + "\n" + good, "metadata.jsonl:2: ", "a row already, in line 1"), (good + "\n{", "metadata.jsonl:2:2: "),
                             ('{"file_name": "1.png", "text": "x"} {"a": 1}', ":1:37: "), ("\n\n{'a': 1}", "metadata.jsonl:3:2: ")):
            with self.subTest(data[:80]):
                self.refuses(self.rows(data, "metadata.jsonl"), *parts)

    def test_names_are_found_however_they_are_written(self):
        self.images("1.png", "sub/2.png", "cafe\u0301.png", "sub/3.png", "\ud55c.png")
        names = ("./1.png", "sub\\2.png", "caf\u00e9.png", "sub//x/../3.png", "\u1112\u1161\u11ab.png")
        read = self.rows("".join(json.dumps({"file_name": n, "text": str(i)}) + "\n" for i, n in enumerate(names)), "metadata.jsonl")
        self.assertEqual({(s["colour"][0], s["caption"]) for s in read["samples"]}, {(i, str(i)) for i in range(5)})
        self.assertEqual([], read["warnings"])

    def test_rows_and_images_that_miss_each_other_are_counted(self):
        self.images("1.png", "2.png")
        read = self.rows('{"file_name": "1.png", "text": "one"}\n{"file_name": "3.png", "text": "three"}\n', "metadata.jsonl")
        self.assertEqual(["one"], self.captions(read))
        self.says(read, "images without a caption (1: 2.png)", "metadata.jsonl: rows without an image (1: 3.png in line 2)")
        self.write("metadata.csv", "file_name,text\n")
        self.says(self.folder_of(captions="metadata"), "metadata.csv is not read")


def shard(members, format=tarfile.USTAR_FORMAT, **more):
    """The bytes of an archive; a member is (name, bytes) or (name, (type, target))."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format, **more) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, tuple):
                info.type, info.linkname = content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def checked(block):
    """A header block with the sum that it should have."""
    block = bytearray(block)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def raw(name, content=b"", size=None, type=b"0"):
    """One member, its size field as given."""
    header = bytearray(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = (size if size is not None else b"%011o\0" % len(content)).ljust(12, b"\0")
    header[156:157] = type
    return checked(header) + content + b"\0" * (-len(content) % 512)


def record(text):
    """One of a pax header, with its length."""
    return b"%d %s\n" % (len(text) + (3 if len(text) < 7 else 4), text)


END = b"\0" * 1024


class Shards(Case):
    def test_members_are_those_that_tarfile_lists(self):
        """Long names, links of both kinds and folders, in three formats, against tarfile's own reading."""
        deep = "long-" * 40 + "/" + "name" * 20
        for format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            long = "folder-" * 12 + "/a.png" if format == tarfile.USTAR_FORMAT else deep + ".png"
            members = [("d", (tarfile.DIRTYPE, "")), ("./d/one.png", png(1)), (long, png(2)), ("hard.png", (tarfile.LNKTYPE, "d/one.png")),
                       ("d/soft.png", (tarfile.SYMTYPE, "one.png")), ("x/up.png", (tarfile.SYMTYPE, "../d/./one.png")), ("ring.png", (tarfile.SYMTYPE, "ring.png")),
                       ("late.png", (tarfile.SYMTYPE, "last.png")), ("early.png", (tarfile.LNKTYPE, "last.png")), ("away.png", (tarfile.SYMTYPE, "/etc/hostname")),
                       ("pipe.png", (tarfile.FIFOTYPE, "")), ("../up.png", png(3)), ("last.png", png(4))]
            path = self.write("0.tar", shard(members, format, pax_headers={"comment": "x" * 600} if format == tarfile.PAX_FORMAT else None))
            peer = []
            with tarfile.open(path) as tar:
                for member in tar:
                    try:
                        file = tar.extractfile(member)
                    except (KeyError, RecursionError):
                        continue
                    if file:
                        peer.append(Image.open(file).getpixel((0, 0))[0])
            read = self.shards()
            self.assertEqual(peer, self.reds(read))
            self.assertEqual([1, 2, 1, 1, 1, 4, 3, 4], peer)
            self.says(read, "links that lead to no file (3, such as ring.png)", "neither files nor folders (1: pipe.png)")

    def test_ordinary_shards_say_nothing(self):
        self.write("0.tar", shard([("a.jpg", png(1)), ("a.txt", b"one"), ("a.cls", b"0")]))
        read = self.shards(captions=True, classes=1)
        self.assertEqual([], read["warnings"])

    def test_endings_in_any_case_and_empty_captions(self):
        self.write("0.tar", shard([("a.JPG", png(1)), ("a.TXT", b""), ("b.jfif", png(2)), ("b.txt", b"two\r\n"), ("c.JpE", png(3)), ("c.txt", codecs.BOM_UTF8 + b"3")]))
        read = self.shards(captions=True)
        self.assertEqual(([1, 2, 3], ["", "two", "3"]), (self.reds(read), self.captions(read)))

    def test_what_is_passed_over_is_said(self):
        self.write("0.tar", shard([("photo_2.0.jpg", png(1)), ("photo_2.1.jpg", png(1)), ("plain.jpg", png(2)), ("plain.json", b"{}"), ("._plain.jpg", b"x"),
                                   ("__MACOSX/plain.jpg", b"x"), (".thumbs/plain.jpg", b"x"), ("other.bmp", b"BM"), ("other.txt", b"x"), ("README", b"x"), (".DS_Store", b"")]))
        self.write("1.tar.gz", b"x")
        self.write("._0.tar", b"x")
        (self.folder / "folder.tar").mkdir()
        (self.folder / "gone.tar").symlink_to("nowhere")
        read = self.shards()
        self.assertEqual([2], self.reds(read))
        self.says(read, "names with a dot before their ending (a key ends at the first dot of a name) (2, such as photo_2.0.jpg)", "other endings (2, such as plain.json)",
                  "hidden names (.x, __MACOSX, @eaDir) (4, such as ._0.tar)", "neither PNG nor JPEG nor WebP (1: other.bmp)", "samples without an image (1: other.txt)",
                  "compressed shards (unpack them with gunzip) (1: 1.tar.gz)", "shards that are no files (2, such as ")

    def test_members_twice_are_refused(self):
        for members, part in (([("a.png", png(1)), ("b.png", png(2)), ("a.png", png(3))], "0.tar: a.png twice"), ([("a.png", png(1)), ("./a.png", png(3))], "a.png twice"),
                              ([("a.png", png(1)), ("a.txt", b"x"), ("a.txt", b"y")], "a.txt twice"), ([("a.png", png(1)), ("a.jpg", png(2))], "a.jpg and a.png in one sample"),
                              ([("a.png", png(1)), ("a.PNG", png(2))], "a.PNG and a.png in one sample")):
            self.write("0.tar", shard(members))
            self.refuses(self.shards(), part)

    def test_captions_are_counted_as_in_folders(self):
        self.write("0.tar", shard([("a.png", png(1)), ("b.png", png(2)), ("b.txt", b"word " * 20), ("c.png", png(3)), ("c.txt", b"short")]))
        read = self.shards(captions=True, caption_bytes=10)
        self.assertEqual([2, 3], self.reds(read))
        self.says(read, "images without a caption (1: a.png)", "1 of 2 captions are cut to caption_bytes = 10; the longest has 99 bytes")
        self.write("0.tar", shard([("a.png", png(1)), ("a.txt", b"caf\xe9")]))
        self.refuses(self.shards(captions=True), "0.tar:a.txt:1:4: ", "0xE9")

    def test_classes_are_whole_numbers_found_before_the_first_step(self):
        for content, good in ((b"1", True), (b" 1\r\n", True), (codecs.BOM_UTF8 + b"1", True), (b"1abc", False), (b"", False), (b"-1", False), (b"2", False), (b"1.0", False),
                              (b"99999999999999999999", False)):
            self.write("0.tar", shard([("a.png", png(1)), ("a.cls", content)]))
            read = self.shards(classes=2)
            if good:
                self.assertEqual(1, read["samples"][0]["label"], content)
            else:
                self.refuses(read, "0.tar:a.cls", "is not a class from 0 to 1")
        self.write("0.tar", shard([("a.png", png(1))]))
        self.refuses(self.shards(classes=2), "a.png has no member .cls")

    def test_archives_behind_each_other_are_all_read(self):
        one, two = shard([("a.png", png(1))]), shard([("b.png", png(2))], tarfile.GNU_FORMAT)
        self.write("0.tar", one + two)
        self.assertEqual([1, 2], self.reds(self.shards()))
        self.write("0.tar", one + shard([("a.png", png(2))]))
        self.refuses(self.shards(), "a.png twice")
        self.write("0.tar", one + b"signature" * 200)
        read = self.shards()
        self.assertEqual([1], self.reds(read))
        self.says(read, "bytes behind an archive's end that are no archive (1: ")
        self.write("0.tar", one + two[:1024])
        self.refuses(self.shards(), "0.tar, byte ", "cut")
        self.write("0.tar", raw("a.png", png(1)))
        self.refuses(self.shards(), "its end mark is missing")
        self.write("0.tar", raw("a.png", png(1)) + b"\0" * 512)
        self.assertEqual([1], self.reds(self.shards()))

    def test_headers_that_lie_end(self):
        body = png(1)
        big = lambda n, first=0x80: bytes([first]) + n.to_bytes(11, "big")
        for bad, part in ((raw("a.png", body, b"77777777777\0"), "cut within a.png"), (raw("a.png", body, big(2**64 - 512)), "cut within a.png"),
                          (raw("a.png", body, big(2**64)), "no number, negative or too large"), (raw("a.png", body, big(2**87)), "no number, negative or too large"),
                          (raw("a.png", body, b"\xff" * 11 + b"\0"), "negative"), (raw("a.png", body, b"-0000000001\0"), "no number"), (raw("a.png", body, b"12x\0"), "no number"),
                          (raw("p", b"99999999999999999999 path=x\n", type=b"x"), "pax"), (raw("p", b"18446744073709551600 path=x\n", type=b"x"), "pax"),
                          (raw("p", b"0 path=x\n", type=b"x"), "pax"), (raw("p", b"-5 path=x\n", type=b"x"), "pax"), (raw("p", b"11 pathxxx\n", type=b"x"), "without"),
                          (raw("p", b"9 path=x\n\0\0", type=b"x"), "pax"), (raw("p", record(b"size=18446744073709551104"), type=b"x") + raw("a.png", body), "cut within a.png"),
                          (raw("p", record(b"size=-1"), type=b"x") + raw("a.png", body), "no number of bytes"), (raw("p", record(b"size=99999999999999999999"), type=b"x") + raw("a.png", body), "no number of bytes"),
                          (raw("p", b"", b"77777777777\0", type=b"x"), "an extended header of"), (raw("p", b"", big(2**40), type=b"L"), "an extended header of"),
                          (raw("p", record(b"path=y.png"), type=b"x"), "that no member follows")):
            self.write("0.tar", raw("first.png", png(9)) + bad + END)
            self.refuses(self.shards(), "0.tar, byte ", part)

    def test_pax_sizes_and_base_256_sizes_are_read(self):
        body = png(1)
        self.write("0.tar", raw("a.png", body, b"\x80" + len(body).to_bytes(11, "big")) + raw("p", record(b"size=%d" % len(body)), type=b"x") +
                   raw("b.png", body, b"%011o\0" % 0) + END)
        self.assertEqual([1, 1], self.reds(self.shards()))

    def test_sparse_members_are_refused_by_name(self):
        header = bytearray(raw("a.png", b"", b"%011o\0" % 512, b"S"))
        header[482] = 1
        extension = b"\0" * 504 + b"\1" + b"\0" * 7 + b"\0" * 512
        self.write("0.tar", checked(header) + extension + b"x" * 512 + raw("b.png", png(2)) + END)
        self.refuses(self.shards(), "0.tar:a.png: sparse")
        self.write("0.tar", raw("p", record(b"GNU.sparse.major=1") + record(b"GNU.sparse.name=dir/real.png"), type=b"x") + raw("GNUSparseFile.0/x", b"x" * 512) + raw("b.png", png(2)) + END)
        self.refuses(self.shards(), "0.tar:dir/real.png: sparse")

    def test_shards_that_are_no_files_do_not_hang(self):
        os.mkfifo(self.folder / "0.tar")
        (self.folder / "1.tar").symlink_to("/dev/zero")
        self.refuses(self.shards(), "holds no .tar file", "(2, such as ")
        self.write("2.tar", b"\x1f\x8b" + b"x" * 600)
        self.refuses(self.shards(), "2.tar", "gunzip")
        self.write("2.tar", b"")
        self.refuses(self.shards(), "2.tar", "cut")

    def test_no_cut_and_no_flipped_bit_hangs_or_crashes(self):
        whole = shard([("d/" + "x" * 120 + ".png", png(1)), ("b.png", png(2)), ("l.png", (tarfile.LNKTYPE, "b.png"))], tarfile.PAX_FORMAT)
        random.seed(14)
        for _ in range(60):
            data = bytearray(whole)
            for _ in range(random.randint(1, 3)):
                at = random.randrange(6 * 512)
                data[at] ^= 1 << random.randrange(8)
                if random.random() < 0.7:
                    block = at // 512 * 512
                    data[block:block + 512] = checked(data[block:block + 512])
            self.write("0.tar", bytes(data[:random.randrange(len(data))] if random.random() < 0.2 else data))
            self.shards()


unittest.main(argv=sys.argv[:1], verbosity=1)
