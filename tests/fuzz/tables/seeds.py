def seeds():
    yield b'file_name,text\r\na.png,"a ""red"" one"\r\nb.png,\n'
    yield b'\xef\xbb\xbftext;file_name;more\nx;"a;b";\n'
    yield b'{"file_name": "a.png", "text": "\\u00e9", "more": [{"x": 1.5e3}]}\n{"file_name":"b","text":""}'
    yield b"d/a.png\0a caption, of \"two\"\nlines"
