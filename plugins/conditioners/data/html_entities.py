"""Writes html_entities.inc: the named character references of HTML, as Python's html.entities.html5 lists them.

    python3 html_entities.py > html_entities.inc

The list is the HTML standard's ("Named character references"): names with and without a semicolon, one or two code
points each. An entry is the name behind the ampersand and its code points in hexadecimal.
"""
import html.entities
import textwrap

entries = [f"{name} {'+'.join(f'{ord(c):x}' for c in value)}" for name, value in sorted(html.entities.html5.items())]
joined = textwrap.fill("  ".join(e.replace(" ", "\0") for e in entries), 116, break_long_words=False,
                       break_on_hyphens=False).replace("\0", " ")
print("// Made by html_entities.py.")
for line in joined.splitlines():
    print(f'"{" ".join(line.split())} "')
