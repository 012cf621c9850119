// Inside host/store only: /evaluations of a run file.
#pragma once

#include <vector>

#include "host/store/evaluation.hpp"
#include "host/store/hdf5.hpp"

namespace perrin::store {

// Throws Error for names that HDF5 cannot keep, or that are there twice.
void check_evaluation(const Evaluation& evaluation);

void write_evaluations(hid_t file, const std::vector<Evaluation>& evaluations);  // behind those that are there
std::vector<Evaluation> read_evaluations(hid_t file);  // none in files of before there were any

}  // namespace perrin::store
