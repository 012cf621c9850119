def seeds():
    yield from (b"a (red:1.3) cat", rb"\(plain\) ((x:0.5) y: 2)", "(\u00e9:.5".encode(), b"((a:10):0.1)")
