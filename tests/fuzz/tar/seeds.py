import io
import tarfile

MEMBERS = (("a.png", ""), ("d" * 60 + "/" + "n" * 60 + ".txt", ""), ("b.cls", "a.png"), ("\u00e9.jpg", ""))


def shard(form):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for name, link in MEMBERS:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = (tarfile.SYMTYPE, link) if link else (tarfile.REGTYPE, "")
            member.size = 0 if link else 4
            archive.addfile(member, io.BytesIO(b"data"))
    return stream.getvalue().rstrip(b"\0") + bytes(1536)


def seeds():
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        yield shard(form)
