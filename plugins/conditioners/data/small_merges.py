"""Writes small_merges.inc, the merges of the vocabulary that is built in, as the text of a merges.txt.

    python3 small_merges.py > small_merges.inc

Byte pair encoding (1508.07909, algorithm 1) over the words below, each counted once: they are what captions of rendered
shapes and of clothes are made of. Joins the commonest pair, the first in order of bytes among equals, until every word
is one token. Nothing is random.
"""
import collections

WORDS = """
a an the of on in at to from with and or is are it there this that one two three four five six seven eight nine ten no not
photo picture image drawing painting rendering close up view showing shows good bad small-sized black-and-white pixelated
blurry cropped bright dark clean dirty grayscale low high resolution

circle square triangle rectangle ellipse oval star cross ring diamond pentagon hexagon heart arrow line crescent disc
circles squares triangles rectangles ellipses ovals stars crosses rings diamonds pentagons hexagons hearts arrows lines
crescents discs shape shapes object objects round pointed filled outlined smooth sharp soft edges edge

red green blue yellow orange purple pink brown black white gray grey cyan magenta violet turquoise teal navy lime maroon
olive beige gold silver light dark pale deep colour color coloured colored colours colors plain

tiny small little medium middle large big huge size sized

top bottom left right centre center centered corner side upper lower above below beside behind front between middle near
background canvas over under

t-shirt shirt tshirt top trouser trousers pants pullover sweater jumper dress coat jacket sandal sandals sneaker sneakers
shoe shoes bag handbag ankle boot boots clothes clothing garment fashion item piece article wear sleeve sleeves long short
sleeved heel heels strap straps button buttons zip collar hood pocket pockets skirt hat pair
"""


def written(word):
    """A word's symbols: its ASCII characters are their own; the last one ends the word."""
    return (*word[:-1], word[-1] + "</w>")


def train(words):
    words = [written(w) for w in sorted(words)]
    while True:
        pairs = collections.Counter(pair for w in words for pair in zip(w, w[1:]))
        if not pairs:
            return
        pair = min(pairs, key=lambda p: (-pairs[p], p))
        yield pair
        words = [joined(w, pair) for w in words]


def joined(word, pair):
    out, i = [], 0
    while i < len(word):
        here = word[i:i + 2] == pair
        out.append(word[i] + word[i + 1] if here else word[i])
        i += 2 if here else 1
    return tuple(out)


if __name__ == "__main__":
    merges = list(train(set(WORDS.replace("-", " ").split())))
    print("// Made by small_merges.py.")
    print('"#version: 0.2\\n"')
    line = ""
    for a, b in merges:
        entry = f"{a} {b}\\n"
        if len(line) + len(entry) > 116:
            print(f'"{line}"')
            line = ""
        line += entry
    print(f'"{line}"')
