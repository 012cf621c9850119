#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>

#include "host/images/formats.hpp"
#include "host/images/orientation.hpp"

namespace perrin::images {
namespace {

const uint8_t* data_of(std::string_view bytes) { return reinterpret_cast<const uint8_t*>(bytes.data()); }

WebPBitstreamFeatures features_of(std::string_view bytes) {
  WebPBitstreamFeatures features{};
  if (WebPGetFeatures(data_of(bytes), bytes.size(), &features) != VP8_STATUS_OK) throw Refusal("its header is damaged");
  check_size(static_cast<uint64_t>(features.width), static_cast<uint64_t>(features.height));
  return features;
}

// The chunks of the container.
class Container {
 public:
  explicit Container(std::string_view bytes) {
    const WebPData data = {data_of(bytes), bytes.size()};
    demuxer_ = WebPDemux(&data);
    if (demuxer_ == nullptr || !WebPDemuxGetFrame(demuxer_, 1, &first_)) {
      WebPDemuxDelete(demuxer_);
      throw Refusal("it is cut or damaged");
    }
  }
  ~Container() {
    WebPDemuxReleaseIterator(&first_);
    WebPDemuxDelete(demuxer_);
  }
  Container(const Container&) = delete;

  const WebPIterator& first() const { return first_; }
  Stored stored(const WebPBitstreamFeatures& features) const {
    return {static_cast<uint64_t>(features.width), static_cast<uint64_t>(features.height),
            WebPDemuxGetI(demuxer_, WEBP_FF_FRAME_COUNT), orientation_of(chunk("EXIF"), chunk("XMP "))};
  }

 private:
  std::string_view chunk(const char* type) const {
    WebPChunkIterator found;
    std::string_view bytes;
    if (WebPDemuxGetChunk(demuxer_, type, 1, &found))
      bytes = {reinterpret_cast<const char*>(found.chunk.bytes), found.chunk.size};
    WebPDemuxReleaseChunkIterator(&found);
    return bytes;  // of the file
  }

  WebPDemuxer* demuxer_ = nullptr;
  WebPIterator first_{};
};

}  // namespace

Stored webp_header(std::string_view bytes) {
  const WebPBitstreamFeatures features = features_of(bytes);
  return Container(bytes).stored(features);
}

// The first frame on an empty canvas: transparent, or black in a file without transparency, as Pillow has it.
Pixels decode_webp(std::string_view bytes, uint32_t channels, Stored& stored) {
  const WebPBitstreamFeatures features = features_of(bytes);
  const Container container(bytes);
  stored = container.stored(features);
  const WebPIterator& frame = container.first();
  Pixels pixels = unset(stored.height, stored.width, features.has_alpha ? 4 : 3);
  if (static_cast<uint64_t>(frame.width) != stored.width || static_cast<uint64_t>(frame.height) != stored.height)
    std::memset(pixels.values.get(), 0, pixels.size());
  const uint64_t stride = pixels.width * pixels.channels;
  const uint64_t first =
      static_cast<uint64_t>(frame.y_offset) * stride + static_cast<uint64_t>(frame.x_offset) * pixels.channels;
  const auto decode = features.has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (!decode(frame.fragment.bytes, frame.fragment.size, &pixels.values[first], pixels.size() - first,
              static_cast<int>(stride)))
    throw Refusal("it is cut or damaged");
  convert(pixels, channels);
  return pixels;
}

}  // namespace perrin::images
