// HDF5 1.10 itself loses memory when it refuses a damaged block or a write fails; the leak checker is to report ours.
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5\n"; }
