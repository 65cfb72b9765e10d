"""Makes the inputs that the fuzzers begin with: small files of each kind that the readers know. Needs Pillow.

python3 fuzz/seeds/make.py
"""

import io
import pathlib
import struct

from PIL import Image

here = pathlib.Path(__file__).parent


def picture(mode, width=19, height=13):
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            image.putpixel((x, y), (x * 13 % 256, y * 19 % 256, (x * y * 7) % 256))
    return image.convert(mode)


def exif(orientation, order="MM"):
    """The content of an APP1 marker with a directory of two entries, the second one the orientation."""
    endian = ">" if order == "MM" else "<"
    make = struct.pack(endian + "HHII", 0x010F, 2, 4, 0x41424300)
    turn = struct.pack(endian + "HHIHH", 0x0112, 3, 1, orientation, 0)
    header = order.encode() + struct.pack(endian + "HI", 42, 8)
    return b"Exif\0\0" + header + struct.pack(endian + "H", 2) + make + turn + bytes(4)


def jpeg(mode="RGB", **options):
    file = io.BytesIO()
    picture(mode, options.pop("width", 19), options.pop("height", 13)).save(file, "JPEG", quality=40, **options)
    return file.getvalue()


def record(width, height):
    """native/image/record.h, with the checksum of record.cpp."""
    pixels = bytes(i * 31 % 256 for i in range(3 * width * height))
    mask, first, second = 2**64 - 1, 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F

    def mix(lane, word):
        lane = (lane + word * second) & mask
        return (((lane << 31) | (lane >> 33)) * first) & mask

    lanes = [first, second, first ^ mask, second ^ mask]
    at = 0
    while at + 32 <= len(pixels):
        for i, word in enumerate(struct.unpack("<4Q", pixels[at : at + 32])):
            lanes[i] = mix(lanes[i], word)
        at += 32
    for i in range(at, len(pixels)):
        lanes[i % 4] = mix(lanes[i % 4], pixels[i])
    total = len(pixels)
    for lane in lanes:
        total = mix(total ^ lane, lane)
    return b"\x93LYCIM01" + struct.pack("<IIQ", width, height, total ^ (total >> 29)) + pixels


images = {
    "baseline.jpg": jpeg(),
    "full-chroma.jpg": jpeg(subsampling=0),
    "half-chroma.jpg": jpeg(subsampling=1),
    "progressive.jpg": jpeg(progressive=True),
    "optimised.jpg": jpeg(optimize=True),
    "grey.jpg": jpeg("L"),
    "grey-progressive.jpg": jpeg("L", progressive=True),
    "cmyk.jpg": jpeg("CMYK"),
    "long.jpg": jpeg("L", width=3, height=90),
    "pixel.jpg": jpeg(width=1, height=1),
    "cut.jpg": jpeg()[:-30],
    "turned-6.jpg": jpeg(exif=exif(6)),
    "turned-3.jpg": jpeg(exif=exif(3, "II")),
    "record": record(5, 3),
    "record-4x4": record(4, 4),
}
for name, data in images.items():
    (here / "image" / name).write_bytes(data)
for orientation in range(0, 10):
    (here / "exif" / f"{orientation}-big").write_bytes(exif(orientation))
(here / "exif" / "5-little").write_bytes(exif(5, "II"))
