"""Writes data/tokenizers.json: tokenizer.json files and the tokens that they give hundreds of nasty texts.

    pip install transformers==5.24.0 tokenizers==0.23.3
    python tokenizers.py

"files" are as transformers' CLIPTokenizer, GPT2Tokenizer, BertTokenizer and T5Tokenizer save them, of the small vocabularies
beside this file, and some that the tokenizers library makes of the other parts that Perrin knows. "tokens" are those of
"texts" without the marks of the post_processor; special tokens in a text are found, as both libraries do it.
"""
import json
import pathlib
import random
import sys
import unicodedata

sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).parent]  # not this file
from tokenizers import AddedToken, Regex, Tokenizer, normalizers as n, pre_tokenizers as p  # noqa: E402
from transformers import BertTokenizer, CLIPTokenizer, GPT2Tokenizer, T5Tokenizer  # noqa: E402

HERE = pathlib.Path(__file__).parent
DATA = HERE / "data"

TEXTS = [
    "", " ", "a red circle", "  Two   GREEN squares\t\n on the  left ", "end with space ", "don't you'll IT'S o'clock 's'd", "3.14 1,000 20% x2 \u0664\u0665 \u2167 \u00b2 \u00bd",
    "caf\u00e9 cafe\u0301 \u00c5ngstr\u00f6m A\u030a na\u00efve \u0130stanbul STRASSE \u1e9e \u00df", "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 \u041f\u0440\u0438\u0432\u0435\u0442",
    "\u7ea2\u8272\u7684\u5706\u5f62 \u6771\u4eac\u30bf\u30ef\u30fc \uac00\ub098 \u1109\u1165\u110b\u116e\u11af \uff76\uff9e\uff77 \uf900 \U00020000\U0002b740",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u202bmixed\u202c \u200fright", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u1000\u103c\u1014\u103a",
    "\U0001f600 i \u2764\ufe0f you \U0001f44d\U0001f3fd \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1eb\U0001f1f7 1\ufe0f\u20e3", "&amp; &lt;b&gt; &#39; &eacute; &nbsp;",
    "\u201ccurly\u201d \u2018q\u2019 \ufb01sh \ufb02ag \uff21\uff22\uff23 \uff11\uff12 \u2122 \u2460 \u2026 \u2014 \u00ab\u00bb", "zero\u200bwidth\u200cnon\u200djoin \ufeffbom \u2060word \u00adsoft",
    "tab\ttab\vvt\ff\rcr\x85nel\u2028ls\u2029ps\u00a0nbsp\u3000wide\u1680og\u2003em", "bell\x07 \x01\x08\x0b\x1b[31m del\x7f \x8f\x9f c1\x80", "\u2581under \u2581\u2581 a\u2581b",
    "\ufffd replaced \ue000private \U000f0000", "(red:1.2) [blue] {x} \\ / | ~ ` ^ _ $ + < = >", "snake_case CamelCase kebab-case http://example.org/a?b=c&d=e#f", "ha" * 60, "x" * 99 + " " + "y" * 100 + " " + "z" * 101,
    " ".join(["a small red circle beside a blue square"] * 40), "supercalifragilistic" * 30, "\u7ea2" * 300, "\U0001f600" * 80, "!" * 200, "e" + "\u0301\u0308\u0327" * 20, "   " * 30,
    "<|endoftext|>", "a<|endoftext|>b <|startoftext|> <|ENDOFTEXT|> <|endoftex|>", "[MASK] x[MASK]y [mask] [CLS][SEP] [UNK][PAD]", "</s> a</s>b <pad> <unk> <extra_id_0> <extra_id_1>x <extra_id_9>",
    "  <left>  both <right>  x<left>y<right>z", "word xword wordx word-word word_ \u00e9word word", "NoRm norm NORM n\u00f6rm", "a  \u00a0 b", "\u0301start", "\ud55c\uae00 \u1112\u1161\u11ab", "\u00a0", "\u3000\u3000", "\u200b", "\x07",
]


def fuzz(count):
    """Half of the characters are ASCII; the others are all that Unicode 14 has."""
    draw = random.Random(0)
    points = [c for c in map(chr, range(1, 0x20000)) if unicodedata.category(c) not in ("Cn", "Cs", "Co")]
    pick = [lambda: chr(draw.randrange(32, 127)), lambda: draw.choice("etaoinshr '.-"), lambda: draw.choice(points),
            lambda: chr(draw.randrange(0xa0, 0x250)), lambda: draw.choice("\u0301\u0308\u200d\u2581\ufb01\uff21\u3000\t\x07 '"), lambda: chr(draw.randrange(0x2000, 0x2190))]
    return ["".join(draw.choice(pick)() for _ in range(draw.randrange(1, 40))) for _ in range(count)]


def scores(file):
    return [tuple(entry) for entry in json.loads(file.read_text())["model"]["vocab"]]


def mixed(unigram, normalizer, pre_tokenizer, added=()):
    made = Tokenizer.from_str(json.dumps(unigram))
    made.normalizer, made.pre_tokenizer = normalizer, pre_tokenizer
    made.add_tokens(list(added))
    return made


def files():
    clip = json.loads((HERE.parent / "text_clip" / "data" / "tokens.json").read_text())
    merges = [tuple(line.split(" ")) for line in (DATA / "merges.txt").read_text().splitlines()[1:]]
    lines = (DATA / "vocab.txt").read_text().split("\n")[:-1]
    words = {token: i for i, token in enumerate(lines)}
    unigram = json.loads((DATA / "tokenizer.json").read_text())
    gpt = GPT2Tokenizer(vocab=json.loads((DATA / "vocab.json").read_text()), merges=merges)
    made = {
        "clip": CLIPTokenizer(vocab=clip["vocabulary"], merges=[tuple(m) for m in clip["merges"]]),
        "gpt": gpt,
        "bert": BertTokenizer(vocab=words, do_lower_case=True),
        "bert_cased": BertTokenizer(vocab=words, do_lower_case=False),
        "bert_accents": BertTokenizer(vocab=words, do_lower_case=True, strip_accents=False, tokenize_chinese_chars=False),
        "t5": T5Tokenizer(vocab=scores(DATA / "tokenizer.json"), extra_ids=2),
    }
    made = {name: tokenizer.backend_tokenizer for name, tokenizer in made.items()}
    made["t5_map"] = mixed(unigram, n.Normalizer.from_str(json.dumps(unigram["normalizer"])) if hasattr(n.Normalizer, "from_str") else Tokenizer.from_str(json.dumps(unigram)).normalizer,
                           p.Metaspace(prepend_scheme="always"))
    made["t5_nmt"] = mixed(unigram, n.Sequence([n.Nmt(), n.NFKC(), n.Replace(Regex(" {2,}"), "\u2581")]), p.Metaspace(prepend_scheme="first"))
    made["mixed"] = mixed(unigram, n.Sequence([n.NFKD(), n.StripAccents(), n.Lowercase(), n.Strip(), n.Replace("left", "right"), n.Prepend("\u2581")]),
                          p.Sequence([p.Digits(individual_digits=True), p.Punctuation(), p.Metaspace(prepend_scheme="never")]),
                          [AddedToken("<left>", lstrip=True), AddedToken("<right>", rstrip=True, normalized=False),
                           AddedToken("word", single_word=True, normalized=False), AddedToken("norm", normalized=True)])
    made["forms"] = mixed(unigram, n.Sequence([n.NFD(), n.NFC(), n.Strip(left=False)]), p.Sequence([p.Digits(), p.WhitespaceSplit(), p.Metaspace(split=False)]))
    made["bytes"] = Tokenizer.from_str(gpt.backend_tokenizer.to_str())
    made["bytes"].normalizer = n.NFC()
    made["bytes"].pre_tokenizer = p.Sequence([
        p.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"), "isolated"), p.ByteLevel(add_prefix_space=True, use_regex=False)])
    return made


def main():
    texts, made = TEXTS + fuzz(240), files()
    tokens = {name: [tokenizer.encode(text, add_special_tokens=False).ids for text in texts] for name, tokenizer in made.items()}
    out = {"files": {name: json.loads(tokenizer.to_str()) for name, tokenizer in made.items()}, "texts": texts, "tokens": tokens}
    (DATA / "tokenizers.json").write_text(json.dumps(out, separators=(",", ":")))
    for name, rows in tokens.items():
        print(f"{name}: {len(rows)} texts, {sum(map(len, rows))} tokens")


main()
