"""unpack_wheel.py WHEEL FOLDER: merges a wheel's shared libraries and headers into FOLDER.

The .dist-info folder arrives last and whole, so its presence means that the wheel is complete. Python files, tools
and static archives, which a C++ program has no use for, stay out.
"""
import pathlib
import sys
import zipfile


def wanted(name):
    return "/include/" in name or ("/lib/" in name and ".so" in name.rsplit("/", 1)[-1])


def main(wheel_file, folder):
    target = pathlib.Path(folder)
    with zipfile.ZipFile(wheel_file) as wheel:
        names = wheel.namelist()
        info = next(name for name in names if name.endswith(".dist-info/METADATA")).split("/")[0]
        wheel.extractall(target, [name for name in names if wanted(name)])
        staging = target / ".unpacking"
        wheel.extractall(staging, [name for name in names if name.startswith(info + "/")])
    (staging / info).rename(target / info)
    staging.rmdir()


main(*sys.argv[1:])
