/* Host service: PNG, JPEG and WebP files as 8-bit pixels, for datasets of any kind.
 *
 * A file is one picture wherever it is read: every dataset that decodes by this service gives the pixels that
 * `perrin sample` sees in the same file as --init, --image or --mask. They are Pillow's of
 * ImageOps.exif_transpose(image).convert("RGB"), or .convert("L"), with these rules:
 *  - turned upright by the orientation of its EXIF data, else of its XMP data
 *  - opacity, also of a tRNS chunk, is laid on white
 *  - 16 bits become their high byte, in grey as in colour (Pillow clips grey ones at 255 instead, which whitens them)
 *  - palettes and 1, 2 and 4 bits are expanded; a tRNS chunk means the stored value, as the PNG standard has it
 *  - colour becomes grey by Rec. 601 luma, grey becomes colour with equal channels
 *  - CMYK and YCCK JPEGs are taken to be inverted, as Adobe writes them
 *  - gamma, chromaticities and ICC profiles are ignored
 *  - of an animation the first frame, on its canvas
 *  - what a decoder warns of passes where every pixel is there; a file that is cut or damaged is refused
 *  - more than PERRIN_IMAGE_MAX_PIXELS are refused by the header, before memory is taken for them */
#ifndef PERRIN_HOST_IMAGE_H
#define PERRIN_HOST_IMAGE_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_IMAGE "perrin.image/1"

#define PERRIN_IMAGE_PNG 1u
#define PERRIN_IMAGE_JPEG 2u
#define PERRIN_IMAGE_WEBP 3u

#define PERRIN_IMAGE_MAX_PIXELS 178956970u /* above it Pillow raises DecompressionBombError */

/* What a file's header says. */
typedef struct perrin_image_info {
  uint32_t struct_size; /* set by who asks */
  uint32_t format;      /* PERRIN_IMAGE_PNG .. PERRIN_IMAGE_WEBP */
  uint64_t width;       /* of the upright picture, pixels */
  uint64_t height;
  uint64_t frames; /* of the animation; 1: none */
} perrin_image_info;
PERRIN_STATIC_ASSERT(sizeof(perrin_image_info) == 32, "perrin_image_info");

/* A picture in memory. */
typedef struct perrin_image {
  uint32_t struct_size;
  uint32_t channels; /* 1: grey, 3: RGB */
  uint64_t height;   /* pixels */
  uint64_t width;
  const uint8_t* values; /* [height, width, channels], contiguous */
} perrin_image;
PERRIN_STATIC_ASSERT(sizeof(perrin_image) == 32, "perrin_image");

/* A part of a picture that has been scaled to another size. */
typedef struct perrin_image_window {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t height; /* of the whole picture once scaled, pixels */
  uint64_t width;
  uint64_t top; /* of the part in it */
  uint64_t left;
  uint64_t rows; /* of the part */
  uint64_t columns;
} perrin_image_window;
PERRIN_STATIC_ASSERT(sizeof(perrin_image_window) == 56, "perrin_image_window");

typedef struct perrin_host_image {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Reads the header of a file's bytes. `name` stands in messages. PERRIN_INVALID_DATA, with the name, for another
   * format, a damaged header or too many pixels. */
  perrin_status* (*info)(const void* bytes, uint64_t size, perrin_text name, perrin_image_info* info);
  /* [any] Reads the whole file as `channels`, 1 or 3, of them. The caller owns image->values and gives them back by
   * `release`. PERRIN_INVALID_DATA, with the name, for what cannot be read whole. */
  perrin_status* (*decode)(const void* bytes, uint64_t size, perrin_text name, uint32_t channels, perrin_image* image);
  void (*release)(perrin_image* image); /* [any] Of `decode`; NULL values are allowed. */
  /* [any] `from`, scaled to another size, of which only the window is made: values [rows, columns, channels], the caller's.
   * filter: "lanczos", "bicubic", "bilinear" and "box", whose support grows with the reduction, so that nothing aliases, or
   * "nearest"; as Pillow resizes, each of both passes rounds to 8 bits. PERRIN_INVALID_CONFIG for another filter,
   * PERRIN_INVALID_DATA for a window that lies outside. */
  perrin_status* (*resample)(const perrin_image* from, perrin_text filter, const perrin_image_window* window,
                             uint8_t* values);
} perrin_host_image;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_image) == 40, "perrin_host_image");

/* How a picture of any shape fills height x width: scaled until it just covers them, and cut in the middle. The rule of
 * image-folder, and of `perrin sample`, which honours the dataset's keys `fit` ("crop", "stretch") and `filter` if it has
 * them. Move `top` and `left` for another cut. */
static inline perrin_image_window perrin_image_cover(uint64_t from_height, uint64_t from_width, uint64_t height,
                                                     uint64_t width) {
  const double down = (double)height / (double)from_height, across = (double)width / (double)from_width;
  const double scale = down > across ? down : across;
  perrin_image_window window = {sizeof(perrin_image_window), 0, height, width, 0, 0, height, width};
  const uint64_t scaled_height = (uint64_t)((double)from_height * scale + 0.5);
  const uint64_t scaled_width = (uint64_t)((double)from_width * scale + 0.5);
  if (scaled_height > height) window.height = scaled_height;
  if (scaled_width > width) window.width = scaled_width;
  window.top = (window.height - height) / 2;
  window.left = (window.width - width) / 2;
  return window;
}

#ifdef __cplusplus
}
#endif
#endif
