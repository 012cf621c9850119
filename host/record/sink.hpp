// Where all goes that a run says: its results file, its log, the terminal, a tracker. Each is told everything, and
// takes what it can keep.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string_view>

#include "host/store/png.hpp"

namespace perrin::record {

// How far long work is, for people.
struct Work {
  std::string_view what, unit;                             // "diffusion", "step"
  int64_t done = 0, total = 0;                             // total 0: not known yet
  int64_t begun = 0;                                       // done by an earlier process: not counted in the rate
  double loss = std::numeric_limits<double>::quiet_NaN();  // NaN: it has none
};

// Groups, columns and tags are those of the store::Layout that the run began with. What fails throws Error. All calls
// but `text` come from the thread that trains, and none may wait for a network.
class Sink {
 public:
  virtual ~Sink() = default;

  // Must a run end when this one fails? Otherwise it is told nothing more, and the others are told why.
  virtual bool needed() const { return false; }

  // One row of a group; NaN: no value. wall_time: Unix seconds.
  virtual void row(std::string_view /*group*/, int64_t /*step*/, double /*wall_time*/,
                   std::span<const double> /*values*/) {}
  // A picture, which `file` holds as well.
  virtual void image(std::string_view /*tag*/, int64_t /*step*/, const store::Image&,
                     const std::filesystem::path& /*file*/) {}
  // Words for people, without the newline. From any thread.
  virtual void text(std::string_view /*line*/) {}
  // Something in the run's folder that is whole now: a checkpoint, a snapshot.
  virtual void file(const std::filesystem::path&) {}
  virtual void work(const Work&) {}
  // The last numbers of this process, in the order of the layout's group "summary".
  virtual void summary(int64_t /*step*/, double /*wall_time*/, std::span<const double> /*values*/) {}
  // running, finished, interrupted, failed; why: of a failure.
  virtual void status(std::string_view /*status*/, std::string_view /*why*/) {}
  // Returns when all that was told is where it stays.
  virtual void sync() {}
  // Nothing follows.
  virtual void close() {}
};

}  // namespace perrin::record
