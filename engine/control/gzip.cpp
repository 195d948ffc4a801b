#include "engine/control/gzip.h"

#define ZLIB_CONST  // its input is const
#include <zlib.h>

#include <limits>

namespace memcoord::control {

std::optional<std::string> gzip(std::string_view text) {
  constexpr int kWindow = 15 + 16;  // zlib's largest window, and the gzip format
  constexpr int kMemory = 8;        // zlib's default
  if (text.size() > std::numeric_limits<uInt>::max()) return std::nullopt;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kWindow, kMemory, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return std::nullopt;
  }
  std::string result(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<const Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int ended = deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) return std::nullopt;
  result.shrink_to_fit();
  return result;
}

}  // namespace memcoord::control
