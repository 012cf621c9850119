import json
import struct

TOKENS = {"</s>": 0, "<pad>": 1, "[UNK]": 2, "a": 3, "r": 4, "e": 5, "d": 6, "re": 7, "red": 8, "##d": 9, "\u0120": 10}
ADDED = {"id": 0, "content": "</s>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": False, "special": True}


def kind(name, **more):
    return {"type": name, **more}


def tokenizer(model, normalizer=None, pre=None, post=None, added=(ADDED,)):
    return json.dumps({"added_tokens": list(added), "normalizer": normalizer, "pre_tokenizer": pre, "post_processor": post,
                       "model": model}).encode()


def sequence(name, *parts):
    return {"type": "Sequence", name: list(parts)}


def whole_files():
    spaces = kind("Replace", pattern={"Regex": "\\s+"}, content=" ")
    yield tokenizer(kind("BPE", vocab=TOKENS, merges=["r e", ["re", "d"]], unk_token="</s>"),
                    sequence("normalizers", kind("NFC"), spaces, kind("Lowercase")), kind("ByteLevel", add_prefix_space=True),
                    kind("RobertaProcessing", sep=["</s>", 0], cls=["<pad>", 1])) + b"\0 red and a"
    single = [{"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "</s>"}}]
    yield tokenizer(kind("WordPiece", vocab=TOKENS, unk_token="[UNK]", max_input_chars_per_word=100), kind("BertNormalizer"),
                    kind("BertPreTokenizer"), kind("TemplateProcessing", single=single))
    pieces = [[t, -0.5 * i] for i, t in enumerate(["</s>", "<pad>", "<unk>", "\u2581", "red", "a"])]
    yield tokenizer(kind("Unigram", unk_id=2, vocab=pieces),
                    sequence("normalizers", kind("Nmt"), kind("NFKC"), kind("StripAccents"), kind("Strip"),
                             kind("Prepend", prepend="\u2581")),
                    sequence("pretokenizers", kind("WhitespaceSplit"), kind("Digits", individual_digits=True),
                             kind("Punctuation"), kind("Metaspace", replacement="\u2581", prepend_scheme="first")))


# A name with two numbers, a likelihood of minus infinity, rules that double a text, words without end.
def once_findings():
    yield tokenizer(kind("BPE", vocab={"</s>": 0, "a": 50}, merges=[], unk_token="</s>"), pre=kind("ByteLevel"),
                    added=[{"id": 2, "content": "a", "single_word": True}]) + b"\0aa"
    yield tokenizer(kind("Unigram", unk_id=0, vocab=[["</s>", -1e308], ["a", -1e308]])) + b"\0aaaa"
    twice = kind("Replace", pattern={"String": "a"}, content="aa")
    yield tokenizer(kind("Unigram", unk_id=0, vocab=[["</s>", -1], ["a", -1]]), sequence("normalizers", *40 * [twice]))
    yield tokenizer(kind("WordPiece", vocab={"</s>": 0, "[UNK]": 1, "a": 2, "##a": 3}, max_input_chars_per_word=10**9)) + \
        b"\0" + b"a" * 4096


def seeds():
    yield from whole_files()
    yield from once_findings()
    vocabulary = {**TOKENS, "<|startoftext|>": 12, "<|endoftext|>": 13, "red</w>": 14, "d</w>": 15}
    yield b"v" + json.dumps(vocabulary).encode() + b"\0#version: 0.2\nr e\nre d</w>\n\0a red &amp; blue"
    units = [0] * 0x101  # one sequence, "a", whose replacement is cut within a character
    units[0], units[0x60], units[0x100] = 1 << 10, 0x61 | 1 << 8 | 0x160 << 10, 1 << 31
    trie = struct.pack("<257I", *units)
    yield b"c" + b"abc \xc3\xa9".ljust(64) + struct.pack("<I", len(trie)) + trie + b"\xe2\x96\0"
