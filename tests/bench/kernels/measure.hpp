// Ratios of two ways to do one thing: interleaved, median and spread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace perrin::bench {

struct Time {
  double median, low, high;  // seconds; low and high are the quartiles
};

inline Time summary(std::vector<double> t) {
  std::sort(t.begin(), t.end());
  return {t[t.size() / 2], t[t.size() / 4], t[t.size() * 3 / 4]};
}

template <class F>
double seconds(F& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <class F>
Time measure(F f, int repeats = 15) {
  f();
  std::vector<double> t;
  for (int i = 0; i < repeats; ++i) t.push_back(seconds(f));
  return summary(t);
}

// Prints "<what>: ours 1.23 ms, peer 4.56 ms, 3.7x (3.5-3.9), <work / time> <unit>".
template <class Ours, class Peer>
void compare(const char* what, Ours ours, Peer peer, double work, const char* unit, int repeats = 15) {
  ours(), peer();
  std::vector<double> a, b, ratio;
  for (int i = 0; i < repeats; ++i) {
    a.push_back(seconds(ours)), b.push_back(seconds(peer));
    ratio.push_back(b.back() / a.back());
  }
  const Time own = summary(a), other = summary(b), r = summary(ratio);
  std::printf("%-44s ours %9.3f ms, peer %9.3f ms, %5.2fx (%.2f-%.2f), %.1f %s\n", what, own.median * 1e3,
              other.median * 1e3, r.median, r.low, r.high, work / own.median / 1e9, unit);
}

}  // namespace perrin::bench
